# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""Files that are broken, foreign or hostile are refused; so is what an index cannot hold."""

import json
import os
import random
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from genkit import Document, GenkitError
from genkitx.stores import Record, SearchRequest
from genkitx_hnsw import Hnsw, HnswIndex, HnswStore, describe_hnsw_index, layout

HEADER = '<QQQQQQiIQQQdQ'
FIELDS = ('zero', 'capacity', 'count', 'size', 'label', 'vector', 'level', 'entry', 'upper', 'base', 'm', 'mult', 'ef')
HUGE = 2**62


@pytest.fixture
async def path(open_index, clustered, records, tmp_path):
    """An index of 60 records of 8 dimensions, one of them deleted."""
    collection = open_index(m=4)
    await collection.store.upsert(records(clustered(60, 8)))
    await collection.delete(['r7'])
    return tmp_path / 'docs'


def store(path, engine='voyager', **options):
    return HnswStore('hnsw/docs', path, engine=engine, **options)


async def refused(path, match, engine='voyager'):
    with pytest.raises(GenkitError, match=match) as error:
        await store(path, engine).count()
    assert error.value.status == 'DATA_LOSS'
    assert str(path) in error.value.original_message


def patch_header(data, **fields):
    values = dict(zip(FIELDS, struct.unpack_from(HEADER, data), strict=True)) | fields
    return struct.pack(HEADER, *values.values()) + data[96:]


@pytest.mark.parametrize(
    ('fields', 'match'),
    [
        ({'count': HUGE, 'capacity': HUGE}, 'cut off'),
        ({'count': 59}, 'wrong size|follow its end|cut off|entry point'),
        ({'count': 61, 'capacity': 61}, 'header|cut off|label|upper|size|finite'),
        ({'capacity': 3}, 'the capacity'),
        ({'size': 0}, 'the size of an element'),
        ({'size': HUGE}, 'the size of an element'),
        ({'label': 8}, 'the size of a vector'),
        ({'vector': 4}, 'the place of the vectors'),
        ({'zero': 8}, 'the place of the vectors'),
        ({'m': 0}, 'about M'),
        ({'m': HUGE}, 'about M'),
        ({'upper': 5}, 'the number of links'),
        ({'base': HUGE}, 'the number of links'),
        ({'level': 2**31 - 1}, 'the highest level'),
        ({'level': 60}, 'entry point'),
        ({'level': -1}, 'wrong size|entry point'),
        ({'entry': 60}, 'entry point'),
        ({'entry': 2**32 - 1}, 'entry point'),
        ({'mult': 1e308}, 'the level factor'),
        ({'mult': float('nan')}, 'the level factor'),
        ({'ef': HUGE}, 'ef_construction'),
        ({'ef': 0}, 'ef_construction'),
    ],
)
async def test_absurd_headers(path, fields, match):
    file = path / 'hnswlib.index'
    file.write_bytes(patch_header(file.read_bytes(), **fields))
    await refused(path, match)


async def test_a_large_capacity_allocates_nothing(path, engine):
    file = path / 'hnswlib.index'
    file.write_bytes(patch_header(file.read_bytes(), capacity=HUGE))
    one = store(path, engine)
    assert await one.count() == 59
    await one.upsert([Record('new', [0.5] * 8, Document.from_text('new'))])
    assert await store(path, engine).count() == 60


async def test_every_truncation_is_refused(path):
    data = (path / 'hnswlib.index').read_bytes()
    for size in range(0, len(data), 13):
        with pytest.raises(GenkitError, match=r'cut off|less than a header|wrong size'):
            layout.check(data[:size], 8, 'x')
    for more in (b'\0', b'\0\0\0\0', bytes(400), b'\1\2\3\4'):
        with pytest.raises(GenkitError, match=r'follow its end|cut off'):
            layout.check(data + more, 8, 'x')


