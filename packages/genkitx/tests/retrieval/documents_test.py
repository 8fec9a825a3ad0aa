# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""Documents: ids equal to JS's, data and types, one document an embedding."""

import datetime
import hashlib
import json
import math
import pickle
from pathlib import Path

import pytest
from genkit import Document, Embedding, GenkitError, Part
from genkitx.retrieval import (
    RankedDocument,
    copy_document,
    document_data,
    document_data_type,
    document_from_data,
    document_from_dict,
    document_id,
    document_to_dict,
    embedding_documents,
    plain_text,
    read_document,
    text_document,
)
from genkitx.retrieval.json import MAX_DEPTH, check, number, parse, stringify
from genkitx.stores.layout import stored_document
from genkitx.testing.strategies import metadata
from hypothesis import given
from hypothesis import strategies as st

GOLDEN = Path(__file__).parents[1] / 'golden'
DOC_IDS = json.loads((GOLDEN / 'doc_ids.json').read_text())
VIDEO = {'contentType': 'video/mp4', 'url': 'gs://b/v.mp4'}


@pytest.mark.parametrize('case', DOC_IDS.values(), ids=DOC_IDS)
def test_ids_are_those_of_js(case):
    document = document_from_dict(json.loads(case['input_json']))
    assert document_id(document) == case['md5']


@pytest.mark.parametrize('name', [name for name in DOC_IDS if name != 'metadata_before_content'])
def test_text_is_that_of_js(name):
    # A document is always written content first, so one given the other way round has no text of its own.
    assert stringify(json.loads(DOC_IDS[name]['input_json']), doubles=True) == DOC_IDS[name]['stringified']


@pytest.mark.parametrize(
    ('document', 'expected'),
    [
        ({'content': [{'text': 'hello'}]}, '0d309b1bcf92ba641d7ef8ebc37342df'),
        ({'content': [{'text': 'hello'}], 'metadata': {}}, '53358d5cec49bd44a676fab36b54cdff'),
        ({'content': [{'text': 'x'}], 'metadata': {'a': 1, 'b': {'c': 'é'}}}, '29c883683a3be921950b2d536a8e16ed'),
        ({'content': [{'media': {'url': 'gs://b/x'}}]}, '7213e664675bc513887f569bb0366f35'),
        (
            {
                'content': [{'media': VIDEO}],
                'metadata': {'multi': True, 'videoSegmentConfig': {'startOffsetSec': 0}},
            },
            '61c81d11d4f6386483a340b95d4d405d',
        ),
        ({'content': [{'text': 'lone \ud800 surrogate'}]}, '3e847caf0843f12ce0b18cb2b4dc6205'),
    ],
)
def test_id_vectors(document, expected):
    assert document_id(document_from_dict(document)) == expected


def test_id_of_a_document_with_everything():
    metadata = {
        'z': 1,
        'a': 2.5,
        '10': 'x',
        'nested': {'b': [1, None, True, 1e21, 1e-7, -0.0, 0.1 + 0.2, 1e20]},
        '2': 'y',
    }
    text = 'h\u00e9llo \u4e16\u754c \U0001f600 "q" \\ / \n\t\x07 \u2028 </script>'
    assert document_id(Document.from_text(text, metadata)) == 'f46c151f7e914facd5fbe2f625cbd838'


@pytest.mark.parametrize(
    ('value', 'expected'),
    [
        (1.0, '1'),
        (-0.0, '0'),
        (1e20, '100000000000000000000'),
        (1e21, '1e+21'),
        (123456789012345680000.0, '123456789012345680000'),
        (2**53 + 1, '9007199254740992'),
        (1e-6, '0.000001'),
        (1e-7, '1e-7'),
        (1.234e-6, '0.000001234'),
        (-1.5e-9, '-1.5e-9'),
        (5e-324, '5e-324'),
        (1.7976931348623157e308, '1.7976931348623157e+308'),
        (0.1 + 0.2, '0.30000000000000004'),
        (1e16, '10000000000000000'),
        (math.nan, 'null'),
        (math.inf, 'null'),
        (10**400, 'null'),
    ],
)
def test_numbers_are_those_of_js(value, expected):
    assert stringify(value, doubles=True) == expected


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_reads_back_as_itself(value):
    text = number(value)
    assert float(text) == value
    digits = text.lstrip('-').partition('e')[0].replace('.', '').strip('0')
    assert len(digits) <= 17


