# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0

"""Speech: text to audio (Orpheus) and audio to text (Whisper), both as models."""

from __future__ import annotations

import asyncio
import base64
import binascii
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote_to_bytes

from genkit import ActionRunContext, GenkitError, Media, ModelUsage, Role
from genkit.model import Message, ModelRequest, ModelResponse, ModelResponseChunk, Part
from genkitx import MiddlewareAction, model

from genkitx_groq.catalog import model_info, wire_id
from genkitx_groq.client import Connection, key_of
from genkitx_groq.config import GroqSpeechConfig, GroqTranscriptionConfig
from genkitx_groq.request import role_of
from genkitx_groq.response import finish_reason, header_facts

if TYPE_CHECKING:
    from groq import AsyncGroq

_CONTENT_TYPES: Final = {
    'flac': 'audio/flac',
    'mp3': 'audio/mpeg',
    'mulaw': 'audio/basic',
    'ogg': 'audio/ogg',
    'wav': 'audio/wav',
}
_VOICES: Final = {'canopylabs/orpheus-v1-english': 'autumn', 'canopylabs/orpheus-arabic-saudi': 'fahad'}
# Groq goes by the file's name.
_EXTENSIONS: Final = {
    'audio/flac': 'flac',
    'audio/x-flac': 'flac',
    'audio/mpeg': 'mp3',
    'audio/mp3': 'mp3',
    'audio/mp4': 'mp4',
    'video/mp4': 'mp4',
    'audio/m4a': 'm4a',
    'audio/x-m4a': 'm4a',
    'audio/mpga': 'mpga',
    'audio/ogg': 'ogg',
    'audio/opus': 'ogg',
    'audio/wav': 'wav',
    'audio/wave': 'wav',
    'audio/x-wav': 'wav',
    'audio/vnd.wave': 'wav',
    'audio/webm': 'webm',
    'video/webm': 'webm',
}


def speech_model(connection: Connection, name: str) -> MiddlewareAction:
    """The text to speech model of a name without the plugin's prefix."""

    async def run(request: ModelRequest[GroqSpeechConfig], ctx: ActionRunContext[Any]) -> ModelResponse[Any]:
        config = request.config or GroqSpeechConfig()
        body = speech_body(request, config.version or wire_id(name))

        async def work(client: AsyncGroq) -> ModelResponse[Any]:
            answer = await client.audio.speech.create(**body)
            audio = await answer.read()
            content_type = answer.headers.get('content-type', '').partition(';')[0]
            if not content_type.startswith('audio/'):
                content_type = _CONTENT_TYPES[body['response_format']]
            url = f'data:{content_type};base64,{base64.b64encode(audio).decode()}'
            part = Part(media=Media(url=url, content_type=content_type))
            return _answer([part], header_facts(answer.headers), ctx)

        return await connection.run(
            work, model=body['model'], api_key=key_of(config, ctx), abort_signal=ctx.abort_signal
        )

    return model(f'{connection.name}/{name}', run, info=model_info(name), config_schema=GroqSpeechConfig)


def transcription_model(connection: Connection, name: str) -> MiddlewareAction:
    """The speech to text model of a name without the plugin's prefix."""

    async def run(request: ModelRequest[GroqTranscriptionConfig], ctx: ActionRunContext[Any]) -> ModelResponse[Any]:
        config = request.config or GroqTranscriptionConfig()
        body = await asyncio.to_thread(transcription_body, request, config.version or wire_id(name))

        async def work(client: AsyncGroq) -> ModelResponse[Any]:
            if config.translate:
                raw: Any = await client.audio.translations.with_raw_response.create(**body)
            else:
                raw = await client.audio.transcriptions.with_raw_response.create(**body)
            facts = header_facts(raw.headers)
            if body.get('response_format') == 'text':
                return _answer([Part(text=await raw.text())], facts, ctx)
            answer: dict[str, Any] = await raw.json()
            text = str(answer.pop('text', ''))
            return _answer([Part(text=text)], {**answer, **facts}, ctx)

        return await connection.run(
            work, model=body['model'], api_key=key_of(config, ctx), abort_signal=ctx.abort_signal
        )

    return model(f'{connection.name}/{name}', run, info=model_info(name), config_schema=GroqTranscriptionConfig)


