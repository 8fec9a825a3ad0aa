# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""The flows of the JS plugin, on the files and prompts that were captured from it."""

import json
import shutil

import pytest
from genkit import GenkitError, Message, ModelResponse, Part, Role
from genkit.model import ModelRequest
from genkitx import Genkit
from genkitx_hnsw import describe_hnsw_index, hnsw_indexer_flow, hnsw_retriever_flow

INDEX = {'dataPath': 'data/*.txt', 'indexOutputPath': 'out/index'}


@pytest.fixture
def requests():
    return []


@pytest.fixture
def flows(tmp_path, golden, embedder, requests):
    shutil.copytree(golden / 'plugin' / 'data', tmp_path / 'data')
    ai = Genkit()

    async def stub(request: ModelRequest) -> ModelResponse:
        requests.append(request)
        return ModelResponse(message=Message(role=Role.MODEL, content=[Part.from_text('stub answer')]))

    ai.define_model('stub/gemini-pro', stub)
    index = hnsw_indexer_flow(ai, embedder=embedder, root=tmp_path)
    retrieve = hnsw_retriever_flow(ai, embedder=embedder, model='stub/gemini-pro', root=tmp_path)
    return index, retrieve


async def run(flow, **data):
    return (await flow.run(data)).response


def stored(path):
    return [entry for _, entry in json.loads((path / 'docstore.json').read_text()) if entry['pageContent']]


async def test_names(flows):
    assert [flow.name for flow in flows] == ['HNSW Indexer', 'HNSW Retriever']
    assert [flow.kind for flow in flows] == ['flow', 'flow']


async def test_every_chunk_of_every_file_is_indexed(flows, tmp_path):
    assert await run(flows[0], **INDEX) == 'VectorStore saved to out/index'
    entries = stored(tmp_path / 'out' / 'index')
    names = ['doc1', 'doc2', 'doc3', 'doc4', 'doc5', 'lines']
    assert [one['metadata'] for one in entries] == [
        {'id': i, 'source': f'data/{name}.txt', 'chunk': 0} for i, name in enumerate(names)
    ]
    assert [one['pageContent'] for one in entries] == [
        (tmp_path / 'data' / f'{name}.txt').read_text().strip() for name in names
    ]


async def test_prompts_are_those_of_js(flows, golden, requests):
    await run(flows[0], **INDEX)
    captured = json.loads((golden / 'retrieve.json').read_text())['plugin'][:3]
    for case in captured:
        assert await run(flows[1], prompt=case['q'], indexPath='out/index') == case['ok']['response']
        request = requests[-1].model_dump(by_alias=True, exclude_none=True, mode='json')
        assert request['messages'] == case['captured']['messages']
        assert request['config'] == case['captured']['config']


async def test_an_index_of_js_answers(flows, golden, tmp_path, requests):
    shutil.copytree(golden / 'plugin' / 'index', tmp_path / 'js')
    assert await run(flows[1], prompt='bananas', indexPath='js') == 'stub answer'
    assert requests[0].messages[0].text == 'A document about bananas with empty metadata.'


async def test_options_of_the_model_and_several_chunks(flows, requests):
    await run(flows[0], **INDEX)
    options = {'temperature': 0.7, 'maxOutputTokens': None, 'topK': None, 'topP': None, 'stopSequences': ['X']}
    await run(flows[1], prompt='red apples', indexPath='out/index', k=3, **options)
    assert [message.role for message in requests[0].messages] == ['user', 'model'] * 3 + ['user']
    assert requests[0].model_dump(by_alias=True, exclude_none=True)['config'] == {
        'temperature': 0.7,
        'stopSequences': ['X'],
    }


