# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0

"""Asks the stores what they can do, and writes the answers as tables."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from types import ModuleType
from typing import Any, Final, cast

from genkitx.filters import parse_filter
from genkitx.stores import Capabilities, VectorStorePlugin

from tools.readme_tables.markdown import table

Stores = dict[str, Capabilities]
"""What a plugin's stores can do, by how they are set up."""

_QUESTIONS: Final[dict[str, dict[str, Any]]] = {
    '`$eq`': {'year': 1},
    '`$ne`': {'year': {'$ne': 1}},
    'order on numbers (`$gt` `$gte` `$lt` `$lte`)': {'year': {'$gt': 1}},
    'order on strings': {'year': {'$gt': 'a'}},
    '`$in`': {'year': {'$in': [1, 2]}},
    '`$nin`': {'year': {'$nin': [1, 2]}},
    '`$exists`': {'year': {'$exists': True}},
    '`$contains`': {'year': {'$contains': 1}},
    '`$and`': {'$and': [{'year': 1}, {'source.page': 2}]},
    '`$or`': {'$or': [{'year': 1}, {'source.page': 2}]},
    '`$not`': {'$not': {'year': 1}},
    'null': {'year': None},
    'nested fields': {'source.page': 1},
}
"""A filter for each row. Convex only has filters of declared fields: these."""

FIELDS: Final = ('year', 'source.page')
_NAME: Final = 'docs'


def plugin_class(package: ModuleType) -> type[VectorStorePlugin[Any]] | None:
    """Returns the store plugin among a package's public names."""
    for name in getattr(package, '__all__', ()):
        value: Any = getattr(package, name)
        if inspect.isclass(value) and issubclass(value, VectorStorePlugin):
            return cast('type[VectorStorePlugin[Any]]', value)
    return None


def stores_of(package: ModuleType) -> Stores:
    """Returns what the stores of a package can do, in every set-up that changes it. Nothing is connected."""
    plugin = plugin_class(package)
    if plugin is None:
        return {}
    make = _SETUPS.get(package.__name__)
    plugins: Mapping[str, VectorStorePlugin[Any]] = make(package) if make else {'': plugin([_NAME])}  # pyright: ignore[reportCallIssue]
    return {how: made.collection(_NAME).store.capabilities for how, made in plugins.items()}


def capability_table(stores: Stores) -> str:
    """Returns the table of one plugin: a row for each feature, a column for each set-up."""
    heads = [f'`{how}`' if '=' in how else how for how in stores]
    rows = [[label, *('yes' if _answers(one, label) else 'no' for one in stores.values())] for label in _QUESTIONS]
    rows += [[label, *(tell(one) for one in stores.values())] for label, tell in _FACTS.items()]
    return table(['Feature', *(head or 'Support' for head in heads)], rows)


def comparison_table(packages: Mapping[str, ModuleType]) -> str:
    """Returns the table of all stores, by their short names: a row for each store and set-up."""
    facts = {label: tell for label, tell in _FACTS.items() if label not in _DETAILS}
    rows = [
        [name, how and (f'`{how}`' if '=' in how else how), _filters(one), *(tell(one) for tell in facts.values())]
        for name, package in packages.items()
        for how, one in stores_of(package).items()
    ]
    return table(['Store', 'Set up as', 'Filters', *facts], rows)


def lacking(stores: Stores) -> set[str]:
    """Returns the retriever's common options that no set-up can honour."""
    every = stores.values()
    lacks = {
        'namespace': not any(one.namespaces for one in every),
        'mode': not any(len(one.modes) > 1 for one in every),
        'mmr': not any(one.vectors for one in every),
    }
    return {name for name, missing in lacks.items() if missing} if stores else set()


def _answers(store: Capabilities, label: str) -> bool:
    question = parse_filter(_QUESTIONS[label])
    return question is not None and store.filters.missing(question) is None


