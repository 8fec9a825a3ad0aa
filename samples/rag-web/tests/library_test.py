# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""The index stays as it was when an upload fails, is stopped, or dies: on a real engine, to the last passage."""

import asyncio
import contextlib
import threading

import pytest
from genkit import Embedding, EmbedResponse, GenkitError
from genkitx import Genkit
from genkitx.local import LocalEmbeddings
from genkitx_chroma import Chroma, ChromaCollection
from rag_web_server import CATS, TRAINS, chapters


@contextlib.asynccontextmanager
async def opened(sample, folder, embedder='local/wordllama', catalog_class=None):
    """Yields a library, and the collection below it."""
    catalog_class = catalog_class or sample.catalog.Catalog
    store = Chroma([ChromaCollection(name='passages')], path=folder / 'chroma', embedder=embedder)
    with contextlib.closing(catalog_class(folder / 'files.sqlite3')) as catalog:
        async with Genkit(plugins=[LocalEmbeddings(), store]) as ai:
            collection = ai.collection('chroma/passages')
            yield sample.library.Library(catalog, collection), collection


def file(sample, name, text):
    return sample.reading.TextFile(name, text, len(text))


async def state(library):
    return [(entry.name, entry.passages) for entry in await library.files()]


async def test_files_come_are_replaced_and_go(sample, tmp_path):
    async with opened(sample, tmp_path) as (library, collection):
        await library.sweep()
        await library.put(file(sample, 'cats.md', CATS))
        await library.put(file(sample, 'trains.md', TRAINS))
        assert (await state(library), await collection.count()) == ([('cats.md', 2), ('trains.md', 1)], 3)
        await library.put(file(sample, 'cats.md', chapters(250)))
        assert (await state(library), await collection.count()) == ([('cats.md', 250), ('trains.md', 1)], 251)
    async with opened(sample, tmp_path) as (library, collection):
        await library.sweep()
        assert (await state(library), await collection.count()) == ([('cats.md', 250), ('trains.md', 1)], 251)
        await library.remove('cats.md')
        assert (await state(library), await collection.count()) == ([('trains.md', 1)], 1)
        with pytest.raises(GenkitError, match=r'cats\.md is not indexed'):
            await library.remove('cats.md')


async def test_an_embedder_that_fails_halfway(sample, tmp_path):
    async def embedder(request):
        if any('Chapter 189 ' in one.content[0].text for one in request.input):
            raise GenkitError(status='UNAUTHENTICATED', message='the key has expired')
        return EmbedResponse(embeddings=[Embedding(embedding=[1.0, float(at)]) for at, _ in enumerate(request.input)])

    async with opened(sample, tmp_path, embedder) as (library, collection):
        await library.put(file(sample, 'a.md', CATS))
        for name in ('a.md', 'b.md'):
            with pytest.raises(GenkitError, match='the key has expired'):
                await library.put(file(sample, name, chapters(250)))
            assert (await state(library), await collection.count()) == ([('a.md', 2)], 2)


@pytest.mark.parametrize('at', [100, 400])
async def test_an_upload_that_is_stopped(sample, tmp_path, at):
    async with opened(sample, tmp_path) as (library, collection):
        await library.put(file(sample, 'a.md', CATS))

        def stop(step):
            if step.done >= at:
                upload.cancel()

        upload = asyncio.ensure_future(library.put(file(sample, 'a.md', chapters(400)), stop))
        with contextlib.suppress(asyncio.CancelledError):
            await upload
        assert upload.cancelled()
        assert await state(library) == [('a.md', 2)]
        found = await library.search('Chapter', 20)
        assert sorted(match.document.metadata['heading'] for match in found) == ['Cats', 'Food']
        # A write that was on its way into the engine may have come after: nobody sees it, and the next start deletes it.
        await library.sweep()
        assert await collection.count() == 2


async def test_a_stop_that_comes_too_late(sample, tmp_path):
    class Stopping(sample.catalog.Catalog):
        def put(self, entry):
            loop.call_soon_threadsafe(stop)
            stopped.wait()
            return super().put(entry)

    def stop():
        upload.cancel()
        # Only when the task has seen it may the catalog go on.
        loop.call_later(0.01, stopped.set)

    loop = asyncio.get_running_loop()
    stopped = threading.Event()
    async with opened(sample, tmp_path, catalog_class=Stopping) as (library, collection):
        upload = asyncio.ensure_future(library.put(file(sample, 'a.md', CATS)))
        await asyncio.wait({upload})
        assert upload.cancelled()
        assert (await state(library), await collection.count()) == ([('a.md', 2)], 2)


async def test_what_is_being_indexed_is_not_found_yet(sample, tmp_path):
    async with opened(sample, tmp_path) as (library, _):
        await library.put(file(sample, 'a.md', CATS))
        searches = []
        text = chapters(300)
        await library.put(
            file(sample, 'b.md', text), lambda _: searches.append(asyncio.ensure_future(library.search('Chapter', 20)))
        )
        assert await state(library) == [('a.md', 2), ('b.md', 300)]
        assert len(searches) >= 3
        assert {match.document.metadata['file'] for match in await searches[0]} == {'a.md'}
        await asyncio.gather(*searches)


async def test_a_process_that_died(sample, tmp_path):
    async with opened(sample, tmp_path) as (library, collection):
        await library.put(file(sample, 'a.md', CATS))
        await collection.add(sample.chunking.passages(file(sample, 'a.md', TRAINS), 'of-the-dead'))
        assert await collection.count() == 3
        assert all(match.document.metadata['heading'] != 'Trains' for match in await library.search('train', 5))
    async with opened(sample, tmp_path) as (library, collection):
        await library.sweep()
        assert (await state(library), await collection.count()) == ([('a.md', 2)], 2)
        await library.remove('a.md')
        await collection.add(sample.chunking.passages(file(sample, 'a.md', TRAINS), 'of-the-dead'))
        await library.sweep()
        assert await collection.count() == 0


async def test_the_last_of_several_uploads_stays(sample, tmp_path):
    async with opened(sample, tmp_path) as (library, collection):
        await asyncio.gather(*(library.put(file(sample, 'a.md', f'{CATS}\n{number}')) for number in range(5)))
        await asyncio.gather(
            library.remove('a.md'), *(library.put(file(sample, f'{number}.md', TRAINS)) for number in range(5))
        )
        assert await state(library) == [(f'{number}.md', 1) for number in range(5)]
        assert await collection.count() == 5


def test_passages_know_their_heading(sample):
    text = 'Before.\n\n# Title\n\n# One\n\nText of one.\n\n```\n# no heading\n```\n\nTwo\n===\n\n> # quoted\n\n### Three #\n\n- item\n\n#tag\n'
    cut = sample.chunking.passages(file(sample, 'a.md', text), 'v')
    assert [(one.metadata['heading'], one.metadata['part']) for one in cut] == [
        ('', 0),
        ('One', 1),
        ('Two', 2),
        ('Three', 3),
    ]
    assert cut[1].text.startswith('# Title')
    assert '# no heading' in cut[1].text
    assert cut[3].text.endswith('#tag')


@pytest.mark.parametrize('text', ['word ' * 50_000, 'x' * 250_000, '[' * 100_000, '- ' * 50_000, 'ä' * 50_000])
def test_one_long_paragraph_is_cut_and_nothing_is_lost(sample, text):
    cut = sample.chunking.passages(file(sample, 'a.md', text), 'v')
    assert max(len(one.text) for one in cut) <= sample.chunking.PASSAGE
    assert ''.join(one.text for one in cut).replace(' ', '') == text.replace(' ', '')
