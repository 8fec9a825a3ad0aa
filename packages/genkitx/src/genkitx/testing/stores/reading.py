# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""The suite's part on reading: ranking, scores, options, namespaces."""

from __future__ import annotations

import pytest
from genkit import Document, GenkitError

from genkitx.stores import VectorCollection, cosine
from genkitx.testing.embedder import HashEmbedder
from genkitx.testing.stores.base import StoreSuite, capabilities, needs, status_of, texts, wire

_WORDS = ('river', 'mountain', 'database', 'garden', 'engine', 'poem', 'bread', 'violin', 'harbor', 'winter')


class ReadingTests(StoreSuite):
    """Matches out."""

    async def test_best_first(self, collection: VectorCollection, embedder: HashEmbedder) -> None:
        documents = [
            Document.from_text(f'{_WORDS[i % 10]} {_WORDS[i // 10]} {_WORDS[(i * 7) % 10]} {i}', {'i': i})
            for i in range(60)
        ]
        await collection.add(documents)
        await self.settle(collection)
        for query in ('river mountain', 'a garden in winter', 'violin 37'):
            vector = embedder.embed(query)
            exact = sorted(documents, key=lambda one: -cosine(vector, embedder.embed(one.text)))
            matches = await collection.search(query, k=5)
            best = [cosine(vector, embedder.embed(match.document.text)) for match in matches]
            assert best == pytest.approx(
                [cosine(vector, embedder.embed(one.text)) for one in exact[:5]], abs=self.float_tolerance
            )
            scores = [match.score for match in matches]
            assert scores == sorted(scores, reverse=True)

    async def test_query_forms(self, collection: VectorCollection, embedder: HashEmbedder) -> None:
        await collection.add(texts(5))
        await self.settle(collection)
        by_text = await collection.search('river number 3', k=1)
        by_document = await collection.search(Document.from_text('river number 3'), k=1)
        by_vector = await collection.search(embedder.embed('river number 3'), k=1)
        assert by_text[0].id == by_document[0].id == by_vector[0].id
        assert by_text[0].document.metadata == {'n': 3, 'even': False}

    async def test_one_call_each(self, collection: VectorCollection, embedder: HashEmbedder) -> None:
        await collection.add(texts(5))
        await self.settle(collection)
        embedder.requests.clear()
        await collection.search('river', k=3)
        assert embedder.calls == 1
        await collection.search(embedder.embed('river'), k=3)
        assert embedder.calls == 1

    async def test_k(self, collection: VectorCollection) -> None:
        assert await collection.search('river', k=3) == []
        await collection.add(texts(8))
        await self.settle(collection)
        assert len(await collection.search('river', k=3)) == 3
        assert len(await collection.search('river', k=100)) == 8
        for k in (0, -1, 1.5, 'many'):
            with pytest.raises(GenkitError) as error:
                await collection.search('river', k=k)
            assert status_of(error) == 'INVALID_ARGUMENT'
        limit = capabilities(collection).max_k
        if limit is not None:
            with pytest.raises(GenkitError, match=str(limit)) as error:
                await collection.search('river', k=limit + 1)
            assert status_of(error) == 'INVALID_ARGUMENT'

    async def test_min_score(self, collection: VectorCollection) -> None:
        await collection.add(texts(8))
        await self.settle(collection)
        everything = await collection.search('river number 3 of many', k=8)
        threshold = (everything[2].score + everything[3].score) / 2
        above = await collection.search('river number 3 of many', k=8, min_score=threshold)
        assert [match.id for match in above] == [match.id for match in everything[:3]]

    async def test_mmr_diversifies(self, collection: VectorCollection) -> None:
        needs(capabilities(collection).vectors, 'vectors in results')
        near = [Document.from_text(f'red apples and red apples and red apples {i}') for i in range(4)]
        far = [Document.from_text('red bicycles cost money'), Document.from_text('apples grow on green trees')]
        await collection.add([*near, *far])
        await self.settle(collection)
        plain = await collection.search('red apples', k=3)
        diverse = await collection.search('red apples', k=3, mmr={'fetch_k': 6, 'weight': 0.3})
        assert len(diverse) == 3
        assert diverse[0].id == plain[0].id
        assert {match.document.text for match in diverse} & {one.text for one in far}

    async def test_unknown_options_are_refused(self, collection: VectorCollection) -> None:
        for wrong, said in (({'colour': 'red'}, 'colour: unknown option'), ({'k': 0}, 'k: ')):
            with pytest.raises(GenkitError, match=said) as error:
                await collection.search('river', **wrong)
            assert status_of(error) == 'INVALID_ARGUMENT'
            assert '\n' not in str(error.value)

    async def test_unsupported_modes_say_so(self, collection: VectorCollection) -> None:
        for mode in {'text', 'hybrid'} - capabilities(collection).modes:
            with pytest.raises(GenkitError, match=collection.name) as error:
                await collection.search('river', mode=mode)
            assert status_of(error) == 'UNIMPLEMENTED'

    async def test_namespaces(self, collection: VectorCollection) -> None:
        if not capabilities(collection).namespaces:
            for call in (collection.search('x', namespace='n'), collection.count(namespace='n')):
                with pytest.raises(GenkitError, match='namespaces') as error:
                    await call
                assert status_of(error) == 'UNIMPLEMENTED'
            return
        await collection.add(texts(3))
        await collection.add(texts(2, 'mountain'), namespace='other')
        await self.settle(collection)
        assert await collection.count() == 3
        assert await collection.count(namespace='other') == 2
        found = await collection.search('mountain', k=10, namespace='other')
        assert {match.document.text.split()[0] for match in found} == {'mountain'}
        assert {match.document.text.split()[0] for match in await collection.search('mountain', k=10)} == {'river'}
        await collection.delete([match.id for match in found], namespace='other')
        await self.settle(collection)
        assert (await collection.count(namespace='other'), await collection.count()) == (0, 3)

    async def test_get_of_nothing(self, collection: VectorCollection) -> None:
        assert await collection.get([]) == []
        assert [wire(one) for one in await collection.get(['nope'])] == [None]

    async def test_wrong_dimension_names_both_sizes(self, collection: VectorCollection) -> None:
        await collection.add(texts(2))
        await self.settle(collection)
        with pytest.raises(GenkitError, match=rf'{self.dimensions}\D+.*\b{self.dimensions + 1}\b') as error:
            await collection.search([0.5] * (self.dimensions + 1), k=1)
        assert status_of(error) == 'INVALID_ARGUMENT'
