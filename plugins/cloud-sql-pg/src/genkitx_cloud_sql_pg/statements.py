# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""The statements of a store: names quoted, values bound, operators and functions of pgvector named with their schema."""

# ruff: noqa: S608 - every name in here went through `quote`, every value is a parameter

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from genkitx.stores import SearchMode

from genkitx_cloud_sql_pg.codec import RowCodec, parameter_type
from genkitx_cloud_sql_pg.connections import BINARY, VectorFormat
from genkitx_cloud_sql_pg.indexes import binary_expression
from genkitx_cloud_sql_pg.sql import Parameters, quote
from genkitx_cloud_sql_pg.tables import DistanceStrategy, Kind, StoredColumn, TableLayout

RRF_CONSTANT: Final = 60
"""How fast a rank loses its worth (Cormack, Clarke and Büttcher, 2009)."""


def columns_of(layout: TableLayout) -> list[StoredColumn]:
    """Returns the columns that a write fills, in the order of `RowCodec.row`."""
    columns = [layout.id, layout.content, layout.embedding, *layout.metadata_columns]
    return columns if layout.metadata_json is None else [*columns, layout.metadata_json]


def upsert(layout: TableLayout, vectors: VectorFormat) -> str:
    """Returns the statement that writes one row, replacing the one with its id whole."""
    columns = columns_of(layout)
    types = [_id_type(layout), 'text', f'{vectors.cast}{layout.vector_sql}']
    # On connections of ours JSON goes in as JSON; elsewhere it may have a codec that takes something else than text.
    plain_json = vectors is BINARY
    types += [
        column.base if plain_json and column.kind is Kind.JSON else parameter_type(column) for column in columns[3:]
    ]
    names = ', '.join(column.sql for column in columns)
    values = ', '.join(f'${i}::{name}' for i, name in enumerate(types, 1))
    changes = ', '.join(f'{column.sql} = EXCLUDED.{column.sql}' for column in columns[1:])
    return f'INSERT INTO {layout.sql} ({names}) VALUES ({values}) ON CONFLICT ({layout.id.sql}) DO UPDATE SET {changes}'


def fetch(layout: TableLayout, codec: RowCodec, vectors: VectorFormat, *, include_vectors: bool) -> str:
    """Returns the statement that reads rows by ids."""
    selected = [f't.{layout.id.sql}::text', *codec.columns]
    if include_vectors:
        selected.append(f't.{layout.embedding.sql}{vectors.selected}')
    return f'SELECT {", ".join(selected)} FROM {layout.sql} AS t WHERE {by_ids(layout)}'


def existing(layout: TableLayout) -> str:
    """Returns the statement that tells which ids there are."""
    return f'SELECT t.{layout.id.sql}::text FROM {layout.sql} AS t WHERE {by_ids(layout)}'


def delete(layout: TableLayout, condition: str) -> str:
    """Returns the statement that deletes the rows of a condition."""
    return f'DELETE FROM {layout.sql} AS t WHERE {condition}'


def count(layout: TableLayout, condition: str) -> str:
    """Returns the statement that counts the rows of a condition."""
    return f'SELECT count(*) FROM {layout.sql} AS t WHERE {condition}'


def sample(layout: TableLayout, condition: str, percent: float) -> str:
    """Returns the statement that counts, in some pages, the rows and those of a condition."""
    return (
        f'SELECT count(*), count(*) FILTER (WHERE {condition}) '
        f'FROM {layout.sql} AS t TABLESAMPLE SYSTEM ({percent:.6f})'
    )


def by_ids(layout: TableLayout) -> str:
    """Returns the condition on the list of ids that is the first parameter."""
    return f't.{layout.id.sql} = ANY($1::{_id_type(layout)}[])'


def hybrid_candidates(k: int) -> int:
    """Returns how many rows each of the two rankings of a hybrid search has."""
    return max(4 * k, 40)


