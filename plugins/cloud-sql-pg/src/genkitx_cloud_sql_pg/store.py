# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""A table as a vector store."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, NamedTuple, TypeAlias

from genkit import GenkitError
from genkitx.filters import Filter
from genkitx.stores import Capabilities, Match, Record, SearchRequest, VectorStore, dimension_error, unsupported

from genkitx_cloud_sql_pg import statements
from genkitx_cloud_sql_pg.codec import RowCodec
from genkitx_cloud_sql_pg.connections import BINARY, VectorFormat, vector_format
from genkitx_cloud_sql_pg.engine import PostgresEngine
from genkitx_cloud_sql_pg.errors import driver
from genkitx_cloud_sql_pg.filters import compile_filter
from genkitx_cloud_sql_pg.indexes import HNSWQueryOptions, QueryOptions
from genkitx_cloud_sql_pg.pool import UNLIMITED
from genkitx_cloud_sql_pg.scans import Scan, Selectivity, plan_scans, sample_percent
from genkitx_cloud_sql_pg.sql import Parameters
from genkitx_cloud_sql_pg.tables import Roles, TableLayout, VectorIndex, read_layout

_CAPABILITIES: Final = Capabilities(modes=frozenset({'dense', 'text', 'hybrid'}))
_FRESH: Final = 60.0
"""Seconds for which a table's layout is believed: new columns and indexes are seen after that."""

_REMEMBERED: Final = 1000
"""Filters of which is remembered what they leave, and searches of which the statements are."""


_OPTIONS: Final = {'ef_search': 'hnsw', 'probes': 'ivfflat'}
_LARGE_WRITE: Final = 1000
"""Records up to which a write has to end within the timeout of commands."""


@dataclass
class _Table:
    """What is known of the table.

    Attributes:
        layout: Its columns and indexes.
        codec: Rows and records.
        until: When to look again.
        fresh: Whether it was empty when a load began, so that rows can be copied in.
        selectivity: What filters leave of it.
        scans: The scans of searches without a filter, by all that their statements depend on.
    """

    layout: TableLayout
    codec: RowCodec
    until: float
    fresh: bool
    selectivity: dict[Any, Selectivity] = field(default_factory=dict[Any, Selectivity])
    scans: dict[Any, _Scans] = field(default_factory=dict[Any, '_Scans'])


_Scans: TypeAlias = list[tuple[Scan, str]]
"""Scans to try in turn, each with its statement."""


class _Query(NamedTuple):
    values: list[Any]
    scans: _Scans


