# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""Pictures on a server, and a model that can only read what it is given."""

from __future__ import annotations

import base64
import struct

from genkit import GenkitError, ModelRequest, Part
from genkitx import download_request_media
from media_server import serve_media
from stage import Stage


def looker(request: ModelRequest) -> str:
    """Reads width and height out of the PNG it was sent; it cannot open an address."""
    url = next(part.media.url for part in request.messages[-1].content if part.media)
    if not url.startswith('data:'):
        raise GenkitError(status='INVALID_ARGUMENT', message='I cannot open addresses, send me the data')
    data = base64.b64decode(url.split(',', 1)[1])
    width, height = struct.unpack('>II', data[16:24])
    return f'A picture of {width} x {height} pixels.'


async def stop(stage: Stage) -> None:
    """Fetches media by URL, guarded against hostile URLs, and hands the model the data."""
    with serve_media() as server:

        async def look(model: str, path: str) -> None:
            await stage.ask(model, prompt=[Part.from_media(server.url + path), Part(text='What is this?')])

        stage.say('Without it, the model gets an address.')
        await look(stage.model('bare', looker), '/picture.png')

        stage.say('With it, the model gets the data. allow= names the one private address that may be reached.')
        download = download_request_media(allow=['127.0.0.1'], max_bytes=1000)
        model = stage.model('fed', looker, use=[stage.before, download])
        await look(model, '/picture.png')

        stage.say('Too large, gone, or a redirect to where the cloud keeps its keys: refused.')
        await look(model, '/large.png')
        await look(model, '/missing.png')
        await look(model, '/redirect-to-metadata')

        asked = len(server.paths)
        stage.say('Without allow=, no private address is reached at all: this machine is one.')
        await look(stage.model('guarded', looker, use=[download_request_media()]), '/picture.png')
        stage.note('server', f'got {len(server.paths) - asked} requests')
