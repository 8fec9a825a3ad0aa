# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""What a table looks like: its columns by role, its vector indexes, and the pgvector behind it.

Tables of the JS and Go plugins, of LangChain and of one's own are recognised by what their columns are.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final, Literal, TypeAlias

from genkit import GenkitError

from genkitx_cloud_sql_pg.sql import quote, quote_table

VectorType: TypeAlias = Literal['vector', 'halfvec']
"""32 or 16 bits a number; a halfvec column and its index take half the space."""

ID_NAMES: Final = ('id', 'langchain_id')
JSON_NAMES: Final = ('metadata', 'json_metadata', 'langchain_metadata')


class DistanceStrategy(str, Enum):
    """How close two vectors are (JS `DistanceStrategy`), with the score that a match gets.

    * `COSINE_DISTANCE`: score is the cosine similarity, 1 - distance, from -1 to 1.
    * `EUCLIDEAN`: score is 1 / (1 + distance), above 0 up to 1.
    * `INNER_PRODUCT`: score is the inner product.
    """

    COSINE_DISTANCE = 'cosine'
    EUCLIDEAN = 'l2'
    INNER_PRODUCT = 'ip'

    @property
    def operator(self) -> str:
        """Pgvector's operator; its value is a distance, smaller is closer."""
        return {'cosine': '<=>', 'l2': '<->', 'ip': '<#>'}[self.value]

    def opclass(self, vector_type: VectorType) -> str:
        """Pgvector's operator class for an index."""
        return f'{vector_type}_{self.value}_ops'

    def score(self, distance: float) -> float:
        """Maps a distance to a score. The distance to a zero vector is not a number under cosine; its score is 0."""
        if distance != distance:
            return 0.0
        if self is DistanceStrategy.COSINE_DISTANCE:
            return 1.0 - distance
        return 1.0 / (1.0 + distance) if self is DistanceStrategy.EUCLIDEAN else -distance


class Kind(Enum):
    """What a column holds, as far as metadata can tell."""

    TEXT = 'text'
    INT = 'int'
    REAL = 'real'
    DOUBLE = 'double'
    NUMERIC = 'numeric'
    BOOL = 'bool'
    JSON = 'json'
    ARRAY = 'array'
    OTHER = 'other'


_KINDS: Final[dict[str, Kind]] = {
    **dict.fromkeys(('text', 'varchar', 'bpchar'), Kind.TEXT),
    **dict.fromkeys(('int2', 'int4', 'int8'), Kind.INT),
    'float4': Kind.REAL,
    'float8': Kind.DOUBLE,
    'numeric': Kind.NUMERIC,
    'bool': Kind.BOOL,
    'json': Kind.JSON,
    'jsonb': Kind.JSON,
}


@dataclass(frozen=True)
class Column:
    """A column of a table (JS `Column`).

    Args:
        name: Its name.
        data_type: Its SQL type, such as `TEXT`, `VARCHAR(20)` or `DOUBLE PRECISION[]`.
        nullable: Whether it may be NULL.
    """

    name: str
    data_type: str
    nullable: bool = True


@dataclass(frozen=True)
class StoredColumn:
    """A column as the database has it."""

    name: str
    type: str
    base: str
    kind: Kind
    nullable: bool
    generated: str
    default: str
    modifier: int
    type_schema: str
    number: int

    @functools.cached_property
    def sql(self) -> str:
        """Its quoted name."""
        return quote(self.name, 'column name')


@dataclass(frozen=True)
class VectorIndex:
    """A valid HNSW or IVFFlat index that serves the table's distance strategy.

    Attributes:
        name: Its name.
        method: `hnsw` or `ivfflat`.
        binary: Whether it holds one bit a dimension, so that results must be ranked again by the vectors.
        partial: Whether it covers only the rows of its predicate.
    """

    name: str
    method: str
    binary: bool
    partial: bool


