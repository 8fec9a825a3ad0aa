# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""Reads what was uploaded, or says why it cannot be read. Every check of a file is here, whoever sends it."""

from __future__ import annotations

import base64
import binascii
import unicodedata
from dataclasses import dataclass
from pathlib import PurePosixPath

from genkit import GenkitError

SUFFIXES = ('.md', '.markdown', '.txt')
_LONGEST_NAME = 200


@dataclass(frozen=True)
class TextFile:
    """A file that can be indexed.

    Attributes:
        name: What it is called; a label, never a path.
        text: Its content.
        size: Its length in bytes.
    """

    name: str
    text: str
    size: int


def read_upload(name: str, content: str, max_bytes: int) -> TextFile:
    """Reads an uploaded file.

    Args:
        name: The name that the browser gives it.
        content: The bytes in base64.
        max_bytes: The largest file to take.

    Raises:
        GenkitError: INVALID_ARGUMENT, with a sentence for the user.
    """
    name = _checked_name(name)
    try:
        data = base64.b64decode(content, validate=True)
    except (binascii.Error, ValueError) as error:
        raise _refused(f'{name} did not arrive whole: its content is not base64.') from error
    if len(data) > max_bytes:
        raise _refused(f'{name} is too large: {readable(len(data))}, the limit is {readable(max_bytes)}.')
    text = _decoded(name, data)
    if not text.strip():
        raise _refused(f'{name} is empty.')
    return TextFile(name, text, len(data))


def readable(size: int) -> str:
    """Returns a number of bytes for people."""
    if size < 1000:
        return f'{size} bytes'
    return f'{size / 1000:.0f} kB' if size < 1_000_000 else f'{size / 1_000_000:.3g} MB'


def _checked_name(name: str) -> str:
    name = unicodedata.normalize('NFC', name)
    # Control and format characters: line feeds, and marks that make a name read as another.
    if any(unicodedata.category(one) in {'Cc', 'Cf', 'Cs'} for one in name):
        raise _refused('The name of the file has invisible characters. Rename it.')
    if not name or len(name) > _LONGEST_NAME:
        raise _refused(f'The name of the file must have 1 to {_LONGEST_NAME} characters.')
    if '/' in name or '\\' in name:
        raise _refused(f'{name} is a path. Send the name of the file alone.')
    if PurePosixPath(name).suffix.lower() not in SUFFIXES:
        raise _refused(f'{name} is not a text file that can be read here: its name must end in {", ".join(SUFFIXES)}.')
    return name


def _decoded(name: str, data: bytes) -> str:
    if data.startswith((b'\xff\xfe', b'\xfe\xff')):
        raise _refused(f'{name} is UTF-16 text. Save it as UTF-8.')
    if b'\0' in data:
        raise _refused(f'{name} is a binary file, whatever its name says.')
    try:
        return data.decode('utf-8-sig').replace('\r\n', '\n')
    except UnicodeDecodeError as error:
        raise _refused(f'{name} is not UTF-8 text (byte {error.start}). Save it as UTF-8.') from error


def _refused(message: str) -> GenkitError:
    return GenkitError(status='INVALID_ARGUMENT', message=message)
