# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0

"""Tools: calls in one piece and in fragments, results with ids, loops, and calls that Groq rejects."""

import json

import pytest
from genkit import Part
from genkit import response as tool_response
from genkit.model import Message, ToolRequest, ToolResponse
from groq_server import Reply, call, chunk, completion, error, events
from pydantic import BaseModel

OSS = 'groq/openai/gpt-oss-20b'
QWEN = 'groq/qwen/qwen3.8-27b'


class City(BaseModel):
    city: str
    unit: str = 'C'


class Weather(BaseModel):
    temp: int
    text: str


@pytest.fixture
def tools(ai):
    @ai.tool()
    async def weather(where: City) -> Weather:
        """Gets the weather of a city."""
        return Weather(temp=21, text=f'sunny in {where.city}')

    @ai.tool()
    async def echo(text: str) -> str:
        """Echo."""
        return f'echo:{text}'

    @ai.tool()
    async def now() -> list:
        """The time."""
        return ['zwölf', None, True]

    return ['weather', 'echo', 'now']


async def test_declarations(ai, server, tools):
    await ai.generate(model=OSS, prompt='x', tools=tools)
    weather, echo, now = (tool['function'] for tool in server.bodies[0]['tools'])
    assert weather['description'] == 'Gets the weather of a city.'
    assert weather['parameters']['required'] == ['city']
    # Groq wants objects; a bare string travels as a property.
    assert echo['parameters']['properties']['input']['type'] == 'string'
    assert echo['parameters']['required'] == ['input']
    assert now['parameters'] == {'type': 'object', 'properties': {}}


async def test_two_calls_at_once_and_their_results(ai, server, tools):
    calls = [call('weather', {'city': 'Oslo'}), call('echo', {'input': 'hi'}, 'call_2'), call('now', '', 'call_3')]
    server.script.append(Reply(body=completion('Let me look.', tool_calls=calls)))
    response = await ai.generate(model=OSS, prompt='Weather?', tools=tools)
    assert response.text == 'Hello from Groq.'
    assert server.bodies[1]['messages'] == [
        {'role': 'user', 'content': 'Weather?'},
        {
            'role': 'assistant',
            'content': 'Let me look.',
            'tool_calls': [
                call('weather', '{"city":"Oslo"}'),
                call('echo', '{"input":"hi"}', 'call_2'),
                call('now', '{}', 'call_3'),
            ],
        },
        {'role': 'tool', 'tool_call_id': 'call_1', 'content': '{"temp":21,"text":"sunny in Oslo"}'},
        {'role': 'tool', 'tool_call_id': 'call_2', 'content': 'echo:hi'},
        {'role': 'tool', 'tool_call_id': 'call_3', 'content': '["zwölf",null,true]'},
    ]


async def test_three_rounds_with_reasoning_replayed(ai, server, tools):
    for number in range(3):
        arguments = {'city': f'City {number}'}
        body = completion(
            None, tool_calls=[call('weather', arguments, f'call_{number}')], reasoning=f'thought {number}'
        )
        server.script.append(Reply(body=body))
    response = await ai.generate(model=OSS, prompt='Weather?', tools=tools)
    assert response.text == 'Hello from Groq.'
    assert len(server.bodies) == 4
    last = server.bodies[3]['messages']
    assert [m['role'] for m in last] == ['user', *(['assistant', 'tool'] * 3)]
    assert [m['reasoning'] for m in last if m['role'] == 'assistant'] == ['thought 0', 'thought 1', 'thought 2']


async def test_reasoning_is_not_sent_to_models_that_have_none(ai, server, tools):
    server.script.append(Reply(body=completion(None, tool_calls=[call('now', '')], reasoning='hm')))
    response = await ai.generate(model='groq/llama-3.3-70b-versatile', prompt='x', tools=tools)
    assert response.error is None
    assert 'reasoning' not in server.bodies[1]['messages'][1]


