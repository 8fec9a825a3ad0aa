# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""Creating, describing and dropping tables and their indexes: the part of the engine that changes a schema."""

from __future__ import annotations

import abc
import contextlib
import logging
import re
from collections.abc import Sequence
from typing import Any, Final, Literal

from genkit import GenkitError

from genkitx_cloud_sql_pg.errors import driver, translated
from genkitx_cloud_sql_pg.existing import is_there
from genkitx_cloud_sql_pg.indexes import (
    BaseIndex,
    ExactNearestNeighbor,
    HNSWIndex,
    create_statement,
    default_index_name,
)
from genkitx_cloud_sql_pg.pool import UNLIMITED
from genkitx_cloud_sql_pg.sql import Literals, quote, quote_table
from genkitx_cloud_sql_pg.tables import Column, DistanceStrategy, Roles, TableLayout, VectorType, read_layout

_log: Final = logging.getLogger(__name__)
_TYPE: Final = re.compile(r'(?P<base>[^()\[\]]+)(?P<modifier>\(\s*\d+\s*(?:,\s*\d+\s*)?\))?(?P<array>(?:\[\])*)')
_EXTENSION: Final = """
SELECT n.nspname, e.extversion
  FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
 WHERE e.extname = 'vector'"""
_HALFVEC: Final = (0, 7)
_SAFE_PARALLEL: Final = (0, 8, 2)
"""Older versions of pgvector can overflow a buffer while several workers build an HNSW index."""