@dataclass(frozen=True)
class TableLayout:
    """A table, its columns by role.

    Attributes:
        schema: Its schema.
        name: Its name.
        id: The column of ids.
        content: The column of texts.
        embedding: The column of vectors.
        metadata_json: The JSON column of metadata, if there is one.
        metadata_columns: Columns that hold one metadata key each.
        text_vector: A `tsvector` column for full-text search, if there is one.
        text_config: The text search configuration of queries.
        vector_type: `vector` or `halfvec`.
        dimension: Length of the vectors, None when the column does not fix it.
        extension_schema: Schema of the extension `vector`.
        pgvector: Its version.
        indexes: Vector indexes that a search can use.
        unique_id: Whether the id column is unique, as upserts need it.
        pages: Its size in pages of 8 KiB, without what is stored out of line.
        empty: Whether it had no rows when it was looked at.
    """

    schema: str
    name: str
    id: StoredColumn
    content: StoredColumn
    embedding: StoredColumn
    metadata_json: StoredColumn | None
    metadata_columns: tuple[StoredColumn, ...]
    text_vector: StoredColumn | None
    text_config: str
    vector_type: VectorType
    dimension: int | None
    extension_schema: str
    pgvector: tuple[int, ...]
    indexes: tuple[VectorIndex, ...]
    unique_id: bool
    pages: int
    empty: bool
    by_name: Mapping[str, StoredColumn] = field(default_factory=dict[str, StoredColumn], compare=False)

    @functools.cached_property
    def sql(self) -> str:
        """Its quoted name with the schema."""
        return quote_table(self.schema, self.name)

    @functools.cached_property
    def vector_sql(self) -> str:
        """The vector type's quoted name with the extension's schema."""
        return f'{quote(self.extension_schema)}.{self.vector_type}'


@dataclass(frozen=True, kw_only=True)
class Roles:
    """Which column is what, as far as the settings say."""

    schema: str = 'public'
    content: str = 'content'
    embedding: str = 'embedding'
    id: str | None = None
    metadata_json: str | None = None
    metadata_columns: Sequence[str] | None = None
    ignored: Sequence[str] = ()
    strategy: DistanceStrategy = DistanceStrategy.COSINE_DISTANCE
    text_config: str | None = None


_PAGE: Final = 8192
_COLUMNS: Final = """
SELECT c.oid, pg_relation_size(c.oid) + coalesce((SELECT sum(pg_relation_size(p.relid)) FROM pg_partition_tree(c.oid) AS p
                                                   WHERE p.relid <> c.oid), 0)::bigint AS size, a.attname, a.attnum, format_type(a.atttypid, a.atttypmod) AS type, t.typname, t.typcategory,
       a.atttypmod, a.attnotnull, a.attgenerated::text AS generated, coalesce(pg_get_expr(d.adbin, d.adrelid), '') AS expr,
       tn.nspname AS type_schema
  FROM pg_class c
  JOIN pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
  JOIN pg_type t ON t.oid = a.atttypid
  JOIN pg_namespace tn ON tn.oid = t.typnamespace
  LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
 WHERE n.nspname = $1 AND c.relname = $2
 ORDER BY a.attnum"""

_INDEXES: Final = """
SELECT ic.relname, am.amname, o.opcname, i.indisunique, i.indnatts, i.indkey::int2[] AS keys,
       i.indpred IS NOT NULL AS partial, i.indisprimary, pg_get_indexdef(i.indexrelid, 1, true) AS key
  FROM pg_index i
  JOIN pg_class ic ON ic.oid = i.indexrelid
  JOIN pg_am am ON am.oid = ic.relam
  JOIN pg_opclass o ON o.oid = i.indclass[0]
 WHERE i.indrelid = $1 AND i.indisvalid AND i.indisready
 ORDER BY ic.relname"""

_VERSION: Final = "SELECT extversion FROM pg_extension WHERE extname = 'vector'"


async def read_layout(connection: Any, table: str, roles: Roles) -> TableLayout:
    """Looks at a table.

    Raises:
        GenkitError: NOT_FOUND without such a table, FAILED_PRECONDITION when a column that a role needs is missing.
    """
    quoted = quote_table(roles.schema, table)
    rows = await connection.fetch(_COLUMNS, roles.schema, table)
    if not rows:
        raise GenkitError(
            status='NOT_FOUND',
            message=f"There is no table {quoted}. Create it with engine.init_vectorstore_table('{table}', <vector size>).",
        )
    columns = {row['attname']: _stored(row) for row in rows}
    embedding = _required(columns, roles.embedding, 'Embedding column')
    if embedding.base not in ('vector', 'halfvec'):
        raise _precondition(f'Embedding column: {embedding.name} is not of type Vector.', quoted)
    indexes = await connection.fetch(_INDEXES, rows[0]['oid'])
    version = await connection.fetchval(_VERSION)
    empty = await connection.fetchval(f'SELECT NOT EXISTS (SELECT FROM {quoted})')  # noqa: S608 - quoted
    row_id = _id_column(columns, roles, indexes, quoted)
    content = _required(columns, roles.content, 'Content column')
    metadata_json = _json_column(columns, roles)
    text_vector = next((one for one in columns.values() if one.base == 'tsvector' and one.generated), None)
    taken = {one.name for one in (row_id, content, embedding, metadata_json, text_vector) if one is not None}
    vector_type: VectorType = 'halfvec' if embedding.base == 'halfvec' else 'vector'
    return TableLayout(
        schema=roles.schema,
        name=table,
        id=row_id,
        content=content,
        embedding=embedding,
        metadata_json=metadata_json,
        metadata_columns=_metadata_columns(columns, roles, taken),
        text_vector=text_vector,
        text_config=roles.text_config or _text_config(text_vector),
        vector_type=vector_type,
        dimension=embedding.modifier if embedding.modifier > 0 else None,
        extension_schema=embedding.type_schema,
        pgvector=tuple(int(one) for one in re.findall(r'\d+', version or '')[:3]),
        indexes=_vector_indexes(indexes, embedding, roles.strategy.opclass(vector_type)),
        unique_id=any(
            one['indisunique'] and not one['partial'] and list(one['keys']) == [row_id.number] for one in indexes
        ),
        pages=int(rows[0]['size']) // _PAGE,
        empty=bool(empty),
        by_name=columns,
    )


