# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0

"""A tiny made-up workspace in which every consistency check passes."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.check_consistency.documents import CI_COMMANDS
from tools.check_consistency.files import PACKAGE_FILES, ROOMS, TEST_FILES
from tools.check_consistency.metadata import CLASSIFIERS
from tools.workspace import HEADER

LICENCE = 'the licence\n'
CLASSIFIER_LINES = ''.join(f'  "{item}",\n' for item in CLASSIFIERS)
SECTIONS = ''.join(f'## {title}\n\nWords.\n\n' for title in ('Options', 'Compatibility with JS', 'Errors', 'Limits'))

ROOT = """
[project]
name = "made-up-workspace"
version = "0.1.0"
requires-python = ">=3.10"
dependencies = [
  "genkitx",
  "genkitx-acme",
  "genkitx-mill",
  "genkitx-tie",
]

[tool.uv]
exclude-newer = "2026-01-01T00:00:00Z"

[tool.uv.workspace]
members = ["packages/*", "plugins/*", "samples/*"]

[tool.uv.sources]
genkitx = { workspace = true }
genkitx-acme = { workspace = true }
genkitx-mill = { workspace = true }
genkitx-tie = { workspace = true }

[tool.genkitx.plugins]
acme = "store"
mill = "model"
tie = "bridge"
"""

PACKAGE = """
[build-system]
requires = ["hatchling>=1.27"]
build-backend = "hatchling.build"

[project]
name = "{name}"
version = "0.1.0"
description = "A made-up package for the tests of the tools"
readme = "README.md"
requires-python = ">=3.10"
license = "Apache-2.0"
license-files = ["LICENSE"]
authors = [{{ name = "The genkitx authors" }}]
keywords = ["genkit"]
classifiers = [
{classifiers}]
dependencies = ["{depends}", "{vendor}>=1.0"]

[dependency-groups]
dev = ["genkitx[testing]"]

[tool.uv.sources]
genkitx = {{ workspace = true }}

[tool.hatch.build.targets.wheel]
packages = ["src/{module}"]

[tool.hatch.build.targets.sdist]
include = ["/src", "/tests", "/README.md", "/CHANGELOG.md", "/LICENSE"]
"""

SAMPLE = """
[project]
name = "sample-tour"
version = "0.1.0"
requires-python = ">=3.10"
license = "Apache-2.0"
dependencies = ["genkitx"]

[tool.uv.sources]
genkitx = { workspace = true }
"""

SURFACE = """from {module}.plugin import LIMIT, Thing, make_thing

__all__ = ['LIMIT', 'Thing', 'make_thing']
"""
PLUGIN = '''"""The plugin."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import {vendor}

LIMIT = 3
"""How many."""


class Thing:
    """A thing."""


def make_thing() -> '{vendor}.Client':
    """Makes a thing."""
    import {vendor}

    return {vendor}.Client()
'''
TEST = 'from genkitx.testing import Suite\n\n\ndef test_it():\n    assert Suite\n'


class Tree:
    """Files under a root, with short ways to change them."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def write(self, name: str, text: str, *, mode: int = 0o644) -> None:
        file = self.root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding='utf-8')
        file.chmod(mode)

    def read(self, name: str) -> str:
        return (self.root / name).read_text(encoding='utf-8')

    def append(self, name: str, text: str) -> None:
        self.write(name, self.read(name) + text)

    def replace(self, name: str, old: str, new: str) -> None:
        text = self.read(name)
        assert old in text, f'{old!r} is not in {name}'
        self.write(name, text.replace(old, new), mode=(self.root / name).stat().st_mode)

    def remove(self, name: str) -> None:
        (self.root / name).unlink()


def write_package(tree: Tree, folder: str, name: str, kind: str) -> None:
    module, vendor = name.replace('-', '_'), f'{folder.split("/")[-1]}_sdk'.replace('genkitx', 'shared')
    depends = 'genkit>=0.12,<0.13' if name == 'genkitx' else 'genkitx>=0.1,<0.2'
    project = PACKAGE.format(name=name, module=module, vendor=vendor, depends=depends, classifiers=CLASSIFIER_LINES)
    readme = f'# {name}\n\n## Install\n\n    pip install {name}\n\n```python\nfrom {module} import Thing\n```\n\n'
    texts = {'pyproject.toml': project, 'README.md': readme + SECTIONS, 'LICENSE': LICENCE}
    texts['CHANGELOG.md'] = '# Changelog\n\n## 0.1.0\n\nThe first release.\n'
    assert set(texts) == set(PACKAGE_FILES)
    for file, text in texts.items():
        tree.write(f'{folder}/{file}', text)
    source = f'{folder}/src/{module}'
    tree.write(f'{source}/__init__.py', HEADER + SURFACE.format(module=module))
    tree.write(f'{source}/py.typed', '')
    for room in ROOMS.get(kind, ()):
        tree.write(f'{source}/{room}', f'{HEADER}"""A room."""\n')
    tree.write(f'{source}/plugin.py', HEADER + PLUGIN.format(vendor=vendor))
    for subject in TEST_FILES.get(kind, ('thing',)):
        tree.write(f'{folder}/tests/{subject}_test.py', HEADER + TEST)


def make_tree(root: Path) -> Tree:
    """Writes the made-up workspace: the core, a store, a model plugin, a bridge and a sample."""
    made = Tree(root)
    made.write('pyproject.toml', ROOT)
    made.write('README.md', '# Made up\n\ngenkitx, genkitx-acme, genkitx-mill, genkitx-tie\n\n    uv run pytest\n')
    made.write('LICENSE', LICENCE)
    made.write('conftest.py', HEADER)
    for name in ('CONTRIBUTING.md', 'SECURITY.md', 'docs/design.md'):
        made.write(name, '# A page\n')
    steps = '\n'.join([*CI_COMMANDS, ''])
    made.write('.ci/run', f'#!/usr/bin/env bash\nset -euo pipefail\n{steps}', mode=0o755)
    write_package(made, 'packages/genkitx', 'genkitx', 'core')
    for folder, kind in (('acme', 'store'), ('mill', 'model'), ('tie', 'bridge')):
        write_package(made, f'plugins/{folder}', f'genkitx-{folder}', kind)
    made.write('samples/tour/pyproject.toml', SAMPLE)
    made.write('samples/tour/LICENSE', LICENCE)
    made.write('samples/tour/README.md', '# Tour\n\nRun `./run.sh`, then read [the design](../../docs/design.md).\n')
    made.write('samples/tour/run.sh', '#!/usr/bin/env bash\nset -euo pipefail\nuv run python main.py\n', mode=0o755)
    made.write('samples/tour/main.py', HEADER)
    return made


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    """A fresh made-up workspace."""
    return make_tree(tmp_path)


@pytest.fixture(scope='session')
def building_tree(tmp_path_factory: pytest.TempPathFactory) -> Tree:
    """A made-up workspace whose packages build and install: without the vendors, which do not exist."""
    made = make_tree(tmp_path_factory.mktemp('building'))
    for name in ('packages/genkitx', 'plugins/acme', 'plugins/mill', 'plugins/tie'):
        vendor = 'shared' if name == 'packages/genkitx' else name.split('/')[1]
        made.replace(f'{name}/pyproject.toml', f', "{vendor}_sdk>=1.0"', '')
    made.replace('packages/genkitx/pyproject.toml', '"genkit>=0.12,<0.13"', '')
    return made