async def test_indexing_again_leaves_what_the_files_hold(flows, tmp_path, embedder):
    await run(flows[0], **INDEX, chunkSize=220, chunkOverlap=50)
    before = stored(tmp_path / 'out' / 'index')
    assert {one['metadata']['chunk'] for one in before if 'lines' in one['metadata']['source']} == {0, 1, 2}
    embedder.requests.clear()
    await run(flows[0], **INDEX, chunkSize=220, chunkOverlap=50)
    assert embedder.requests == []
    (tmp_path / 'data' / 'lines.txt').write_text('Only one line is left.')
    await run(flows[0], **INDEX, chunkSize=220, chunkOverlap=50)
    assert sum(len(request.input) for request in embedder.requests) == 1
    after = stored(tmp_path / 'out' / 'index')
    assert [one for one in after if 'lines' not in one['metadata']['source']] == before[: len(after) - 1]
    assert (await describe_hnsw_index(tmp_path / 'out' / 'index')).count == len(after)


async def test_separators_and_nested_globs(flows, tmp_path):
    (tmp_path / 'data' / 'deep' / 'node_modules').mkdir(parents=True)
    (tmp_path / 'data' / 'deep' / 'x.md').write_text('one;two;three;' + 'x' * 30)
    (tmp_path / 'data' / 'deep' / 'node_modules' / 'y.md').write_text('never')
    await run(flows[0], dataPath='data/**/*.md', indexOutputPath='md', separator=';', chunkSize=8, chunkOverlap=0)
    chunks = [one['pageContent'] for one in stored(tmp_path / 'md')]
    assert chunks == ['one;two', 'three', 'x' * 30]


@pytest.mark.parametrize(
    ('change', 'status', 'match'),
    [
        ({'dataPath': 'nothing/*.txt'}, 'NOT_FOUND', 'matches no file'),
        ({'dataPath': '../**/*'}, 'PERMISSION_DENIED', 'leads out'),
        ({'dataPath': '/etc/pass*'}, 'PERMISSION_DENIED', 'leads out'),
        ({'indexOutputPath': '../index'}, 'PERMISSION_DENIED', 'leads out'),
        ({'indexOutputPath': 'data/doc1.txt'}, 'FAILED_PRECONDITION', 'not a directory'),
        ({'chunkSize': 200}, 'INVALID_ARGUMENT', 'Cannot have chunkOverlap >= chunkSize'),
        ({'chunkSize': 0}, 'INVALID_ARGUMENT', 'chunkSize|chunk_size'),
        ({'color': 'red'}, 'INVALID_ARGUMENT', 'color'),
    ],
)
async def test_errors_are_raised(flows, change, status, match):
    with pytest.raises(GenkitError, match=match) as error:
        await run(flows[0], **{**INDEX, **change})
    assert error.value.status == status or status in str(error.value.cause)


async def test_files_that_are_no_text_or_links_out(flows, tmp_path):
    (tmp_path / 'bad').mkdir()
    (tmp_path / 'bad' / 'x.txt').write_bytes(b'\xff\xfe\x00')
    with pytest.raises(GenkitError, match=r'bad/x\.txt is not UTF-8'):
        await run(flows[0], dataPath='bad/*', indexOutputPath='out')
    (tmp_path / 'bad' / 'x.txt').unlink()
    (tmp_path / 'bad' / 'x.txt').symlink_to('/etc/hostname')
    with pytest.raises(GenkitError, match='leads out'):
        await run(flows[0], dataPath='bad/*', indexOutputPath='out')


async def test_a_model_that_fails(flows, tmp_path, embedder):
    await run(flows[0], **INDEX)
    ai = Genkit()

    async def down(_: ModelRequest) -> ModelResponse:
        raise GenkitError(status='UNAVAILABLE', message='the model cannot be reached')

    ai.define_model('stub/down', down)
    flow = hnsw_retriever_flow(ai, embedder=embedder, model='stub/down', root=tmp_path)
    with pytest.raises(GenkitError, match='cannot be reached') as error:
        await run(flow, prompt='x', indexPath='out/index')
    assert error.value.status == 'UNAVAILABLE'


async def test_a_missing_index(flows):
    with pytest.raises(GenkitError, match='does not exist or is empty'):
        await run(flows[1], prompt='x', indexPath='nowhere')
    with pytest.raises(GenkitError, match='leads out'):
        await run(flows[1], prompt='x', indexPath='../x')