@pytest.mark.parametrize(
    ('offset', 'value', 'match'),
    [
        (96, struct.pack('<H', 9), 'more links than fit'),
        (96 + 4, struct.pack('<I', 60), 'a link leads out'),
        (96 + 4, struct.pack('<I', 2**32 - 1), 'a link leads out'),
        (96 + 36, struct.pack('<f', float('nan')), 'not finite'),
        (96 + 36, struct.pack('<f', float('inf')), 'not finite'),
        (96 + 68, struct.pack('<Q', 1), 'share a label'),
        (96 + 68, struct.pack('<Q', 2**53), '2\\^53'),
    ],
)
async def test_elements_that_would_harm_an_engine(path, offset, value, match):
    data = bytearray((path / 'hnswlib.index').read_bytes())
    data[offset : offset + len(value)] = value
    (path / 'hnswlib.index').write_bytes(data)
    await refused(path, match)


async def test_links_of_upper_levels(path):
    data = bytearray((path / 'hnswlib.index').read_bytes())
    end = 96 + 60 * struct.unpack_from(HEADER, data)[3]
    at = end
    while struct.unpack_from('<I', data, at)[0] == 0:
        at += 4
    for value, match in ((60, 'leads out'), (2**32 - 1, 'leads out'), (_on_level_zero(data, end), 'not on it')):
        changed = bytearray(data)
        changed[at + 4 : at + 8] = struct.pack('<I', max(1, struct.unpack_from('<H', data, at + 4)[0]))
        changed[at + 8 : at + 12] = struct.pack('<I', value)
        with pytest.raises(GenkitError, match=match):
            layout.check(changed, 8, 'x')
    changed = bytearray(data)
    changed[at + 4 : at + 6] = struct.pack('<H', 5)
    with pytest.raises(GenkitError, match='leads out'):
        layout.check(changed, 8, 'x')


def _on_level_zero(data, at):
    """Finds an element without upper levels."""
    for element in range(60):
        size = struct.unpack_from('<I', data, at)[0]
        if size == 0:
            return element
        at += 4 + size
    raise AssertionError


_FLIPS = """
import random, struct, sys
from genkit import GenkitError
from genkitx_hnsw import layout
from genkitx_hnsw.engines import GraphSettings, load_engine
import numpy as np
data = open(sys.argv[1], 'rb').read()
chance = random.Random(int(sys.argv[3]))
passed = 0
for _ in range(700):
    changed = bytearray(data)
    for _ in range(chance.choice((1, 1, 3, 30))):
        changed[chance.randrange(len(changed))] = chance.choice((0, 1, 0x7f, 0x80, 0xff, chance.randrange(256)))
    try:
        found = layout.check(changed, 8, 'x')
    except GenkitError:
        continue
    passed += 1
    engine = load_engine(sys.argv[2], GraphSettings(threads=1), changed, 8, found.count)
    engine.query(np.ones(8, np.float32), 20, 80)
    engine.add(np.random.default_rng(0).normal(size=(5, 8)).astype('f4'), range(2**53 + 1, 2**53 + 6))
    engine.query(np.ones(8, np.float32), 20, 80)
    live = [int(label) for label, dead in zip(found.labels, found.deleted) if not dead]
    engine.delete(live[0])
    engine.vectors(live[1:])
print(passed)
"""


async def test_a_file_that_passes_the_check_crashes_no_engine(path, engine):
    """Random damage, in a process of its own: what is not refused must be harmless."""
    command = [sys.executable, '-c', _FLIPS, str(path / 'hnswlib.index'), engine, '5']
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 20


async def test_foreign_index_files(path):
    for content, match in (
        (b'', 'less than a header'),
        (b'VOYA' + bytes(500), "voyager's own"),
        (b'\x80\x04\x95' + bytes(500), 'header'),
        (b'{"index": 1}' * 50, 'header'),
    ):
        (path / 'hnswlib.index').write_bytes(content)
        await refused(path, match)


@pytest.mark.parametrize(
    ('content', 'match'),
    [
        ('', 'not JSON'),
        ('{"0": {}}', 'not a list'),
        ('[' * 100_000, 'not JSON'),
        ('[["0"]]', 'not a pair'),
        ('[[0, {"pageContent": "x"}]]', 'is not a label'),
        ('[["-1", {"pageContent": "x"}]]', 'is not a label'),
        ('[["01", {"pageContent": "x"}]]', 'is not a label'),
        ('[["٣", {"pageContent": "x"}]]', 'is not a label'),
        (f'[["{"9" * 5000}", {{"pageContent": "x"}}]]', 'is not a label'),
        ('[["0", "x"]]', 'not an object'),
        ('[["0", {"metadata": {}}]]', 'no pageContent'),
        ('[["0", {"pageContent": 7}]]', 'no pageContent'),
        ('[["0", {"pageContent": "x"}], ["0", {"pageContent": "x"}]]', 'twice'),
        ('[["0", {"pageContent": "x"}]]', 'no entry for the label 1'),
        ('[]', 'no entry for the label 0'),
    ],
)
async def test_broken_docstores(path, content, match):
    (path / 'docstore.json').write_text(content)
    await refused(path, match)


