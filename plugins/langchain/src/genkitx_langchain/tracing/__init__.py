# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""LangChain runs as Genkit spans."""

__all__: list[str] = []
