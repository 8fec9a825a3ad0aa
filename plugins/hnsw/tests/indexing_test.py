# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""Writing: what replacing costs, when the graph is built anew, and when files are written."""

import json

import numpy as np
import pytest
from genkit import Document, GenkitError
from genkitx.stores import Record
from genkitx_hnsw import (
    HnswIndexInfo,
    HnswStore,
    create_hnsw_index,
    delete_hnsw_index,
    describe_hnsw_index,
    rebuild_hnsw_index,
)


@pytest.fixture
def saves(monkeypatch):
    """Counts how often the files were replaced."""
    from genkitx_hnsw.directory import IndexDirectory

    count = []
    replace = IndexDirectory.replace
    monkeypatch.setattr(IndexDirectory, 'replace', lambda self, write: count.append(1) or replace(self, write))
    return count


async def test_an_ingest_writes_the_files_once(open_index, saves, monkeypatch):
    from genkitx_hnsw import store as module

    monkeypatch.setattr(module, '_SAVING_SHARE', 1e-9)  # However slow the machine is.
    collection = open_index()
    report = await collection.add([Document.from_text(f'text {i}') for i in range(2100)], batch_size=300)
    assert report.written == 2100
    assert len(saves) == 1
    assert await open_index().count() == 2100


async def test_what_changes_nothing_writes_nothing(open_index, saves):
    collection = open_index()
    await collection.add([])
    await collection.delete(['nobody'])
    await collection.delete(filter={'a': 1})
    assert saves == []


async def test_replacing_marks_and_appends(open_index, clustered, records, tmp_path, engine):
    """Inserting into a used place costs an engine ten inserts, so a moved record gets a new one."""
    store = open_index(engine).store
    first, second = clustered(50, 16), clustered(50, 16, seed=1)
    await store.upsert(records(first))
    await store.upsert(records(second, generation=2))
    info = await describe_hnsw_index(tmp_path / 'docs')
    assert info == HnswIndexInfo(count=50, deleted=50, dimensions=16, space='cosine', m=16, ef_construction=200)
    docstore = json.loads((tmp_path / 'docs' / 'docstore.json').read_text())
    assert [label for label, _ in docstore] == [str(i) for i in range(100)]
    assert [entry for _, entry in docstore[:50]] == [{'pageContent': '', 'metadata': {}}] * 50
    found = (await store.fetch(['r7'], include_vectors=True))[0]
    assert found.document.metadata == {'n': 7, 'generation': 2}
    assert found.vector == pytest.approx((second[7] / np.linalg.norm(second[7])).tolist(), abs=1e-6)


async def test_new_metadata_for_the_same_vector_leaves_the_graph_alone(
    open_index, clustered, records, tmp_path, engine
):
    for space in ('cosine', 'ip', 'l2'):
        path = tmp_path / space
        store = open_index(engine, path, space=space).store
        vectors = clustered(50, 16) * 7
        await store.upsert(records(vectors))
        await store.upsert(records(vectors, color='red'))
        assert (await describe_hnsw_index(path)).deleted == 0
        assert [one.document.metadata for one in await store.fetch(['r3'])] == [{'n': 3, 'color': 'red'}]


async def test_the_graph_is_built_anew_when_most_of_it_is_dead(open_index, clustered, records, tmp_path, engine):
    store = open_index(engine).store
    for generation in range(4):
        await store.upsert(records(clustered(600, 8, seed=generation), generation=generation))
        await store.delete(ids=['r5'])
    info = await describe_hnsw_index(tmp_path / 'docs')
    assert info.count == 599
    assert info.deleted <= 1000
    docstore = json.loads((tmp_path / 'docs' / 'docstore.json').read_text())
    assert [label for label, _ in docstore] == [str(i) for i in range(info.count + info.deleted)]
    assert {one.document.metadata['generation'] for one in await store.fetch([f'r{i}' for i in range(600)])} == {3}
    await rebuild_hnsw_index(tmp_path / 'docs')
    assert (await describe_hnsw_index(tmp_path / 'docs')).deleted == 0
    vector = clustered(600, 8, seed=3)[9]
    from genkitx.stores import SearchRequest

    assert (await store.search(SearchRequest(vector=vector.tolist(), k=1)))[0].id == 'r9'


