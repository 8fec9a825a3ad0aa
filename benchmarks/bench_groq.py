# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0

"""What the Groq plugin adds to a call of the SDK: microseconds per chat call and per streamed chunk.

The network is a transport in memory, the same for both sides, so the difference is the plugin, Genkit's action around it
and nothing else; nothing waits, so processor time is what is measured. Runs are interleaved; medians are printed.

    python benchmarks/bench_groq.py [repeats | --quick]
"""

import asyncio
import json
import statistics
import sys
import time

import httpx
from genkit import Genkit
from genkitx_groq import Groq
from groq import AsyncGroq
from report import QUICK, row

AREA = 'Groq'
CALLS = 100
CHUNKS = 500
MODEL = 'openai/gpt-oss-20b'
MESSAGES = [{'role': 'user', 'content': 'Say hello.'}]
REQUEST = {'messages': [{'role': 'user', 'content': [{'text': 'Say hello.'}]}], 'config': {'temperature': 0}}
USAGE = {'prompt_tokens': 10, 'completion_tokens': 5, 'total_tokens': 15, 'queue_time': 0.1, 'total_time': 0.2}


def answer(**choice):
    top = {'id': 'c', 'created': 1, 'model': MODEL, 'system_fingerprint': 'fp', 'x_groq': {'id': 'req'}}
    return {**top, 'choices': [{'index': 0, 'logprobs': None, 'finish_reason': None, **choice}]}


WHOLE = json.dumps(
    {
        **answer(message={'role': 'assistant', 'content': 'Hello.'}, finish_reason='stop'),
        'object': 'chat.completion',
        'usage': USAGE,
    }
).encode()
EVENT = {k: v for k, v in answer(delta={'content': 'word '}).items() if k != 'x_groq'}
EVENTS = [*[EVENT] * CHUNKS, {**answer(delta={}, finish_reason='stop'), 'usage': USAGE}]
STREAM = b''.join(b'data: ' + json.dumps({**e, 'object': 'chat.completion.chunk'}).encode() + b'\n\n' for e in EVENTS)


class Memory(httpx.AsyncBaseTransport):
    """Answers without a network."""

    async def handle_async_request(self, request):
        await request.aread()
        streamed = b'"stream":true' in request.content
        kind = 'text/event-stream' if streamed else 'application/json'
        return httpx.Response(
            200, headers={'content-type': kind}, content=STREAM + b'data: [DONE]\n\n' if streamed else WHOLE
        )


async def main(repeats):
    client = httpx.AsyncClient(transport=Memory())
    sdk = AsyncGroq(api_key='gsk_benchmark', http_client=client)
    ai = Genkit(plugins=[Groq(api_key='gsk_benchmark', http_client=client)])
    action = await ai.registry.resolve_model(f'groq/{MODEL}')

    async def sdk_call():
        await sdk.chat.completions.create(model=MODEL, messages=MESSAGES, temperature=0)

    async def our_call():
        await action.run(REQUEST)

    async def sdk_stream():
        async for chunk in await sdk.chat.completions.create(
            model=MODEL, messages=MESSAGES, temperature=0, stream=True
        ):
            assert chunk

    async def our_stream():
        await action.run(REQUEST, on_chunk=lambda _: None)

    async def generate_call():
        await ai.generate(model=f'groq/{MODEL}', prompt='Say hello.', config={'temperature': 0})

    async def timed(work, times):
        start = time.process_time()
        for _ in range(times):
            await work()
        return (time.process_time() - start) / times * 1e6

    rows = {work: [] for work in (sdk_call, our_call, generate_call, sdk_stream, our_stream)}
    for work in rows:
        await timed(work, 3)
    for _ in range(repeats):
        for work, times in rows.items():
            times.append(await timed(work, 5 if 'stream' in work.__name__ else CALLS))
    median = {work.__name__: statistics.median(times) for work, times in rows.items()}
    calls = statistics.median(ours - sdks for ours, sdks in zip(rows[our_call], rows[sdk_call], strict=True))
    streams = statistics.median(ours - sdks for ours, sdks in zip(rows[our_stream], rows[sdk_stream], strict=True))
    call, chunk = median['sdk_call'], median['sdk_stream'] / CHUNKS
    row(AREA, 'chat, a call: CPU', ours=call + calls, raw=call, unit='µs', goal='raw + 500 µs')
    row(AREA, 'chat by ai.generate, a call: CPU', ours=median['generate_call'], raw=call, unit='µs')
    ours = chunk + (streams - calls) / CHUNKS
    row(AREA, 'chat, a streamed chunk: CPU', ours=ours, raw=chunk, unit='µs', goal='raw + 20 µs')
    await client.aclose()


if __name__ == '__main__':
    asyncio.run(main(1 if QUICK else int(sys.argv[1]) if len(sys.argv) > 1 else 9))