@given(st.lists(st.floats() | st.sampled_from([0.0, -0.0, 3.0, 1e-7, 1e21, 0.1])))
def test_a_list_of_numbers_is_written_as_each_of_them(values):
    assert stringify(values) == '[' + ','.join(number(value) for value in values) + ']'


def test_stored_integers_are_kept_in_full():
    assert stringify({'a': 2**60 + 1, 'b': True, 'c': 1.0}) == '{"a":1152921504606846977,"b":true,"c":1}'


def test_json_forms():
    moment = datetime.datetime(2024, 1, 2, 3, 4, 5, 678900, tzinfo=datetime.timezone.utc)
    assert stringify({'b': moment, '1': (1, [])}) == '{"1":[1,[]],"b":"2024-01-02T03:04:05.678Z"}'
    assert stringify({'a': [1, {}], 'b': {'c': None}}, indent=2) == (
        '{\n  "a": [\n    1,\n    {}\n  ],\n  "b": {\n    "c": null\n  }\n}'
    )
    for bad in ({1: 2}, {'a': {1}}, b'x'):
        with pytest.raises(TypeError):
            stringify(bad)


def test_data_and_type():
    both = Document(content=[Part.from_text('a'), Part.from_media('u', 'image/png'), Part.from_text('b')])
    assert (document_data(both), document_data_type(both)) == ('ab', 'text')
    media = Document.from_media('gs://x', 'image/png')
    assert (document_data(media), document_data_type(media)) == ('gs://x', 'image/png')
    untyped = Document.from_media('gs://x')
    assert (document_data(untyped), document_data_type(untyped)) == ('gs://x', '')
    assert document_data(Document(content=[])) == ''


def test_data_reads_back():
    assert document_to_dict(document_from_data('x', 'text', {'a': 1})) == {
        'content': [{'text': 'x'}],
        'metadata': {'a': 1},
    }
    assert document_to_dict(document_from_data('x', None)) == {'content': [{'text': 'x'}]}
    assert document_to_dict(document_from_data('u', 'image/png')) == {
        'content': [{'media': {'contentType': 'image/png', 'url': 'u'}}]
    }
    assert document_to_dict(document_from_data('u', '')) == {'content': [{'media': {'contentType': '', 'url': 'u'}}]}


def test_nulls_in_metadata_stay():
    wire = {'content': [{'text': 'x', 'metadata': {'p': None}}], 'metadata': {'a': None, 'b': [None]}}
    assert document_to_dict(document_from_dict(wire)) == wire


@pytest.mark.parametrize('bad', [{}, {'content': 'x'}, {'content': [], 'extra': 1}, {'content': [1]}])
def test_what_is_no_document_is_refused(bad):
    with pytest.raises(GenkitError, match='Invalid document') as error:
        document_from_dict(bad)
    assert error.value.status == 'INVALID_ARGUMENT'


def test_a_document_for_each_embedding():
    document = Document.from_media('gs://b/v.mp4', 'video/mp4', {'multi': True})
    offsets = [{'startOffsetSec': 0, 'endOffsetSec': 15}, {'startOffsetSec': 15, 'endOffsetSec': 30}]
    made = embedding_documents(document, [Embedding(embedding=[1.0], metadata=one) for one in offsets])
    assert [document_id(one) for one in made] == [
        '5daf66af6c02ad770d6ad0d4dcdb46a1',
        'cb141f058ba6cd5d29fe876990f0cd7e',
    ]
    assert document.metadata == {'multi': True}


@given(st.text(), st.none() | metadata())
def test_ids_are_hashes_of_the_wire_form(text, given_metadata):
    document = Document.from_text(text, given_metadata)
    wire = stringify(document_to_dict(document), doubles=True).encode('utf-8', 'surrogatepass')
    assert document_id(document) == hashlib.md5(wire).hexdigest()


