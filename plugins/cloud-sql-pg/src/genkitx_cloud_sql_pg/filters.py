# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
r"""Filters as SQL conditions: every value bound, every name quoted.

A key that has a column of its own is compared there, with the column's type, so that its index is used; every other key is compared
in the JSON column, and so is one whose column is NULL: what a document shows is what its filters see. SQL's three-valued logic never shows: negations are moved down to the comparisons first, and there
`(condition) IS NOT TRUE` is an exact complement.

Numbers compare as 64-bit floats whatever digits are stored: a filter's number stands for the interval of decimals that round to it.
"""

from __future__ import annotations

import abc
import json
import math
import struct
from collections.abc import Callable
from decimal import Context, Decimal
from functools import cached_property
from typing import Any, Final, cast

from genkit import GenkitError
from genkitx.filters import Comparison, Filter, FilterCompiler, FilterSupport, Not, Scalar, push_down

from genkitx_cloud_sql_pg.codec import DOC_CONTENT
from genkitx_cloud_sql_pg.sql import Values, storable
from genkitx_cloud_sql_pg.tables import Kind, StoredColumn, TableLayout

SUPPORT: Final = FilterSupport()
"""The whole language."""
MAX_PATH: Final = 100
"""Most keys in one path."""

_EXACT: Final = Context(prec=1200)
_SAFE: Final = 2**53
_SQL_ORDER: Final = {'$gt': '>', '$gte': '>=', '$lt': '<', '$lte': '<='}
_NEVER: Final = ('', 'FALSE')
_NEGATIVE: Final = {'$ne': '$eq', '$nin': '$in'}


def compile_filter(
    filter: Filter,  # noqa: A002
    layout: TableLayout,
    values: Values,
    store: str,
    table: str = 't',
) -> str:
    """Compiles a filter to an SQL condition.

    Args:
        filter: The filter.
        layout: The table.
        values: Where values go: parameters of a query, or literals of an index predicate.
        store: The store's name, for messages.
        table: The table's alias or quoted name in the statement.

    Raises:
        GenkitError: INVALID_ARGUMENT for a filter too large for one statement.
    """
    return SqlFilterCompiler(layout, values, store, table).compile(push_down(filter))


class SqlFilterCompiler(FilterCompiler[str]):
    """Compiles a tree whose negations stand at the comparisons."""

    def __init__(self, layout: TableLayout, values: Values, store: str, table: str) -> None:
        super().__init__(store, SUPPORT)
        self._table = table
        self._layout = layout
        self._values = values
        self._columns = {column.name: column for column in layout.metadata_columns}

    def all_of(self, clauses: list[str]) -> str:
        """Joins by AND."""
        return f'({" AND ".join(clauses)})'

    def any_of(self, clauses: list[str]) -> str:
        """Joins by OR."""
        return f'({" OR ".join(clauses)})'

    def negate(self, node: Not) -> str:
        """Complements a comparison; a missing field makes it true."""
        return f'({self.visit(node.clause)}) IS NOT TRUE'

    def compare(self, node: Comparison) -> str:
        """Compiles a comparison. It may be NULL where the field is missing, which counts as false."""
        operand = self._operand(node.path)
        if node.op in _NEGATIVE:
            return f'({self._positive(operand, _NEGATIVE[node.op], node.value)}) IS NOT TRUE'
        return self._positive(operand, node.op, node.value)

    def _positive(self, operand: _Operand, op: str, value: Any) -> str:
        if op == '$exists':
            return operand.exists() if value else f'({operand.exists()}) IS NOT TRUE'
        if op == '$eq':
            return operand.any_equal([value])
        if op == '$in':
            return operand.any_equal(list(value))
        if op == '$contains':
            return operand.contains(value)
        return operand.ordered(op, value)

    def _operand(self, path: tuple[str, ...]) -> _Operand:
        if len(path) > MAX_PATH:
            raise GenkitError(
                status='INVALID_ARGUMENT', message=f'{self.store} filters by paths of at most {MAX_PATH} keys.'
            )
        if not all(storable(key) for key in path):
            return _Missing(self._values)
        column = self._columns.get(path[0])
        if column is not None:
            return self._column_operand(column, path)
        return self._in_json(path)

    def _in_json(self, path: tuple[str, ...]) -> _Operand:
        if self._layout.metadata_json is None:
            return _Missing(self._values)
        return _Json(self._values, lambda: self._descend(self._document(), _in_document(path)))

    def _column_operand(self, column: StoredColumn, path: tuple[str, ...]) -> _Operand:
        name = f'{self._table}.{column.sql}'
        if column.kind in (Kind.OTHER, Kind.REAL) and self._layout.metadata_json is not None:
            # What the column rounds (32-bit floats) or spells in its own way (dates, UUIDs), the JSON has as it was given.
            if len(path) > 1:
                return self._in_json(path)
            value = f'{name}::float8' if column.kind is Kind.REAL else f'{name}::text'
            return _Json(self._values, lambda: self._as_given(f'to_jsonb({value})', path))
        stored = self._stored_operand(column, name, path)
        if self._layout.metadata_json is None or not column.nullable:
            return stored
        return _Filled(self._values, name, stored, self._in_json(path))

    def _stored_operand(self, column: StoredColumn, name: str, path: tuple[str, ...]) -> _Operand:
        if column.kind is Kind.JSON:
            return _Json(self._values, lambda: self._descend(f'{name}::jsonb', path[1:]))
        if len(path) > 1:
            return _Missing(self._values)
        if column.kind in _SCALAR_OPERANDS:
            return _SCALAR_OPERANDS[column.kind](self._values, name)
        if column.kind is Kind.REAL:
            return _Double(self._values, f'{name}::float8')
        return _Json(self._values, lambda: f'to_jsonb({name if column.kind is Kind.ARRAY else f"{name}::text"})')

    def _as_given(self, stored: str, path: tuple[str, ...]) -> str:
        given = self._descend(self._document(), _in_document(path))
        return f"coalesce(nullif({given}, 'null'::jsonb), {stored})"

    def _document(self) -> str:
        column = cast('StoredColumn', self._layout.metadata_json)
        name = f'{self._table}.{column.sql}'
        return name if column.base == 'jsonb' else f'{name}::jsonb'

    def _descend(self, expression: str, path: tuple[str, ...]) -> str:
        # `->` with a text key sees objects only; `#>` would also walk into lists by number.
        steps = [expression, *(self._values.add(key, 'text') for key in path)]
        return f'({" -> ".join(steps)})'