class TableAdmin(abc.ABC):
    """The schema methods of `PostgresEngine`."""

    @abc.abstractmethod
    def connection(self) -> contextlib.AbstractAsyncContextManager[Any]:
        """Lends a connection."""

    async def init_vectorstore_table(
        self,
        table_name: str,
        vector_size: int,
        *,
        schema_name: str = 'public',
        content_column: str = 'content',
        embedding_column: str = 'embedding',
        metadata_columns: Sequence[Column] = (),
        metadata_json_column: str = 'json_metadata',
        id_column: str | Column = 'id',
        overwrite_existing: bool = False,
        exist_ok: bool = False,
        store_metadata: bool = True,
        vector_type: VectorType = 'vector',
        json_type: Literal['json', 'jsonb'] = 'json',
        text_search: str | None = None,
    ) -> None:
        """Creates a table (JS `initVectorstoreTable`), and the extension `vector` if it is not there.

        Args:
            table_name: Its name.
            vector_size: Dimensions of the vectors.
            schema_name: Its schema.
            content_column: Column of texts.
            embedding_column: Column of vectors.
            metadata_columns: Columns for metadata keys of their own: typed, and fast to filter by with an index.
            metadata_json_column: Column of the whole metadata.
            id_column: Column of ids: a name, then it is a UUID as in JS, or a `Column`, for example `Column('id', 'TEXT')` for ids that
                are any text.
            overwrite_existing: Drops a table of this name first.
            exist_ok: Leaves a table of this name as it is, if it has these columns; it may have more. `overwrite_existing` comes first.
            store_metadata: Whether there is a JSON column. Without one only metadata with columns of their own can be stored.
            vector_type: `vector`, or `halfvec` for half the space at 16 bits a number.
            json_type: `json` as in JS keeps metadata as it was written; `jsonb` filters several times faster.
            text_search: A text search configuration such as `'english'`: adds the generated column `<content>_tsv` and its GIN index,
                which text and hybrid search use.

        Raises:
            GenkitError: ALREADY_EXISTS, or with `exist_ok` FAILED_PRECONDITION when the table has other columns; INVALID_ARGUMENT for a
                bad name, type or size; PERMISSION_DENIED.
        """
        _check_vector(vector_size, vector_type)
        if json_type not in ('json', 'jsonb'):
            raise _invalid(f"json_type is 'json' or 'jsonb', got {json_type!r:.100}.")
        table = quote_table(schema_name, table_name)
        key = Column(id_column, 'UUID') if isinstance(id_column, str) else id_column
        names = [key.name, content_column, embedding_column, *(one.name for one in metadata_columns)]
        names += [metadata_json_column] if store_metadata else []
        quoted = [quote(name, 'column name') for name in names]
        if len(set(names)) < len(names):
            raise _invalid(f'The columns of {table} need different names, got {", ".join(names)}.')
        async with self.connection() as connection, connection.transaction():
            extension, version = await _ensure_extension(connection)
            if vector_type == 'halfvec' and version < _HALFVEC:
                raise GenkitError(
                    status='UNIMPLEMENTED', message=f'halfvec needs pgvector 0.7 or newer, this is {version}.'
                )
            types = [await _sql_type(connection, one) for one in (key, *metadata_columns)]
            lines = [
                f'{quoted[0]} {types[0]} PRIMARY KEY',
                f'{quoted[1]} TEXT NOT NULL',
                f'{quoted[2]} {quote(extension)}.{vector_type}({vector_size}) NOT NULL',
            ]
            for name, type_name, one in zip(quoted[3:], types[1:], metadata_columns, strict=False):
                lines.append(f'{name} {type_name}{"" if one.nullable else " NOT NULL"}')
            if store_metadata:
                lines.append(f'{quoted[-1]} {json_type.upper()}')
            if text_search is not None:
                lines.append(await _text_vector(connection, text_search, content_column))
            if overwrite_existing:
                await connection.execute(f'DROP TABLE IF EXISTS {table}')
            elif exist_ok and await is_there(connection, table, lines):
                return
            await connection.execute(f'CREATE TABLE {table} ({", ".join(lines)})')
            if text_search is not None:
                await connection.execute(f'CREATE INDEX ON {table} USING gin ({quote(content_column + "_tsv")})')

    async def describe_vectorstore_table(
        self,
        table_name: str,
        *,
        schema_name: str = 'public',
        content_column: str = 'content',
        embedding_column: str = 'embedding',
        distance_strategy: DistanceStrategy = DistanceStrategy.COSINE_DISTANCE,
    ) -> TableLayout:
        """Returns a table's layout: its columns by role, its dimension, its vector indexes.

        Raises:
            GenkitError: NOT_FOUND without such a table.
        """
        roles = Roles(
            schema=schema_name, content=content_column, embedding=embedding_column, strategy=distance_strategy
        )
        async with self.connection() as connection:
            return await read_layout(connection, table_name, roles)

    async def drop_vectorstore_table(self, table_name: str, *, schema_name: str = 'public') -> None:
        """Drops a table with everything in it; one that is not there is no error."""
        table = quote_table(schema_name, table_name)
        async with self.connection() as connection:
            await connection.execute(f'DROP TABLE IF EXISTS {table}')

    async def apply_vector_index(
        self,
        table_name: str,
        index: BaseIndex,
        *,
        schema_name: str = 'public',
        content_column: str = 'content',
        embedding_column: str = 'embedding',
        concurrently: bool = False,
        maintenance_work_mem: str | None = None,
        max_parallel_maintenance_workers: int | None = None,
    ) -> None:
        """Builds a vector index (JS `applyVectorIndex`). Best after the table is filled.

        Args:
            table_name: The table.
            index: What to build; `ExactNearestNeighbor` drops the default index instead.
            schema_name: Schema of the table.
            content_column: Column of texts.
            embedding_column: Column of vectors.
            concurrently: Lets writes go on meanwhile, which takes longer. A build that fails or is cancelled leaves nothing behind;
                to clean up it waits for the transactions that are open on the table, so that a cancellation may take as long.
            maintenance_work_mem: Memory for the build, such as `'2GB'`; a graph that fits builds several times faster.
            max_parallel_maintenance_workers: Workers that build.

        Raises:
            GenkitError: NOT_FOUND without such a table, ALREADY_EXISTS when there is an index of the name.
        """
        if isinstance(index, ExactNearestNeighbor):
            await self.drop_vector_index(
                index.name, table_name=table_name, schema_name=schema_name, concurrently=concurrently
            )
            return
        name = index.name or default_index_name(table_name)
        roles = Roles(schema=schema_name, content=content_column, embedding=embedding_column)
        settings = {
            'maintenance_work_mem': maintenance_work_mem,
            'max_parallel_maintenance_workers': max_parallel_maintenance_workers,
        }
        chosen = {key: str(value) for key, value in settings.items() if value is not None}
        async with self.connection() as connection:
            layout = await read_layout(connection, table_name, roles)
            if isinstance(index, HNSWIndex) and layout.pgvector < _SAFE_PARALLEL:
                _log.warning('pgvector %s has known defects in parallel HNSW builds; upgrade it.', layout.pgvector)
            statement = create_statement(index, layout, name, concurrently=concurrently)
            if concurrently:
                await self._build_concurrently(connection, statement, f'{quote(schema_name)}.{quote(name)}', chosen)
                return
            async with connection.transaction():
                for setting, value in chosen.items():
                    await connection.execute('SELECT set_config($1, $2, true)', setting, value)
                await connection.execute(statement, timeout=UNLIMITED)

    async def _build_concurrently(self, connection: Any, statement: str, index: str, settings: dict[str, str]) -> None:
        existing = await connection.fetchval('SELECT to_regclass($1)', index)
        try:
            for setting, value in settings.items():
                await connection.execute('SELECT set_config($1, $2, false)', setting, value)
            await connection.execute(statement, timeout=UNLIMITED)
        except BaseException:
            # A concurrent build that fails leaves an index that is written to and never read.
            if existing is None and not connection.is_closed():
                await connection.execute(f'DROP INDEX CONCURRENTLY IF EXISTS {index}', timeout=UNLIMITED)
            raise
        finally:
            if settings and not connection.is_closed():
                await connection.execute('; '.join(f'RESET {setting}' for setting in settings))

    async def is_valid_index(self, index_name: str, *, schema_name: str = 'public') -> bool:
        """Tells whether an index exists and is usable (JS `isValidIndex`)."""
        query = (
            'SELECT i.indisvalid AND i.indisready FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid '
            'JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $1 AND c.relname = $2'
        )
        async with self.connection() as connection:
            return bool(await connection.fetchval(query, schema_name, index_name))

    async def reindex(
        self,
        index_name: str | None = None,
        *,
        table_name: str | None = None,
        schema_name: str = 'public',
        concurrently: bool = False,
    ) -> None:
        """Builds an index anew (JS `reIndex`), by its name or as the default index of a table.

        Raises:
            GenkitError: NOT_FOUND without such an index.
        """
        index = self._index(index_name, table_name, schema_name)
        async with self.connection() as connection:
            try:
                statement = f'REINDEX INDEX {"CONCURRENTLY " if concurrently else ""}{index}'
                await connection.execute(statement, timeout=UNLIMITED)
            except driver().UndefinedTableError as error:
                message = f'There is no index {index}. Build it with engine.apply_vector_index(...).'
                raise GenkitError(status='NOT_FOUND', message=message) from error

    async def drop_vector_index(
        self,
        index_name: str | None = None,
        *,
        table_name: str | None = None,
        schema_name: str = 'public',
        concurrently: bool = False,
    ) -> None:
        """Drops an index (JS `dropVectorIndex`), by its name or as the default index of a table; a missing one is no error."""
        index = self._index(index_name, table_name, schema_name)
        async with self.connection() as connection:
            statement = f'DROP INDEX {"CONCURRENTLY " if concurrently else ""}IF EXISTS {index}'
            await connection.execute(statement, timeout=UNLIMITED)

    def _index(self, index_name: str | None, table_name: str | None, schema_name: str) -> str:
        name = index_name or (default_index_name(table_name) if table_name else None)
        if name is None:
            raise _invalid('Index name or Table name are not provided.')
        return f'{quote(schema_name, "schema name")}.{quote(name, "index name")}'