def test_documents_are_as_their_constructors_make_them():
    for made, built in (
        (text_document('x', {'a': [1]}), Document.from_text('x', {'a': [1]})),
        (read_document([Part.from_media('gs://b/x')], None), Document.from_media('gs://b/x')),
    ):
        assert made == built
        assert made.content[0].model_fields_set == {'text'} or made.content[0].media is not None
        assert made.model_dump() == built.model_dump()
        assert pickle.loads(pickle.dumps(made)) == built.model_copy(deep=True)
        assert (made.text, made.data) == (built.text, built.data)
        made.metadata = {'b': 2}
        assert made.model_dump_json() != built.model_dump_json()


@pytest.mark.parametrize(
    ('parts', 'expected'),
    [
        ([Part.from_text('x')], 'x'),
        ([Part.from_text('')], ''),
        ([], None),
        ([Part.from_text('x'), Part.from_text('y')], None),
        ([Part.from_media('gs://b/x')], None),
        ([Part(text='x', metadata={'purpose': 'a'})], None),
    ],
)
def test_plain_text(parts, expected):
    document = Document(content=parts, metadata={'a': {'b': [1]}})
    assert plain_text(document) == expected
    copied = copy_document(document)
    assert copied == document
    copied.metadata['a']['b'].append(2)
    assert document.metadata == {'a': {'b': [1]}}


def test_embeddings_without_metadata_share_the_document(caplog):
    document = Document.from_text('x')
    assert embedding_documents(document, [Embedding(embedding=[1.0])]) == [document]
    embedding_documents(document, [Embedding(embedding=[1.0]), Embedding(embedding=[2.0])])
    assert 'embedding documents are not unique' in caplog.text


def test_ranked_documents_keep_their_own_metadata():
    ranked = RankedDocument.of(Document.from_text('x', {'id': 7}), 0.5)
    assert (ranked.score, ranked.metadata) == (0.5, {'id': 7, 'score': 0.5})
    for wrong in ({}, {'score': True}, {'score': '1'}, None):
        with pytest.raises(ValueError, match='score'):
            _ = RankedDocument(content=[Part.from_text('x')], metadata=wrong).score


def test_what_json_holds_is_told_without_writing_it():
    moment = datetime.datetime(2024, 1, 2, tzinfo=datetime.timezone.utc)
    for value in (None, 1, 1.5, 'x', True, [1, ('a', None)], {'a': {'b': [{}]}, 'when': moment}, math.nan):
        check(value)
    for bad in (b'x', {1: 2}, [[{1}]], {'a': [object()]}):
        with pytest.raises(TypeError, match='JSON'):
            check(bad)
    deep = {'a': [[1]]}
    check(deep, depth=3)
    with pytest.raises(ValueError, match='too deep'):
        check(deep, depth=2)
    circle = []
    circle.append(circle)
    with pytest.raises(ValueError, match='too deep'):
        check(circle)


def test_json_of_others_is_read_as_deep_as_it_can_be_passed_on():
    assert parse('{"a": [1.5, null, "[[["]}') == {'a': [1.5, None, '[[[']}
    assert parse('[' * MAX_DEPTH + ']' * MAX_DEPTH)
    assert parse(f'"{"[" * 1000}"') == '[' * 1000
    for bad in (
        '',
        '{',
        '[' * (MAX_DEPTH + 1) + ']' * (MAX_DEPTH + 1),
        '[' * 10**5 + ']' * 10**5,
        '{"a":' * 300 + '1' + '}' * 300,
    ):
        with pytest.raises(ValueError, match=r'.'):
            parse(bad)


@pytest.mark.parametrize(
    'parts', ['{', '[1]', '{}', '[{"text": 5}]', '[{"data": ' + '[' * 300 + ']' * 300 + '}]', '[' * 10**5 + ']' * 10**5]
)
def test_unreadable_parts_leave_the_text(parts, caplog):
    document = stored_document('x', 'text', {'a': 1}, parts=parts, key='docContent')
    assert (document.text, document.metadata) == ('x', {'a': 1})
    assert 'docContent' in caplog.text


def test_parts_win_over_text_and_type():
    parts = '[{"text": "a"}, {"media": {"url": "gs://b/x", "contentType": "image/png"}}]'
    document = stored_document('a', 'text', None, parts=parts, key='docContent')
    assert [part.text or part.media.url for part in document.content] == ['a', 'gs://b/x']
    assert stored_document('gs://b/x', 'image/png', None, parts=None, key='k').media[0].content_type == 'image/png'
    assert stored_document('x', 7, None, parts=7, key='k').text == 'x'