async def test_a_docstore_that_is_newer_than_its_index(path):
    docstore = json.loads((path / 'docstore.json').read_text())
    docstore.append(['60', {'pageContent': 'written by a program that died', 'metadata': {}}])
    (path / 'docstore.json').write_text(json.dumps(docstore))
    await refused(path, 'seems to be older')


@pytest.mark.parametrize(
    ('content', 'match'),
    [
        ('[]', 'not an object'),
        ('{"space": "manhattan", "numDimensions": 8}', 'space'),
        ('{"numDimensions": 8}', 'space'),
        ('{"space": {"a": 1}, "numDimensions": 8}', 'space'),
        ('{"space": "cosine"}', 'numDimensions'),
        ('{"space": "cosine", "numDimensions": "8"}', 'numDimensions'),
        ('{"space": "cosine", "numDimensions": true}', 'numDimensions'),
        ('{"space": "cosine", "numDimensions": 0}', 'numDimensions'),
        ('{"space": "cosine", "numDimensions": 1e99}', 'numDimensions'),
        ('{"space": "cosine", "numDimensions": 99999999999}', 'numDimensions'),
        ('{"space": "cosine", "numDimensions": 9}', 'size of a vector'),
        ('{"space": "cosine", "numDimensions": 8, "x": "' + 'x' * 2**20 + '"}', 'more than'),
    ],
)
async def test_broken_arguments(path, content, match):
    (path / 'args.json').write_text(content)
    await refused(path, match)


@pytest.mark.parametrize('name', ['hnswlib.index', 'docstore.json', 'args.json'])
async def test_missing_linked_and_special_files(path, tmp_path, name):
    file = path / name
    moved = tmp_path / 'moved'
    file.rename(moved)
    await refused(path, f'lacks {name}')
    if os.name == 'posix':
        file.symlink_to(moved)
        await refused(path, 'symbolic link')
        with pytest.raises(GenkitError, match='symbolic link') as error:
            await _write(path)
        assert error.value.status == 'DATA_LOSS'
        file.unlink()
        os.mkfifo(file)
        await refused(path, 'not a regular file')
        file.unlink()
    file.mkdir()
    with pytest.raises((GenkitError, OSError)):
        await store(path).count()


async def test_a_linked_directory_is_refused(path, tmp_path):
    link = tmp_path / 'link'
    link.symlink_to(path)
    await refused(link, 'symbolic link')
    before = (path / 'docstore.json').read_bytes()
    with pytest.raises(GenkitError, match='symbolic link'):
        await _write(link)
    assert (path / 'docstore.json').read_bytes() == before


async def test_a_file_too_large_is_not_read(path):
    with open(path / 'docstore.json', 'r+b') as file:
        file.truncate(2**42)  # Sparse: it takes no space, but reading it would.
    await refused(path, 'more than .*max_bytes')
    with pytest.raises(GenkitError, match='max_bytes'):
        await store(path, max_bytes=100).count()


async def test_a_directory_with_other_things_is_not_replaced(tmp_path):
    (tmp_path / 'project' / 'src').mkdir(parents=True)
    with pytest.raises(GenkitError, match="the directory 'src'") as error:
        await _write(tmp_path / 'project')
    assert error.value.status == 'FAILED_PRECONDITION'
    assert [one.name for one in (tmp_path / 'project').iterdir()] == ['src']
    (tmp_path / 'file').write_text('x')
    with pytest.raises(GenkitError, match='not a directory'):
        await _write(tmp_path / 'file')


async def _write(path):
    await store(path).upsert([Record('x', [1.0] * 8, Document.from_text('x'))])


