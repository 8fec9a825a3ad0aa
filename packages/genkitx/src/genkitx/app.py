# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""`genkitx.Genkit`: upstream's Genkit with retrieval, model middleware, a default context and an end of life."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, TypeVar, cast, overload

import genkit
from genkit import (
    Document,
    ExecutablePrompt,
    GenkitError,
    Message,
    ModelConfigDict,
    ModelInfo,
    ModelResponse,
    ModelStreamResponse,
    Part,
    Plugin,
    Tool,
    ToolChoice,
)
from genkit.model import BackgroundAction, ModelRef
from pydantic import BaseModel
from typing_extensions import Self, TypedDict, Unpack

from genkitx._upstream import RegistryHook, name_runtime
from genkitx.client_header import set_client_header
from genkitx.context import bind_registry
from genkitx.embedding import using
from genkitx.middleware.call_time import Use, as_use
from genkitx.middleware.chain import MiddlewareAction, ModelMiddleware
from genkitx.models import (
    AnyModelFn,
    ApiVersion,
    ModelFn,
    ModelFnV1,
    OperationFn,
    RequestFn,
    StartFn,
    background_model,
    model,
)
from genkitx.retrieval.mixin import RetrievalMixin
from genkitx.secret_options import config_class, hide_secrets

logger = logging.getLogger(__name__)

OutputT = TypeVar('OutputT')
InputT = TypeVar('InputT')
SelfT = TypeVar('SelfT', bound='GenkitMixin')


class GenerateOptions(TypedDict, total=False):
    """Options of `generate` and `generate_stream` that upstream defines and genkitx hands through."""

    model: str | ModelRef[Any] | None
    prompt: str | list[Part] | None
    system: str | list[Part] | None
    messages: list[Message] | None
    tools: Sequence[str | Tool] | None
    return_tool_requests: bool | None
    tool_choice: ToolChoice | None
    resume_respond: Part | list[Part] | None
    resume_restart: Part | list[Part] | None
    resume_metadata: dict[str, Any] | None
    config: BaseModel | ModelConfigDict | Mapping[str, Any] | None
    max_turns: int | None
    context: dict[str, object] | None
    output_format: str | None
    output_content_type: str | None
    output_instructions: bool | str | None
    output_constrained: bool | None


class PromptOptions(TypedDict, total=False):
    """Options of `define_prompt` that upstream defines and genkitx hands through."""

    variant: str | None
    model: str | ModelRef[Any] | None
    config: Mapping[str, Any] | BaseModel | ModelConfigDict | None
    description: str | None
    system: str | list[Part] | None
    prompt: str | list[Part] | None
    messages: str | list[Message] | None
    output_format: str | None
    output_content_type: str | None
    output_instructions: bool | str | None
    output_constrained: bool | None
    max_turns: int | None
    return_tool_requests: bool | None
    metadata: dict[str, object] | None
    tools: Sequence[str | Tool] | None
    tool_choice: ToolChoice | None
    docs: list[Document] | None


