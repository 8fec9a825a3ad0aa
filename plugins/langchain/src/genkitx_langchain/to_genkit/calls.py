# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""What every call of a LangChain object from an action shares: its configuration and its errors."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Generator, Mapping
from typing import TYPE_CHECKING, Any, cast

from genkit import GenkitError, Interrupt
from genkit.plugin_api import wrap_http_error

if TYPE_CHECKING:
    from langchain_core.runnables import RunnableConfig

CONTEXT_KEY = 'langchain'
"""The key of a Genkit context whose value is a LangChain `RunnableConfig` for what runs below."""


def run_config(name: str, context: Mapping[str, Any] | None = None) -> RunnableConfig:
    """Makes the configuration of a call: that of the calling chain, if there is one, the context's, and the tracer.

    Args:
        name: The run's name.
        context: The action's context; `context['langchain']` is a `RunnableConfig`.
    """
    from langchain_core.runnables.config import ensure_config, merge_configs, var_child_runnable_config

    from genkitx_langchain.tracing.handler import action_callbacks, has_tracer

    given: Any = (context or {}).get(CONTEXT_KEY)
    if given is not None and not isinstance(given, dict):
        raise GenkitError(
            status='INVALID_ARGUMENT', message=f'context[{CONTEXT_KEY!r}] is a RunnableConfig, got {given!r}.'
        )
    callbacks: Any = action_callbacks()
    if not given and var_child_runnable_config.get() is None:
        # The common case, without the cost of merging.
        return {'callbacks': callbacks, 'run_name': name} if callbacks else {'run_name': name}
    config = merge_configs(ensure_config(), cast('RunnableConfig | None', given))
    if callbacks and not has_tracer(config.get('callbacks')):
        config = merge_configs(config, {'callbacks': callbacks})
    config['run_name'] = name
    return config


@contextlib.contextmanager
def model_run() -> Generator[None]:
    """Ends the run of a model's call that is cancelled, of which LangChain does not tell its handlers."""
    from genkitx_langchain.tracing.scope import abandon, announced

    announced()
    try:
        yield
    except asyncio.CancelledError:
        run_id = announced()
        if run_id is not None:
            abandon(run_id)
        raise


@contextlib.contextmanager
def genkit_errors(what: str) -> Generator[None]:
    """Gives the errors of LangChain objects the status that fits them; the message stays the provider's."""
    try:
        yield
    except (GenkitError, Interrupt):
        raise
    except NotImplementedError as error:
        message = f'{what} does not implement this: {error or "no reason given"}.'
        raise GenkitError(status='UNIMPLEMENTED', message=message, cause=error) from error
    except (TimeoutError, asyncio.TimeoutError) as error:
        raise GenkitError(status='DEADLINE_EXCEEDED', message=f'{what} took too long.', cause=error) from error
    except Exception as error:
        code = getattr(error, 'status_code', None) or getattr(getattr(error, 'response', None), 'status_code', None)
        # Raises the error itself when that is no status of a failure.
        raise wrap_http_error(error, status_code=code, message=f'{what} failed.') from error
