# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""A Chroma collection as a vector store."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias, TypeVar, cast

from genkit import Document, GenkitError
from genkitx.filters import NO_FILTERS, Filter
from genkitx.retrieval import document_id
from genkitx.stores import Capabilities, Match, Record, SearchRequest, VectorStore, dimension_error

from genkitx_chroma.client import CLOUD_LIMIT, Connection, Session, index_configuration, with_headers
from genkitx_chroma.codec import MetadataValue, decode, encode
from genkitx_chroma.errors import missing_collection
from genkitx_chroma.filters import SUPPORT, ChromaFilterCompiler, Where

T = TypeVar('T')

Space: TypeAlias = Literal['cosine', 'l2', 'ip']
"""How Chroma measures distance: cosine, squared Euclidean, or inner product."""

DEFAULT_SPACE: Final[Space] = 'cosine'
_IDS_AT_ONCE: Final = 5000  # SQLite takes 32,766 values in a statement.


@dataclass
class _Open:
    """A collection that was looked up.

    Attributes:
        session: The client that it belongs to.
        collection: chromadb's collection.
        space: Its distance.
        dimension: Length of its vectors; None while it has none.
        fresh: Whether nobody has asked for the dimension since it was looked up.
    """

    session: Session
    collection: Any
    space: str
    dimension: int | None
    fresh: bool = True

    async def call(self, method: str, **arguments: Any) -> Any:
        return await self.session.run(getattr(self.collection, method), **arguments)


