# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""An MCP server for a folder of notes, over stdio: notes_server.py FOLDER.

It knows nothing of Genkit; any MCP client can use it.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
from pathlib import Path

from mcp.server.mcpserver import MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp.shared.path_security import PathEscapeError, safe_join
from mcp_types import ToolAnnotations
from pydantic import BaseModel, Field

READS = ToolAnnotations(read_only_hint=True)
WRITES = ToolAnnotations(read_only_hint=False, destructive_hint=False, idempotent_hint=False)
NAME = re.compile(r'[\w-]+(/[\w-]+)*')


class Note(BaseModel):
    """A note in a list."""

    name: str = Field(description='Name to read it by.')
    title: str
    words: int


class Hit(BaseModel):
    """A line that a search found."""

    name: str = Field(description='Name of the note.')
    line: int
    text: str


class Added(BaseModel):
    """A note that was written."""

    name: str
    words: int


def make_server(folder: Path) -> MCPServer:
    """The server, with four tools."""
    server = MCPServer('notes', instructions=f'Notes in {folder.name}.', log_level='WARNING')

    def path_of(name: str) -> Path:
        # Names come from a model: no way out of the folder, whatever it asks for.
        if not NAME.fullmatch(name):
            raise ToolError(f'{name!r} is no name of a note; list_notes has them.')
        try:
            return safe_join(folder, f'{name}.md')
        except PathEscapeError as error:
            raise ToolError(f'{name!r} is outside of the folder.') from error

    def all_notes() -> list[tuple[str, str]]:
        paths = sorted(path for path in folder.rglob('*.md') if path.is_file() and not path.is_symlink())
        return [(path.relative_to(folder).with_suffix('').as_posix(), path.read_text('utf-8')) for path in paths]

    @server.tool(annotations=READS)
    def list_notes() -> list[Note]:
        """Lists all notes with title and length."""
        return [
            Note(name=name, title=text.partition('\n')[0].lstrip('# '), words=len(text.split()))
            for name, text in all_notes()
        ]

    @server.tool(annotations=READS)
    def search_notes(
        words: str = Field(min_length=1, description='Words to look for; lines with more of them come first.'),
        limit: int = Field(default=3, ge=1, le=50, description='Most lines to return.'),
    ) -> list[Hit]:
        """Finds the lines of all notes that hold the given words."""
        wanted = set(re.findall(r'\w+', words.lower()))
        hits: list[tuple[int, Hit]] = []
        for name, text in all_notes():
            for number, line in enumerate(text.splitlines(), start=1):
                found = len(wanted & set(re.findall(r'\w+', line.lower())))
                if found:
                    hits.append((found, Hit(name=name, line=number, text=line)))
        hits.sort(key=lambda hit: -hit[0])
        return [hit for _, hit in hits[:limit]]

    @server.tool(annotations=READS)
    def read_note(name: str = Field(description='Name as list_notes and search_notes give it.')) -> str:
        """Reads a note as Markdown."""
        path = path_of(name)
        if not path.is_file():
            raise ToolError(f'There is no note {name!r}; list_notes has their names.')
        return path.read_text('utf-8')

    @server.tool(annotations=WRITES)
    def add_note(
        name: str = Field(description='Name of the new note: letters, digits, - and _; / for a folder.'),
        text: str = Field(min_length=1, description='Markdown; the first line is the title.'),
    ) -> Added:
        """Writes a new note. Never replaces one."""
        path = path_of(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with path.open('x', encoding='utf-8') as file:
                file.write(text)
        except FileExistsError as error:
            raise ToolError(f'There already is a note {name!r}.') from error
        return Added(name=name, words=len(text.split()))

    return server


def main() -> int:
    """Serves until the standard input ends."""
    parser = argparse.ArgumentParser(description='Serve a folder of notes over MCP on standard input and output.')
    parser.add_argument('folder', type=Path, help='folder of Markdown files')
    parser.add_argument('--pid-file', type=Path, help='write the process id here')
    options = parser.parse_args()
    if not options.folder.is_dir():
        parser.error(f'{options.folder} is no folder')
    if options.pid_file:
        options.pid_file.write_text(str(os.getpid()))
    make_server(options.folder.resolve()).run('stdio')
    return 0


if __name__ == '__main__':
    sys.exit(main())