@dataclass(frozen=True)
class Search:
    """Builds the statements of one search. Each returns rows of: id, closeness, the document's columns, the vector if asked for.

    Attributes:
        layout: The table.
        codec: Says which columns make a document.
        vectors: How vectors travel on the connection.
        strategy: The distance.
        k: Rows to return.
        include_vectors: Whether to return vectors.
        condition: The filter, compiled with the same parameters.
        vector: The expression of the query's vector; empty in text search.
        text: The expression of the query's text; empty in dense search.
        candidates: Rows to take from a binary quantised index; 0 when there is none to use.
    """

    layout: TableLayout
    codec: RowCodec
    vectors: VectorFormat
    strategy: DistanceStrategy
    k: int
    include_vectors: bool
    condition: str
    vector: str = ''
    text: str = ''
    candidates: int = 0

    def statement(self, mode: SearchMode, *, exact: bool) -> str:
        """The statement of a mode; `exact` keeps vector indexes out."""
        if mode == 'text':
            return self.words()
        return self.hybrid(exact=exact) if mode == 'hybrid' else self.dense(exact=exact)

    def dense(self, *, exact: bool) -> str:
        """The rows closest to the vector. Exact, it adds a zero that keeps vector indexes out and all others in."""
        where = f'WHERE {self._where()}'
        if self.candidates and not exact:
            bits = binary_expression(self.layout, f't.{self.layout.embedding.sql}')
            query = binary_expression(self.layout, self.vector)
            inner = f'SELECT t.* FROM {self.layout.sql} AS t {where} ORDER BY {bits} {self._operator("<~>")} {query}'
            source, where = f'({inner} LIMIT {self.candidates}) AS t', ''
        else:
            source = f'{self.layout.sql} AS t'
        # The same expression for what is selected and what is sorted by: where they differ, both are computed for every row.
        best = (
            f'SELECT {self._kept}, {self._closeness(exact=exact)} AS {self._alias} FROM {source} {where} '
            f'ORDER BY {self._alias} LIMIT {self.k}'
        )
        return f'SELECT {self._selected(f"t.{self._alias}")} FROM ({best}) AS t'

    def words(self) -> str:
        """The rows that have words of the text, those with more and rarer ones first."""
        rank = f'ts_rank({self._text_vector}, {self._text_query})::float8'
        where = f'{self._text_vector} @@ {self._text_query} AND {self._where()}'
        order = f'ORDER BY {self._alias} DESC, t.{self.layout.id.sql}'
        best = f'SELECT {self._kept}, {rank} AS {self._alias} FROM {self.layout.sql} AS t WHERE {where} {order} LIMIT {self.k}'
        return f'SELECT {self._selected(f"t.{self._alias}")} FROM ({best}) AS t {order}'

    def hybrid(self, *, exact: bool) -> str:
        """Both rankings, fused by reciprocal rank: a row scores the sum of 1 / (60 + its rank)."""
        taken = hybrid_candidates(self.k)
        row_id = f't.{self.layout.id.sql}'
        table = f'{self.layout.sql} AS t'
        rank = f'ts_rank({self._text_vector}, {self._text_query})'
        near = (
            f'SELECT {row_id} AS id, {self._closeness(exact=exact)} AS closeness FROM {table} WHERE {self._where()} '
            f'ORDER BY 2 LIMIT {taken}'
        )
        words = (
            f'SELECT {row_id} AS id, -{rank} AS closeness FROM {table} '
            f'WHERE {self._text_vector} @@ {self._text_query} AND {self._where()} ORDER BY 2, 1 LIMIT {taken}'
        )
        ranked = 'SELECT id, row_number() OVER (ORDER BY closeness, id) AS rank FROM'
        fused = (
            f'SELECT id, sum(1.0::float8 / ({RRF_CONSTANT} + rank)) AS score FROM '
            f'({ranked} ({near}) AS near UNION ALL {ranked} ({words}) AS words) AS both_rankings '
            f'GROUP BY id ORDER BY score DESC, id LIMIT {self.k}'
        )
        return (
            f'SELECT {self._selected("fused.score")} FROM ({fused}) AS fused JOIN {table} ON {row_id} = fused.id '
            f'ORDER BY fused.score DESC, fused.id'
        )

    def _closeness(self, *, exact: bool) -> str:
        symbol = self._operator(self.strategy.operator)
        distance = f't.{self.layout.embedding.sql} {symbol} {self.vector}'
        return f'({distance}) + 0' if exact else distance

    def _operator(self, symbol: str) -> str:
        return f'OPERATOR({quote(self.layout.extension_schema)}.{symbol})'

    def _where(self) -> str:
        # A row without a vector has no distance. Only other people's tables have such rows.
        present = f't.{self.layout.embedding.sql} IS NOT NULL AND ' if self.layout.embedding.nullable else ''
        return f'{present}{self.condition}'

    @property
    def _alias(self) -> str:
        """A name for the closeness that no column of the table has."""
        name = 'closeness'
        while name in self.layout.by_name:
            name += '_'
        return quote(name)

    @property
    def _kept(self) -> str:
        """The columns of the k best rows, as they are.

        They are cast outside of the query that finds these rows: PostgreSQL computes what is selected for every row that it sorts.
        """
        columns = columns_of(self.layout)
        kept = columns if self.include_vectors else [one for one in columns if one is not self.layout.embedding]
        return ', '.join(dict.fromkeys(f't.{one.sql}' for one in kept))

    def _selected(self, closeness: str) -> str:
        selected = [f't.{self.layout.id.sql}::text', closeness, *self.codec.columns]
        if self.include_vectors:
            selected.append(f't.{self.layout.embedding.sql}{self.vectors.selected}')
        return ', '.join(selected)

    @property
    def _text_vector(self) -> str:
        if self.layout.text_vector is not None:
            return f't.{self.layout.text_vector.sql}'
        return f'to_tsvector({self._config}, t.{self.layout.content.sql})'

    @property
    def _config(self) -> str:
        name = self.layout.text_config.replace("'", "''").replace('\\', '\\\\')
        return f"E'{name}'::regconfig"

    @property
    def _text_query(self) -> str:
        # Any of the words, each quoted as tsquery wants it; no text is ever parsed as an expression. NULL without words.
        escaped = r"replace(replace(w, '\', '\\'), '''', '''''')"
        words = f'unnest(tsvector_to_array(to_tsvector({self._config}, {self.text}))) AS words(w)'
        return f"(SELECT string_agg('''' || {escaped} || '''', ' | ')::tsquery FROM {words})"


def bind_vector(parameters: Parameters, layout: TableLayout, vectors: VectorFormat, vector: object) -> str:
    """Binds the query's vector; returns its expression."""
    return parameters.add(vector, f'{vectors.cast}{layout.vector_sql}')


def _id_type(layout: TableLayout) -> str:
    return 'text' if layout.id.kind is Kind.TEXT else layout.id.base
