# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""A Pinecone index as a vector store."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast, get_args

from genkit import GenkitError
from genkitx.filters import NO_FILTERS, Filter
from genkitx.lifecycle import PerLoop
from genkitx.stores import BatchError, Capabilities, Match, Record, SearchRequest, VectorStore

from genkitx_pinecone.client import Caller, ClientParams, Session, check_host, open_session
from genkitx_pinecone.codec import Layout
from genkitx_pinecone.errors import is_dimension, is_lost, is_missing_namespace
from genkitx_pinecone.filters import SUPPORT, Condition, PineconeFilterCompiler
from genkitx_pinecone.options import Metric, SparseEncoder, SparseVector
from genkitx_pinecone.rows import Rows, json_bytes, vector_bytes
from genkitx_pinecone.visibility import Visibility
from genkitx_pinecone.wire import MAX_NAME, fetch_all, is_id, known_ids, pages

if TYPE_CHECKING:
    from pinecone import AsyncIndex

T = TypeVar('T')

FRESH: Final = 1.0
"""Seconds for which an index's dimension is believed."""

MAX_RECORDS: Final = 1000
MAX_BYTES: Final = 2_000_000
MAX_METADATA: Final = 40_960
MAX_K: Final = 10_000
WRITERS: Final = 4


class PineconeStore(VectorStore):
    """One namespace of an index, others by option.

    The score of a match is Pinecone's own where the index measures `cosine` (-1 to 1) or `dotproduct`, and `1 / (1 + d)` of the
    squared distance d where it measures `euclidean` (0 to 1).

    Args:
        name: `<plugin>/<index>`.
        index: The index's name in Pinecone.
        params: How to reach Pinecone.
        host: The index's address; without one the control plane is asked for it.
        namespace: Where records are, unless a call says otherwise; None is the index's default namespace.
        layout: How a document is stored.
        metric: How the index measures closeness; None asks it.
        sparse_encoder: Gives documents and queries sparse vectors.
        wait_until_visible: Seconds to wait until a write can be found; None does not wait.

    Raises:
        GenkitError: INVALID_ARGUMENT for an address, a namespace, a metric or a time that is none.
    """

    def __init__(
        self,
        name: str,
        index: str,
        params: ClientParams,
        *,
        host: str | None = None,
        namespace: str | None = None,
        layout: Layout | None = None,
        metric: Metric | None = None,
        sparse_encoder: SparseEncoder | None = None,
        wait_until_visible: float | None = None,
    ) -> None:
        if host is not None:
            check_host(host)
        self.name = name
        self._check_settings(metric, wait_until_visible)
        self._call = Caller(name, params)
        self._layout = layout or Layout()
        self._compiler = PineconeFilterCompiler(name, self._layout)
        self._metric = metric
        self._encoder = sparse_encoder
        self._visibility = None if wait_until_visible is None else Visibility(self._call, wait_until_visible)
        self._default_namespace = namespace or ''
        self._check_namespace(self._default_namespace)
        self._index = index
        self._host = host
        # Looking whether an index moved comes after attempts enough.
        self._look = Caller(name, params, repeat=frozenset())
        self._sessions: PerLoop[Session] = PerLoop(lambda: open_session(self._call, index, host), Session.close)
        self._rows = Rows(self._layout)
        self._capabilities = Capabilities(
            filters=NO_FILTERS if self._layout.js else SUPPORT,
            namespaces=True,
            modes=frozenset({'dense', 'hybrid'}),
            max_records=MAX_RECORDS,
            max_bytes=MAX_BYTES,
            max_k=MAX_K,
            writers=WRITERS,
        )

    @property
    def capabilities(self) -> Capabilities:
        """Filters without an order on strings; namespaces; dense and hybrid search; four writes of 1,000 records or 2 MB at once."""
        return self._capabilities

    def check(self, record: Record) -> None:
        """Refuses what Pinecone does: ids that are not ASCII, vectors of zeros, metadata over 40 KB."""
        if not is_id(record.id):
            raise self._invalid(
                f'a Pinecone id is 1 to {MAX_NAME} ASCII characters without NUL, not {record.id[:60]!r}'
            )
        if not any(record.vector):
            raise self._invalid(f'the vector of document {record.id!r} is all zeros, which Pinecone does not take')
        try:
            size = self._rows.size(record)
        except (TypeError, ValueError, RecursionError) as error:
            raise self._invalid(f'the metadata of document {record.id!r} is not JSON: {error}') from error
        if size > MAX_METADATA:
            hint = '' if self._layout.js else ', or leave out the keys for filters by PineconeIndex(js_layout=True)'
            raise self._invalid(
                f'the metadata of document {record.id!r}, its text included, takes {size} bytes, and Pinecone holds {MAX_METADATA}. '
                f'Split the document{hint}'
            )

    def record_bytes(self, record: Record) -> int:
        """Returns about the size of a record in a request; the length of a float is estimated from a sample."""
        return vector_bytes(_list(record.vector)) + self._rows.size(record) + len(record.id) + 60

    async def upsert(self, records: Sequence[Record], *, namespace: str | None = None) -> None:
        """Writes records with one request, replacing whole what has the same id; with more where sparse vectors make it too large."""
        if not records:
            return
        space = self._space(namespace)
        sparse = await self._sparse_of(records)
        done = 0
        for end in self._cuts(records, sparse):
            try:
                await self._write(records[done:end], sparse[done:end], space)
            except GenkitError as error:
                if not done or error.status == 'INVALID_ARGUMENT':
                    raise
                raise BatchError(dict.fromkeys((one.id for one in records[done:]), error)) from error
            done = end

    async def search(self, request: SearchRequest) -> list[Match]:
        """Queries the index once. Native options: `sparse_vector`, `alpha`, `native_filter` (see `PineconeRetrieverOptions`)."""
        space = self._space(request.namespace)
        vector, sparse = await self._query(request)
        condition = self._filter(request.filter, request.native.get('native_filter'))

        async def query(session: Session) -> tuple[str | None, Any]:
            return await self._metric_of(session), await self._call(
                session.index.query,
                top_k=request.k,
                vector=vector,
                sparse_vector=sparse,
                namespace=space,
                filter=condition,
                include_metadata=True,
                include_values=request.include_vectors,
            )

        metric, found = await self._use(query)
        euclidean = metric == 'euclidean'
        decode = self._layout.decode
        return [
            Match(
                one.id,
                1 / (1 + one.score) if euclidean else one.score,
                decode(one.metadata),
                one.values if request.include_vectors else None,
            )
            for one in found.matches
        ]

    async def fetch(
        self, ids: Sequence[str], *, namespace: str | None = None, include_vectors: bool = False
    ) -> list[Record]:
        """Returns the records that are there, with one request per 100 ids. Pinecone sends vectors whether asked to or not."""
        space = self._space(namespace)
        found = await self._use(lambda session: fetch_all(self._call, session, ids, space))
        decode = self._layout.decode
        return [Record(one.id, one.values if include_vectors else (), decode(one.metadata)) for one in found.values()]

    async def existing(self, ids: Sequence[str], *, namespace: str | None = None) -> set[str]:
        """Tells which ids are there without reading documents."""
        space = self._space(namespace)
        return set(await self._use(lambda session: fetch_all(self._call, session, ids, space)))

    async def delete(
        self,
        *,
        ids: Sequence[str] | None = None,
        filter: Filter | None = None,  # noqa: A002
        namespace: str | None = None,
    ) -> None:
        """Deletes by ids, 1,000 with a request, or by filter. A namespace that does not exist is an empty one."""
        space = self._space(namespace)
        known = known_ids(ids or ())
        condition = None if filter is None else self._compiler.compile(filter)
        await self._use(lambda session: self._delete(session, known, condition, space))

    async def count(self, *, filter: Filter | None = None, namespace: str | None = None) -> int:  # noqa: A002
        """Counts all records of the namespace by the index's statistics, or reads page by page those that a filter finds."""
        space = self._space(namespace)
        if filter is None:
            stats = await self._use(lambda session: self._call(session.index.describe_index_stats))
            names = [space] if space not in ('', '__default__') else ['', '__default__']
            return sum(stats.namespaces[name].vector_count for name in names if name in stats.namespaces)
        condition = self._compiler.compile(filter)

        async def count(session: Session) -> int:
            return sum([len(page) async for page in pages(self._call, session, condition, space)])

        return await self._use(count)

    async def dimension(self) -> int | None:
        """Returns the length of the vectors, from the index's description or its statistics, as of this second."""

        async def ask(session: Session) -> int | None:
            # An index that was deleted may be created anew with another dimension.
            if session.dimension is None or time.monotonic() - session.learned > FRESH:
                await self._learn(session)
            return session.dimension

        return await self._use(ask)

    async def aclose(self) -> None:
        """Closes the clients of this index."""
        await self._sessions.aclose()

    def _invalid(self, problem: str) -> GenkitError:
        return GenkitError(status='INVALID_ARGUMENT', message=f'{self.name}: {problem}.')

    # Names and filters.

    def _space(self, namespace: str | None) -> str:
        if namespace is None:
            return self._default_namespace
        self._check_namespace(namespace)
        return namespace

    def _check_settings(self, metric: str | None, wait_until_visible: float | None) -> None:
        if metric is not None and metric not in get_args(Metric):
            raise self._invalid(f'metric is one of {", ".join(get_args(Metric))}, not {metric!r}')
        if wait_until_visible is not None and not wait_until_visible >= 0:
            raise self._invalid(f'wait_until_visible is a number of seconds from 0, not {wait_until_visible!r}')

    def _check_namespace(self, namespace: str) -> None:
        if len(namespace) > MAX_NAME or not namespace.isascii() or '\x00' in namespace:
            raise self._invalid(
                f'a Pinecone namespace is up to {MAX_NAME} ASCII characters without NUL, not {namespace[:60]!r}'
            )

    def _filter(self, filter: Filter | None, native: Mapping[str, Any] | None) -> Condition | None:  # noqa: A002
        conditions = [self._compiler.compile(filter)] if filter is not None else []
        if native:
            conditions.append(dict(native))
        return {'$and': conditions} if len(conditions) > 1 else conditions[0] if conditions else None

    # Vectors.

    async def _write(self, records: Sequence[Record], sparse: Sequence[SparseVector | None], space: str) -> None:
        from pinecone import SparseValues, Vector

        rows = [self._rows.take(record) for record in records]
        vectors = [
            Vector(
                record.id, _list(record.vector), SparseValues(one.indices, one.values) if one else None, metadata=row
            )
            for record, row, one in zip(records, rows, sparse, strict=True)
        ]

        async def write(session: Session) -> None:
            answer = await self._call(session.index.upsert, vectors=vectors, namespace=space)
            if self._visibility is not None:
                await self._visibility.of_upsert(session, answer, vectors, space)

        await self._use(write)

    async def _delete(
        self, session: Session, known: Sequence[str], condition: Mapping[str, Any] | None, space: str
    ) -> None:
        try:
            if condition is not None:
                await self._call(session.index.delete, filter=condition, namespace=space)
            for i in range(0, len(known), MAX_RECORDS):
                await self._call(session.index.delete, ids=known[i : i + MAX_RECORDS], namespace=space)
        except GenkitError as error:
            if not is_missing_namespace(error):
                raise
            return
        if self._visibility is not None:
            await self._visibility.of_delete(session, known, condition, space)

    def _cuts(self, records: Sequence[Record], sparse: Sequence[SparseVector | None]) -> list[int]:
        """Returns where the requests of a write end: sparse vectors are only known now, and count too."""
        cuts: list[int] = []
        size = 0
        if self._encoder is not None:
            for i, (record, one) in enumerate(zip(records, sparse, strict=True)):
                more = self.record_bytes(record) + (0 if one is None else json_bytes([one.indices, one.values]) + 40)
                if size + more > MAX_BYTES and size:
                    cuts.append(i)
                    size = 0
                size += more
        return [*cuts, len(records)]

    async def _sparse_of(self, records: Sequence[Record]) -> Sequence[SparseVector | None]:
        if self._encoder is None:
            return [None] * len(records)
        found = await self._encoder.encode_documents([record.document for record in records])
        if len(found) != len(records):
            raise GenkitError(
                status='INTERNAL',
                message=f'{self.name}: the sparse encoder gave {len(found)} vectors for {len(records)} documents.',
            )
        return found

    async def _query(self, request: SearchRequest) -> tuple[list[float], dict[str, Any] | None]:
        """Returns the dense and the sparse vector of a query, weighted by alpha."""
        sparse: SparseVector | None = request.native.get('sparse_vector')
        alpha: float | None = request.native.get('alpha')
        hybrid = request.mode == 'hybrid'
        if sparse is None and hybrid and self._encoder is not None:
            sparse = await self._encoder.encode_query(request.text)
        elif sparse is None and (hybrid or alpha is not None):
            raise self._invalid(
                'a hybrid search needs sparse_vector, or an index with PineconeIndex(sparse_encoder=...)'
                if hybrid
                else 'alpha weighs a dense against a sparse vector: give sparse_vector'
            )
        vector = _list(request.vector or ())
        if sparse is None or not sparse.indices:
            return vector, None
        values = sparse.values
        if alpha is not None:
            # The convex combination of Pinecone's own guide to hybrid search.
            vector = [alpha * one for one in vector]
            values = [(1 - alpha) * one for one in values]
        return vector, {'indices': sparse.indices, 'values': values}

    # The index.

    async def _use(self, work: Callable[[Session], Awaitable[T]]) -> T:
        """Works with the index; where it is no longer where it was, looks for it, and works once more where it is now."""
        session = await self._sessions.get()
        index = session.index
        try:
            return await work(session)
        except GenkitError as error:
            if is_dimension(error):
                session.learn(None, None)
            if not is_lost(error) or not await self._moved(session, index):
                raise
        return await work(session)

    async def _moved(self, session: Session, index: AsyncIndex) -> bool:
        """Tells whether the index is elsewhere than this client; NOT_FOUND when it is gone, FAILED_PRECONDITION when not ready."""
        if self._host is not None:
            return False
        async with session.looking:
            if session.index is not index:
                return True
            try:
                return await session.follow(await open_session(self._look, self._index, None))
            except GenkitError as error:
                if error.status in ('NOT_FOUND', 'FAILED_PRECONDITION'):
                    raise
                return False

    async def _metric_of(self, session: Session) -> str | None:
        if self._metric is not None:
            return self._metric
        if session.metric is None:
            await self._learn(session)
        return session.metric

    async def _learn(self, session: Session) -> None:
        stats = await self._call(session.index.describe_index_stats)
        session.learn(stats.dimension or session.dimension, stats.metric or session.metric or 'cosine')


def _list(vector: Any) -> list[float]:
    """Returns a vector as a list, which is what JSON takes."""
    if isinstance(vector, list):
        return cast('list[float]', vector)
    return vector.tolist() if hasattr(vector, 'tolist') else list(vector)