def _in_document(path: tuple[str, ...]) -> tuple[str, ...]:
    return (DOC_CONTENT, 'own', *path[1:]) if path[0] == DOC_CONTENT else path


class _Operand(abc.ABC):
    """One side of a comparison: a place in a row."""

    def __init__(self, values: Values, sql: str) -> None:
        self.values = values
        self.sql = sql

    def exists(self) -> str:
        return f'{self.sql} IS NOT NULL'

    def any_equal(self, options: list[Scalar]) -> str:
        """The value is one of the options; null stands for a missing value."""
        found = [sql for sql in (self.equal([one for one in options if one is not None]),) if sql]
        if None in options:
            found.append(f'({self.exists()}) IS NOT TRUE')
        return f'({" OR ".join(found)})' if found else 'FALSE'

    @abc.abstractmethod
    def equal(self, options: list[Any]) -> str:
        """The value is one of the options, of which none is null; empty when it cannot be."""

    @abc.abstractmethod
    def ordered(self, op: str, value: Any) -> str:
        """The value is of the same type, and on that side of the other."""

    def contains(self, value: Any) -> str:
        return 'FALSE'


class _Missing(_Operand):
    """A key that no row has."""

    def __init__(self, values: Values, sql: str = '') -> None:
        super().__init__(values, sql)

    def exists(self) -> str:
        return 'FALSE'

    def equal(self, options: list[Any]) -> str:
        return ''

    def ordered(self, op: str, value: Any) -> str:
        return 'FALSE'


class _Filled(_Operand):
    """A column, and where it is NULL what the JSON has: a column that was added to a table with rows, for example.

    As two conditions, so that an index on the column serves both: an expression over column and JSON has none.
    """

    def __init__(self, values: Values, sql: str, column: _Operand, given: _Operand) -> None:
        super().__init__(values, sql)
        self._column = column
        self._given = given

    def exists(self) -> str:
        return self._either(self._column.exists(), self._given.exists())

    def equal(self, options: list[Any]) -> str:
        if not options:
            return ''
        return self._either(self._column.equal(options), self._given.equal(options))

    def ordered(self, op: str, value: Any) -> str:
        return self._either(self._column.ordered(op, value), self._given.ordered(op, value))

    def contains(self, value: Any) -> str:
        return self._either(self._column.contains(value), self._given.contains(value))

    def _either(self, column: str, given: str) -> str:
        found = [f'({column})'] if column not in _NEVER else []
        if given not in _NEVER:
            found.append(f'({self.sql} IS NULL AND ({given}))')
        return f'({" OR ".join(found)})' if found else 'FALSE'


