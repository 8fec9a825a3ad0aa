# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""Messages, both ways.

What Genkit's message has no field for (id, name, additional arguments, response metadata) is kept in its metadata under
`langchain`; Genkit's own metadata is kept in LangChain's `additional_kwargs` under `genkit`. Text, media, reasoning and
tool calls of one message stay one message. A Genkit tool message with several responses becomes several `ToolMessage`s,
and tool messages in a row become one again.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, cast

from genkit import GenkitError, Message, Part, Role, ToolRequest, ToolResponse

from genkitx_langchain.convert.blocks import GENKIT, KEY, block_part, content_parts, parts_content
from genkitx_langchain.convert.json_value import json_value

if TYPE_CHECKING:
    from langchain_core.messages import AIMessage, BaseMessage, ToolMessage

_ROLES: Final[dict[str, str]] = {
    'system': Role.SYSTEM,
    'human': Role.USER,
    'ai': Role.MODEL,
    'AIMessageChunk': Role.MODEL,
    'HumanMessageChunk': Role.USER,
    'SystemMessageChunk': Role.SYSTEM,
}
_TOOL_TYPES: Final = frozenset({'tool', 'ToolMessageChunk'})


def to_genkit_messages(messages: Iterable[BaseMessage], *, for_model: bool = False) -> list[Message]:
    """Turns LangChain messages into Genkit's.

    Args:
        messages: The messages; they are not changed.
        for_model: Leave out what no model reads: ids, response metadata, artifacts of tools.

    Raises:
        GenkitError: INVALID_ARGUMENT for a message that has no counterpart (a `RemoveMessage`, a role Genkit does not
            know) or holds what JSON cannot.
    """
    converted: list[Message] = []
    names: dict[str, str] = {}
    after_tool = False
    for message in messages:
        if message.type in _TOOL_TYPES:
            part = _tool_response_part(cast('ToolMessage', message), names, for_model)
            if after_tool:
                converted[-1].content.append(part)
            else:
                converted.append(Message(role=Role.TOOL, content=[part]))
            after_tool = True
            continue
        after_tool = False
        converted.append(_message(message, names, for_model))
    return converted


def to_langchain_messages(messages: Iterable[Message]) -> list[BaseMessage]:
    """Turns Genkit messages into LangChain's.

    Raises:
        GenkitError: INVALID_ARGUMENT for a tool's request or response where LangChain has no place for it.
    """
    from langchain_core.messages import HumanMessage, SystemMessage

    classes = {Role.SYSTEM: SystemMessage, Role.USER: HumanMessage}
    converted: list[BaseMessage] = []
    asked: Counter[str] = Counter()
    answered: Counter[str] = Counter()
    for message in messages:
        if message.role == Role.TOOL:
            converted.extend(_tool_messages(message, answered))
        elif message.role == Role.MODEL:
            converted.append(to_ai_message(message, asked))
        elif message.role in classes:
            fields = _fields(message.metadata)
            if any(part.tool_request or part.tool_response for part in message.content):
                raise _misplaced(f'A message of role {message.role} holds a tool request or response')
            content = parts_content(message.content, fields.pop('form', None))
            _note_empty_text(message, content, fields)
            converted.append(classes[Role(message.role)](content=content, **fields))
        else:
            raise _misplaced(f'A message has the role {message.role!r}')
    return converted


def to_ai_message(message: Message, unnamed: Counter[str] | None = None) -> AIMessage:
    """Turns a model's message into an `AIMessage`, with its tool calls.

    Args:
        message: The message.
        unnamed: How many requests without a ref each tool has had before: LangChain's calls have ids.
    """
    from langchain_core.messages import AIMessage

    fields = _fields(message.metadata)
    unnamed = Counter() if unnamed is None else unnamed
    calls: list[Any] = []
    invalid: list[Any] = []
    others: list[Part] = []
    kept: dict[str, Any] = {}
    for part in message.content:
        if part.tool_response is not None:
            raise _misplaced('A message of a model holds a tool response')
        if part.tool_request is not None:
            call, note = _tool_call(part, unnamed)
            if note:
                kept[str(len(calls))] = note
            calls.append(call)
        elif (kept_block := (part.custom or {}).get(KEY)) and kept_block.get('type') == 'invalid_tool_call':
            invalid.append(kept_block)
        else:
            others.append(part)
    if kept:
        extra = fields.setdefault('additional_kwargs', {})
        extra[GENKIT] = {**extra.get(GENKIT, {}), 'toolRequests': kept}
    content = _interleaved(message.content, calls) or parts_content(others, fields.pop('form', None))
    fields.pop('form', None)
    _note_empty_text(message, content, fields)
    return AIMessage(content=cast('Any', content), tool_calls=calls, invalid_tool_calls=invalid, **fields)


