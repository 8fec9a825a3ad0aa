# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""Both sides embed alike, else no other test here would mean anything."""

import pytest
from genkitx.testing import HashEmbedder

from interop.tests.documents import ALL, QUERIES

TEXTS = [
    *QUERIES,
    *(part['text'] for one in ALL for part in one['content'] if 'text' in part),
    '',
    ' ',
    'ABC abc',
    'ſẞİ',
]


@pytest.mark.parametrize('dimensions', [8, 64, 384])
async def test_equal_in_every_bit(start, dimensions):
    for text in TEXTS:
        assert await start('toy')('embed', text=text, dimensions=dimensions) == HashEmbedder(dimensions).embed(text)