class _Text(_Operand):
    def equal(self, options: list[Any]) -> str:
        texts = [one for one in options if isinstance(one, str) and storable(one)]
        if not texts:
            return ''
        if len(texts) == 1:
            return f'{self.sql} = {self.values.add(texts[0], "text")}'
        return f'{self.sql} = ANY({self.values.add(texts, "text[]")})'

    def ordered(self, op: str, value: Any) -> str:
        return _text_order(self.values, self.sql, op, value) if isinstance(value, str) else 'FALSE'


class _Bool(_Operand):
    def equal(self, options: list[Any]) -> str:
        kept = {one for one in options if isinstance(one, bool)}
        return ' OR '.join(self.sql if one else f'NOT {self.sql}' for one in sorted(kept))

    def ordered(self, op: str, value: Any) -> str:
        return 'FALSE'


class _Number(_Operand):
    """A column of numbers; subclasses know how its type compares."""

    def equal(self, options: list[Any]) -> str:
        return self.equal_numbers([float(one) for one in options if _is_number(one)])

    def ordered(self, op: str, value: Any) -> str:
        return self.order_number(op, float(value)) if _is_number(value) else 'FALSE'

    @abc.abstractmethod
    def equal_numbers(self, numbers: list[float]) -> str:
        """The value is one of the numbers; empty when it cannot be."""

    @abc.abstractmethod
    def order_number(self, op: str, value: float) -> str:
        """The value is on that side of the number."""


class _Double(_Number):
    def equal_numbers(self, numbers: list[float]) -> str:
        if len(numbers) == 1:
            return f'{self.sql} = {self.values.add(numbers[0], "float8")}'
        return f'{self.sql} = ANY({self.values.add(numbers, "float8[]")})' if numbers else ''

    def order_number(self, op: str, value: float) -> str:
        return f'{self.sql} {_SQL_ORDER[op]} {self.values.add(value, "float8")}'


class _Numeric(_Number):
    def equal_numbers(self, numbers: list[float]) -> str:
        return _in_intervals(self.values, self.sql, numbers, 'numeric')

    def order_number(self, op: str, value: float) -> str:
        return _beside_interval(self.values, self.sql, op, value, 'text::numeric')


class _Int(_Numeric):
    """Compared as integers, so that an index serves, up to where 64-bit floats stop being exact."""

    def __init__(self, values: Values, sql: str) -> None:
        super().__init__(values, sql)
        self._column = sql
        self.sql = f'{sql}::numeric'

    def exists(self) -> str:
        return f'{self._column} IS NOT NULL'

    def equal_numbers(self, numbers: list[float]) -> str:
        exact = [int(one) for one in numbers if abs(one) < _SAFE and one.is_integer()]
        found = super().equal_numbers([one for one in numbers if abs(one) >= _SAFE])
        if not exact:
            return found
        added = self.values.add(exact, 'bigint[]') if len(exact) > 1 else self.values.add(exact[0], 'bigint')
        same = f'{self._column} = ANY({added})' if len(exact) > 1 else f'{self._column} = {added}'
        return f'{same} OR {found}' if found else same

    def order_number(self, op: str, value: float) -> str:
        if abs(value) >= _SAFE:
            return super().order_number(op, value)
        bound = math.floor(value) if op in ('$gt', '$lte') else math.ceil(value)
        return f'{self._column} {_SQL_ORDER[op]} {self.values.add(bound, "bigint")}'


_SCALAR_OPERANDS: Final[dict[Kind, type[_Operand]]] = {
    Kind.TEXT: _Text,
    Kind.BOOL: _Bool,
    Kind.INT: _Int,
    Kind.DOUBLE: _Double,
    Kind.NUMERIC: _Numeric,
}


