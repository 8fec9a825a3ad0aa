# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""One collection of Milvus as a vector store."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any, Final, TypeVar, cast

from genkit import GenkitError
from genkitx.filters import NO_FILTERS, Filter
from genkitx.stores import Capabilities, Match, Record, SearchRequest, VectorStore, dimension_error

from genkitx_milvus.codec import decode, encode
from genkitx_milvus.connection import Connection
from genkitx_milvus.errors import NO_PARTITION, NOT_LOADED, code_of, missing_collection, refused_collection
from genkitx_milvus.filters import SUPPORT, MilvusFilterCompiler, literal
from genkitx_milvus.readiness import Readiness
from genkitx_milvus.schema import (
    MAX_TEXT,
    Consistency,
    Layout,
    Metric,
    NewCollection,
    check_layout,
    create,
    read_layout,
)
from genkitx_milvus.searches import Search, plan

T = TypeVar('T')

MAX_K: Final = 16_384
"""Most matches of a search, its offset included."""
MAX_BYTES: Final = 32 * 2**20
"""Bytes in one write; a server takes 64 MB in its default configuration."""
_IDS_AT_ONCE: Final = 1000
_INT64: Final = 2**63
# How a collection that was made anew with other fields shows.
_STALE: Final = frozenset({'INVALID_ARGUMENT', 'FAILED_PRECONDITION'})
_PARTITION: Final = re.compile('[A-Za-z_][A-Za-z0-9_]{0,254}')

# Milvus's keys are unique in a collection, or not quite, but namespaces hold the same ids: in a namespace a key begins with it.
_SEPARATOR: Final = '\x1e'
_DEFAULT: Final = '_default'


