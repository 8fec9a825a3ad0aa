# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""Searches a catalogue in PostgreSQL: typed columns and JSON in one filter, a vector index, words and meaning together.

uv run --package sample-cloud-sql-pg samples/cloud-sql-pg/main.py [QUESTION]
"""

from __future__ import annotations

import argparse
import asyncio
import sys

from database import NoDatabaseError, database
from genkit import Document, GenkitError
from genkitx import Genkit
from genkitx.local import LocalEmbeddings
from genkitx_cloud_sql_pg import Column, HNSWIndex, Postgres, PostgresEngine, PostgresTable

TABLE = 'sample_products'
COLUMNS = (
    Column('sku', 'TEXT', nullable=False),
    Column('category', 'TEXT'),
    Column('price', 'NUMERIC(8, 2)'),
    Column('in_stock', 'BOOLEAN'),
)
# The keys without a column, such as `material`, are kept in the JSON column; filters do not notice the difference.
PRODUCTS = (
    ('K-100', 'A kettle that boils a litre of water in two minutes.', 'kitchen', 39.9, True, {'material': 'steel'}),
    ('K-200', 'Pan XR-7, for frying without oil, not for the oven.', 'kitchen', 24.5, True, {'material': 'aluminium'}),
    ('K-300', 'A heavy cast-iron pot for stews and bread.', 'kitchen', 89.0, False, {'material': 'iron'}),
    ('O-100', 'A tent for two that stands up to a storm.', 'outdoor', 249.0, True, {'material': 'nylon'}),
    ('O-200', 'A small gas stove to boil water on a hike.', 'outdoor', 34.0, True, {'material': 'steel'}),
    ('O-300', 'A warm sleeping bag for nights below zero.', 'outdoor', 129.0, True, {'material': 'down'}),
    ('G-100', 'Shears for hedges and thin branches.', 'garden', 44.0, True, {'material': 'steel'}),
    ('G-200', 'A hose of thirty metres, with a nozzle.', 'garden', 29.0, False, {'material': 'rubber'}),
)


def arguments() -> argparse.Namespace:
    """Reads the command line."""
    parser = argparse.ArgumentParser(description='Search a catalogue in PostgreSQL.')
    parser.add_argument('question', nargs='?', default='hot water for tea', help='what to look for')
    parser.add_argument('--category', action='append', help='kitchen, outdoor or garden; repeatable')
    parser.add_argument('--max-price', type=float, help='only what costs at most this')
    parser.add_argument('--in-stock', action='store_true', help='only what can be bought now')
    parser.add_argument('--material', help='only what is made of this')
    parser.add_argument('--mode', choices=('dense', 'text', 'hybrid'), default='dense', help='meaning, words, or both')
    parser.add_argument('-k', type=int, default=3, help='products to show (default: %(default)s)')
    parser.add_argument('--drop', action='store_true', help='drop the table at the end')
    return parser.parse_args()


def condition(options: argparse.Namespace) -> dict[str, object] | None:
    """Returns the filter that the command line asks for; every value is bound, never part of the SQL."""
    clauses: dict[str, object] = {}
    if options.category:
        clauses['category'] = {'$in': options.category}
    if options.max_price is not None:
        clauses['price'] = {'$lte': options.max_price}
    if options.in_stock:
        clauses['in_stock'] = True
    if options.material:
        clauses['material'] = options.material
    return clauses or None


async def prepare(engine: PostgresEngine) -> None:
    """Makes the table if it is not there."""
    await engine.init_vectorstore_table(
        TABLE,
        256,
        id_column=Column('id', 'TEXT'),  # Ids are our SKUs; by default they are UUIDs.
        metadata_columns=COLUMNS,
        json_type='jsonb',
        text_search='english',
        exist_ok=True,
    )


async def run(options: argparse.Namespace, dsn: str) -> int:
    """Fills the table, indexes it, and searches."""
    engine = PostgresEngine.from_dsn(dsn)
    postgres = Postgres([PostgresTable(name=TABLE, id_key='sku')], engine=engine, embedder='local/wordllama')
    async with Genkit(plugins=[LocalEmbeddings(), postgres]) as ai:
        await prepare(engine)
        products = ai.collection(f'postgres/{TABLE}')
        documents = [
            Document.from_text(text, {'sku': sku, 'category': category, 'price': price, 'in_stock': stock, **more})
            for sku, text, category, price, stock, more in PRODUCTS
        ]
        report = await products.add(documents, on_conflict='skip')
        report.raise_for_failures()
        if not (await engine.describe_vectorstore_table(TABLE)).indexes:
            await engine.apply_vector_index(TABLE, HNSWIndex(m=16, ef_construction=64))  # After the table is filled.
        layout = await engine.describe_vectorstore_table(TABLE)
        print(f'{report.written} products written, {report.skipped} were there.')
        print(f'Columns: {", ".join(one.name for one in layout.metadata_columns)}; the other keys are JSON.')
        print(f'Vector indexes: {", ".join(f"{one.name} ({one.method})" for one in layout.indexes) or "none"}.\n')
        print(f'{options.question} ({options.mode})')
        matches = await products.search(options.question, k=options.k, mode=options.mode, filter=condition(options))
        for match in matches:
            about = match.document.metadata or {}
            print(f'  {match.score:.3f}  {match.id}  {about["price"]:7.2f}  {match.document.text}')
        if not matches:
            print('  nothing')
        if options.drop:
            await engine.drop_vectorstore_table(TABLE)
    return 0


def main() -> int:
    """Runs the sample; every failure ends in a message and an exit code, never in a traceback."""
    options = arguments()
    try:
        with database() as dsn:
            return asyncio.run(run(options, dsn))
    except GenkitError as error:
        print(f'{error.status}: {error.original_message}', file=sys.stderr)
        return 1
    except NoDatabaseError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == '__main__':
    sys.exit(main())
