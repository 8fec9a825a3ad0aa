# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0

"""What a caller may set per request. Names are snake_case here and camelCase on the wire; both are accepted."""

from __future__ import annotations

from typing import Any, ClassVar, Literal, cast

from genkitx.validation import refused
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ModelWrapValidatorHandler,
    SecretStr,
    ValidationError,
    model_validator,
)
from pydantic.alias_generators import to_camel
from typing_extensions import Self


class _Config(BaseModel):
    """An unknown option is an error, not a wish that nobody hears. No error shows a value: it may be a key."""

    model_config: ClassVar[ConfigDict] = ConfigDict(
        alias_generator=to_camel, extra='forbid', populate_by_name=True, defer_build=True
    )

    @model_validator(mode='wrap')
    @classmethod
    def _validated(cls, value: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        try:
            return handler(value)
        except ValidationError as error:
            raise refused(cls.__name__, error) from None


class _RequestConfig(_Config):
    """What every kind of request takes.

    Attributes:
        version: Model id to send instead of the one in the model's name.
        api_key: Key for this request alone. Held as a secret, so it is masked in spans, logs and `repr`.
    """

    version: str | None = None
    api_key: SecretStr | None = None


class SearchSettings(_Config):
    """How the web search tool of a model or system searches.

    Attributes:
        country: Country to prefer results from, as Groq spells it (`germany`).
        include_domains: Search these domains only.
        exclude_domains: Leave these domains out.
        include_images: Return images too.
    """

    country: str | None = None
    include_domains: list[str] | None = None
    exclude_domains: list[str] | None = None
    include_images: bool | None = None


class CompoundModels(_Config):
    """Models a compound system works with.

    Attributes:
        answering_model: Id of the model that writes the answer.
        reasoning_model: Id of the model that plans and chooses tools.
    """

    answering_model: str | None = None
    reasoning_model: str | None = None


class WolframSettings(_Config):
    """Access to Wolfram for a compound system.

    Attributes:
        authorization: Wolfram's key, held as a secret.
    """

    authorization: SecretStr | None = None


class CompoundTools(_Config):
    """Tools a compound system may run.

    Attributes:
        enabled_tools: Their names: `web_search`, `code_interpreter`, `visit_website`, `browser_automation`, ...
        wolfram_settings: Access to Wolfram.
    """

    enabled_tools: list[str] | None = None
    wolfram_settings: WolframSettings | None = None


class CompoundCustom(_Config):
    """Models and tools of a compound system.

    Attributes:
        models: The models it works with.
        tools: The tools it may run.
    """

    models: CompoundModels | None = None
    tools: CompoundTools | None = None


class GroqConfig(_RequestConfig):
    """Options of a chat request.

    Only what is set is sent, and everything that is set is sent: 0, false and '' too.

    Attributes:
        temperature: 0 to 2.
        max_output_tokens: Most tokens to generate, reasoning included (`max_completion_tokens`).
        top_p: Nucleus sampling, 0 to 1.
        stop_sequences: Up to four texts that end the answer.
        stream: Whether the answer travels as a stream. Default: as the caller asks. False lets a streaming caller have
            what Groq only does without a stream (native JSON schemas); the answer then comes as one chunk.
        seed: For answers that are as repeatable as Groq can make them.
        frequency_penalty: -2 to 2. Groq documents it as not yet supported by its models.
        presence_penalty: -2 to 2. Groq documents it as not yet supported by its models.
        logit_bias: Token id to bias. Groq rejects it at present.
        logprobs: Return log probabilities. Groq rejects it at present.
        top_logprobs: How many per token, 0 to 20; switches `logprobs` on. Groq rejects it at present.
        user: An id of your end user, for abuse detection.
        tool_choice: `auto`, `none`, `required` or the name of a tool. Wins over `generate(tool_choice=...)`.
        parallel_tool_calls: Whether the model may call several tools at once.
        disable_tool_validation: Let tool calls through that name no offered tool.
        reasoning_effort: gpt-oss: low, medium, high. Qwen 3: none, default; qwen3.8 also low, medium, high.
        reasoning_format: parsed, raw (inside the text) or hidden; not for gpt-oss. Default for families that have it:
            parsed, so that reasoning arrives as reasoning parts. Excludes `include_reasoning`.
        include_reasoning: Whether the answer carries reasoning (gpt-oss).
        service_tier: auto, on_demand, flex or performance.
        server_tools: Tools that Groq runs itself: `browser_search`, `code_interpreter`.
        search_settings: How web search searches.
        compound_custom: Models and tools of a compound system.
        citation_options: `enabled` asks for citations, and sends `generate(docs=...)` as Groq's own documents instead
            of as text in the prompt.
    """

    temperature: float | None = None
    max_output_tokens: int | None = None
    top_p: float | None = None
    stop_sequences: list[str] | None = None
    stream: bool | None = None
    seed: int | None = None
    frequency_penalty: float | None = None
    presence_penalty: float | None = None
    logit_bias: dict[str, float] | None = None
    logprobs: bool | None = None
    top_logprobs: int | None = None
    user: str | None = None
    tool_choice: str | None = None
    parallel_tool_calls: bool | None = None
    disable_tool_validation: bool | None = None
    reasoning_effort: Literal['none', 'default', 'low', 'medium', 'high'] | None = None
    reasoning_format: Literal['parsed', 'raw', 'hidden'] | None = None
    include_reasoning: bool | None = None
    service_tier: Literal['auto', 'on_demand', 'flex', 'performance'] | None = None
    server_tools: list[str] | None = None
    search_settings: SearchSettings | None = None
    compound_custom: CompoundCustom | None = None
    citation_options: Literal['enabled', 'disabled'] | None = None

    @model_validator(mode='before')
    @classmethod
    def _no_top_k(cls, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        options = dict(cast('dict[str, Any]', value))
        if any(options.pop(key, None) is not None for key in ('top_k', 'topK')):
            raise ValueError('Groq has no top_k; remove it, or limit sampling with top_p')
        return options

    @model_validator(mode='after')
    def _one_reasoning_switch(self) -> GroqConfig:
        if self.reasoning_format is not None and self.include_reasoning is not None:
            raise ValueError('reasoning_format and include_reasoning exclude each other; set one of them')
        return self


class GroqSpeechConfig(_RequestConfig):
    """Options of text to speech.

    Attributes:
        voice: Name of the voice. English Orpheus: autumn (default), diana, hannah, austin, daniel, troy. Arabic Orpheus:
            fahad (default), abdullah, sultan, lulwa, noura, aisha. Other models have no default.
        response_format: flac, mp3, mulaw, ogg or wav. Default: wav.
        sample_rate: Hertz: 8000, 16000, 22050, 24000, 32000, 44100 or 48000.
        speed: 1.0 is normal.
    """

    voice: str | None = None
    response_format: Literal['flac', 'mp3', 'mulaw', 'ogg', 'wav'] | None = None
    sample_rate: Literal[8000, 16000, 22050, 24000, 32000, 44100, 48000] | None = None
    speed: float | None = None


class GroqTranscriptionConfig(_RequestConfig):
    """Options of speech to text.

    Attributes:
        language: Language of the audio, ISO 639-1 (`en`).
        response_format: json, text or verbose_json (segments, words, duration in `response.custom`).
        temperature: 0 to 1; 0 lets the model raise it by itself.
        timestamp_granularities: word, segment or both; needs verbose_json, which it switches on.
        translate: Translate the speech into English instead (whisper-large-v3 only).
    """

    language: str | None = None
    response_format: Literal['json', 'text', 'verbose_json'] | None = None
    temperature: float | None = Field(default=None, ge=0, le=1)
    timestamp_granularities: list[Literal['word', 'segment']] | None = None
    translate: bool | None = None


class GroqEmbedConfig(_RequestConfig):
    """Options of an embedder.

    Attributes:
        user: An id of your end user, for abuse detection.
    """

    user: str | None = None