async def test_calls_in_fragments(ai, server, tools):
    first = {'index': 0, 'id': 'call_1', 'type': 'function', 'function': {'name': 'weather', 'arguments': '{"ci'}}
    second = {'index': 1, 'id': 'call_2', 'type': 'function', 'function': {'name': 'echo', 'arguments': ''}}
    deltas = [
        {'content': 'Let me '},
        {'tool_calls': [first]},
        {'tool_calls': None, 'content': 'look.'},
        {'tool_calls': [second, {'index': 0, 'function': {'arguments': 'ty":"Øslo 🚀'}}]},
        {'tool_calls': [{'index': 1, 'function': {'arguments': None}}]},
        {'tool_calls': [{'index': 1, 'function': {'arguments': '{"input":'}}, {'index': 0, 'function': None}]},
        {
            'tool_calls': [
                {'index': 0, 'function': {'arguments': '"}'}},
                {'index': 1, 'function': {'arguments': '"hi"}'}},
            ]
        },
    ]
    server.script.append(Reply(sse=events(*deltas, finish_reason='tool_calls')))
    server.script.append(Reply(sse=events({'content': 'Sunny.'})))
    streaming = ai.generate_stream(model=OSS, prompt='Weather?', tools=tools)
    chunks = [c async for c in streaming.stream]
    response = await streaming.response
    assert response.text == 'Sunny.'
    assert ''.join(c.text for c in chunks if c.role == 'model') == 'Let me look.Sunny.'
    asked = [p.tool_request for c in chunks for p in c.content if p.tool_request is not None]
    assert [(r.name, r.ref, r.input) for r in asked] == [
        ('weather', 'call_1', {'city': 'Øslo 🚀'}),
        ('echo', 'call_2', 'hi'),
    ]
    assistant = server.bodies[1]['messages'][1]
    assert assistant['content'] == 'Let me look.'
    assert [c['id'] for c in assistant['tool_calls']] == ['call_1', 'call_2']
    assert json.loads(assistant['tool_calls'][0]['function']['arguments']) == {'city': 'Øslo 🚀'}


@pytest.mark.parametrize('case', ['stream_tool_loop', 'stream_tool_split_arguments'])
async def test_recorded_streams_that_js_lost(case, golden, ai, server):
    @ai.tool(name='getWeather')
    async def get_weather(where: City) -> Weather:
        """Gets the weather of a city."""
        return Weather(temp=21, text='sunny')

    recorded = golden[case]['http_responses'][0]['sse']
    server.script.append(Reply(sse=[event for event in recorded if event != '[DONE]']))
    streaming = ai.generate_stream(model='groq/llama-3-70b', prompt='Weather?', tools=['getWeather'])
    async for _ in streaming.stream:
        pass
    assert (await streaming.response).text == 'Hello'
    assert server.bodies[1]['messages'][2]['content'] == '{"temp":21,"text":"sunny"}'


async def test_arguments_that_are_no_json_are_an_error_that_may_pass(ai, server, tools):
    server.script.append(Reply(body=completion(None, tool_calls=[call('weather', '{"city": "Os')])))
    response = await ai.generate(model=OSS, prompt='x', tools=tools)
    assert response.error.status == 'INTERNAL'
    assert "'weather'" in response.error.message


async def test_a_call_cut_by_the_length_limit_is_not_run(ai, server, tools):
    body = completion('Look', finish_reason='length', tool_calls=[call('weather', '{"city": "Os')])
    server.script.append(Reply(body=body))
    response = await ai.generate(model=OSS, prompt='x', tools=tools)
    assert response.finish_reason == 'length'
    assert response.text == 'Look'
    assert response.custom['incomplete_tool_calls'] == [
        {'name': 'weather', 'id': 'call_1', 'arguments': '{"city": "Os'}
    ]


async def test_calls_in_a_stream_groq_cuts_are_not_run(ai, server, tools):
    piece = {'index': 0, 'id': 'call_1', 'type': 'function', 'function': {'name': 'now', 'arguments': '{}'}}
    sent = [*events({'tool_calls': [piece]})[:-1], chunk(x_groq={'error': 'gone'})]
    server.script.append(Reply(sse=sent))
    streaming = ai.generate_stream(model=OSS, prompt='x', tools=tools)
    async for _ in streaming.stream:
        pass
    response = await streaming.response
    assert response.finish_reason == 'failed'
    assert response.custom['incomplete_tool_calls'][0]['name'] == 'now'
    assert len(server.bodies) == 1


async def test_a_name_groq_would_refuse_is_translated_both_ways(ai, server):
    @ai.tool(name='files/read.me')
    async def read(wanted: dict) -> str:
        """Reads."""
        return f'read {wanted}'

    server.script.append(Reply(body=completion(None, tool_calls=[call('files_read_me', {'a': 1})])))
    response = await ai.generate(model=OSS, prompt='x', tools=['files/read.me'])
    assert response.text == 'Hello from Groq.'
    assert server.bodies[1]['messages'][1]['tool_calls'][0]['function']['name'] == 'files_read_me'
    assert server.bodies[1]['messages'][2]['content'] == "read {'a': 1}"