def _filters(store: Capabilities) -> str:
    missing = [label for label in _QUESTIONS if not _answers(store, label)]
    if not missing:
        return 'all'
    if len(missing) == len(_QUESTIONS):
        return 'none'
    if len(missing) <= 3:
        return f'all but {", ".join(missing)}'
    return ', '.join(label for label in _QUESTIONS if label not in missing)


def _modes(store: Capabilities) -> str:
    return ', '.join(f'`{mode}`' for mode in ('dense', 'text', 'hybrid') if mode in store.modes)


def _limit(value: int | None) -> str:
    return 'no limit' if value is None else f'{value:,}'


def _yes(value: bool) -> str:
    return 'yes' if value else 'no'


_FACTS: Final[dict[str, Callable[[Capabilities], str]]] = {
    'namespaces': lambda one: _yes(one.namespaces),
    'search modes': _modes,
    '`mmr`': lambda one: _yes(one.vectors),
    'ids of your own': lambda one: _yes(one.custom_ids),
    'delete by filter': lambda one: _yes(one.delete_by_filter),
    'largest `k`': lambda one: _limit(one.max_k),
    'records in one write': lambda one: _limit(one.max_records),
    'bytes in one write': lambda one: _limit(one.max_bytes),
    'writes at once': lambda one: str(one.writers),
}

_DETAILS: Final = {'records in one write', 'bytes in one write', 'writes at once'}
"""Facts that help nobody to choose a store."""


def _chroma(package: Any) -> dict[str, VectorStorePlugin[Any]]:
    cloud = package.CloudParams(api_key='none', tenant='none', database='none')
    return {
        'embedded': package.Chroma([_NAME]),
        'Chroma Cloud': package.Chroma([_NAME], client_params=cloud),
        'js_layout=True': package.Chroma([package.ChromaCollection(name=_NAME, js_layout=True)]),
    }


def _postgres(package: Any) -> dict[str, VectorStorePlugin[Any]]:
    engine = package.PostgresEngine.from_dsn('postgresql://localhost/docs')
    return {'': package.Postgres([_NAME], engine=engine)}


def _convex(package: Any) -> dict[str, VectorStorePlugin[Any]]:
    def table_with(**settings: Any) -> VectorStorePlugin[Any]:
        return package.Convex([package.ConvexTable(name=_NAME, filter_fields=FIELDS, **settings)])

    return {'filter_fields=[...]': table_with(), 'over_fetch=n': table_with(over_fetch=100)}


def _milvus(package: Any) -> dict[str, VectorStorePlugin[Any]]:
    def collection(**settings: Any) -> VectorStorePlugin[Any]:
        return package.Milvus([package.MilvusCollection(name=_NAME, **settings)])

    return {
        'auto_id=False': collection(auto_id=False),
        'auto_id=False, text_search=True': collection(auto_id=False, text_search=True),
        'auto_id=True': collection(),
        'js_layout=True': collection(js_layout=True),
    }


def _pinecone(package: Any) -> dict[str, VectorStorePlugin[Any]]:
    return {
        'default': package.Pinecone([_NAME]),
        'js_layout=True': package.Pinecone([package.PineconeIndex(name=_NAME, js_layout=True)]),
    }


_SETUPS: Final[dict[str, Callable[[Any], dict[str, VectorStorePlugin[Any]]]]] = {
    'genkitx_chroma': _chroma,
    'genkitx_cloud_sql_pg': _postgres,
    'genkitx_convex': _convex,
    'genkitx_milvus': _milvus,
    'genkitx_pinecone': _pinecone,
}
"""Plugins whose stores can do different things, or need more than a name. Every other one is made as `Plugin(['docs'])`."""


def packages_with_stores(names: Mapping[str, str]) -> Iterator[tuple[str, ModuleType]]:
    """Yields the packages among `names` (short name to import name) that have a store."""
    for name, module in names.items():
        package = import_module(module)
        if plugin_class(package) is not None:
            yield name, package