class MilvusStore(VectorStore):
    """One collection of Milvus.

    The score of a match is the distance itself for `COSINE` (the cosine, -1 to 1) and `IP` (the inner product), `1 / (1 + d)`
    for `L2` (0 to 1); in text mode it is BM25's, in hybrid mode the ranker's.

    Args:
        name: `<plugin>/<collection>`.
        collection: The collection's name in Milvus.
        connection: Where Milvus is.
        new: How the collection is created; its key and its text search are demanded of one that exists.
        create_if_missing: Whether a missing collection is created by the first write; until then it reads as empty.
        metric: The metric that is demanded of a collection that exists; None takes what it has.
        consistency_level: Of reads; None is the collection's own, and `Strong` where the answer decides a write.
        partition: The partition where no namespace is named; None reads all of them.
        js_layout: Write rows exactly as the JS plugin does, without keys for filters.
    """

    def __init__(
        self,
        name: str,
        collection: str,
        connection: Connection,
        *,
        new: NewCollection | None = None,
        create_if_missing: bool = True,
        metric: Metric | None = None,
        consistency_level: Consistency | None = None,
        partition: str | None = '_default',
        js_layout: bool = False,
    ) -> None:
        self.name = name
        self._collection = collection
        self._connection = connection
        self._new = new or NewCollection()
        self._create = create_if_missing
        self._demanded = metric
        self._consistency = consistency_level
        self._partition = partition if partition is None else self._check_partition(partition)
        self._js_layout = js_layout
        self._compiler = MilvusFilterCompiler(name)
        self._layout: Layout | None = None
        self._metric: str | None = None
        self._lite: bool | None = None
        self._creating = threading.Lock()
        self._ready = Readiness(name, collection, connection, load=self._new.load)
        modes = {'dense', 'text', 'hybrid'} if self._new.text_search else {'dense'}
        self._capabilities = Capabilities(
            filters=NO_FILTERS if js_layout else SUPPORT,
            namespaces=True,
            modes=frozenset(cast('Any', modes)),
            custom_ids=not self._new.auto_id,
            max_bytes=MAX_BYTES,
            max_k=MAX_K,
        )

    @property
    def capabilities(self) -> Capabilities:
        """All filters; namespaces are partitions; ids of our own unless Milvus makes them; words where they are indexed."""
        return self._capabilities

    def check(self, record: Record) -> None:
        """Refuses what Milvus could not hold without loss."""
        if not self._new.auto_id:
            self._check_id(record.id)
        if self._new.text_search:
            size = sum(len((part.text or '').encode('utf-8', 'replace')) for part in record.document.content)
            if size > MAX_TEXT:
                raise self._invalid(f'a text of {size} bytes; with text_search it has up to {MAX_TEXT}')

    async def upsert(self, records: Sequence[Record], *, namespace: str | None = None) -> None:
        """Writes records with one call, replacing what has the same id; where Milvus makes the keys they are added."""
        if not records:
            return
        partition = self._named(namespace)
        names = self._new.fields
        rows: list[dict[str, Any]] = []
        for record in records:
            try:
                row = encode(record.document, names, js_layout=self._js_layout)
            except (TypeError, ValueError, RecursionError) as error:
                problem = f'the metadata of document {record.id!r}, which is not JSON: {error}'
                raise self._invalid(problem) from error
            row[names.vector] = _list(record.vector)
            if not self._new.auto_id:
                row[names.id] = self._key(record.id, partition)
            rows.append(row)
        dimension = len(rows[0][names.vector])

        async def write(layout: Layout) -> None:
            if layout.dimension != dimension:
                raise dimension_error(self.name, layout.dimension, dimension)
            if not layout.auto_id and not layout.text_ids:
                raise GenkitError(
                    status='FAILED_PRECONDITION',
                    message=f'{self.name}: the collection has numbers as keys, ids are text. Index into a new collection.',
                )
            arguments: dict[str, Any] = {'data': rows, 'partition_name': partition or ''}
            if partition is not None:
                await self._ready.ensure_partition(partition)
            try:
                await self._write(arguments)
            except GenkitError as error:
                if partition is None or code_of(error) != NO_PARTITION:
                    raise
                # It was there a moment ago, so somebody dropped it.
                await self._ready.create_partition(partition)
                await self._write(arguments)

        await self._with(write, None, create=dimension)

    async def search(self, request: SearchRequest) -> list[Match]:
        """Searches with one call. The first search also asks for the collection's schema and metric."""
        native = request.native
        planned = plan(self.name, request, self._new.fields, self._expression(request.filter, native))
        partitions = self._searched(request.namespace, cast('Sequence[str] | None', native.get('partitions')))
        consistency = cast('Consistency | None', native.get('consistency_level')) or self._consistency

        async def search(layout: Layout) -> list[Match]:
            if request.vector is not None and len(request.vector) != layout.dimension:
                raise dimension_error(self.name, layout.dimension, len(request.vector), what='a query vector')
            metric = await self._learn_metric() if planned.dense else ''
            fields = self._output(layout, vectors=request.include_vectors)
            arguments = planned.arguments(fields, partitions, consistency)
            found = await self._reading(planned.method, arguments, [[]])
            return [self._match(hit, metric, planned) for hit in found[0]]

        return await self._with(search, [])

    async def fetch(
        self, ids: Sequence[str], *, namespace: str | None = None, include_vectors: bool = False
    ) -> list[Record]:
        """Returns the records that are there."""
        names = self._new.fields

        async def fetch(layout: Layout) -> list[Record]:
            rows = await self._rows_of(ids, namespace, layout, self._output(layout, vectors=include_vectors))
            return [
                Record(_id(row[names.id]), _list(row[names.vector]) if include_vectors else (), decode(row, names))
                for row in rows
            ]

        return await self._with(fetch, [])

    async def existing(self, ids: Sequence[str], *, namespace: str | None = None) -> set[str]:
        """Tells which ids are there without reading documents."""
        key = self._new.fields.id

        async def existing(layout: Layout) -> set[str]:
            return {_id(row[key]) for row in await self._rows_of(ids, namespace, layout, [key])}

        return await self._with(existing, set[str]())

    async def delete(
        self,
        *,
        ids: Sequence[str] | None = None,
        filter: Filter | None = None,  # noqa: A002
        namespace: str | None = None,
    ) -> None:
        """Deletes by ids or by filter."""
        partition = self._named(namespace)
        where = self._expression(filter, {})

        async def delete(layout: Layout) -> None:
            expressions = [where] if where else self._key_expressions(ids or (), partition, layout)
            if partition is not None and await self._is_lite():
                expressions = await self._keys_in(partition, expressions, layout)
            for expression in expressions:
                await self._reading('delete', {'filter': expression, 'partition_name': partition or ''}, None)

        await self._with(delete, None)

    async def count(self, *, filter: Filter | None = None, namespace: str | None = None) -> int:  # noqa: A002
        """Counts all records, or those that a filter finds."""
        partitions = self._searched(namespace, None)
        where = self._expression(filter, {})

        async def count(layout: Layout) -> int:
            # An expression that is always true: without one, Milvus Lite counts all partitions.
            key = self._new.fields.id
            every = f'{key} != ""' if layout.text_ids else f'{key} > {1 - _INT64}'
            arguments = {'filter': where or every, 'output_fields': ['count(*)'], 'partition_names': partitions}
            found = await self._reading('query', {**arguments, **self._exact()}, [])
            return int(found[0]['count(*)']) if found else 0

        return await self._with(count, 0)

    async def dimension(self) -> int | None:
        """Returns the length of the vectors; None while there is no collection. Asked anew: who indexes refuses by the answer."""
        if self._layout is not None and not await self._is_still(self._layout):
            self._forget()
        layout = await self._open()
        return None if layout is None else layout.dimension

    async def aclose(self) -> None:
        """Closes the connection, which the plugin's collections in the same database share."""
        self._forget()
        await self._connection.aclose()

    # The collection.

    async def _with(
        self, work: Callable[[Layout], Coroutine[Any, Any, T]], missing: T, *, create: int | None = None
    ) -> T:
        """Does work on the collection; one that was dropped or made anew since it was looked at is looked at again.

        Args:
            work: The work.
            missing: What it comes to where there is no collection yet.
            create: Dimension of the collection that is created then instead.
        """
        for attempt in range(2):
            known = self._layout
            layout = await self._open()
            if layout is None and create is not None:
                await self._create_collection(create)
                layout = await self._open()
            if layout is None:
                break
            try:
                return await work(layout)
            except GenkitError as error:
                if error.status == 'NOT_FOUND' and code_of(error) != NO_PARTITION:
                    if attempt:
                        self._forget()
                        raise missing_collection(self.name, self._collection, error) from error
                elif attempt or known is None or error.status not in _STALE or await self._is_still(known):
                    raise
                self._forget()
        return missing

    async def _is_still(self, known: Layout) -> bool:
        try:
            return read_layout(self.name, await self._call('describe_collection'), self._new.fields) == known
        except GenkitError as error:
            if error.status not in ('NOT_FOUND', 'FAILED_PRECONDITION'):
                raise
            return False

    async def _open(self) -> Layout | None:
        """Returns the collection's layout; None if there is no collection and the first write is to create it."""
        if self._layout is not None:
            return self._layout
        # Asked first, because pymilvus logs a description that fails as an error.
        if not await self._call('has_collection'):
            if self._create:
                return None
            raise missing_collection(self.name, self._collection)
        layout = read_layout(self.name, await self._call('describe_collection'), self._new.fields)
        check_layout(self.name, layout, self._new)
        if self._demanded is not None:
            await self._learn_metric()  # Of no use to a write but to refuse it: what it adds could not be searched.
        self._layout = layout
        return layout

    def _forget(self) -> None:
        self._layout = self._metric = None
        self._ready.forget()

    async def _create_collection(self, dimension: int) -> None:
        def work(client: Any) -> None:
            with self._creating:
                create(client, self._collection, dimension, self._new)

        try:
            await self._connection.admin(work)
        except GenkitError as error:
            raise refused_collection(self.name, error) from error

    async def _learn_metric(self) -> str:
        if self._metric is None:
            field = self._new.fields.vector
            indexes = await self._call('list_indexes', field_name=field)
            described: Any = await self._call('describe_index', index_name=indexes[0]) if indexes else None
            metric = str((described or {'metric_type': self._new.metric})['metric_type']).upper()
            if self._demanded is not None and metric != self._demanded:
                raise GenkitError(
                    status='FAILED_PRECONDITION',
                    message=(
                        f"{self.name}: the collection measures by '{metric}', the settings say '{self._demanded}'. Leave out metric, "
                        'or index into a new collection.'
                    ),
                )
            self._metric = metric
        return self._metric

    # Calls.

    async def _call(self, method: str, **arguments: Any) -> Any:
        return await self._connection.call(method, collection_name=self._collection, **arguments)

    async def _write(self, arguments: Mapping[str, Any]) -> None:
        if self._new.auto_id:
            await self._connection.insert(collection_name=self._collection, **arguments)
        else:
            await self._call('upsert', **arguments)

    async def _reading(self, method: str, arguments: Mapping[str, Any], missing: Any) -> Any:
        """Calls what needs a loaded collection, in those of its partitions that are there (yet)."""
        await self._ready.ensure_loaded()
        one: str | None = arguments.get('partition_name')
        several: Sequence[str] = [one] if one else arguments.get('partition_names') or ()
        if several:
            there = await self._ready.existing(several)
            if not there:
                return missing
            arguments = {**arguments, **({'partition_name': one} if one else {'partition_names': there})}
        try:
            return await self._call(method, **arguments)
        except GenkitError as error:
            # Somebody dropped the partition or released the collection since it was looked at.
            code = code_of(error)
            if code == NO_PARTITION:
                self._ready.forget()
                return missing
            if code not in NOT_LOADED:
                raise
            await self._ready.load(error)
        return await self._call(method, **arguments)

    def _exact(self) -> dict[str, Any]:
        return {'consistency_level': self._consistency or 'Strong'}

    async def _rows_of(
        self, ids: Sequence[str], namespace: str | None, layout: Layout, fields: list[str]
    ) -> list[dict[str, Any]]:
        partition = self._named(namespace)
        rows: list[dict[str, Any]] = []
        for expression in self._key_expressions(ids, partition, layout):
            arguments: dict[str, Any] = {'filter': expression, 'output_fields': fields}
            arguments['partition_names'] = None if partition is None else [partition]
            rows.extend(await self._reading('query', {**arguments, **self._exact()}, []))
        return rows

    async def _is_lite(self) -> bool:
        """Tells whether the engine is Milvus Lite, which deletes in all partitions, whichever is named."""
        if self._lite is None:
            self._lite = 'lite' in str(await self._connection.call('get_server_version')).lower()
        return self._lite

    async def _keys_in(self, partition: str, expressions: Sequence[str], layout: Layout) -> list[str]:
        """Returns conditions for the keys in a partition that other conditions find there."""
        key = self._new.fields.id
        found: list[str] = []
        for expression in expressions:
            arguments: dict[str, Any] = {'filter': expression, 'output_fields': [key], 'partition_names': [partition]}
            rows = await self._reading('query', arguments, [])
            found += [literal(row[key]) if layout.text_ids else str(row[key]) for row in rows]
        return self._among(found)

    def _among(self, keys: Sequence[str]) -> list[str]:
        parts = [keys[i : i + _IDS_AT_ONCE] for i in range(0, len(keys), _IDS_AT_ONCE)]
        return [f'{self._new.fields.id} in [{", ".join(part)}]' for part in parts]

    def _output(self, layout: Layout, *, vectors: bool) -> list[str]:
        names = self._new.fields
        return [*names.read, *layout.extra, *([names.vector] if vectors else [])]

    def _match(self, hit: Mapping[str, Any], metric: str, planned: Search) -> Match:
        names = self._new.fields
        row = cast('Mapping[str, Any]', hit['entity'])
        vector = row.get(names.vector)
        score = planned.score(metric, float(hit['distance']))
        return Match(_id(hit[names.id]), score, decode(row, names), None if vector is None else _list(vector))

    # Filters, keys and partitions.

    def _expression(self, filter: Filter | None, native: Mapping[str, Any]) -> str:  # noqa: A002
        compiled = '' if filter is None else self._compiler.compile(filter)
        unsafe = str(native.get('unsafe_expression') or '').strip()
        return f'({compiled}) and ({unsafe})' if compiled and unsafe else compiled or unsafe

    def _key_expressions(self, ids: Sequence[str], partition: str | None, layout: Layout) -> list[str]:
        """Returns conditions for keys, at most a thousand each; ids that cannot be there are left out."""
        if layout.text_ids:
            keys = [literal(self._key(one, partition)) for one in dict.fromkeys(ids) if _problem_of(one) is None]
        else:
            keys = [one for one in dict.fromkeys(ids) if _is_int64(one)]
        return self._among(keys)

    def _key(self, id: str, partition: str | None) -> str:  # noqa: A002
        # By the partition alone, whether it comes from the settings or from a call: others look for the row too.
        return id if partition in (None, _DEFAULT) else f'{partition}{_SEPARATOR}{id}'

    def _check_id(self, id: str) -> None:  # noqa: A002
        problem = _problem_of(id)
        room = self._new.id_max_length
        if problem is None and len(id.encode()) > room:
            problem = f'has up to {room} bytes (id_max_length)'
        if problem is not None:
            raise self._invalid(f'{id[:100]!r}; an id {problem}')

    def _named(self, namespace: str | None) -> str | None:
        return self._partition if namespace is None else self._check_partition(namespace)

    def _searched(self, namespace: str | None, partitions: Sequence[str] | None) -> list[str] | None:
        if partitions is not None and namespace is not None:
            raise self._invalid('both namespace and partitions; give one of them')
        if partitions is not None:
            return [self._check_partition(one) for one in partitions]
        named = self._named(namespace)
        return None if named is None else [named]

    def _check_partition(self, name: str) -> str:
        if _PARTITION.fullmatch(name) is None:
            raise self._invalid(
                f'the namespace {name[:100]!r}; it is a partition, whose name has letters, digits and _ and begins with no digit'
            )
        return name

    def _invalid(self, problem: str) -> GenkitError:
        return GenkitError(status='INVALID_ARGUMENT', message=f'{self.name} does not take {problem}.')


def _problem_of(id: str) -> str | None:  # noqa: A002
    """Says why a text cannot be a key of ours."""
    if not id or _SEPARATOR in id or '\0' in id:
        return 'is not empty and has no U+0000 and no U+001E'
    try:
        id.encode()
    except UnicodeEncodeError:
        return 'is valid Unicode'
    return None


def _is_int64(text: str) -> bool:
    return (
        len(text) < 21
        and text.lstrip('-').isdecimal()
        and text.isascii()
        and str(int(text)) == text
        and -_INT64 <= int(text) < _INT64
    )


def _id(key: object) -> str:
    """Returns the id that a key stands for."""
    return str(key).rsplit(_SEPARATOR, 1)[-1]


def _list(vector: Any) -> list[float]:
    if isinstance(vector, list):
        return cast('list[float]', vector)
    return vector.tolist() if hasattr(vector, 'tolist') else list(vector)
