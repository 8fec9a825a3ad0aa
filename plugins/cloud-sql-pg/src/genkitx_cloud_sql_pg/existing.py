# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""Whether a table that exists is the one that somebody asks for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from genkit import GenkitError

_WANTED: Final = 'genkitx_wanted'
_SHAPE: Final = """
SELECT a.attname AS name, format_type(a.atttypid, a.atttypmod) AS type, a.attnotnull AS filled,
       a.attgenerated::text <> '' AS generated, a.attidentity::text <> '' AS counted,
       coalesce(pg_get_expr(d.adbin, d.adrelid), '') AS expression,
       EXISTS (SELECT FROM pg_index i WHERE i.indrelid = a.attrelid AND i.indisunique AND i.indisvalid AND i.indpred IS NULL
                  AND i.indnkeyatts = 1 AND i.indkey[0] = a.attnum) AS single
  FROM pg_attribute a
  LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
 WHERE a.attrelid = to_regclass($1) AND a.attnum > 0 AND NOT a.attisdropped
 ORDER BY a.attnum"""


async def is_there(connection: Any, table: str, lines: Sequence[str]) -> bool:
    """Tells whether a table exists, in a transaction at whose end others may create it.

    Args:
        connection: The connection, in a transaction.
        table: Its quoted name.
        lines: Its columns, as in CREATE TABLE.

    Raises:
        GenkitError: FAILED_PRECONDITION when its columns are not these.
    """
    # Of two at once the second one waits, and then sees the first one's.
    await connection.execute('SELECT pg_advisory_xact_lock(hashtext($1))', f'genkitx: create table {table}')
    if await connection.fetchval('SELECT to_regclass($1) IS NULL', table):
        return False
    # PostgreSQL spells the types of both.
    await connection.execute(f'CREATE TEMPORARY TABLE {_WANTED} ({", ".join(lines)}) ON COMMIT DROP')
    wanted = {one['name']: one for one in await connection.fetch(_SHAPE, f'pg_temp.{_WANTED}')}
    found = {one['name']: one for one in await connection.fetch(_SHAPE, table)}
    await connection.execute(f'DROP TABLE pg_temp.{_WANTED}')
    problems = [problem for name, one in wanted.items() if (problem := _problem(name, one, found.get(name)))]
    problems += [
        f'{name} is NOT NULL and not wanted' for name, one in found.items() if name not in wanted and _forced(one)
    ]
    if problems:
        raise GenkitError(
            status='FAILED_PRECONDITION', message=f'The table {table} exists with other columns: {"; ".join(problems)}.'
        )
    return True


def _problem(name: str, wanted: Any, found: Any) -> str:
    if found is None:
        return f'{name} is missing'
    if _text(wanted) != _text(found):
        return f'{name} is {_text(found)}, wanted {_text(wanted)}'
    return f'{name} is not unique' if wanted['single'] and not found['single'] else ''


def _text(column: Any) -> str:
    made = f' made by {column["expression"]}' if column['generated'] else ''
    return f'{column["type"]}{" NOT NULL" if column["filled"] else ""}{made}'


def _forced(column: Any) -> bool:
    """Whether a row cannot be written without it."""
    return column['filled'] and not column['expression'] and not column['counted']
