# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""A search in Milvus's terms: by vector, by words, or by both, always one call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

from genkit import GenkitError
from genkitx.stores import SearchRequest

from genkitx_milvus.codec import Fields

MAX_WINDOW: Final = 16_384
"""Most matches that Milvus looks at, offset included."""
_CANDIDATES: Final = 50
_DENSE_ONLY: Final = ('radius', 'range_filter')
_HYBRID_ONLY: Final = ('ranker', 'rrf_k', 'weights', 'candidates')


@dataclass(frozen=True, kw_only=True)
class Search:
    """A planned search.

    Attributes:
        request: What is asked.
        fields: Names of the collection's fields.
        expression: The filter.
        offset: Matches to leave out.
    """

    request: SearchRequest
    fields: Fields
    expression: str
    offset: int

    @property
    def dense(self) -> bool:
        """Whether the score is of the vectors' metric."""
        return self.request.mode == 'dense'

    @property
    def method(self) -> str:
        """The client's method."""
        return 'hybrid_search' if self.request.mode == 'hybrid' else 'search'

    def arguments(
        self, output: Sequence[str], partitions: Sequence[str] | None, consistency: str | None
    ) -> dict[str, Any]:
        """Returns the method's arguments."""
        common: dict[str, Any] = {
            'limit': self.request.k,
            'output_fields': list(output),
            'partition_names': None if partitions is None else list(partitions),
            'offset': self.offset,
        }
        if consistency is not None:
            common['consistency_level'] = consistency
        if self.request.mode == 'hybrid':
            return {**common, **self._hybrid()}
        field, data, params = self._dense() if self.dense else self._text()
        return {**common, 'data': data, 'anns_field': field, 'search_params': params, 'filter': self.expression}

    def score(self, metric: str, distance: float) -> float:
        """Returns the score of a distance: higher is closer."""
        if self.request.mode == 'text':
            return abs(distance)  # Milvus Lite gives BM25 scores with a minus.
        return 1 / (1 + distance) if self.dense and metric == 'L2' else distance

    def _dense(self) -> tuple[str, list[Any], dict[str, Any]]:
        native = self.request.native
        params = {**cast('Mapping[str, Any]', native.get('search_params') or {})}
        params.update({key: native[key] for key in _DENSE_ONLY if native.get(key) is not None})
        return self.fields.vector, [list(self.request.vector or ())], {'params': params}

    def _text(self) -> tuple[str, list[Any], dict[str, Any]]:
        # Lone surrogates are no text.
        query = self.request.text.encode('utf-16-le', 'surrogatepass').decode('utf-16-le', 'replace')
        return self.fields.sparse, [query], {'params': {}}

    def _hybrid(self) -> dict[str, Any]:
        from pymilvus import AnnSearchRequest, RRFRanker, WeightedRanker  # pyright: ignore[reportMissingTypeStubs]

        native = self.request.native
        window = self.request.k + self.offset
        limit = max(int(native.get('candidates') or _CANDIDATES), window)
        parts = [
            AnnSearchRequest(data, field, params, limit, expr=self.expression or None)
            for field, data, params in (self._dense(), self._text())
        ]
        weights = cast('Sequence[float] | None', native.get('weights'))
        weighted = (native.get('ranker') or ('rrf' if weights is None else 'weighted')) == 'weighted'
        ranker = WeightedRanker(*(weights or (0.5, 0.5))) if weighted else RRFRanker(int(native.get('rrf_k') or 60))
        return {'reqs': parts, 'ranker': ranker}


def plan(store: str, request: SearchRequest, fields: Fields, expression: str) -> Search:
    """Checks a request and plans it.

    Raises:
        GenkitError: INVALID_ARGUMENT for options that the mode has no use for.
    """
    native = {key: value for key, value in request.native.items() if value is not None}
    useless = [] if request.mode == 'hybrid' else [key for key in _HYBRID_ONLY if key in native]
    useless += [] if request.mode == 'dense' else [key for key in _DENSE_ONLY if key in native]
    if request.mode == 'text' and 'search_params' in native:
        useless.append('search_params')
    if useless:
        raise _invalid(store, f'{useless[0]} is of no use in {request.mode} mode')
    if 'range_filter' in native and 'radius' not in native:
        raise _invalid(store, 'range_filter goes with radius')
    weights = cast('Sequence[float] | None', native.get('weights'))
    if weights is not None and (native.get('ranker') == 'rrf' or not all(0 <= one <= 1 for one in weights)):
        raise _invalid(store, 'weights are two numbers from 0 to 1, for the weighted ranker')
    if 'rrf_k' in native and (weights is not None or native.get('ranker') == 'weighted'):
        raise _invalid(store, 'rrf_k is for the rrf ranker')
    offset = int(native.get('offset') or 0)
    if offset + request.k > MAX_WINDOW:
        raise _invalid(store, f'offset and k are together up to {MAX_WINDOW}, got {offset + request.k}')
    return Search(request=request, fields=fields, expression=expression, offset=offset)


def _invalid(store: str, problem: str) -> GenkitError:
    return GenkitError(status='INVALID_ARGUMENT', message=f'{store}: {problem}.')
