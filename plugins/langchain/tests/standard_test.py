# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""LangChain's own suites, as they are, on the objects that Genkit gives LangChain."""

from typing import Any

import httpx
import pytest
from genkit import tool
from genkitx import Genkit
from genkitx.local import DevLocalVectorStore
from genkitx.testing import HashEmbedder
from genkitx_langchain import ChatGenkit, GenkitEmbeddings, GenkitRetriever, GenkitVectorStore, genkit_tool
from genkitx_langchain.background import background
from genkitx_langchain.to_langchain.runnables import GenkitTool
from langchain_core.documents import Document
from langchain_tests.integration_tests import (
    ChatModelIntegrationTests,
    EmbeddingsIntegrationTests,
    RetrieversIntegrationTests,
    ToolsIntegrationTests,
    VectorStoreIntegrationTests,
)
from langchain_tests.unit_tests import ChatModelUnitTests, EmbeddingsUnitTests, ToolsUnitTests

from .conftest import make_ai

pytestmark = pytest.mark.filterwarnings(
    # The suites use what LangChain itself has marked so.
    'ignore::langchain_core._api.LangChainBetaWarning',
    'ignore::langchain_core._api.LangChainDeprecationWarning',
    'ignore:.*stream_events.*',
    'ignore:LANGCHAIN_TESTS_USER_AGENT',
    # Without a recording the suite streams once and measures nothing.
    'ignore:Benchmark fixture was not used',
)
AI = make_ai()


class TestChatUnit(ChatModelUnitTests):
    # Two cases of the suite do not apply: no setting of ChatGenkit comes from the environment, and it holds a Genkit,
    # so that it cannot be serialized.
    chat_model_class = ChatGenkit
    chat_model_params = {'ai': AI, 'model': 'test/chat'}
    model_override_value = 'test/other'


class TestChatIntegration(ChatModelIntegrationTests):
    chat_model_class = ChatGenkit
    chat_model_params = {'ai': AI, 'model': 'test/chat'}
    model_override_value = 'test/other'
    has_tool_choice = True
    supports_image_inputs = True
    supports_image_urls = True
    supports_pdf_inputs = True
    supports_audio_inputs = True
    supports_image_tool_message = True
    supports_pdf_tool_message = True
    supports_anthropic_inputs = True
    supports_json_mode = True
    # Nothing goes over HTTP, so this streams without a recording.
    enable_vcr_tests = True

    @pytest.fixture(autouse=True)
    def _files(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """The suite downloads its images, documents and sounds; here they come from no network."""

        def get(url: str, **_: Any) -> httpx.Response:
            return httpx.Response(200, content=b'bytes of ' + url.encode(), request=httpx.Request('GET', url))

        monkeypatch.setattr(httpx, 'get', get)


class TestEmbeddingsUnit(EmbeddingsUnitTests):
    embeddings_class = GenkitEmbeddings
    embedding_model_params = {'embedder': 'test/embed', 'ai': AI}


class TestEmbeddingsIntegration(EmbeddingsIntegrationTests):
    embeddings_class = GenkitEmbeddings
    embedding_model_params = {'embedder': 'test/embed', 'ai': AI}


async def _multiply(input: dict[str, int]) -> int:
    """Multiplies a and b."""
    return input['a'] * input['b']


class _Tools:
    @property
    def tool_constructor(self) -> GenkitTool:
        schema: Any = {'type': 'object', 'properties': {'a': {'type': 'integer'}, 'b': {'type': 'integer'}}}
        return background.run(lambda: genkit_tool(tool(_multiply, name='multiply', input_schema=schema)))

    @property
    def tool_invoke_params_example(self) -> dict[str, Any]:
        return {'a': 2, 'b': 3}


class TestToolUnit(_Tools, ToolsUnitTests):
    pass


class TestToolIntegration(_Tools, ToolsIntegrationTests):
    pass


def embedder() -> Any:
    return HashEmbedder(6)


class TestLocalStore(VectorStoreIntegrationTests):
    @pytest.fixture
    def vectorstore(self, tmp_path: Any) -> Any:
        plugin = DevLocalVectorStore(['suite'], embedder=embedder(), directory=tmp_path)
        return GenkitVectorStore(plugin.collection('suite'))


class TestRetriever(RetrieversIntegrationTests):
    retriever_constructor = GenkitRetriever
    retriever_query_example = 'a query'

    @pytest.fixture(autouse=True)
    def _index(self, tmp_path: Any) -> None:
        plugin = DevLocalVectorStore(['suite'], embedder=embedder(), directory=tmp_path)
        self.ai = Genkit(plugins=[plugin])
        store = GenkitVectorStore(plugin.collection('suite'))
        store.add_documents([Document(page_content=f'document {i}') for i in range(5)])

    @property
    def retriever_constructor_params(self) -> dict[str, Any]:
        return {'ai': self.ai, 'retriever': 'devLocalVectorstore/suite'}
