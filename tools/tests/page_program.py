# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0

"""Runs the program of a page and compares what it prints with what the page says it prints."""

from __future__ import annotations

import ast
import asyncio
import contextlib
import inspect
import io
import sys
import tokenize
from collections.abc import Sequence
from types import ModuleType
from typing import Any, Final

from tools.snippets.blocks import Block

_NAME: Final = 'page_program'


def run(path: str, blocks: Sequence[Block]) -> str:
    """Runs Python blocks one after the other, as one program, and returns what they print.

    A block may `await` as in a notebook. What is left open at the end (anything with `aclose`) is closed.

    Args:
        path: The page, for tracebacks.
        blocks: Its Python blocks.
    """
    module = ModuleType(_NAME)
    output = io.StringIO()
    loop = asyncio.new_event_loop()
    sys.modules[_NAME] = module
    try:
        with contextlib.redirect_stdout(output):
            for block in blocks:
                _run_block(path, block, vars(module), loop)
            loop.run_until_complete(_close(vars(module)))
    finally:
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.run_until_complete(loop.shutdown_default_executor())
        loop.close()
        del sys.modules[_NAME]
    return output.getvalue()


def _run_block(path: str, block: Block, names: dict[str, Any], loop: asyncio.AbstractEventLoop) -> None:
    # Blank lines in front make the line numbers of a traceback those of the page.
    source = '\n' * (block.line - 1) + block.text
    code = compile(source, path, 'exec', flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    result = eval(code, names)
    if inspect.isawaitable(result):
        loop.run_until_complete(_finish(result))


async def _finish(result: Any) -> None:
    await result


async def _close(names: dict[str, Any]) -> None:
    for value in list(names.values()):
        close = None if inspect.isclass(value) else getattr(value, 'aclose', None)
        if close is not None:
            await close()


def promised(blocks: Sequence[Block]) -> list[str]:
    """Returns what a page says it prints: the comment after each `print(...)` that has one."""
    return [line for block in blocks for line in _promised_in(block.text)]


def _promised_in(text: str) -> list[str]:
    return [
        token.string.removeprefix('#').strip()
        for token in tokenize.generate_tokens(io.StringIO(text).readline)
        if token.type == tokenize.COMMENT and token.line.lstrip().startswith('print(')
    ]


def broken_promise(blocks: Sequence[Block], output: str) -> str | None:
    """Returns the first line that should have been printed, in order, and was not."""
    lines = iter(output.splitlines())
    return next((line for line in promised(blocks) if not any(line == one.strip() for one in lines)), None)