def _stored(row: Any) -> StoredColumn:
    base = row['typname']
    kind = Kind.ARRAY if row['typcategory'] in ('A', b'A') else _KINDS.get(base, Kind.OTHER)
    return StoredColumn(
        name=row['attname'],
        type=row['type'],
        base=base,
        kind=kind,
        nullable=not row['attnotnull'],
        generated=row['expr'] if row['generated'] else '',
        default='' if row['generated'] else row['expr'],
        modifier=row['atttypmod'],
        type_schema=row['type_schema'],
        number=row['attnum'],
    )


def _required(columns: Mapping[str, StoredColumn], name: str, role: str) -> StoredColumn:
    # The wording is that of the JS plugin.
    if name not in columns:
        raise _precondition(f'{role}: {name}, does not exist.', f'Its columns are: {", ".join(columns)}')
    return columns[name]


def _id_column(columns: Mapping[str, StoredColumn], roles: Roles, indexes: Sequence[Any], table: str) -> StoredColumn:
    name = roles.id or next((one for one in ID_NAMES if one in columns), None)
    if name is None:
        keys = [list(one['keys']) for one in indexes if one['indisprimary']]
        name = next((one.name for one in columns.values() if keys == [[one.number]]), 'id')
    found = _required(columns, name, 'Id column')
    if found.kind not in (Kind.TEXT, Kind.INT) and found.base != 'uuid':
        raise _precondition(f'Id column: {name} is of type {found.type}; it has to be text, uuid or an integer.', table)
    return found


def _json_column(columns: Mapping[str, StoredColumn], roles: Roles) -> StoredColumn | None:
    if roles.metadata_json is not None:
        found = _required(columns, roles.metadata_json, 'Metadata column')
        if found.kind is not Kind.JSON:
            raise _precondition(
                f'Metadata column: {found.name} is of type {found.type}; it has to be json or jsonb.', ''
            )
        return found
    named = (columns[name] for name in JSON_NAMES if name in columns)
    return next((one for one in named if one.kind is Kind.JSON), None)


def _metadata_columns(columns: Mapping[str, StoredColumn], roles: Roles, taken: set[str]) -> tuple[StoredColumn, ...]:
    if roles.metadata_columns is not None:
        return tuple(
            _required(columns, name, 'Metadata column') for name in roles.metadata_columns if name not in taken
        )
    ignored = {*taken, *roles.ignored}
    # A column that fills itself (a time of creation, a counter) is not a document's metadata.
    return tuple(one for one in columns.values() if one.name not in ignored and not one.generated and not one.default)


def _text_config(text_vector: StoredColumn | None) -> str:
    # A generated column says how it was made: to_tsvector('english'::regconfig, content).
    found = re.search(r"to_tsvector\('((?:[^']|'')+)'::regconfig", text_vector.generated) if text_vector else None
    return found.group(1).replace("''", "'") if found else 'simple'


def _vector_indexes(indexes: Sequence[Any], embedding: StoredColumn, opclass: str) -> tuple[VectorIndex, ...]:
    found: list[VectorIndex] = []
    for one in indexes:
        if one['amname'] not in ('hnsw', 'ivfflat'):
            continue
        direct = list(one['keys']) == [embedding.number] and one['opcname'] == opclass
        binary = 'binary_quantize' in one['key'] and embedding.sql.strip('"') in one['key']
        if direct or (binary and one['opcname'] == 'bit_hamming_ops'):
            found.append(VectorIndex(one['relname'], one['amname'], not direct, one['partial']))
    return tuple(found)


def _precondition(problem: str, detail: str) -> GenkitError:
    return GenkitError(status='FAILED_PRECONDITION', message=f'{problem} {detail}'.strip())
