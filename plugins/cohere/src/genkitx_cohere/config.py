# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""Options of every kind of Cohere action: names in snake_case or camelCase, unknown ones refused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Final, Literal, cast

from genkit import GenkitError
from genkit.plugin_api import ModelConfig
from genkitx.validation import refused
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ModelWrapValidatorHandler,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic.alias_generators import to_camel
from typing_extensions import Self

EmbeddingType = Literal['float', 'int8', 'uint8', 'binary', 'ubinary', 'base64']
InputType = Literal['search_document', 'search_query', 'classification', 'clustering', 'image']

SEARCH_DOCUMENT: Final[dict[str, Any]] = {'inputType': 'search_document'}
"""Embedder options for texts that are indexed; also the default."""

SEARCH_QUERY: Final[dict[str, Any]] = {'inputType': 'search_query'}
"""Embedder options for texts that are searched with: a store's `query_embedder_options`."""

_REMOVED: Final[dict[str, str]] = {
    'promptTruncation': 'shorten the messages yourself; only OFF, which is how v2 behaves, is accepted',
    'conversationId': 'pass the conversation in `messages`',
    'connectors': 'pass documents in `docs`, or a tool that searches',
    'searchQueriesOnly': 'ask for queries with a tool or a schema',
    'rawPrompting': 'write the prompt as messages',
    'maxInputTokens': 'shorten the messages yourself',
    'logitBias': 'v2 has no replacement',
    'topLogProbs': '`logProbs: true` returns the log probabilities of the generated tokens',
    'user': 'name the application with Cohere(client_name=...)',
}
"""Options of the v1 API that v2 does not have, with what to do instead."""

# Explicit values that ask for nothing but what v2 does anyway, such as the defaults of the JS plugin.
_HARMLESS: Final[dict[str, Any]] = {'promptTruncation': 'OFF', 'searchQueriesOnly': False, 'rawPrompting': False}


def _without_removed(value: Mapping[str, Any]) -> dict[str, Any]:
    """Refuses options that only the v1 API had; drops those that are unset or say what v2 does anyway."""
    kept: dict[str, Any] = {}
    for key, item in value.items():
        camel = to_camel(key)
        if camel not in _REMOVED:
            kept[key] = item
        elif item is not None and (camel not in _HARMLESS or item != _HARMLESS[camel]):
            raise GenkitError(
                status='INVALID_ARGUMENT',
                message=f"Cohere's v2 API has no option '{key}': {_REMOVED[camel]}.",
            )
    return kept


