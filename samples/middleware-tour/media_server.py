# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""A small web server on this machine, with pictures that it draws itself."""

from __future__ import annotations

import struct
import threading
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

METADATA = 'http://169.254.169.254/latest/meta-data/'


@dataclass
class MediaServer:
    """Where it listens, and what it was asked for."""

    url: str
    paths: list[str] = field(default_factory=list)


def png(width: int, height: int) -> bytes:
    """Draws a grey picture."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack('>I', len(data)) + kind + data + struct.pack('>I', zlib.crc32(kind + data))

    rows = b''.join(b'\0' + bytes((x * y) % 256 for x in range(width)) for y in range(height))
    header = struct.pack('>IIBBBBB', width, height, 8, 0, 0, 0, 0)
    return b'\x89PNG\r\n\x1a\n' + chunk(b'IHDR', header) + chunk(b'IDAT', zlib.compress(rows)) + chunk(b'IEND', b'')


@contextmanager
def serve_media() -> Iterator[MediaServer]:
    """Serves on a free port until the block ends."""
    pictures = {'/picture.png': png(8, 6), '/large.png': png(200, 200)}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            server.paths.append(self.path)
            if self.path == '/redirect-to-metadata':
                self._answer(302, b'', Location=METADATA)
            elif self.path in pictures:
                self._answer(200, pictures[self.path], **{'Content-Type': 'image/png'})
            else:
                self._answer(404, b'no such picture')

        def _answer(self, status: int, body: bytes, **headers: str) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header('Content-Length', str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments: object) -> None:
            """Says nothing: the tour prints."""

    http = ThreadingHTTPServer(('127.0.0.1', 0), Handler)
    server = MediaServer(f'http://127.0.0.1:{http.server_port}')
    thread = threading.Thread(target=http.serve_forever, kwargs={'poll_interval': 0.05})
    thread.start()
    try:
        yield server
    finally:
        http.shutdown()
        thread.join()
        http.server_close()