class PostgresStore(VectorStore):
    """One table. See `PostgresTable` for what the arguments mean.

    Scores are those of `DistanceStrategy` in dense search, PostgreSQL's `ts_rank` in text search, and the sum of reciprocal ranks in
    hybrid search.

    Args:
        name: `<plugin>/<table>`, for messages.
        engine: The database.
        table: The table's name.
        roles: Which column is what.
        query_options: How searches use an index.
        lossless: Whether `docContent` is written where needed.
    """

    def __init__(
        self,
        name: str,
        engine: PostgresEngine,
        table: str,
        roles: Roles,
        *,
        query_options: QueryOptions | None = None,
        lossless: bool = True,
    ) -> None:
        self.name = name
        self._engine = engine
        self._name = table
        self._roles = roles
        self._query_options = query_options
        self._lossless = lossless
        self._known: _Table | None = None

    @property
    def capabilities(self) -> Capabilities:
        """Everything but namespaces: ids are unique in a table, so a tenant is a filter on a column, or a table of its own."""
        return _CAPABILITIES

    async def upsert(self, records: Sequence[Record], *, namespace: str | None = None) -> None:
        """Writes records in one transaction: all of them or none."""
        self._no_namespace(namespace)
        table = await self._table()
        if not table.layout.unique_id:
            raise GenkitError(
                status='FAILED_PRECONDITION',
                message=f'{self.name}: the id column {table.layout.id.name!r} needs a primary key or a unique index.',
            )
        # In one order everywhere, so that two writers of the same ids wait for each other instead of locking each other out.
        ordered = sorted(records, key=lambda record: record.id)

        async def work(connection: Any) -> None:
            vectors = await vector_format(connection, table.layout)
            if table.fresh and vectors is BINARY and table.codec.copyable:
                if await self._copy(connection, table, ordered):
                    return
                table.fresh = False
            await self._write(connection, table, ordered, vectors)

        await self._run(work, again_if_lost=False)

    async def _write(self, connection: Any, table: _Table, records: list[Record], vectors: VectorFormat) -> None:
        row = table.codec.row
        rows = map(row, records) if vectors is BINARY else (_encoded(row(one), vectors) for one in records)
        # One transaction: executemany is atomic. Rows are made while the server is busy with the ones before.
        timeout = UNLIMITED if len(records) > _LARGE_WRITE else None
        await connection.executemany(statements.upsert(table.layout, vectors), rows, timeout=timeout)

    async def _copy(self, connection: Any, table: _Table, records: list[Record]) -> bool:
        """Copies records in; False, and nothing is written, when one of the ids is there already."""
        layout = table.layout
        try:
            await connection.copy_records_to_table(
                layout.name,
                schema_name=layout.schema,
                columns=[column.name for column in statements.columns_of(layout)],
                records=map(table.codec.row, records),
                timeout=UNLIMITED,
            )
        except driver().UniqueViolationError:
            return False
        return True

    async def search(self, request: SearchRequest) -> list[Match]:
        """Searches; a filtered search returns k rows wherever k rows match."""
        self._no_namespace(request.namespace)
        table = await self._table()
        expected = table.layout.dimension
        if request.vector is not None and expected is not None and len(request.vector) != expected:
            raise dimension_error(self.name, expected, len(request.vector), what='a query vector')

        async def work(connection: Any) -> tuple[list[Any], VectorFormat]:
            vectors = await vector_format(connection, table.layout)
            query = await self._query(connection, request, table, vectors)
            return await _first_full(connection, query, request.k), vectors

        rows, vectors = await self._run(work)
        return self._matches(rows, request, table.codec, vectors)

    async def _query(self, connection: Any, request: SearchRequest, table: _Table, vectors: VectorFormat) -> _Query:
        native = request.native
        parameters = Parameters()
        vector = text = ''
        if request.vector is not None:
            vector = statements.bind_vector(parameters, table.layout, vectors, vectors.encode(request.vector))
        if request.mode != 'dense':
            text = parameters.add(request.text, 'text')
        key = None
        if not _is_filtered(request):
            key = (request.mode, request.k, request.include_vectors, vectors.cast, *native.items())
        scans = table.scans.get(key)
        if scans is None:
            search = statements.Search(
                layout=table.layout,
                codec=table.codec,
                vectors=vectors,
                strategy=self._roles.strategy,
                k=request.k,
                include_vectors=request.include_vectors,
                condition=self._condition(request.filter, native.get('unsafe_sql_filter'), table.layout, parameters),
                vector=vector,
                text=text,
                candidates=self._candidates(request, table.layout),
            )
            planned = await self._scans(connection, request, table)
            scans = [(scan, search.statement(request.mode, exact=scan.exact)) for scan in planned]
            if key is not None:
                _remember(table.scans, key, scans)
        return _Query(parameters.values, scans)

    async def _scans(self, connection: Any, request: SearchRequest, table: _Table) -> list[Scan]:
        native = request.native
        layout = replace(table.layout, indexes=_usable(request, table.layout))
        if native.get('exact') or request.mode == 'text':
            return [Scan(exact=True)]
        self._check_options(native, table.layout)
        if not layout.indexes:
            return [Scan(exact=True)]
        wanted = self._candidates(request, layout) or request.k
        if request.mode == 'hybrid':
            wanted = statements.hybrid_candidates(request.k)
        selectivity = None
        if _is_filtered(request):
            selectivity = await self._selectivity(connection, request, table)
        return plan_scans(
            layout,
            wanted,
            selectivity=selectivity,
            defaults=self._query_options,
            ef_search=native.get('ef_search'),
            probes=native.get('probes'),
        )

    async def _selectivity(self, connection: Any, request: SearchRequest, table: _Table) -> Selectivity:
        key = (request.filter, request.native.get('unsafe_sql_filter'))
        known = table.selectivity.get(key)
        if known is None:
            parameters = Parameters()
            condition = self._condition(*key, table.layout, parameters)
            percent = sample_percent(table.layout)
            query = statements.sample(table.layout, condition, percent)
            rows, matching = await connection.fetchrow(query, *parameters.values)
            known = Selectivity.of_sample(rows, matching, percent)
            _remember(table.selectivity, key, known)
        return known

    def _check_options(self, native: Mapping[str, Any], layout: TableLayout) -> None:
        """Refuses options of an index of another kind; without any index every row is compared, which is more than they ask for."""
        methods = {one.method for one in layout.indexes}
        for option, method in _OPTIONS.items():
            if native.get(option) is not None and methods and method not in methods:
                raise GenkitError(
                    status='INVALID_ARGUMENT',
                    message=f'{self.name}: {option} is for {method} indexes, this table has {", ".join(sorted(methods))}.',
                )

    def _candidates(self, request: SearchRequest, layout: TableLayout) -> int:
        """Returns how many rows to take from a binary quantised index, 0 when that is not the index in use."""
        usable = _usable(request, layout)
        if request.mode != 'dense' or not usable or not all(one.binary for one in usable):
            return 0
        options = self._query_options
        return request.k * (options.rescore if isinstance(options, HNSWQueryOptions) else HNSWQueryOptions.rescore)

    def _condition(self, filter: Filter | None, unsafe: str | None, layout: TableLayout, parameters: Parameters) -> str:  # noqa: A002
        conditions: list[str] = []
        if filter is not None:
            conditions.append(compile_filter(filter, layout, parameters, self.name))
        if unsafe is not None:
            conditions.append(f'({unsafe})')
        return ' AND '.join(conditions) or 'TRUE'

    def _matches(self, rows: list[Any], request: SearchRequest, codec: RowCodec, vectors: VectorFormat) -> list[Match]:
        score = self._roles.strategy.score if request.mode == 'dense' else float
        documents = codec.documents(rows, 2)
        matches = [Match(row[0], score(row[1]), document) for row, document in zip(rows, documents, strict=True)]
        if request.include_vectors:
            decoded = [vectors.decode(row[len(row) - 1]) for row in rows]
            matches = [replace(match, vector=vector) for match, vector in zip(matches, decoded, strict=True)]
        if request.mode == 'dense':
            # An iterative scan gives rows only roughly in order.
            matches.sort(key=lambda match: -match.score)
        return matches

    async def fetch(
        self, ids: Sequence[str], *, namespace: str | None = None, include_vectors: bool = False
    ) -> list[Record]:
        """Returns the records with these ids, under the ids as they are given."""
        self._no_namespace(namespace)
        table = await self._table()
        given = self._given(ids, table)

        async def work(connection: Any) -> list[Record]:
            vectors = await vector_format(connection, table.layout)
            query = statements.fetch(table.layout, table.codec, vectors, include_vectors=include_vectors)
            rows = await connection.fetch(query, list(given.values()))
            found = {
                row[0]: (vectors.decode(row[len(row) - 1]) if include_vectors else (), document)
                for row, document in zip(rows, table.codec.documents(rows, 1), strict=True)
            }
            return [Record(one, *found[str(key)]) for one, key in given.items() if str(key) in found]

        return await self._run(work)

    async def existing(self, ids: Sequence[str], *, namespace: str | None = None) -> set[str]:
        """Returns which of these ids exist."""
        self._no_namespace(namespace)
        table = await self._table()
        given = self._given(ids, table)
        query = statements.existing(table.layout)
        rows = await self._run(lambda connection: connection.fetch(query, list(given.values())))
        stored = {row[0] for row in rows}
        return {one for one, key in given.items() if str(key) in stored}

    async def delete(
        self,
        *,
        ids: Sequence[str] | None = None,
        filter: Filter | None = None,  # noqa: A002
        namespace: str | None = None,
    ) -> None:
        """Deletes by ids or by filter."""
        self._no_namespace(namespace)
        table = await self._table()
        if ids is not None:
            parameters = Parameters(list(self._given(ids, table).values()))
            query = statements.delete(table.layout, statements.by_ids(table.layout))
        else:
            parameters = Parameters()
            query = statements.delete(table.layout, self._condition(filter, None, table.layout, parameters))
        await self._run(lambda connection: connection.execute(query, *parameters.values))

    async def count(self, *, filter: Filter | None = None, namespace: str | None = None) -> int:  # noqa: A002
        """Returns the number of rows."""
        self._no_namespace(namespace)
        table = await self._table()
        parameters = Parameters()
        query = statements.count(table.layout, self._condition(filter, None, table.layout, parameters))
        return await self._run(lambda connection: connection.fetchval(query, *parameters.values))

    async def dimension(self) -> int | None:
        """Returns the dimension that the column is declared with."""
        return (await self._table()).layout.dimension

    async def layout(self) -> TableLayout:
        """Returns what the table looks like."""
        return (await self._table()).layout

    async def aclose(self) -> None:
        """Closes the engine's connections."""
        self._known = None
        await self._engine.aclose()

    async def _table(self) -> _Table:
        known = self._known
        if known is not None and time.monotonic() < known.until:
            return known
        layout = await self._run(lambda connection: read_layout(connection, self._name, self._roles))
        codec = RowCodec(layout, self.name, lossless=self._lossless)
        # A load that began with copying goes on so: the table is no longer empty, but what is new in it is the load's.
        fresh = layout.empty or (known is not None and known.fresh)
        self._known = _Table(layout, codec, time.monotonic() + _FRESH, fresh)
        return self._known

    async def _run(self, work: Callable[[Any], Any], *, again_if_lost: bool = True) -> Any:
        try:
            return await self._engine.run(work, again_if_lost=again_if_lost)
        except GenkitError as error:
            raise self._named(error) from error

    def _given(self, ids: Sequence[str], table: _Table) -> dict[str, Any]:
        """Returns ids with the form the column has them in; what the column could never hold is left out."""
        keys = ((one, table.codec.row_id(one)) for one in dict.fromkeys(ids))
        return {one: key for one, key in keys if key is not None}

    def _named(self, error: GenkitError) -> GenkitError:
        if error.status in ('NOT_FOUND', 'FAILED_PRECONDITION', 'INTERNAL'):
            # The table may not be what it was.
            self._known = None
        message = error.original_message
        if self.name in message:
            return error
        return GenkitError(status=error.status, message=f'{self.name}: {message}')

    def _no_namespace(self, namespace: str | None) -> None:
        if namespace is not None:
            raise unsupported(self.name, 'namespaces', 'Use a metadata column and a filter, or a table for each.')


