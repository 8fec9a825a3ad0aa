# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""Documents and messages come back as they went."""

import datetime
import uuid
from typing import Any

import pytest
from genkit import Document, GenkitError, Message, Part, Role
from genkitx_langchain import to_genkit_document, to_genkit_messages, to_langchain_document, to_langchain_messages
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from langchain_core.documents import Document as LangChainDocument
from langchain_core.messages import (
    AIMessage,
    BaseMessage,
    ChatMessage,
    HumanMessage,
    RemoveMessage,
    SystemMessage,
    ToolMessage,
)

_TEXT = st.text(max_size=12)
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | _TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXT, inner, max_size=3),
    max_leaves=6,
)
_OBJECT = st.dictionaries(_TEXT, _JSON, max_size=3)
_KEYS = st.text('abcxyz', min_size=1, max_size=5)
_EXTRA = st.dictionaries(_KEYS.map('x_{}'.format), _JSON, max_size=2)
_MIME = st.sampled_from(['image/png', 'audio/wav', 'video/mp4', 'application/pdf', 'text/plain'])


def _block(kind: str, mime: str) -> st.SearchStrategy[dict[str, Any]]:
    located = st.sampled_from([{'url': 'https://x.test/a'}, {'base64': 'AAAA'}, {'url': 'data:image/png;base64,AA=='}])
    return st.builds(lambda where, extra: {'type': kind, 'mime_type': mime, **where, **extra}, located, _EXTRA)


_BLOCK = st.one_of(
    st.builds(lambda text, extra: {'type': 'text', 'text': text, **extra}, _TEXT, _EXTRA),
    st.builds(lambda text, extra: {'type': 'reasoning', 'reasoning': text, **extra}, _TEXT, _EXTRA),
    st.builds(lambda text: {'type': 'thinking', 'thinking': text, 'signature': 's'}, _TEXT),
    st.builds(lambda text: {'type': 'text-plain', 'text': text, 'mime_type': 'text/plain'}, _TEXT),
    st.builds(lambda value: {'type': 'non_standard', 'value': value}, _OBJECT),
    st.builds(lambda value: {**value, 'type': 'weird'}, _OBJECT),
    st.just({'type': 'file', 'file_id': 'f1'}),
    st.tuples(st.sampled_from(['image', 'audio', 'video', 'file']), _MIME).flatmap(lambda one: _block(*one)),
)
_CONTENT = st.one_of(_TEXT, st.lists(_BLOCK, min_size=1, max_size=3))
_COMMON = {
    'id': st.none() | st.just('m1'),
    'name': st.none() | st.just('bob'),
    'additional_kwargs': _EXTRA,
    'response_metadata': _EXTRA,
}
_CALL = st.builds(lambda name, args: {'name': name, 'args': args, 'type': 'tool_call'}, _KEYS, _OBJECT)


def _ai(content: Any, calls: list[dict[str, Any]], invalid: bool, **fields: Any) -> AIMessage:
    numbered = [{**call, 'id': f'c{i}'} for i, call in enumerate(calls)]
    bad = {'type': 'invalid_tool_call', 'name': 'f', 'args': '{', 'id': 'bad', 'error': 'no json'}
    return AIMessage(content=content, tool_calls=numbered, invalid_tool_calls=[bad] if invalid else [], **fields)


_MESSAGE: st.SearchStrategy[BaseMessage] = st.one_of(
    st.builds(HumanMessage, content=_CONTENT, **_COMMON),
    st.builds(SystemMessage, content=_CONTENT, **_COMMON),
    st.builds(_ai, content=_CONTENT, calls=st.lists(_CALL, max_size=3), invalid=st.booleans(), **_COMMON),
    st.builds(
        ToolMessage,
        content=_CONTENT,
        tool_call_id=st.just('t1'),
        status=st.sampled_from(['success', 'error']),
        artifact=_JSON,
        **{**_COMMON, 'name': st.just('tool_x')},
    ),
)


@settings(max_examples=60, deadline=None, phases=[Phase.explicit, Phase.generate])
@given(st.lists(_MESSAGE, max_size=4))
def test_langchain_messages_come_back(messages: list[BaseMessage]):
    before = [message.model_copy(deep=True) for message in messages]
    back = to_langchain_messages(to_genkit_messages(messages))
    assert back == messages == before


