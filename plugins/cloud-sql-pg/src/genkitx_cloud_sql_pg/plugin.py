# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""The plugin, the settings of a table, and references to its actions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Final

import genkit
from genkit import GenkitError
from genkit.plugin_api import Action
from genkitx.embedding import EmbedderArgument
from genkitx.retrieval import IndexerRef, RetrieverRef, indexer_ref, retriever_ref
from genkitx.stores import CollectionSettings, RetrieverOptions, RetryPolicy, VectorStorePlugin
from pydantic import Field

from genkitx_cloud_sql_pg.engine import PostgresEngine
from genkitx_cloud_sql_pg.indexes import QueryOptions
from genkitx_cloud_sql_pg.sql import quote, quote_table
from genkitx_cloud_sql_pg.store import PostgresStore
from genkitx_cloud_sql_pg.tables import DistanceStrategy, Roles

PLUGIN: Final = 'postgres'
"""The plugin's name, as in JS."""


@dataclass(frozen=True, kw_only=True)
class PostgresTable(CollectionSettings):
    """A table (JS's parameters of a retriever and an indexer; `tableName` is `name` here).

    Attributes:
        engine: Its database; by default the plugin's.
        schema_name: Its schema.
        content_column: Column of texts.
        embedding_column: Column of vectors.
        id_column: Column of ids; by default `id`, else `langchain_id`, else the primary key.
        metadata_json_column: JSON column of metadata; by default the one of `metadata`, `json_metadata` and `langchain_metadata` that
            is there.
        metadata_columns: Columns that hold one metadata key each; by default every other column that does not fill itself.
        ignore_metadata_columns: Columns that are not metadata; not together with `metadata_columns`.
        distance_strategy: How close two vectors are. It has to be the index's, or the index is not used.
        index_query_options: How searches use an index.
        text_search_config: Text search configuration of queries; by default that of the table's generated `tsvector` column, else
            `simple`.
        lossless: Whether what the JS layout cannot hold (several parts, media) is written under `docContent` in the JSON. Without it
            rows are those of the JS plugin to the byte, and such documents come back as their text.
    """

    engine: PostgresEngine | None = None
    schema_name: str = 'public'
    content_column: str = 'content'
    embedding_column: str = 'embedding'
    id_column: str | None = None
    metadata_json_column: str | None = None
    metadata_columns: Sequence[str] | None = None
    ignore_metadata_columns: Sequence[str] | None = None
    distance_strategy: DistanceStrategy = DistanceStrategy.COSINE_DISTANCE
    index_query_options: QueryOptions | None = None
    text_search_config: str | None = None
    lossless: bool = True


class PostgresRetrieverOptions(RetrieverOptions):
    """Options of a retriever over a table."""

    exact: bool = Field(default=False, description='Compare every row instead of using a vector index')
    ef_search: int | None = Field(
        default=None,
        ge=1,
        le=1000,
        description='Candidates of a search in an HNSW index; refused where there are only others',
    )
    probes: int | None = Field(
        default=None,
        ge=1,
        le=32768,
        description='Lists looked at in an IVFFlat index; refused where there are only others',
    )
    unsafe_sql_filter: str | None = Field(
        default=None,
        description='An SQL condition on the table t, spliced in as it is. Never build it from input: use filter',
    )


class Postgres(VectorStorePlugin[PostgresTable]):
    """Tables of PostgreSQL with pgvector as retrievers and indexers `postgres/<table>` (JS `postgres`).

    Args:
        tables: Table names, or `PostgresTable` objects where a name is not enough.
        engine: The database of tables that have none of their own.
        embedder: A name, a reference, an embedder action or an async function.
        embedder_options: Options for embedding documents.
        query_embedder_options: Options for embedding queries; by default the same.
        name: The plugin's name.
        retry: How failures that may pass are tried again while documents are indexed.

    Raises:
        GenkitError: INVALID_ARGUMENT for a table without an engine, a name that PostgreSQL cannot have, or contradicting columns.
    """

    settings_class: ClassVar[type[Any]] = PostgresTable
    retriever_options = PostgresRetrieverOptions

    def __init__(
        self,
        tables: Sequence[str | PostgresTable],
        *,
        engine: PostgresEngine | None = None,
        embedder: EmbedderArgument | None = None,
        embedder_options: Mapping[str, Any] | None = None,
        query_embedder_options: Mapping[str, Any] | None = None,
        name: str = PLUGIN,
        retry: RetryPolicy | None = None,
    ) -> None:
        self._engine = engine
        super().__init__(
            tables,
            name=name,
            embedder=embedder,
            embedder_options=embedder_options,
            query_embedder_options=query_embedder_options,
            retry=retry,
        )

    def open_store(self, settings: PostgresTable) -> PostgresStore:
        """Makes the store of a table."""
        engine = settings.engine or self._engine
        if engine is None:
            raise GenkitError(
                status='INVALID_ARGUMENT',
                message=f"Engine is required: table '{settings.name}' has none. Give Postgres(..., engine=PostgresEngine.from_dsn(...)).",
            )
        if settings.metadata_columns is not None and settings.ignore_metadata_columns is not None:
            raise GenkitError(
                status='INVALID_ARGUMENT', message='Can not use both metadata_columns and ignore_metadata_columns.'
            )
        quote_table(settings.schema_name, settings.name)
        named = (settings.id_column, settings.metadata_json_column, settings.content_column, settings.embedding_column)
        for column in (*(settings.metadata_columns or ()), *(settings.ignore_metadata_columns or ()), *named):
            if column is not None:
                quote(column, 'column name')
        roles = Roles(
            schema=settings.schema_name,
            content=settings.content_column,
            embedding=settings.embedding_column,
            id=settings.id_column,
            metadata_json=settings.metadata_json_column,
            metadata_columns=settings.metadata_columns,
            ignored=settings.ignore_metadata_columns or (),
            strategy=DistanceStrategy(settings.distance_strategy),
            text_config=settings.text_search_config,
        )
        return PostgresStore(
            f'{self.name}/{settings.name}',
            engine,
            settings.name,
            roles,
            query_options=settings.index_query_options,
            lossless=settings.lossless,
        )

    def info(self, settings: PostgresTable) -> dict[str, Any]:
        """Returns the label that JS shows: the table's name."""
        return {'label': settings.name}


def postgres_retriever_ref(table_name: str) -> RetrieverRef:
    """Refers to a table's retriever (JS `postgresRetrieverRef`)."""
    return retriever_ref(f'{PLUGIN}/{table_name}', info={'label': table_name}, config_schema=PostgresRetrieverOptions)


def postgres_indexer_ref(table_name: str) -> IndexerRef:
    """Refers to a table's indexer (JS `postgresIndexerRef`)."""
    return indexer_ref(f'{PLUGIN}/{table_name}', info={'label': table_name})


def configure_postgres_retriever(ai: genkit.Genkit, table: PostgresTable) -> Action[Any, Any, Any]:
    """Registers the retriever of one table without a plugin (JS `configurePostgresRetriever`); close `table.engine` yourself."""
    return Postgres([table]).register_retriever(ai, table.name)


def configure_postgres_indexer(ai: genkit.Genkit, table: PostgresTable) -> Action[Any, Any, Any]:
    """Registers the indexer of one table without a plugin (JS `configurePostgresIndexer`); close `table.engine` yourself."""
    return Postgres([table]).register_indexer(ai, table.name)
