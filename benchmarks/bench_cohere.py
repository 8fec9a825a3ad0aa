# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""What genkitx-cohere adds to a raw call of the Cohere SDK: chat, streamed chunks, embeddings.

    python benchmarks/bench_cohere.py [repeats | --quick]

Both talk to the local Cohere of the plugin's tests, which runs in a thread of its own. Runs are interleaved. Printed
are medians of the calling thread's CPU time, which other programs disturb less than the clock; nothing is asserted.
Aims: 500 µs a chat call, 20 µs a streamed chunk.
"""

# ruff: noqa: E402
from __future__ import annotations

import asyncio
import statistics
import sys
import threading
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

TESTS = str(Path(__file__).parents[1] / 'plugins' / 'cohere' / 'tests')
sys.path.append(TESTS)

from cohere import AsyncClientV2
from cohere_server import KEY, CohereServer, Reply, Seen
from cohere_wire import body_of, delta, events_of
from genkit import Document
from genkit.embedder import EmbedRequest
from genkitx import Genkit
from genkitx_cohere import Cohere
from report import QUICK, row

AREA = 'Cohere'
CHUNKS = 1000
MODEL = 'command-a-03-2025'
PROMPT = 'Tell me about penguins.'


class Served:
    """The local Cohere in a thread, with a response prepared for each kind of call."""

    def __init__(self) -> None:
        self.started = threading.Event()
        threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True).start()
        self.started.wait()

    async def _serve(self) -> None:
        short, long = body_of('Penguins are birds.'), events_of(body_of('x'))
        long[2:3] = [delta('content-delta', 0, content={'text': f' word{i}'}) for i in range(CHUNKS)]
        server = CohereServer()
        by_itself = server._by_itself

        def prepared(seen: Seen) -> Reply:
            if seen.path != '/v2/chat':
                return by_itself(seen)
            return Reply(events=long, sizes=(100_000,)) if seen.body.get('stream') else Reply(body=short)

        server._by_itself = prepared
        async with server:
            self.url = server.base_url
            self.started.set()
            await asyncio.Event().wait()


async def interleaved(repeats: int, *calls: Callable[[], Awaitable[Any]]) -> list[float]:
    """Median CPU seconds of each call in this thread, run in turns."""
    times: list[list[float]] = [[] for _ in calls]
    for round_number in range(repeats + 3):
        for position, call in enumerate(calls):
            start = time.thread_time()
            await call()
            if round_number >= 3:
                times[position].append(time.thread_time() - start)
    return [statistics.median(item) for item in times]


async def main(repeats: int) -> None:
    url = Served().url
    client = AsyncClientV2(KEY, base_url=url, log_warning_experimental_features=False)
    plugin = Cohere(KEY, base_url=url)
    ai = Genkit(plugins=[plugin], model=f'cohere/{MODEL}')
    action: Any = await plugin.model(MODEL)
    embedder: Any = await plugin.embedder('embed-v4.0')
    messages: Any = [{'role': 'user', 'content': PROMPT}]
    request: Any = {'messages': [{'role': 'user', 'content': [{'text': PROMPT}]}]}

    async def raw_stream() -> None:
        async for _ in client.chat_stream(model=MODEL, messages=messages):
            pass

    async def our_stream() -> None:
        await action.run(request, on_chunk=lambda _: None)

    async def generate_stream() -> None:
        stream = ai.generate_stream(prompt=PROMPT)
        async for _ in stream.stream:
            pass
        await stream.response

    chat = await interleaved(
        repeats,
        lambda: client.chat(model=MODEL, messages=messages),
        lambda: action.run(request),
        lambda: ai.generate(prompt=PROMPT),
    )
    call = chat[0] * 1e6
    row(AREA, 'chat, a call: CPU', ours=chat[1] * 1e6, raw=call, unit='µs', goal='raw + 500 µs')
    row(AREA, 'chat by ai.generate, a call: CPU', ours=chat[2] * 1e6, raw=call, unit='µs')
    few = max(repeats // 10, 7)
    stream = await interleaved(few, raw_stream, our_stream, generate_stream)
    raw, ours, generate = (one * 1e6 / CHUNKS for one in stream)
    row(AREA, 'chat, a streamed chunk: CPU', ours=ours, raw=raw, unit='µs', goal='raw + 20 µs')
    row(AREA, 'chat by ai.generate_stream, a chunk: CPU', ours=generate, raw=raw, unit='µs')

    texts = [f'text {i}' for i in range(96)]
    documents = EmbedRequest(input=[Document.from_text(text) for text in texts])
    embed = await interleaved(
        few,
        lambda: client.embed(model='embed-v4.0', input_type='search_document', texts=texts, embedding_types=['float']),
        lambda: embedder.run(documents),
    )
    row(AREA, 'embed 96 x 1536, a text: CPU', ours=embed[1] * 1e6 / 96, raw=embed[0] * 1e6 / 96, unit='µs')
    await ai.aclose()


if __name__ == '__main__':
    asyncio.run(main(3 if QUICK else int(sys.argv[1]) if len(sys.argv) > 1 else 100))