_PART = st.one_of(
    st.builds(lambda text, meta: Part(text=text, metadata=meta or None), _TEXT, _EXTRA),
    st.builds(lambda text, meta: Part(reasoning=text, metadata=meta or None), _TEXT, _EXTRA),
    st.builds(lambda meta: Part.from_media('https://x.test/a', 'image/png', meta or None), _EXTRA),
    st.just(Part.from_media('data:audio/wav;base64,AAAA', 'audio/wav')),
    st.builds(lambda data: Part(data=data), _JSON),
    st.builds(lambda value: Part(custom={'x': value}), _JSON),
    st.just(Part(text='t', custom={'signature': 'z'})),
)
_REQUEST = st.builds(lambda value, meta: Part.from_tool_request('f', value, 'r1', meta or None), _JSON, _EXTRA)
_RESPONSE = st.builds(
    lambda value, ref, meta: Part.from_tool_response('f', value, ref, meta or None),
    _JSON,
    st.none() | st.just('r1'),
    _EXTRA,
)
_GENKIT_MESSAGE = st.one_of(
    st.builds(
        lambda role, content, meta: Message(role=role, content=content, metadata=meta or None),
        st.sampled_from([Role.USER, Role.SYSTEM]),
        st.lists(_PART, max_size=3),
        _EXTRA,
    ),
    st.builds(
        lambda content, requests, meta: Message(role=Role.MODEL, content=[*content, *requests], metadata=meta or None),
        st.lists(_PART, max_size=3),
        st.lists(_REQUEST, max_size=1),
        _EXTRA,
    ),
    st.builds(lambda content: Message(role=Role.TOOL, content=content), st.lists(_RESPONSE, min_size=1, max_size=2)),
)


def _wire(messages: list[Message]) -> Any:
    merged: list[Any] = []
    for message in messages:
        one = message.model_dump(by_alias=True, exclude_none=True)
        if one['role'] == 'tool' and merged and merged[-1]['role'] == 'tool':
            merged[-1]['content'] += one['content']
        else:
            merged.append({**one, 'content': [part for part in one['content'] if part.get('text') != '']})
    return merged


@settings(max_examples=60, deadline=None, phases=[Phase.explicit, Phase.generate])
@given(st.lists(_GENKIT_MESSAGE, max_size=4))
def test_genkit_messages_come_back(messages: list[Message]):
    assert _wire(to_genkit_messages(to_langchain_messages(messages))) == _wire(messages)


def test_text_and_calls_stay_in_their_order():
    content = [
        Part.from_text('first'),
        Part.from_tool_request('f', {'a': 1}, 'r1'),
        Part.from_text('then'),
        Part.from_tool_request('g', {'b': 2}, 'r2'),
    ]
    [message] = to_langchain_messages([Message(role=Role.MODEL, content=content)])
    assert isinstance(message, AIMessage)
    assert [call['id'] for call in message.tool_calls] == ['r1', 'r2']
    assert to_genkit_messages([message])[0].content == content


@pytest.mark.parametrize(
    ('block', 'url', 'mime'),
    [
        ({'type': 'image_url', 'image_url': {'url': 'https://x.test/y.png'}}, 'https://x.test/y.png', None),
        (
            {'type': 'image_url', 'image_url': {'url': 'data:image/png;base64,AAAA'}},
            'data:image/png;base64,AAAA',
            'image/png',
        ),
        (
            {'type': 'image', 'source_type': 'base64', 'data': 'AAAA', 'mime_type': 'image/png'},
            'data:image/png;base64,AAAA',
            'image/png',
        ),
        (
            {'type': 'image', 'source': {'type': 'base64', 'media_type': 'image/png', 'data': 'AAAA'}},
            'data:image/png;base64,AAAA',
            'image/png',
        ),
        (
            {'type': 'input_audio', 'input_audio': {'data': 'AAAA', 'format': 'wav'}},
            'data:audio/wav;base64,AAAA',
            'audio/wav',
        ),
    ],
)
def test_forms_of_providers(block: dict[str, Any], url: str, mime: str | None):
    [message] = to_genkit_messages([HumanMessage(content=[block])])
    media = message.content[0].media
    assert media is not None
    assert (media.url, media.content_type) == (url, mime)


def test_tool_use_blocks_are_the_calls():
    message = AIMessage(
        content=[{'type': 'text', 'text': 'a'}, {'type': 'tool_use', 'id': '1', 'name': 'f', 'input': {'x': 1}}],
        tool_calls=[{'name': 'f', 'args': {'x': 1}, 'id': '1'}],
    )
    [converted] = to_genkit_messages([message])
    assert converted.content == [Part.from_text('a'), Part.from_tool_request('f', {'x': 1}, '1')]


def test_tool_names_come_from_the_calls():
    ai = AIMessage(content='', tool_calls=[{'name': 'f', 'args': {}, 'id': '1'}, {'name': 'g', 'args': {}, 'id': '2'}])
    converted = to_genkit_messages(
        [ai, ToolMessage('a', tool_call_id='1'), ToolMessage('b', tool_call_id='2', status='error')], for_model=True
    )
    assert [message.role for message in converted] == ['model', 'tool']
    responses = [part.tool_response for part in converted[1].content]
    assert [(one.name, one.ref, one.output) for one in responses if one] == [('f', '1', 'a'), ('g', '2', 'b')]
    assert converted[1].content[1].metadata == {'langchain': {'status': 'error'}}


