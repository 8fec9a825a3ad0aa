# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""The documents that go both ways, and what a layout that knows only text and one medium makes of them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from genkit import Document
from genkitx.retrieval import document_from_dict

Json = dict[str, Any]

FOX: Json = {
    'content': [{'text': 'The quick brown fox jumps over the lazy dog.'}],
    'metadata': {
        'source': {'file': 'animals/fox.txt', 'page': 3, 'tags': ['fox', 'dog'], 'seen': {'by': None, 'ok': True}},
        'year': 2024,
        'big': 9007199254740991,
        'tiny': 1e-7,
        'huge': 1e21,
        'half': -0.5,
    },
}
UNICODE: Json = {
    'content': [{'text': 'Größe 東京 🚀 naïve café — "quoted" \\slash\nline\ttab \u2028 </script> \x07 e\u0301'}],
    # Digits come first in JS, in their order: the id depends on it.
    'metadata': {'lang': '多言語', '10': 'ten', '2': 'two', 'dotted.key': 1, 'emoji 🎉': 'quote " back \\'},
}
EMPTY: Json = {'content': [{'text': 'A document about bananas with empty metadata.'}], 'metadata': {}}
BARE: Json = {'content': [{'text': 'A document without any metadata at all.'}]}
PARTS: Json = {
    'content': [{'text': 'Part one: red apples.'}, {'text': ' Part two: sweet oranges.'}],
    'metadata': {'kind': 'multi', 'parts': 2},
}
IMAGE: Json = {
    'content': [{'media': {'contentType': 'image/png', 'url': 'data:image/png;base64,iVBORw0KGgo='}}],
    'metadata': {'kind': 'media'},
}
MIXED: Json = {
    'content': [
        {'text': 'A picture of rivers and mountains:'},
        {'media': {'contentType': 'image/png', 'url': 'data:image/png;base64,aaaa'}},
    ],
    'metadata': {'kind': 'mixed'},
}

TEXTS = [FOX, UNICODE, EMPTY, BARE]
ALL = [*TEXTS, PARTS, IMAGE, MIXED]
QUERIES = ['quick fox and dog', '東京 café 🚀', 'sweet oranges and red apples', 'rivers and mountains', 'bananas']


def documents(source: list[Json]) -> list[Document]:
    """Returns documents from their JSON."""
    return [document_from_dict(one) for one in source]


def flat(document: Json) -> Json:
    """Returns what is left where a row has one text or one medium: texts joined, media only without a text."""
    text = ''.join(part.get('text', '') for part in document['content'])
    return {**document, 'content': [{'text': text}] if text else document['content'][:1]}


def without_empty_metadata(document: Json) -> Json:
    """Returns what is left where empty metadata are none."""
    return {key: value for key, value in document.items() if key != 'metadata' or value}


def row(document: Json) -> Json:
    """Returns a document where a row is a text, or a medium's URL, and metadata that are always there."""
    part = flat(document)['content'][0]
    return {'text': part.get('text') or part['media']['url'], 'metadata': document.get('metadata', {})}


def in_any_order(found: Iterable[Json]) -> list[str]:
    """Returns documents as text, sorted, for comparisons that leave the order out."""
    return sorted(json.dumps(one, sort_keys=True, ensure_ascii=False) for one in found)