def speech_body(request: ModelRequest[GroqSpeechConfig], wire: str) -> dict[str, Any]:
    """The body of a speech request: the one message's text is what is said.

    Raises:
        GenkitError: INVALID_ARGUMENT without exactly one user message of text, or without a voice where there is no default.
    """
    config = request.config or GroqSpeechConfig()
    message = _only_message(request)
    if any(part.text is None for part in message.content) or not message.text.strip():
        raise _refused(f"'{wire}' speaks text, and needs some; send one user message of text parts.")
    voice = config.voice or _VOICES.get(wire)
    if not voice:
        raise _refused(f"no voice of '{wire}' is known here; name one: config={{'voice': ...}}.")
    options = {name: getattr(config, name) for name in ('sample_rate', 'speed')}
    return {
        'model': wire,
        'input': message.text,
        'voice': voice,
        'response_format': config.response_format or 'wav',
        **{name: value for name, value in options.items() if value is not None},
    }


def transcription_body(request: ModelRequest[GroqTranscriptionConfig], wire: str) -> dict[str, Any]:
    """The body of a transcription: the one message's media is the audio, its text the prompt.

    Raises:
        GenkitError: INVALID_ARGUMENT without exactly one audio, for a URL that is not data, http or https, for a format
            that Groq does not read, and for options that exclude each other.
    """
    config = request.config or GroqTranscriptionConfig()
    message = _only_message(request)
    media = [part.media for part in message.content if part.media is not None]
    if len(media) != 1 or any(part.media is None and part.text is None for part in message.content):
        raise _refused(
            f"'{wire}' transcribes one audio; send one user message with one media part (and text as prompt)."
        )
    body: dict[str, Any] = {'model': wire}
    scheme = media[0].url.partition(':')[0]
    if scheme in ('http', 'https'):
        body['url'] = media[0].url
    elif scheme == 'data':
        body['file'] = _file(media[0])
    else:
        raise _refused(f'audio comes by data, http or https URL, not {scheme!r}.')
    if message.text:
        body['prompt'] = message.text
    if config.translate and (config.language is not None or config.timestamp_granularities is not None):
        raise _refused(
            'translate goes into English without timestamps; leave out language and timestamp_granularities.'
        )
    options = {
        name: value
        for name in ('language', 'response_format', 'temperature', 'timestamp_granularities')
        if (value := getattr(config, name)) is not None
    }
    if (
        config.timestamp_granularities is not None
        and options.setdefault('response_format', 'verbose_json') != 'verbose_json'
    ):
        raise _refused("timestamp_granularities need response_format 'verbose_json'.")
    return {**body, **options}


def _only_message(request: ModelRequest[Any]) -> Message:
    if len(request.messages) != 1 or role_of(request.messages[0]) != 'user':
        raise _refused('speech models take exactly one user message, and no system message or history.')
    return request.messages[0]


def _file(media: Media) -> tuple[str, bytes, str]:
    header, _, payload = media.url.partition(':')[2].partition(',')
    declared, *parameters = header.split(';')
    content_type = (media.content_type or declared).partition(';')[0].strip().lower()
    extension = _EXTENSIONS.get(content_type)
    if extension is None:
        raise _refused(f"Groq does not read '{content_type}'; it reads flac, mp3, mp4, mpga, m4a, ogg, wav and webm.")
    try:
        content = base64.b64decode(payload, validate=True) if 'base64' in parameters else unquote_to_bytes(payload)
    except binascii.Error as error:
        raise _refused('the data URL of the audio is not valid base64.') from error
    return (f'audio.{extension}', content, content_type)


def _answer(content: list[Part], custom: dict[str, Any], ctx: ActionRunContext[Any]) -> ModelResponse[Any]:
    if ctx.is_streaming:
        ctx.send_chunk(ModelResponseChunk(role=Role.MODEL, content=content))
    return ModelResponse(
        message=Message(role=Role.MODEL, content=content),
        finish_reason=finish_reason('stop'),
        usage=ModelUsage(),
        custom=custom,
    )


def _refused(message: str) -> GenkitError:
    return GenkitError(status='INVALID_ARGUMENT', message=message)
