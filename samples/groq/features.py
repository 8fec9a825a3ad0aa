# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""One function for each thing that Groq can do."""

from __future__ import annotations

import argparse
import base64
import mimetypes

from genkit import Part
from genkitx import Genkit, raise_if_failed
from genkitx_groq import GroqConfig, GroqSpeechConfig, GroqTranscriptionConfig
from pydantic import BaseModel, Field

SPEAKER = 'groq/canopylabs/orpheus-v1-english'
LISTENER = 'groq/whisper-large-v3'
STOCK = {'kettle': 4, 'tent': 0, 'stove': 17}


class Appointment(BaseModel):
    """What `extract` finds in a text. All fields are required, so Groq checks the schema strictly."""

    title: str
    day: str = Field(description='As in the text')
    people: list[str]


class Product(BaseModel):
    """Input of the tool."""

    product: str = Field(description='One of: kettle, tent, stove')


async def chat(ai: Genkit, options: argparse.Namespace) -> None:
    """Prints an answer piece by piece, then what it took."""
    streaming = ai.generate_stream(prompt=options.text, config=GroqConfig(temperature=0.7))
    async for chunk in streaming.stream:
        print(chunk.text, end='', flush=True)
    usage = raise_if_failed(await streaming.response).usage
    if usage is not None:
        print(f'\n\n{usage.input_tokens:.0f} tokens read, {usage.output_tokens:.0f} written.')


async def tools(ai: Genkit, options: argparse.Namespace) -> None:
    """Lets the model look into our shelves; Genkit calls the function and hands on what it returns."""

    @ai.tool()
    async def in_stock(wanted: Product) -> str:
        """Says how many pieces of a product there are."""
        print(f'(asked for {wanted.product})')
        pieces = STOCK.get(wanted.product)
        return f'There is no product {wanted.product}.' if pieces is None else f'{pieces} pieces'

    print(raise_if_failed(await ai.generate(prompt=options.text, tools=['in_stock'])).text)


async def reason(ai: Genkit, options: argparse.Namespace) -> None:
    """Prints the thoughts, then the answer."""
    response = raise_if_failed(
        await ai.generate(prompt=options.text, config=GroqConfig(reasoning_effort=options.effort))
    )
    thoughts = [part.reasoning for part in response.message.content if part.reasoning] if response.message else []
    print(''.join(f'> {line}\n' for thought in thoughts for line in thought.splitlines()))
    print(response.text)


async def extract(ai: Genkit, options: argparse.Namespace) -> None:
    """Prints an `Appointment` as JSON."""
    response = raise_if_failed(
        await ai.generate(prompt=f'The appointment in: {options.text}', output_schema=Appointment)
    )
    print(Appointment.model_validate(response.output).model_dump_json(indent=2))


async def speak(ai: Genkit, options: argparse.Namespace) -> None:
    """Writes a text as sound into a file."""
    config = GroqSpeechConfig(voice=options.voice, response_format='wav')
    sound = raise_if_failed(await ai.generate(model=SPEAKER, prompt=options.text, config=config)).media[0]
    options.out.write_bytes(base64.b64decode(sound.url.partition(',')[2]))
    print(f'{options.out} is written.')


async def listen(ai: Genkit, options: argparse.Namespace) -> None:
    """Prints what is said in a file."""
    kind = mimetypes.guess_type(options.file.name)[0] or 'audio/wav'
    data = base64.b64encode(options.file.read_bytes()).decode()
    sound = Part.from_media(f'data:{kind};base64,{data}', kind)
    config = GroqTranscriptionConfig(language=options.language)
    print(raise_if_failed(await ai.generate(model=LISTENER, prompt=[sound], config=config)).text)