async def test_an_unwritable_place(tmp_path):
    if os.name != 'posix' or os.geteuid() == 0:
        pytest.skip('root may write everywhere')
    tmp_path.chmod(0o500)
    with pytest.raises(GenkitError, match='could not be written') as error:
        await _write(tmp_path / 'docs')
    assert error.value.status == 'PERMISSION_DENIED'


@pytest.mark.parametrize('vector', [[], [1.0, float('nan')], [float('inf'), 1.0], [1e39, 1.0], [-1e39, 1.0]])
async def test_vectors_that_do_not_fit(tmp_path, engine, vector):
    one = store(tmp_path / 'docs', engine)
    record = Record('x', vector, Document.from_text('x'))
    with pytest.raises(GenkitError, match='vector') as checked:
        one.check(record)
    with pytest.raises(GenkitError, match='vector') as written:
        await one.upsert([record])
    assert (checked.value.status, written.value.status) == ('INVALID_ARGUMENT', 'INVALID_ARGUMENT')
    assert not (tmp_path / 'docs').exists()


async def test_one_bad_record_writes_nothing(tmp_path, records):
    one = store(tmp_path / 'docs')
    good = records(np.ones((2, 4), np.float32))
    for bad in (
        Record('', [1.0] * 4, Document.from_text('x')),
        Record('x', [1.0] * 5, Document.from_text('x')),
        Record('x', [1.0] * 4, Document.from_text('x', {'when': {1}})),
    ):
        with pytest.raises(GenkitError) as error:
            await one.upsert([*good, bad])
        assert error.value.status == 'INVALID_ARGUMENT'
    assert not (tmp_path / 'docs').exists()


async def test_another_dimension_and_another_space(path, open_index):
    with pytest.raises(GenkitError, match=r'8 dimensions.* of 64'):
        await open_index().add([Document.from_text('x')])
    with pytest.raises(GenkitError, match=r"asked for space 'l2'.*holds 'cosine'") as error:
        await open_index(space='l2').count()
    assert error.value.status == 'FAILED_PRECONDITION'


async def test_a_query_that_is_no_vector(path):
    with pytest.raises(GenkitError, match='not finite') as error:
        await store(path).search(SearchRequest(vector=[float('nan')] * 8))
    assert error.value.status == 'INVALID_ARGUMENT'


def test_settings_that_make_no_sense(open_index):
    for wrong in (
        {'m': 1},
        {'m': 10**6},
        {'ef': 0},
        {'ef_construction': 0},
        {'growth': 0.5},
        {'threads': -3},
        {'seed': -1},
        {'space': 'dot'},
    ):
        with pytest.raises(GenkitError) as error:
            open_index(**wrong)
        assert error.value.status == 'INVALID_ARGUMENT'
        assert next(iter(wrong)) in str(error.value)
    with pytest.raises(GenkitError, match='engine'):
        open_index('faiss')
    for name in ('', '..', '.hidden', 'a/b', '../up', 'a\\b', 'a\0b'):
        with pytest.raises(GenkitError):
            Hnsw([HnswIndex(name=name)])


async def test_a_seed_that_voyager_cannot_use(open_index, tmp_path):
    collection = open_index('voyager', space='ip', seed=5)
    with pytest.raises(GenkitError, match='no seed') as error:
        await collection.store.upsert([Record('x', [1.0] * 8, Document.from_text('x'))])
    assert error.value.status == 'UNIMPLEMENTED'
    assert not (tmp_path / 'docs').exists()


async def test_describing_nothing(tmp_path):
    with pytest.raises(GenkitError, match='no HNSW index') as error:
        await describe_hnsw_index(tmp_path / 'nothing')
    assert error.value.status == 'NOT_FOUND'
    assert list(Path(tmp_path).iterdir()) == []


def test_random_bytes_are_refused():
    chance = random.Random(1)
    for size in (96, 200, 5000):
        for _ in range(200):
            with pytest.raises(GenkitError):
                layout.check(chance.randbytes(size), 8, 'x')


def nested(levels):
    value = 'x'
    for i in range(levels):
        value = [value] if i % 2 else {'a': value}
    return value


