# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""The stops of the tour, in order."""

from collections.abc import Awaitable, Callable

from stage import Stage

from stops import (
    augment_with_context,
    download_request_media,
    fallback,
    rag,
    retriever_tool,
    retry,
    simulate_constrained_generation,
    simulate_system_prompt,
    validate_support,
)

Stop = Callable[[Stage], Awaitable[None]]

TOUR: dict[str, Stop] = {
    'retry': retry.stop,
    'fallback': fallback.stop,
    'validate_support': validate_support.stop,
    'download_request_media': download_request_media.stop,
    'simulate_system_prompt': simulate_system_prompt.stop,
    'augment_with_context': augment_with_context.stop,
    'simulate_constrained_generation': simulate_constrained_generation.stop,
    'Rag': rag.stop,
    'retriever_tool': retriever_tool.stop,
}
