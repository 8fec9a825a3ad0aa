# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0

"""What READMEs, changelogs and other pages must hold."""

import re
from pathlib import PurePosixPath
from urllib.parse import unquote

from tools.check_consistency.base import Findings, check
from tools.checks import Finding
from tools.workspace import Workspace

# A plugin's README answers these, in any words that hold one of the alternatives.
SECTIONS = {
    'install': 'install',
    'options': 'option|setting|config',
    'compatibility': 'compatib|javascript|\\bjs\\b',
    'errors': 'error',
    'limits': 'limit|not supported',
}
TEST_COMMAND = 'uv run pytest'
CI_COMMANDS = (
    TEST_COMMAND,
    'tools.check_consistency',
    'tools.readme_tables',
    'tools.release_check',
    'tools.new_plugin',
    'mkdocs build --strict',
    'pyright',
    'ruff',
)

_LINK = re.compile(r'!?\[[^\]\n]*\]\(\s*<?([^)\s>]+)>?(?:\s+"[^"]*")?\s*\)')
_FENCE = re.compile(r'^(```|~~~).*?^\1', re.MULTILINE | re.DOTALL)


def _prose(text: str) -> str:
    return re.sub(r'`[^`\n]*`', '', _FENCE.sub('', text))


def relative_links(text: str) -> list[str]:
    """Returns the targets of a page's links and pictures that lead to other files."""
    targets: list[str] = _LINK.findall(_prose(text))
    return [target for target in targets if not re.match(r'[a-z][a-z0-9+.-]*:|#|/', target, re.IGNORECASE)]


def changelog_entry(text: str, version: str) -> str:
    """Returns the body of a changelog's entry for a version, empty if there is none."""
    match = re.search(rf'^## \[?v?{re.escape(version)}\]?(?![\w.]).*?$(.*?)(?=^## |\Z)', text, re.MULTILINE | re.DOTALL)
    return match.group(1).strip() if match else ''


@check('readme-title')
def readme_title(workspace: Workspace) -> Findings:
    """A README starts with a title; a package's names the distribution."""
    for member in workspace.members:
        name = f'{member.rel}/README.md'
        first = workspace.text(name).split('\n')[0]
        if workspace.has(name) and not first.startswith('# '):
            yield Finding(name, 'the first line is no title', 'start with "# <name>"')
        elif workspace.has(name) and member.group != 'samples' and member.expected_name not in first:
            yield Finding(name, 'the title does not name the package', f'write "# {member.expected_name}"')


@check('readme-install')
def readme_install(workspace: Workspace) -> Findings:
    """A package's README has an install line with the package's own name."""
    for member in workspace.packages:
        name = f'{member.rel}/README.md'
        line = rf"(?:pip install|uv add)\s+(?:-\S+\s+)*['\"]?{re.escape(member.expected_name)}(?![\w-])"
        if workspace.has(name) and not re.search(line, workspace.text(name)):
            yield Finding(name, 'no install line', f'write "pip install {member.expected_name}"')


@check('readme-import')
def readme_import(workspace: Workspace) -> Findings:
    """A package's README shows an import by the package's import name."""
    for member in workspace.packages:
        name = f'{member.rel}/README.md'
        line = rf'^\s*(?:from|import) {re.escape(member.import_name)}\b'
        if workspace.has(name) and not re.search(line, workspace.text(name), re.MULTILINE):
            yield Finding(name, 'no example imports the package', f'show "from {member.import_name} import ..."')


@check('readme-sections')
def readme_sections(workspace: Workspace) -> Findings:
    """A plugin's README has the sections that all of them have."""
    for member in workspace.plugins:
        name = f'{member.rel}/README.md'
        headings = re.findall(r'^#{2,4} (.+)$', _FENCE.sub('', workspace.text(name)), re.MULTILINE)
        for section, pattern in SECTIONS.items():
            if workspace.has(name) and not any(re.search(pattern, heading, re.IGNORECASE) for heading in headings):
                yield Finding(name, f'no section on {section}', f'add a heading such as "## {section.capitalize()}"')


@check('sample-readme')
def sample_readme(workspace: Workspace) -> Findings:
    """A sample's README says how to run it."""
    for member in workspace.samples:
        name = f'{member.rel}/README.md'
        if workspace.has(name) and not re.search(r'run\.sh|uv run', workspace.text(name)):
            yield Finding(name, 'it does not say how to run the sample', 'show ./run.sh or the uv run line')


@check('changelog-entry')
def changelog_for_version(workspace: Workspace) -> Findings:
    """Every package's CHANGELOG.md has an entry for its version, with words in it."""
    for member in workspace.packages:
        name = f'{member.rel}/CHANGELOG.md'
        if workspace.has(name) and not changelog_entry(workspace.text(name), member.version):
            yield Finding(name, f'no entry for {member.version}', f'write "## {member.version}" and what changed')


@check('root-readme')
def root_readme(workspace: Workspace) -> Findings:
    """The root README names every package and the test command."""
    text = workspace.text('README.md')
    for member in workspace.packages:
        if not re.search(rf'(?<![\w-]){re.escape(member.expected_name)}(?![\w-])', text):
            yield Finding('README.md', f'{member.expected_name} is not mentioned', 'add it to the table of packages')
    if TEST_COMMAND not in text:
        yield Finding('README.md', 'the test command is missing', f'write "{TEST_COMMAND}"')


@check('ci-commands')
def ci_commands(workspace: Workspace) -> Findings:
    """CI calls the README's test command, the linters and the three tools, and hides no failure."""
    text = workspace.text('.ci/run')
    for command in CI_COMMANDS:
        if command not in text:
            yield Finding('.ci/run', f'{command} is not called', 'add the step')
    if re.search(r'\|\|\s*(true|:)', text):
        yield Finding('.ci/run', 'a failure is swallowed', 'let the step fail')


@check('links')
def links(workspace: Workspace) -> Findings:
    """Relative links in Markdown files lead somewhere."""
    known = set(workspace.files)
    folders = {str(parent) for name in known for parent in PurePosixPath(name).parents}
    for name in workspace.files:
        if not name.endswith('.md') or '/golden/' in name:
            continue
        for target in relative_links(workspace.text(name)):
            parts: list[str] = []
            for part in (PurePosixPath(name).parent / unquote(target.split('#')[0])).parts:
                if part == '..' and parts:
                    parts.pop()
                else:
                    parts.append(part)
            if '/'.join(parts) not in known | folders and parts:
                yield Finding(name, f'the link to {target} leads nowhere', 'mend or remove it')