@pytest.mark.parametrize('key', ['metadata', 'docContent', 'other'])
async def test_an_entry_that_is_nested_too_deep_is_refused(path, key):
    file = path / 'docstore.json'
    docstore = json.loads(file.read_text())
    for levels, is_bad in ((150, False), (300, True), (800, True)):
        docstore[3][1][key] = {'n': nested(levels)}
        file.write_text(json.dumps(docstore, separators=(',', ':')))
        if is_bad:
            await refused(path, 'entry 3 is nested deeper than 200')
        else:
            fresh = store(path)
            assert len(await fresh.search(SearchRequest(vector=[1.0] * 8, k=60))) == 59
            await fresh.delete(ids=['r9'])
            docstore = json.loads(file.read_text())


async def test_metadata_that_is_nested_too_deep_is_not_written(tmp_path):
    index = store(tmp_path / 'new')
    await index.upsert([Record('a', [1.0], Document.from_text('a', {'n': nested(199)}))])
    with pytest.raises(GenkitError, match='nested too deep') as error:
        await index.upsert([Record('b', [1.0], Document.from_text('b', {'n': nested(201)}))])
    assert error.value.status == 'INVALID_ARGUMENT'
    (found,) = await store(tmp_path / 'new').fetch(['a', 'b'])
    assert found.document.metadata == {'n': nested(199)}


FORBIDDEN = """
import asyncio, os, sys
from pathlib import Path
from tempfile import TemporaryDirectory
from genkit import Document, GenkitError
from genkitx.stores import Record, SearchRequest
from genkitx_hnsw import HnswStore

record = Record('a', [1.0, 0.0], Document.from_text('a'))
search = SearchRequest(vector=[1.0, 0.0], k=1)
asyncio.run(HnswStore('t', Path(sys.argv[1], 'warm')).upsert([record]))  # Everything is imported.


def tell(call):
    try:
        asyncio.run(call)
        return 'fine'
    except GenkitError as error:
        return error.status


with TemporaryDirectory() as folder:
    os.chmod(folder, 0o755)
    base = Path(folder)
    for name in ('directory', 'files', 'readable'):
        asyncio.run(HnswStore('t', base / name).upsert([record]))
    os.chmod(base / 'directory', 0)
    for file in (base / 'files').iterdir():
        os.chmod(file, 0)
    os.chmod(base, 0o555)
    child = os.fork()
    if child == 0:
        if os.geteuid() == 0:
            os.setgid(65534)
            os.setuid(65534)
        for name in ('directory', 'files', 'readable'):
            store = HnswStore('t', base / name, lock_timeout=0.1)
            calls = store.search(search), store.upsert([record]), store.delete(ids=['a']), store.destroy()
            print(name, *map(tell, calls), flush=True)
        os._exit(0)
    os.waitpid(child, 0)
    os.chmod(base, 0o755)
    os.chmod(base / 'directory', 0o755)
"""


@pytest.mark.skipif(sys.platform == 'win32', reason='Windows has other permissions')
def test_what_may_not_be_read_or_written(tmp_path):
    done = subprocess.run(
        [sys.executable, '-W', 'ignore', '-c', FORBIDDEN, str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    denied = ' PERMISSION_DENIED' * 3
    assert done.stdout.splitlines() == [
        f'directory PERMISSION_DENIED{denied}',
        f'files PERMISSION_DENIED{denied}',
        f'readable fine{denied}',
    ], done.stderr


async def test_paths_that_cannot_be(tmp_path):
    (tmp_path / 'file').write_text('')
    search = SearchRequest(vector=[1.0], k=1)
    record = Record('a', [1.0], Document.from_text('a'))
    for path, status in (
        (tmp_path / ('x' * 300), 'INVALID_ARGUMENT'),
        (tmp_path / 'file' / 'x', 'FAILED_PRECONDITION'),
    ):
        with pytest.raises(GenkitError) as error:
            await store(path).upsert([record])
        assert error.value.status == status
    with pytest.raises(GenkitError) as error:
        await store(tmp_path / ('x' * 300)).search(search)
    assert error.value.status == 'INVALID_ARGUMENT'
    with pytest.raises(GenkitError) as error:
        store(tmp_path / 'a\0b')
    assert error.value.status == 'INVALID_ARGUMENT'