async def test_a_tool_that_returns_an_image(ai, server):
    @ai.tool()
    async def shot() -> object:
        """Takes a picture."""
        return tool_response({'ok': True}, parts=[Part.from_media('data:image/png;base64,AAAA')])

    server.script.append(Reply(body=completion(None, tool_calls=[call('shot', '{}')])))
    response = await ai.generate(model=QWEN, prompt='x', tools=['shot'])
    assert response.error is None
    assert server.bodies[1]['messages'][2]['content'] == [
        {'type': 'text', 'text': '{"ok":true}'},
        {'type': 'image_url', 'image_url': {'url': 'data:image/png;base64,AAAA'}},
    ]


async def test_history_of_another_model_gets_ids(ai, server):
    def request(name, given):
        return Part(tool_request=ToolRequest(name=name, input=given))

    def result(name, output):
        return Part(tool_response=ToolResponse(name=name, output=output))

    history = [
        Message(role='user', content=[Part(text='x')]),
        Message(role='model', content=[request('a', {}), request('b', 5), request('a', {'n': 2})]),
        Message(role='tool', content=[result('b', 'B'), result('a', 1), result('a', None)]),
        Message(role='user', content=[Part(text='and?')]),
    ]
    response = await ai.generate(model=OSS, messages=history)
    assert response.error is None
    sent = server.bodies[0]['messages']
    assert [c['id'] for c in sent[1]['tool_calls']] == ['call_1', 'call_2', 'call_3']
    assert [c['function']['arguments'] for c in sent[1]['tool_calls']] == ['{}', '{"input":5}', '{"n":2}']
    assert [(m['tool_call_id'], m['content']) for m in sent[2:5]] == [
        ('call_2', 'B'),
        ('call_1', '1'),
        ('call_3', 'null'),
    ]


async def test_a_result_without_a_call_is_refused(ai, server):
    result = Part(tool_response=ToolResponse(name='a', output=1))
    response = await ai.generate(model=OSS, messages=[Message(role='tool', content=[result])])
    assert response.error.status == 'INVALID_ARGUMENT'
    assert server.seen == []


def rejected(generation, **fields):
    return error(
        "Failed to call a function. Please adjust your prompt. See 'failed_generation' for more details.",
        code='tool_use_failed',
        failed_generation=generation,
        **fields,
    )


CALL_DIALECTS = {
    'json': '{"name": "weather", "arguments": {"city": "Oslo"}}',
    'json text': '{"name": "weather", "arguments": "{\\"city\\": \\"Oslo\\"}"}',
    'list': '[{"name": "weather", "parameters": {"city": "Oslo"}}]',
    'fenced': '```json\n{"tool_calls": [{"function": {"name": "weather", "arguments": {"city": "Oslo"}}}]}\n```',
    'tool_calls': '{"tool_calls":[{"id":"1","type":"function","function":{"name":"weather"},"parameters":{"city":"Oslo"}}]}',
    'tag': '<function=weather>{"city": "Oslo"}</function>',
    'tag, brace': '<function=weather{"city": "Oslo"}></function>',
    'tag, open': '<function=weather>{"city": "Oslo"}',
    'tag, paren': '<function=weather({"city": "Oslo"})></function>',
    'xml': '<tool_call>\n{"name": "weather", "arguments": {"city": "Oslo"}}\n</tool_call>',
    'tool-use': '<tool-use>{"tool_calls":[{"function":{"name":"weather"},"parameters":{"city":"Oslo"}}]}</tool-use>',
    'tag, comma': '<function=weather, {"city": "Oslo"}></function>',
    'tag, list': '<function=weather [{"city": "Oslo"}] </function>',
    'tag, name in parens': '<function(weather){"city": "Oslo"}</function>',
    'tag, slash': '<function/weather>{"city": "Oslo"}</function>',
    'python tag': '<|python_tag|>{"name": "weather", "parameters": {"city": "Oslo"}}',
    'mistral': '[TOOL_CALLS] [{"name": "weather", "arguments": {"city": "Oslo"}}]',
    'input': '{"type": "function", "name": "weather", "input": {"city": "Oslo"}}',
    'tool_call': '{"tool_call": {"name": "weather", "arguments": {"city": "Oslo"}}}',
    'prose and tag': 'I will look that up. <function=weather>{"city": "Oslo"}</function>',
}