class _Strict(BaseModel):
    """Validates like pydantic, but raises a `GenkitError` that names the options and never shows a value."""

    model_config: ClassVar[ConfigDict] = ConfigDict(
        alias_generator=to_camel,
        populate_by_name=True,
        extra='forbid',
        # Importing the plugin should be cheap: validators are built when an action first needs them.
        defer_build=True,
    )

    @model_validator(mode='wrap')
    @classmethod
    def _validated(cls, value: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        if isinstance(value, Mapping):
            value = _without_removed(cast('Mapping[str, Any]', value))
        try:
            return handler(value)
        except ValidationError as error:
            raise refused(cls.__name__, error) from None


class _PerRequest(_Strict):
    """Options that every kind of action has."""

    version: str | None = Field(default=None, description='Wire id of the model to call instead of the one addressed.')
    api_key: SecretStr | None = Field(default=None, description='Key of this call; held as a secret.')


class ThinkingConfig(_Strict):
    """How a reasoning model thinks before it answers (wire: `thinking`).

    Attributes:
        type: Whether it thinks.
    """

    type: Literal['enabled', 'disabled'] = 'enabled'
    token_budget: int | None = Field(default=None, gt=0, description='Most tokens to think with.')


class CitationOptions(_Strict):
    """How citations are made (wire: `citation_options`).

    Attributes:
        mode: How, in Cohere's words; OFF and DISABLED ask for none.
    """

    mode: Literal['ENABLED', 'DISABLED', 'FAST', 'ACCURATE', 'OFF']


class CohereConfig(_Strict, ModelConfig):
    """Options of a chat model. Ranges are those the API documents; the API itself judges them.

    The JS names (`topP`, `logProbs`, `frequencyPenalty`, ...) work. Options that only Cohere's v1 API had are refused
    with what to use instead.

    Attributes:
        citation_options: How citations are made.
    """

    model_config: ClassVar[ConfigDict] = ConfigDict(extra='forbid')

    # A secret, not upstream's text left out of dumps: Genkit puts that back in before it writes its trace.
    api_key: SecretStr | None = Field(  # pyright: ignore[reportIncompatibleVariableOverride, reportGeneralTypeIssues]
        default=None, description='Key of this call; held as a secret.'
    )
    frequency_penalty: float | None = Field(default=None, description='0 to 1.')
    presence_penalty: float | None = Field(default=None, description='0 to 1.')
    seed: int | None = Field(default=None, description='Best effort to give the same answer again.')
    log_probs: bool | None = Field(default=None, description='Return log probabilities in `custom.logprobs`.')
    preamble: str | None = Field(default=None, description='Sent as the first system message.')
    safety_mode: Literal['CONTEXTUAL', 'STRICT', 'OFF'] | None = Field(
        default=None, description='Not with tools or documents.'
    )
    thinking: ThinkingConfig | None = Field(default=None, description='Reasoning models only.')
    citation_options: CitationOptions | None = None
    strict_tools: bool | None = Field(default=None, description='Make tool calls follow their schemas strictly.')
    tool_choice: Literal['REQUIRED', 'NONE'] | None = Field(
        default=None, description='Used when generate() is not given a tool_choice.'
    )
    priority: int | None = Field(default=None, description='Lower numbers are served first under load.')

    @model_validator(mode='before')
    @classmethod
    def _wire_names(cls, value: Any) -> Any:
        if isinstance(value, Mapping) and 'logprobs' in value:
            options = dict(cast('Mapping[str, Any]', value))
            options['log_probs'] = options.pop('logprobs')
            return options
        return cast('Any', value)


class CohereEmbedConfig(_PerRequest):
    """Options of an embedder.

    Attributes:
        priority: Lower numbers are served first under load.
    """

    input_type: InputType = Field(
        default='search_document',
        description='What the vectors are for: search_document when indexing, search_query when searching.',
    )
    embedding_types: EmbeddingType = Field(default='float', description='Number format of the vectors; one.')
    output_dimension: int | None = Field(default=None, description='embed-v4.0 and later.')
    truncate: Literal['NONE', 'START', 'END'] | None = Field(
        default=None, description='Which end of a too long text is cut; NONE makes it an error.'
    )
    max_tokens: int | None = Field(default=None, description='Most tokens of one input.')
    priority: int | None = None

    @field_validator('embedding_types', mode='before')
    @classmethod
    def _one_type(cls, value: Any) -> Any:
        # The wire takes a list; a document has one vector here, so a list of one says the same.
        items = cast('list[Any]', value) if isinstance(value, list) else [value]
        return items[0] if len(items) == 1 else items


class RelevantSpans(_Strict):
    """Passages that made a document relevant (rerank-v5.0 and later; wire: `relevant_spans`).

    Attributes:
        mode: Whether they are returned.
    """

    mode: Literal['enabled', 'disabled'] = 'enabled'
    threshold: float | None = Field(default=None, description='Least score of a span; the API takes 0.1 by default.')
    max_spans: int | None = Field(default=None, description='Most spans of one document.')


class CohereRerankConfig(_PerRequest):
    """Options of a reranker.

    Attributes:
        relevant_spans: Ask for the passages that made a document relevant.
        priority: Lower numbers are served first under load.
    """

    k: int | None = Field(default=None, gt=0, description='Number of documents to return; all by default.')
    max_tokens_per_doc: int | None = Field(default=None, description='Longer documents are cut; the API takes 4096.')
    relevant_spans: RelevantSpans | None = None
    priority: int | None = None


class CohereParseConfig(_PerRequest):
    """Options of a document parser."""

    output_format: Literal['markdown', 'blocks'] | None = Field(default=None, description='Markdown by default.')


class CohereTranscriptionConfig(_PerRequest):
    """Options of a speech-to-text model."""

    language: str = Field(min_length=2, max_length=2, description='ISO 639-1 code of the speech; required.')
    temperature: float | None = Field(default=None, description='0 to 1.')