async def test_replacing_for_ever_takes_no_more_room(open_index, clustered, records, tmp_path, monkeypatch):
    from genkitx_hnsw import index as module

    monkeypatch.setattr(module, '_MIN_DEAD', 50)
    store = open_index(threads=1).store
    sizes = []
    for generation in range(25):
        written = records(clustered(100, 8, seed=generation), generation=generation)
        for start in range(0, 100, 40):
            await store.upsert(written[start : start + 40])
            info = await store.describe()
            assert info['deleted'] <= 100
        # And records that come and go, under new ids each time.
        await store.upsert(records(clustered(30, 8, seed=generation), 1000 + 30 * generation))
        await store.delete(ids=[f'r{1000 + 30 * generation + i}' for i in range(30)])
        docstore = json.loads((tmp_path / 'docs' / 'docstore.json').read_text())
        assert [label for label, _ in docstore] == [str(i) for i in range(len(docstore))]
        assert len(docstore) <= 200
        sizes.append(sum(file.stat().st_size for file in (tmp_path / 'docs').iterdir()))
    assert max(sizes[5:]) <= 1.1 * max(sizes[:5])
    found = await store.fetch([f'r{i}' for i in range(100)])
    assert [one.document.metadata['generation'] for one in found] == [24] * 100
    assert await store.count() == 100


async def test_deleting_everything(open_index, clustered, records, tmp_path, engine):
    store = open_index(engine).store
    await store.upsert(records(clustered(10, 8)))
    await store.delete(ids=[f'r{i}' for i in range(10)])
    assert (await store.count(), await store.dimension()) == (0, 8)
    from genkitx.stores import SearchRequest

    assert await store.search(SearchRequest(vector=[1.0] * 8)) == []
    await store.rebuild()
    assert (tmp_path / 'docs' / 'hnswlib.index').stat().st_size == 96
    fresh = open_index(engine).store
    assert (await fresh.count(), await fresh.dimension()) == (0, 8)
    await fresh.upsert(records(clustered(3, 8)))
    assert await store.count() == 3


async def test_one_record_at_a_time(open_index, clustered, records, engine):
    for space in ('cosine', 'ip', 'l2'):
        store = open_index(engine, open_index().store.path.with_name(space), space=space).store
        for record in records(clustered(12, 8)):
            await store.upsert([record])
        assert await store.count() == 12


async def test_growth(open_index, clustered, records, engine):
    for growth in (1, 3):
        store = open_index(engine, open_index().store.path.with_name(f'g{growth}'), growth=growth, threads=1).store
        async with store.session():
            for start in range(0, 400, 37):
                await store.upsert(records(clustered(400, 8)[start : start + 37], start))
        assert await store.count() == 400


async def test_a_long_ingest_saves_in_between(open_index, clustered, records, tmp_path, monkeypatch, saves):
    from genkitx_hnsw import store as module

    monkeypatch.setattr(module, '_SAVING_SHARE', 1e9)
    store = open_index().store
    async with store.session():
        await store.upsert(records(clustered(5, 8)))
        assert await HnswStore('docs', tmp_path / 'docs').count() == 5
        await store.upsert(records(clustered(5, 8), 5))
    assert len(saves) == 2


async def test_closing_within_a_session_saves(open_index, clustered, records, tmp_path):
    store = open_index().store
    async with store.session():
        await store.upsert(records(clustered(5, 8)))
        await store.aclose()
        assert await HnswStore('docs', tmp_path / 'docs').count() == 5
        await store.upsert(records(clustered(5, 8), 5))
    assert await HnswStore('docs', tmp_path / 'docs').count() == 10


async def test_metadata_that_is_almost_json(open_index):
    store = open_index().store
    odd = Document.from_text('x', {'nan': float('nan'), 'big': 10**30, 'deep': {'inf': [float('inf')]}})
    await store.upsert([Record('x', [1.0, 2.0], odd)])
    found = (await open_index().store.fetch(['x']))[0].document.metadata
    assert found == {'nan': None, 'big': 10**30, 'deep': {'inf': [None]}} or found['big'] == 1e30


async def test_making_and_deleting(tmp_path):
    path = tmp_path / 'deep' / 'er' / 'index'
    await create_hnsw_index(path, dimensions=12, space='ip', m=8, ef_construction=50)
    expected = HnswIndexInfo(count=0, deleted=0, dimensions=12, space='ip', m=8, ef_construction=50)
    assert await describe_hnsw_index(path) == expected
    await create_hnsw_index(path, dimensions=12, space='ip')
    assert await describe_hnsw_index(path) == expected
    with pytest.raises(GenkitError, match=r'12\D+13'):
        await create_hnsw_index(path, dimensions=13, space='ip')
    with pytest.raises(GenkitError, match='l2'):
        await create_hnsw_index(path, dimensions=12, space='l2')
    with pytest.raises(GenkitError, match='dimensions'):
        await create_hnsw_index(path, dimensions=0)
    store = HnswStore('x', path)
    await store.upsert([Record('x', [1.0] * 12, Document.from_text('x'))])
    assert (await describe_hnsw_index(path)).m == 8
    (path / 'mine.txt').write_text('mine')
    await delete_hnsw_index(path)
    assert [one.name for one in path.iterdir()] == ['mine.txt']
    assert await store.count() == 0
    (path / 'mine.txt').unlink()
    await create_hnsw_index(path, dimensions=3)
    await delete_hnsw_index(path)
    assert not path.exists()
    await delete_hnsw_index(path)