async def _first_full(connection: Any, query: _Query, k: int) -> list[Any]:
    """Runs scan after scan until one gives k rows; the last one is exact."""
    rows: list[Any] = []
    for scan, statement in query.scans:
        if not scan.settings:
            rows = await connection.fetch(statement, *query.values)
        else:
            # A transaction of its own, so that nothing of it outlives the query. An error leaves it open: the pool ends it.
            await connection.execute(scan.begin)
            rows = await connection.fetch(statement, *query.values)
            await connection.execute('COMMIT')
        if len(rows) >= k:
            break
    return rows


def _is_filtered(request: SearchRequest) -> bool:
    return request.filter is not None or request.native.get('unsafe_sql_filter') is not None


def _usable(request: SearchRequest, layout: TableLayout) -> tuple[VectorIndex, ...]:
    """Returns the indexes that may serve a search: one over some of the rows serves none without a filter."""
    return layout.indexes if _is_filtered(request) else tuple(one for one in layout.indexes if not one.partial)


def _remember(known: dict[Any, Any], key: object, value: object) -> None:
    if len(known) >= _REMEMBERED:
        known.clear()
    known[key] = value


def _encoded(row: tuple[Any, ...], vectors: VectorFormat) -> tuple[Any, ...]:
    return (*row[:2], vectors.encode(row[2]), *row[3:])