class ChromaStore(VectorStore):
    """One collection of Chroma.

    The score of a match is, by the collection's distance d: `1 - d` for `cosine` (the cosine, -1 to 1) and for `ip` (the inner
    product), `1 / (1 + d)` for `l2` (0 to 1).

    Args:
        name: `<plugin>/<collection>`.
        collection: The collection's name in Chroma.
        connection: Where Chroma is.
        create: Whether a missing collection is created by the first write; until then it reads as empty.
        space: The distance of a collection that is created, and demanded of one that exists; None creates `cosine` and takes what
            exists as it is.
        js_layout: Write rows exactly as the JS plugin does, without keys for filters.
        cloud: Whether the limits of Chroma Cloud hold.
    """

    def __init__(
        self,
        name: str,
        collection: str,
        connection: Connection,
        *,
        create: bool = True,
        space: Space | None = None,
        js_layout: bool = False,
        cloud: bool = False,
    ) -> None:
        self.name = name
        self._collection = collection
        self._connection = connection
        self._create = create
        self._space = space
        self._js_layout = js_layout
        self._compiler = ChromaFilterCompiler(name)
        limit = CLOUD_LIMIT if cloud else None
        # An embedded engine writes one batch at a time; a second one in flight has the next batch ready.
        self._capabilities = Capabilities(
            filters=NO_FILTERS if js_layout else SUPPORT, max_records=limit, max_k=limit, writers=2
        )

    @property
    def capabilities(self) -> Capabilities:
        """Filters without an order on strings; no namespaces; dense search."""
        return self._capabilities

    def check(self, record: Record) -> None:
        """Refuses ids that Chroma cannot hold."""
        if not _is_id(record.id):
            raise GenkitError(
                status='INVALID_ARGUMENT',
                message=f'{self.name}: a Chroma id is a non-empty string of valid Unicode, not {record.id!r}.',
            )

    async def upsert(self, records: Sequence[Record], *, namespace: str | None = None) -> None:
        """Writes records, replacing whole what has the same id.

        Costs one call per batch of the client's own limit, and one more for records whose id is not the hash of their content.
        """
        if not records:
            return
        rows = [encode(record.document, js_layout=self._js_layout) for record in records]
        replaceable = [i for i, record in enumerate(records) if not _is_content_id(record)]

        async def write(opened: _Open) -> None:
            limit = await opened.session.learn_limit()
            for i in range(0, len(records), limit):
                part = slice(i, i + limit)
                stale = await self._stale(
                    [(records[j].id, rows[j][1]) for j in replaceable if i <= j < i + limit], opened
                )
                await opened.call(
                    'upsert',
                    ids=[record.id for record in records[part]],
                    embeddings=[_list(record.vector) for record in records[part]],
                    documents=[text for text, _ in rows[part]],
                    metadatas=[
                        {**metadata, **stale.get(record.id, {})}
                        for record, (_, metadata) in zip(records[part], rows[part], strict=True)
                    ],
                )
            opened.dimension = len(records[0].vector)

        await self._with(write, None, create=self._create)

    async def search(self, request: SearchRequest) -> list[Match]:
        """Queries the collection once. Native options: `where_document`, and `include` (see `ChromaRetrieverOptions`)."""
        vector = _list(request.vector or ())
        where = self._where(request.filter)
        where_document: Any = request.native.get('where_document')
        include = cast('Sequence[str] | None', request.native.get('include'))
        vectors = request.include_vectors or (include is not None and 'embeddings' in include)

        async def query(opened: _Open) -> list[Match]:
            if opened.dimension is not None and opened.dimension != len(vector):
                raise dimension_error(self.name, opened.dimension, len(vector), what='a query vector')
            found = await opened.call(
                'query',
                query_embeddings=[vector],
                n_results=request.k,
                where=where,
                where_document=where_document,
                include=['documents', 'metadatas', 'distances', *(['embeddings'] if vectors else [])],
            )
            documents = [decode(*row) for row in zip(found['documents'][0], found['metadatas'][0], strict=True)]
            if include is not None and 'metadatas' not in include:
                documents = [Document(one.content) for one in documents]
            scores = [_score(opened.space, distance) for distance in found['distances'][0]]
            embeddings = [_list(one) for one in found['embeddings'][0]] if vectors else [None] * len(documents)
            return [Match(*one) for one in zip(found['ids'][0], scores, documents, embeddings, strict=True)]

        return await self._with(query, [])

    async def fetch(
        self, ids: Sequence[str], *, namespace: str | None = None, include_vectors: bool = False
    ) -> list[Record]:
        """Returns the records that are there."""
        include = ['documents', 'metadatas', *(['embeddings'] if include_vectors else [])]

        async def get(opened: _Open) -> list[Record]:
            records: list[Record] = []
            for part in _parts(ids, opened.session.page):
                found = await opened.call('get', ids=part, include=include)
                vectors = [_list(one) for one in found['embeddings']] if include_vectors else [()] * len(found['ids'])
                documents = [decode(*row) for row in zip(found['documents'], found['metadatas'], strict=True)]
                records.extend(Record(*one) for one in zip(found['ids'], vectors, documents, strict=True))
            return records

        return await self._with(get, [])

    async def existing(self, ids: Sequence[str], *, namespace: str | None = None) -> set[str]:
        """Tells which ids are there without reading documents."""

        async def get(opened: _Open) -> set[str]:
            present: set[str] = set()
            for part in _parts(ids, opened.session.page):
                present.update((await opened.call('get', ids=part, include=[]))['ids'])
            return present

        return await self._with(get, set[str]())

    async def delete(
        self,
        *,
        ids: Sequence[str] | None = None,
        filter: Filter | None = None,  # noqa: A002
        namespace: str | None = None,
    ) -> None:
        """Deletes by ids or by filter."""
        where = self._where(filter)

        async def delete(opened: _Open) -> None:
            if where is not None:
                await opened.call('delete', where=where)
            for part in _parts(ids or (), opened.session.page):
                await opened.call('delete', ids=part)

        await self._with(delete, None)

    async def count(self, *, filter: Filter | None = None, namespace: str | None = None) -> int:  # noqa: A002
        """Counts all records, or the ids that a filter finds."""
        where = self._where(filter)

        async def count(opened: _Open) -> int:
            if where is None:
                return int(await opened.call('count'))
            total = 0
            page = opened.session.page
            while True:
                found = await opened.call('get', where=where, include=[], limit=page, offset=total or None)
                total += len(found['ids'])
                if page is None or len(found['ids']) < page:
                    return total

        return await self._with(count, 0)

    async def dimension(self) -> int | None:
        """Returns the length of the vectors. An ingest asks before its first write, so a missing collection is created here."""

        async def dimension(opened: _Open) -> int | None:
            # Asked for here, since the writes that follow would all ask for it at once.
            await opened.session.learn_limit()
            fresh, opened.fresh = opened.fresh, False
            if opened.dimension is None and not fresh:
                # Another writer may have fixed it since.
                opened.dimension = (await self._look_up(opened.session, create=self._create)).get_model().dimension
            return opened.dimension

        return await self._with(dimension, None, create=self._create)

    async def aclose(self) -> None:
        """Closes the clients of this collection. The data of an ephemeral engine goes with its last client."""
        await self._connection.aclose()

    async def _with(self, work: Callable[[_Open], Any], missing: T, *, create: bool = False) -> T:
        """Does work on the collection; one that was deleted since it was looked up is looked up again."""
        session, headers = await self._connection.session()
        with with_headers(headers):
            for attempt in range(2):
                opened = await self._open(session, create=create)
                if opened is None:
                    break
                try:
                    return await work(opened)
                except GenkitError as error:
                    if error.status != 'NOT_FOUND':
                        raise
                    session.collections.pop(self._collection, None)
                    if attempt:
                        raise missing_collection(self.name, self._collection, error) from error
        return missing

    async def _open(self, session: Session, *, create: bool) -> _Open | None:
        """Returns the collection; None if there is none yet and the first write is to create it.

        Raises:
            GenkitError: NOT_FOUND if it is not to be created, FAILED_PRECONDITION if it measures another distance.
        """
        known = cast('_Open | None', session.collections.get(self._collection))
        if known is not None:
            return known
        collection = await self._look_up(session, create=create)
        if collection is None:
            return None
        space = _space_of(collection)
        if self._space is not None and space != self._space:
            raise GenkitError(
                status='FAILED_PRECONDITION',
                message=(
                    f"{self.name}: the collection measures distance by '{space}', the settings say '{self._space}'. Leave out "
                    'space, or index into a new collection.'
                ),
            )
        opened = _Open(session, collection, space, collection.get_model().dimension)
        session.collections[self._collection] = opened
        return opened

    async def _look_up(self, session: Session, *, create: bool) -> Any:
        try:
            if create:
                index = index_configuration(session, self._space or DEFAULT_SPACE)
                return await session.create_collection(
                    self._collection, configuration=index, metadata=None, exist_ok=True
                )
            return await session.get_collection(self._collection)
        except GenkitError as error:
            if error.status != 'NOT_FOUND' or create:
                raise
            if self._create:
                return None
            raise missing_collection(self.name, self._collection, error) from error

    async def _stale(
        self, rows: list[tuple[str, dict[str, MetadataValue]]], opened: _Open
    ) -> dict[str, dict[str, None]]:
        """Returns what an upsert has to take away, by id.

        Chroma merges the metadata of an upsert into what is stored. A record whose id is the hash of its content only ever
        replaces itself; any other may replace something with other keys, which are deleted by setting them to null.
        """
        stale: dict[str, dict[str, None]] = {}
        wanted = dict(rows)
        for part in _parts(list(wanted), opened.session.page):
            found = await opened.call('get', ids=part, include=['metadatas'])
            for one, metadata in zip(found['ids'], found['metadatas'], strict=True):
                stale[one] = dict.fromkeys(set(metadata or ()) - set(wanted[one]))
        return stale

    def _where(self, filter: Filter | None) -> Where | None:  # noqa: A002
        return None if filter is None else self._compiler.compile(filter)