class GenkitMixin(RetrievalMixin, RegistryHook):
    """What genkitx adds to a Genkit class. Put it first: `class Mine(GenkitMixin, genkit.Genkit)`.

    Args:
        plugins: Plugins; those with an `attach` method get this object before anything is registered, which is how
            a vector store finds the embedders of the others.
        model: Default model.
        prompt_dir: Folder of prompt files.
        reflection_server_spec: Where the Dev UI server listens.
        context: Default action context: every action registered here runs with it, overlaid key by key with the
            caller's context, else the current one (JS `context`). Tools given inline to `generate` are not bound.
        name: Shown in the CLI's list of runtimes.
        client_header: Added to what our plugins send as client header; process-wide, as in JS.
    """

    registry: Any

    def __init__(
        self,
        plugins: list[Plugin] | None = None,
        model: str | ModelRef[Any] | None = None,
        prompt_dir: str | Path | None = None,
        reflection_server_spec: Any = None,
        *,
        context: Mapping[str, Any] | None = None,
        name: str | None = None,
        client_header: str | None = None,
    ) -> None:
        self._genkitx_context = context
        self._genkitx_model = model
        self._genkitx_plugins: list[Any] = list(plugins or ())
        if client_header is not None:
            set_client_header(client_header)
        if name is not None:
            name_runtime(self, name)
        for plugin in self._genkitx_plugins:
            attach = getattr(plugin, 'attach', None)
            if callable(attach):
                attach(self)
        upstream = cast('Any', super())
        upstream.__init__(
            plugins=plugins, model=model, prompt_dir=prompt_dir, reflection_server_spec=reflection_server_spec
        )
        if not self.registry_hook_ran:
            raise GenkitError(
                status='INTERNAL',
                message='This version of genkit does not call Genkit._initialize_registry: the default context would '
                'be ignored. Install a version of genkit that genkitx supports.',
            )

    def registry_made(self) -> None:
        """Bind the default context, and the registry for runners, to all actions to come."""
        bind_registry(self.registry, self._genkitx_context)

    async def aclose(self) -> None:
        """Close every plugin that holds connections. May be called more than once; a later use opens new ones.

        Raises:
            Exception: The first error of a plugin, after all of them were closed; further ones are logged.
        """
        first: Exception | None = None
        for plugin in self._genkitx_plugins:
            close = getattr(plugin, 'aclose', None)
            if not callable(close):
                continue
            try:
                await cast('Any', close)()
            except Exception as error:  # noqa: BLE001 - the others must be closed too
                if first is None:
                    first = error
                else:
                    logger.warning('Closing plugin %s failed: %s', getattr(plugin, 'name', plugin), error)
        if first is not None:
            raise first

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.aclose()

    @overload
    def define_model(
        self,
        name: str,
        fn: ModelFn | RequestFn,
        config_schema: type[BaseModel] | dict[str, object] | None = None,
        metadata: dict[str, object] | None = None,
        info: ModelInfo | None = None,
        description: str | None = None,
        *,
        use: Sequence[ModelMiddleware] | None = None,
        api_version: Literal['v2'] = 'v2',
    ) -> MiddlewareAction: ...

    @overload
    def define_model(
        self,
        name: str,
        fn: ModelFnV1 | RequestFn,
        config_schema: type[BaseModel] | dict[str, object] | None = None,
        metadata: dict[str, object] | None = None,
        info: ModelInfo | None = None,
        description: str | None = None,
        *,
        use: Sequence[ModelMiddleware] | None = None,
        api_version: Literal['v1'],
    ) -> MiddlewareAction: ...

    def define_model(
        self,
        name: str,
        fn: AnyModelFn,
        config_schema: type[BaseModel] | dict[str, object] | None = None,
        metadata: dict[str, object] | None = None,
        info: ModelInfo | None = None,
        description: str | None = None,
        *,
        use: Sequence[ModelMiddleware] | None = None,
        api_version: ApiVersion = 'v2',
    ) -> MiddlewareAction:
        """Build a model with `genkitx.model`, middleware included, and register it (JS `defineModel`)."""
        action = model(
            name,
            fn,
            use=use,
            api_version=api_version,
            info=info,
            config_schema=config_schema,
            metadata=metadata,
            description=description,
            registry=self.registry,
        )
        self.registry.register_action_from_instance(action)
        return action

    def define_background_model(
        self,
        name: str,
        start: StartFn,
        check: OperationFn,
        cancel: OperationFn | None = None,
        label: str | None = None,
        info: ModelInfo | None = None,
        config_schema: type[BaseModel] | dict[str, object] | None = None,
        metadata: dict[str, object] | None = None,
        description: str | None = None,
        *,
        use: Sequence[ModelMiddleware] | None = None,
    ) -> BackgroundAction[Any]:
        """Build a background model with `genkitx.background_model` and register its actions."""
        action = background_model(
            name,
            start,
            check,
            cancel=cancel,
            use=use,
            label=label,
            info=info,
            config_schema=config_schema,
            metadata=metadata,
            description=description,
            registry=self.registry,
        )
        for part in (action.start_action, action.check_action, action.cancel_action):
            if part is not None:
                self.registry.register_action_from_instance(part)
        return action

    @overload
    async def generate(
        self,
        *,
        output_schema: type[OutputT],
        use: Sequence[Use] | None = None,
        docs: list[Document] | None = None,
        **options: Unpack[GenerateOptions],
    ) -> ModelResponse[OutputT]: ...

    @overload
    async def generate(
        self,
        *,
        output_schema: type | dict[str, Any] | None = None,
        use: Sequence[Use] | None = None,
        docs: list[Document] | None = None,
        **options: Unpack[GenerateOptions],
    ) -> ModelResponse[Any]: ...

    async def generate(
        self,
        *,
        output_schema: Any = None,
        use: Sequence[Use] | None = None,
        docs: list[Document] | None = None,
        **options: Unpack[GenerateOptions],
    ) -> ModelResponse[Any]:
        """Upstream's `generate`; `use` also takes plain model middleware functions.

        With documents, `use` sees the request before they are rendered into the prompt, when the model is one that
        genkitx made. As upstream's, this does not raise when the model fails: look at `response.error`.
        """
        adapted = as_use(use, strip=bool(docs))
        with using(cast('Any', self)):
            return await cast('Any', super()).generate(
                output_schema=output_schema, use=adapted, docs=docs, **self._without_secrets(options)
            )

    @overload
    def generate_stream(
        self,
        *,
        output_schema: type[OutputT],
        use: Sequence[Use] | None = None,
        docs: list[Document] | None = None,
        **options: Unpack[GenerateOptions],
    ) -> ModelStreamResponse[OutputT]: ...

    @overload
    def generate_stream(
        self,
        *,
        output_schema: type | dict[str, Any] | None = None,
        use: Sequence[Use] | None = None,
        docs: list[Document] | None = None,
        **options: Unpack[GenerateOptions],
    ) -> ModelStreamResponse[Any]: ...

    def generate_stream(
        self,
        *,
        output_schema: Any = None,
        use: Sequence[Use] | None = None,
        docs: list[Document] | None = None,
        **options: Unpack[GenerateOptions],
    ) -> ModelStreamResponse[Any]:
        """Upstream's `generate_stream`; `use` as in `generate`."""
        adapted = as_use(use, strip=bool(docs))
        with using(cast('Any', self)):
            return cast('Any', super()).generate_stream(
                output_schema=output_schema, use=adapted, docs=docs, **self._without_secrets(options)
            )

    @overload
    def define_prompt(
        self,
        name: str | None = None,
        *,
        input_schema: type[InputT],
        output_schema: type[OutputT],
        use: Sequence[Use] | None = None,
        **options: Unpack[PromptOptions],
    ) -> ExecutablePrompt[InputT, OutputT]: ...

    @overload
    def define_prompt(
        self,
        name: str | None = None,
        *,
        input_schema: type[InputT],
        output_schema: dict[str, object] | str | None = None,
        use: Sequence[Use] | None = None,
        **options: Unpack[PromptOptions],
    ) -> ExecutablePrompt[InputT, Any]: ...

    @overload
    def define_prompt(
        self,
        name: str | None = None,
        *,
        input_schema: dict[str, object] | str | None = None,
        output_schema: type[OutputT],
        use: Sequence[Use] | None = None,
        **options: Unpack[PromptOptions],
    ) -> ExecutablePrompt[Any, OutputT]: ...

    @overload
    def define_prompt(
        self,
        name: str | None = None,
        *,
        input_schema: type | dict[str, object] | str | None = None,
        output_schema: type | dict[str, object] | str | None = None,
        use: Sequence[Use] | None = None,
        **options: Unpack[PromptOptions],
    ) -> ExecutablePrompt[Any, Any]: ...

    def define_prompt(
        self,
        name: str | None = None,
        *,
        input_schema: Any = None,
        output_schema: Any = None,
        use: Sequence[Use] | None = None,
        **options: Unpack[PromptOptions],
    ) -> ExecutablePrompt[Any, Any]:
        """Upstream's `define_prompt`; `use` also takes plain model middleware functions."""
        # Documents may come with the call, so the hook that takes their text back is always there.
        adapted = as_use(use, strip=True)
        return cast('Any', super()).define_prompt(
            name, input_schema=input_schema, output_schema=output_schema, use=adapted, **self._without_secrets(options)
        )

    def _without_secrets(self, options: Mapping[str, Any]) -> dict[str, Any]:
        config = options.get('config')
        if not isinstance(config, Mapping):
            return dict(options)
        schema = config_class(options.get('model') or self._genkitx_model, self._genkitx_plugins)
        return {**options, 'config': hide_secrets(config, schema)} if schema is not None else dict(options)


# Fewer overloads than upstream's, each of which takes what several of upstream's take.
class Genkit(GenkitMixin, genkit.Genkit):  # pyright: ignore[reportIncompatibleMethodOverride]
    """Upstream's Genkit and everything it has, plus what `GenkitMixin` adds."""