class _Json(_Operand):
    """A place in JSON, where any type may be. Comparing jsonb values never fails: types come in a fixed order.

    Its expression is built at first use: a comparison that is always false binds no keys.
    """

    def __init__(self, values: Values, build: Callable[[], str]) -> None:
        self.values = values
        self._build = build

    @cached_property
    def sql(self) -> str:  # type: ignore[override]
        return self._build()

    def exists(self) -> str:
        return f"{self.sql} <> 'null'::jsonb"

    def equal(self, options: list[Any]) -> str:
        exact = [json.dumps(one) for one in options if _is_exact(one)]
        doubles = [float(one) for one in options if _is_number(one)]
        numbers = _in_intervals(self.values, self.sql, doubles, 'jsonb') if doubles else ''
        if not exact:
            return numbers
        if len(exact) == 1:
            same = f'{self.sql} = {self.values.add(exact[0], "text::jsonb")}'
        else:
            same = f'{self.sql} = ANY({self.values.add(exact, "text[]::jsonb[]")})'
        return f'{same} OR {numbers}' if numbers else same

    def ordered(self, op: str, value: Any) -> str:
        if isinstance(value, str):
            text = f"({self.sql} #>> '{{}}')"
            return f"(jsonb_typeof({self.sql}) = 'string' AND {_text_order(self.values, text, op, value)})"
        order = _beside_interval(self.values, self.sql, op, float(value), 'text::jsonb')
        return f"(jsonb_typeof({self.sql}) = 'number' AND {order})"

    def contains(self, value: Any) -> str:
        if not _is_number(value) and not _is_exact(value):
            return 'FALSE'
        is_list = f"jsonb_typeof({self.sql}) = 'array'"
        if not _is_number(value):
            return f'({is_list} AND {self.sql} @> {self.values.add(json.dumps([value]), "text::jsonb")})'
        items = f"jsonb_array_elements(CASE WHEN {is_list} THEN {self.sql} ELSE '[]'::jsonb END)"
        return f'EXISTS (SELECT FROM {items} AS e(item) WHERE {_Json(self.values, lambda: "e.item").equal([value])})'


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_exact(value: Any) -> bool:
    return isinstance(value, bool) or (isinstance(value, str) and storable(value))


def _text_order(values: Values, sql: str, op: str, value: str) -> str:
    """Orders by code point. A bound that PostgreSQL cannot hold is replaced by one that cuts stored texts in the same place."""
    for i, character in enumerate(value):
        if character == '\0':
            # A stored text is below "p\0..." exactly if it is "p" or below.
            value, op = value[:i], '$lte' if op in ('$lt', '$lte') else '$gt'
            break
        if '\ud800' <= character <= '\udfff':
            # No stored text lies between a surrogate and the first character after them.
            value, op = value[:i] + '\ue000', '$lt' if op in ('$lt', '$lte') else '$gte'
            break
    return f'{sql} {_SQL_ORDER[op]} {values.add(value, "text")} COLLATE "C"'


def _interval(value: float) -> tuple[str, str, bool]:
    """Returns the decimals that round to a 64-bit float: lowest, highest, and whether these two do so themselves.

    The ends lie half way to the neighbours; IEEE 754 rounds half way to the even one.
    """
    below, above = math.nextafter(value, -math.inf), math.nextafter(value, math.inf)
    middle = Decimal(value)
    down = Decimal(below) if math.isfinite(below) else _EXACT.subtract(_EXACT.add(middle, middle), Decimal(above))
    up = Decimal(above) if math.isfinite(above) else _EXACT.subtract(_EXACT.add(middle, middle), Decimal(below))
    half = Decimal('0.5')
    low = _EXACT.multiply(_EXACT.add(middle, down), half)
    high = _EXACT.multiply(_EXACT.add(middle, up), half)
    even = struct.unpack('<Q', struct.pack('<d', value))[0] % 2 == 0
    return str(low), str(high), even


def _in_intervals(values: Values, sql: str, numbers: list[float], type: str) -> str:  # noqa: A002
    found: list[str] = []
    for closed in (True, False):
        intervals = [(low, high) for low, high, even in map(_interval, numbers) if even is closed]
        equals = '=' if closed else ''
        if len(intervals) == 1:
            low, high = (values.add(one, f'text::{type}') for one in intervals[0])
            found.append(f'({sql} >{equals} {low} AND {sql} <{equals} {high})')
        elif intervals:
            ends = (values.add(list(one), f'text[]::{type}[]') for one in zip(*intervals, strict=True))
            inside = f'{sql} >{equals} i.low AND {sql} <{equals} i.high'
            found.append(f'EXISTS (SELECT FROM unnest({", ".join(ends)}) AS i(low, high) WHERE {inside})')
    return ' OR '.join(found)


def _beside_interval(values: Values, sql: str, op: str, value: float, type: str) -> str:  # noqa: A002
    low, high, closed = _interval(value)
    bound = high if op in ('$gt', '$lte') else low
    # The interval itself counts as equal: outside it for > and <, up to and with its far end for >= and <=.
    with_end = closed if op in ('$gte', '$lte') else not closed
    return f'{sql} {_SQL_ORDER[op][0]}{"=" if with_end else ""} {values.add(bound, type)}'