@pytest.mark.parametrize('dialect', CALL_DIALECTS)
async def test_a_rejected_call_is_read_and_run(ai, server, tools, dialect):
    server.script.append(rejected(CALL_DIALECTS[dialect]))
    response = await ai.generate(model=OSS, prompt='Weather?', tools=tools)
    assert response.text == 'Hello from Groq.'
    assistant, result = server.bodies[1]['messages'][1:]
    assert assistant['tool_calls'][0]['function'] == {'name': 'weather', 'arguments': '{"city":"Oslo"}'}
    assert result['tool_call_id'] == assistant['tool_calls'][0]['id']
    recovered = next(m for m in response.messages if m.role == 'model' and m.tool_requests)
    assert recovered.tool_requests[0].metadata == {'groq': {'recovered': 'tool_use_failed'}}


async def test_rejected_calls_one_a_line(ai, server, tools):
    lines = [json.dumps({'name': 'weather', 'arguments': {'city': city}}) for city in ('Oslo', 'Rome')]
    server.script.append(rejected('\n'.join(lines)))
    await ai.generate(model=OSS, prompt='Weather?', tools=tools)
    calls = server.bodies[1]['messages'][1]['tool_calls']
    assert [call['function']['arguments'] for call in calls] == ['{"city":"Oslo"}', '{"city":"Rome"}']
    assert len({call['id'] for call in calls}) == 2


@pytest.mark.parametrize('streamed', [False, True])
async def test_a_rejected_call_in_a_stream(ai, server, tools, streamed):
    inner = rejected(CALL_DIALECTS['json'], status_code=400).body
    event = f'event: error\ndata: {json.dumps(inner)}\n\n'
    before = {'reasoning': 'I need the weather.'}, {'content': 'One moment. '}
    reply = Reply(sse=[*events(*before)[:-1], event]) if streamed else rejected(CALL_DIALECTS['json'])
    server.script.append(reply)
    streaming = ai.generate_stream(model=OSS, prompt='Weather?', tools=tools)
    chunks = [c async for c in streaming.stream]
    response = await streaming.response
    assert response.text == 'Hello'
    asked = [p.tool_request.input for c in chunks for p in c.content if p.tool_request is not None]
    assert asked == [{'city': 'Oslo'}]
    if streamed:
        assert server.bodies[1]['messages'][1]['content'] == 'One moment. '
        assert server.bodies[1]['messages'][1]['reasoning'] == 'I need the weather.'


@pytest.mark.parametrize('streamed', [False, True])
async def test_a_rejected_answer_in_prose_is_the_answer(ai, server, tools, streamed):
    server.script.append(rejected('Which city do you mean?'))
    streaming = ai.generate_stream(model=OSS, prompt='x', tools=tools, config={'stream': streamed})
    chunks = [c async for c in streaming.stream]
    response = await streaming.response
    assert response.error is None
    assert response.text == 'Which city do you mean?' == ''.join(c.text for c in chunks)
    assert response.custom['recovered'] == 'tool_use_failed'
    assert response.message.content[0].metadata['groq'] == {'recovered': 'tool_use_failed'}


@pytest.mark.parametrize(
    'generation',
    [
        '',
        None,
        '{"name": "weather", "arguments": {"city": ',
        '<function=weather>{"city": </function>',
        '{"name": "open_file", "arguments": {}}',  # not a tool of this request
        '[{"name": "weather", "arguments": {"city": "Oslo"}}, {"name": "open_file", "arguments": {}}]',
        '{"city": "Oslo"}',
        '{"name": "weather", "city": "Oslo"}',  # what the tool is to be given stands nowhere
        'I will look. <function=weather>{"city": </function>',
        '<function=weather>{"city": "Oslo"}</function><function=weather>{"city": </function>',
        '<tool_call>{"name": "weather", "arguments": {}}</tool_call><tool_call>{"name": </tool_call>',
    ],
)
async def test_what_makes_no_sense_is_an_error_that_may_pass(ai, server, tools, generation):
    server.script.append(rejected(generation))
    response = await ai.generate(model=OSS, prompt='x', tools=tools)
    assert response.error.status == 'INTERNAL'
    assert 'try again' in response.error.message
    assert len(server.bodies) == 1