def _is_id(text: str) -> bool:
    try:
        return bool(text.encode())
    except UnicodeEncodeError:
        return False


def _is_content_id(record: Record) -> bool:
    return len(record.id) == 32 and record.id == document_id(record.document)


def _parts(ids: Sequence[str], size: int | None) -> list[list[str]]:
    """Splits ids into lists that one call takes; those that Chroma cannot hold are not there to be asked for."""
    known = list(dict.fromkeys(one for one in ids if _is_id(one)))
    step = size or _IDS_AT_ONCE
    return [known[i : i + step] for i in range(0, len(known), step)]


def _list(vector: Any) -> list[float]:
    """Returns a vector as a list, which is what chromadb takes; it gives back numpy arrays."""
    if isinstance(vector, list):
        return cast('list[float]', vector)
    return vector.tolist() if hasattr(vector, 'tolist') else list(vector)


def _space_of(collection: Any) -> str:
    configuration: dict[str, Any] = collection.configuration_json or {}
    for index in ('hnsw', 'spann'):
        settings: dict[str, Any] = configuration.get(index) or {}
        if settings.get('space'):
            return str(settings['space'])
    metadata: dict[str, Any] = collection.metadata or {}
    return str(metadata.get('hnsw:space', 'l2'))


def _score(space: str, distance: float) -> float:
    return 1 / (1 + distance) if space == 'l2' else 1 - distance