def _tool_call(part: Part, unnamed: Counter[str]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Returns LangChain's call of a tool request part, and what the call cannot hold (metadata, the form of its input)."""
    request = cast('ToolRequest', part.tool_request)
    note: dict[str, Any] = {'metadata': part.metadata} if part.metadata else {}
    args: Any = request.input
    if args is None:
        args, note['input'] = {}, 'none'
    elif not isinstance(args, dict):
        # LangChain's arguments are an object.
        args, note['input'] = {'input': args}, 'value'
    ref = request.ref
    if ref is None:
        ref, note['ref'] = _made_up(request.name, unnamed), 'none'
    return {'name': request.name, 'args': cast('dict[str, Any]', args), 'id': ref, 'type': 'tool_call'}, note


def _made_up(name: str, unnamed: Counter[str]) -> str:
    """An id for the next request of a tool, or response, that has none; the same for both."""
    unnamed[name] += 1
    return name if unnamed[name] == 1 else f'{name}-{unnamed[name]}'


def _message(message: BaseMessage, names: dict[str, str], for_model: bool) -> Message:
    role = _ROLES.get(message.type)
    if role is None and message.type == 'chat':
        named = getattr(message, 'role', '')
        role = {'assistant': Role.MODEL, 'model': Role.MODEL, 'user': Role.USER, 'system': Role.SYSTEM}.get(named)
    if role is None:
        raise GenkitError(
            status='INVALID_ARGUMENT',
            message=f'Genkit has no counterpart of a {type(message).__name__}; leave it out or convert it.',
        )
    if role == Role.MODEL and message.type != 'chat':
        content = _model_parts(cast('AIMessage', message), names, for_model)
    else:
        content = content_parts(cast('Any', message.content), for_model=for_model)
    own = _own(message)
    if message.content == '' and own.get('text') == '':
        content = [Part.from_text(''), *content]
    metadata = dict(own.get('metadata', {}))
    if not for_model and (kept := _kept(message)):
        metadata[KEY] = kept
    return Message(role=role, content=content, metadata=metadata or None)


def _model_parts(message: AIMessage, names: dict[str, str], for_model: bool) -> list[Part]:
    notes = _own(message).get('toolRequests', {})
    calls = message.tool_calls
    names.update((str(call['id']), call['name']) for call in calls)
    # Ids may be missing, empty or twice the same.
    waiting = [(call['id'], _request_part(call, notes.get(str(i), {}))) for i, call in enumerate(calls)]
    known = {call['id'] for call in (*calls, *message.invalid_tool_calls)}
    parts: list[Part] = []
    content = cast('Any', message.content)
    for block in [content] if isinstance(content, str) else content:
        if block == '' and isinstance(content, str):
            continue
        if isinstance(block, Mapping) and (kind := cast('Mapping[str, Any]', block).get('type')) in CALL_BLOCKS:
            identity = cast('Mapping[str, Any]', block).get('id')
            found = next((i for i, (one, _) in enumerate(waiting) if one == identity), None)
            if found is not None:
                parts.append(waiting.pop(found)[1])
                continue
            if kind in _FRAGMENTS or identity in known:
                continue
        parts.append(block_part(cast('Any', block), for_model=for_model))
    parts += [part for _, part in waiting]
    parts += [Part.from_custom({KEY: json_value(call, 'invalid_tool_calls')}) for call in message.invalid_tool_calls]
    return parts


_FRAGMENTS: Final = frozenset({'tool_call_chunk', 'input_json_delta'})
CALL_BLOCKS: Final = frozenset({'tool_call', 'tool_use', 'function_call', *_FRAGMENTS})
"""Types of content blocks that repeat a message's tool calls."""


def _request_part(call: Mapping[str, Any], note: Mapping[str, Any]) -> Part:
    args: Any = json_value(call['args'], f'arguments of {call["name"]}')
    form = note.get('input')
    value = None if form == 'none' and not args else args.get('input') if form == 'value' else args
    ref = None if note.get('ref') == 'none' else call['id']
    return Part.from_tool_request(call['name'], value, ref, note.get('metadata'))


def _tool_response_part(message: ToolMessage, names: Mapping[str, str], for_model: bool) -> Part:
    own = _own(message)
    content = cast('Any', message.content)
    parts: list[Any] | None = None
    if isinstance(content, str):
        output = json.loads(content) if own.get('json') else content
    else:
        made = content_parts(content, for_model=for_model)
        output = own.get('output', ''.join(part.text for part in made if part.text is not None))
        parts = [part.model_dump(by_alias=True, exclude_none=True) for part in made]
    metadata = dict(own.get('metadata', {}))
    kept = {} if for_model else _kept(message)
    if not for_model and message.artifact is not None:
        kept['artifact'] = json_value(message.artifact, 'artifact')
    if message.status == 'error':
        kept['status'] = 'error'
    if message.name is not None and names.get(message.tool_call_id) not in (None, message.name):
        kept['name'] = message.name
    else:
        kept.pop('name', None)
    if kept:
        metadata[KEY] = kept
    name = names.get(message.tool_call_id) or message.name or 'tool'
    response = ToolResponse(name=name, ref=own.get('ref', message.tool_call_id), output=output, content=parts)
    return Part(tool_response=response, metadata=metadata or None)


def _tool_messages(message: Message, unnamed: Counter[str]) -> list[ToolMessage]:
    if not message.content:
        raise _misplaced('A message of role tool holds no response')
    return [_tool_message(part, unnamed) for part in message.content]


def _tool_message(part: Part, unnamed: Counter[str]) -> ToolMessage:
    from langchain_core.messages import ToolMessage

    response = part.tool_response
    if response is None:
        raise _misplaced('A message of role tool holds something else than tool responses')
    metadata = dict(part.metadata or {})
    fields = dict(metadata.pop(KEY, None) or {})
    own: dict[str, Any] = {'metadata': metadata} if metadata else {}
    content: Any = response.output
    if response.content:
        parts = [Part.model_validate(one) for one in response.content]
        content = parts_content(parts, {'blocks': True})
        if response.output != ''.join(one.text for one in parts if one.text is not None):
            own['output'] = response.output
    elif not isinstance(content, str):
        content, own['json'] = json.dumps(content, ensure_ascii=False), True
    ref = response.ref
    if ref is None:
        ref, own['ref'] = _made_up(response.name, unnamed), None
    if own:
        fields['additional_kwargs'] = {**fields.get('additional_kwargs', {}), GENKIT: own}
    fields.setdefault('name', response.name)
    return ToolMessage(content=content, tool_call_id=ref, **fields)


def _kept(message: BaseMessage) -> dict[str, Any]:
    """What Genkit has no field for, as JSON."""
    extra = {key: value for key, value in message.additional_kwargs.items() if key != GENKIT}
    fields: dict[str, Any] = {
        'id': message.id,
        'name': message.name,
        'additional_kwargs': extra,
        'response_metadata': message.response_metadata,
        'usage_metadata': getattr(message, 'usage_metadata', None),
    }
    if message.type == 'chat':
        fields['additional_kwargs'] = {**extra, 'role': getattr(message, 'role', None)}
    kept = {key: json_value(value, key) for key, value in fields.items() if value}
    content = cast('Any', message.content)
    if content and isinstance(content, list) and message.type not in _TOOL_TYPES:
        blocks = cast('list[Any]', content)
        if len(blocks) == 1 and (isinstance(blocks[0], str) or set(blocks[0]) == {'type', 'text'}):
            kept['form'] = {'blocks': True}
    return kept


def _note_empty_text(message: Message, content: Any, fields: dict[str, Any]) -> None:
    """Notes an empty text part: LangChain writes a message without parts in the same way."""
    if content == '' and any(part.text == '' for part in message.content):
        extra = fields.setdefault('additional_kwargs', {})
        extra[GENKIT] = {**extra.get(GENKIT, {}), 'text': ''}


def _own(message: BaseMessage) -> dict[str, Any]:
    own = message.additional_kwargs.get(GENKIT)
    return dict(cast('Mapping[str, Any]', own)) if isinstance(own, Mapping) else {}


def _fields(metadata: Mapping[str, Any] | None) -> dict[str, Any]:
    """The fields of a LangChain message that Genkit's metadata keeps."""
    rest = dict(metadata or {})
    kept = rest.pop(KEY, None)
    fields = dict(cast('Mapping[str, Any]', kept)) if isinstance(kept, Mapping) else {}
    fields['additional_kwargs'] = dict(fields.get('additional_kwargs', {}))
    if rest:
        fields['additional_kwargs'][GENKIT] = {'metadata': rest}
    return fields


def _interleaved(parts: Sequence[Part], calls: Iterable[Any]) -> list[Any] | None:
    """Blocks with the calls in their places, where calls do not all come last."""
    first = next((i for i, part in enumerate(parts) if part.tool_request is not None), len(parts))
    if all(part.tool_request is not None or part.custom is not None for part in parts[first:]):
        return None
    blocks: list[Any] = []
    remaining = iter(calls)
    for part in parts:
        if part.tool_request is not None:
            blocks.append(next(remaining))
        else:
            blocks.extend(cast('list[Any]', parts_content([part], {'blocks': True})))
    return blocks


def _misplaced(problem: str) -> GenkitError:
    return GenkitError(status='INVALID_ARGUMENT', message=f'{problem}, for which LangChain has no place.')