async def _ensure_extension(connection: Any) -> tuple[str, tuple[int, ...]]:
    """Makes sure that pgvector is there; returns its schema and version."""
    found = await connection.fetchrow(_EXTENSION)
    if found is None:
        # Two at once would both create it: the lock makes the second one see the first one's.
        await connection.execute("SELECT pg_advisory_xact_lock(hashtext('genkitx: create extension vector'))")
        await connection.execute('CREATE EXTENSION IF NOT EXISTS vector')
        found = await connection.fetchrow(_EXTENSION)
    return found['nspname'], tuple(int(one) for one in re.findall(r'\d+', found['extversion']))


async def _sql_type(connection: Any, column: Column) -> str:
    """Returns a type in PostgreSQL's own spelling: what is not a type's name never gets into a statement."""
    parts = _TYPE.fullmatch(column.data_type.strip()) if isinstance(column.data_type, str) else None  # pyright: ignore[reportUnnecessaryIsInstance]
    problem = _invalid(f'Column {column.name!r:.80}: {column.data_type!r:.100} is not the name of a type.')
    if parts is None:
        raise problem
    try:
        async with connection.transaction():
            name = await connection.fetchval('SELECT format_type(to_regtype($1), NULL)', parts['base'].strip())
    except Exception as error:
        with translated(f'type of column {column.name!r:.80}'):
            raise problem from error
    if name is None or name in ('???', '-'):
        raise problem
    return f'{name}{parts["modifier"] or ""}{parts["array"]}'


async def _text_vector(connection: Any, config: str, content_column: str) -> str:
    found = await connection.fetchval(
        'SELECT quote_literal(c.cfgname) FROM pg_ts_config c WHERE c.cfgname::text = $1', config
    )
    if found is None:
        raise _invalid(f'There is no text search configuration {config!r:.100}.')
    expression = f'to_tsvector({Literals().add(config, "regconfig")}, {quote(content_column)})'
    return f'{quote(content_column + "_tsv", "column name")} tsvector GENERATED ALWAYS AS ({expression}) STORED'


def _check_vector(size: Any, vector_type: str) -> None:
    if vector_type not in ('vector', 'halfvec'):
        raise _invalid(f"vector_type is 'vector' or 'halfvec', got {vector_type!r:.100}.")
    if isinstance(size, bool) or not isinstance(size, int) or not 1 <= size <= 16_000:
        raise _invalid(f'vector_size is a number from 1 to 16000, got {size!r:.100}.')


def _invalid(message: str) -> GenkitError:
    return GenkitError(status='INVALID_ARGUMENT', message=message)