@pytest.mark.parametrize('message', [RemoveMessage(id='1'), ChatMessage('x', role='stranger')])
def test_messages_without_counterpart_are_refused(message: BaseMessage):
    with pytest.raises(GenkitError, match='no counterpart'):
        to_genkit_messages([message])


def test_what_json_cannot_hold_is_refused():
    with pytest.raises(GenkitError, match='artifact is a object'):
        to_genkit_messages([ToolMessage('x', tool_call_id='1', artifact=object())])
    with pytest.raises(GenkitError, match=r'metadata\.a is'):
        to_genkit_document(LangChainDocument(page_content='x', metadata={'a': object()}))


def test_ids_of_calls_may_be_the_same_or_empty():
    for one in ('1', '', 'None'):
        calls: Any = [{'name': 'w', 'args': {'n': n}, 'id': one, 'type': 'tool_call'} for n in range(2)]
        message = AIMessage('', tool_calls=calls)
        assert to_langchain_messages(to_genkit_messages([message])) == [message]


def test_requests_without_a_ref_get_an_id_that_their_responses_have_too():
    asked = [Part.from_tool_request('w', {'n': n}, None) for n in range(2)]
    answered = [Part.from_tool_response('w', f'{n}', None) for n in range(2)]
    messages = [Message(role=Role.MODEL, content=asked), Message(role=Role.TOOL, content=answered)] * 2
    first, one, two, second, *others = to_langchain_messages(messages)
    assert [call['id'] for call in [*first.tool_calls, *second.tool_calls]] == ['w', 'w-2', 'w-3', 'w-4']  # type: ignore[union-attr]
    assert [message.tool_call_id for message in [one, two, *others]] == ['w', 'w-2', 'w-3', 'w-4']  # type: ignore[union-attr]
    assert to_genkit_messages([first, one, two, second, *others]) == messages


def test_a_call_block_that_is_no_call_is_kept():
    message = AIMessage([{'type': 'tool_use', 'id': '1', 'name': 'w', 'input': {}}])
    assert to_langchain_messages(to_genkit_messages([message])) == [message]


@pytest.mark.parametrize('role', [Role.USER, Role.MODEL])
def test_an_empty_text_is_a_part(role: Role):
    for content in ([], [Part.from_text('')]):
        messages = [Message(role=role, content=content)]
        converted = to_langchain_messages(messages)
        assert converted[0].content == ''
        assert to_genkit_messages(converted) == messages


def test_numbers_and_shapes_that_json_has_not_are_refused():
    circular: dict[str, Any] = {}
    circular['self'] = circular
    for value, problem in ((float('nan'), 'is nan'), (float('inf'), 'is inf'), (circular, 'contains itself')):
        with pytest.raises(GenkitError, match=problem) as raised:
            to_genkit_document(LangChainDocument(page_content='x', metadata={'value': value}))
        assert raised.value.status == 'INVALID_ARGUMENT'
    keys: Any = {1: 2}
    with pytest.raises(GenkitError, match='key of type int'):
        to_genkit_document(LangChainDocument(page_content='x', metadata=keys))
    with pytest.raises(GenkitError, match='no response'):
        to_langchain_messages([Message(role=Role.TOOL, content=[])])


def test_tool_parts_in_user_messages_are_refused():
    with pytest.raises(GenkitError, match='tool request'):
        to_langchain_messages([Message(role=Role.USER, content=[Part.from_tool_request('f', {}, '1')])])
    with pytest.raises(GenkitError, match='role'):
        to_langchain_messages([Message(role='narrator', content=[])])


@settings(max_examples=60, deadline=None, phases=[Phase.explicit, Phase.generate])
@given(text=_TEXT, metadata=_OBJECT, identity=st.none() | st.just('d1'))
def test_langchain_documents_come_back(text: str, metadata: dict[str, Any], identity: str | None):
    document = LangChainDocument(page_content=text, metadata=metadata, id=identity)
    assert to_langchain_document(to_genkit_document(document)) == document


def test_genkit_documents_come_back():
    document = Document(
        content=[
            Part.from_text('a', {'page': 1}),
            Part.from_media('data:image/png;base64,AAAA', 'image/png'),
            Part.from_text('b'),
        ],
        metadata={'year': 2024, 'nested': {'x': [None]}},
    )
    there = to_langchain_document(document)
    assert there.page_content == 'ab'
    assert there.metadata['year'] == 2024
    back = to_genkit_document(there)
    assert back.content == document.content
    assert back.metadata == document.metadata
    there.page_content = 'changed'
    assert [part.text for part in to_genkit_document(there).content] == ['changed', None]


def test_metadata_becomes_json():
    day = datetime.datetime(2026, 1, 2, tzinfo=datetime.timezone.utc)
    one = uuid.UUID(int=1)
    document = to_genkit_document(LangChainDocument(page_content='x', metadata={'day': day, 'u': one, 't': (1, 2)}))
    assert document.metadata == {'day': '2026-01-02T00:00:00+00:00', 'u': str(one), 't': [1, 2]}
