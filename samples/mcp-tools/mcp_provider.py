# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""The tools of an MCP server as actions of Genkit, through a dynamic action provider."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Any, TypeVar

import mcp_types as mcp
from genkit import Genkit, GenkitError, Part, response, tool
from genkit.plugin_api import Action, StatusName
from genkitx.lifecycle import PerLoop
from mcp import Client, MCPError, StdioServerParameters
from mcp_session import McpSession
from pydantic import ValidationError
from typing_extensions import Self

T = TypeVar('T')

# What went wrong in the protocol, in the words of Genkit.
STATUSES: dict[int, StatusName] = {
    mcp.CONNECTION_CLOSED: 'UNAVAILABLE',
    mcp.REQUEST_TIMEOUT: 'DEADLINE_EXCEEDED',
    mcp.INVALID_PARAMS: 'INVALID_ARGUMENT',
    mcp.METHOD_NOT_FOUND: 'UNIMPLEMENTED',
    mcp.INTERNAL_ERROR: 'INTERNAL',
}


class McpTools:
    """An MCP server whose tools Genkit lists and runs: `tools=['<name>:tool/*']`.

    The server is started at first use, once for each event loop that uses it (the Dev UI has one of its own), and
    started again when it died. Leave the `async with` block, or call `aclose`, to end all of them.

    Args:
        ai: The Genkit that gets the tools.
        name: Name of the provider: `notes` makes `notes:tool/read_note`.
        parameters: How the server is started.
        timeout: Seconds that the start, and each answer, may take.
    """

    def __init__(self, ai: Genkit, name: str, parameters: StdioServerParameters, *, timeout: float = 30.0) -> None:
        self.name = name
        self._connections = PerLoop(lambda: _connection(parameters, timeout), _Connection.aclose)
        self._provider = ai.define_dynamic_action_provider(
            name, self.list_tools, description=f'Tools of the MCP server {name}'
        )

    async def list_tools(self) -> dict[str, list[Action]]:
        """Asks the server for its tools. Genkit calls this, and keeps the answer for three seconds."""
        tools = await self._ask(_all_tools, again=True)
        return {'tool': [self._action(each) for each in tools]}

    async def call(self, described: mcp.Tool, arguments: Any) -> Any:
        """Calls a tool of the server.

        Returns:
            The structured result if there is one, else the text; pictures and sounds as parts next to it.

        Raises:
            GenkitError: UNKNOWN with the tool's own words when the tool failed; otherwise what is in `STATUSES`.
        """
        hints = described.annotations or mcp.ToolAnnotations()
        # A call that is lost half way may have done its work already: only what does no harm twice is sent twice.
        again = bool(hints.read_only_hint or hints.idempotent_hint)
        result = await self._ask(lambda client: client.call_tool(described.name, arguments or {}), again=again)
        return _output(described.name, result)

    async def aclose(self) -> None:
        """Ends the sessions and the servers. A later use starts new ones."""
        await self._connections.aclose()
        self._provider.invalidate_cache()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.aclose()

    def _action(self, described: mcp.Tool) -> Action:
        async def run(arguments: Any) -> Any:
            return await self.call(described, arguments)

        made = tool(
            run,
            name=described.name,
            description=described.description or described.title or '',
            input_schema=described.input_schema,
        )
        action = made.action()
        # Selectors such as notes:tool/* look for the name here, where genkit 0.12 does not put it by itself.
        action.metadata['name'] = described.name
        return action

    async def _ask(self, question: Callable[[Client], Awaitable[T]], *, again: bool) -> T:
        connection = await self._connections.get()
        for attempt in (1, 2):
            session = await connection.session()
            try:
                return await question(session.client)
            except MCPError as error:
                if error.code == mcp.CONNECTION_CLOSED:
                    await connection.drop(session)
                    if again and attempt == 1:
                        continue
                raise _told(self.name, error) from error
            except ValidationError as error:
                message = f'The MCP server {self.name} answered with something that is not MCP: {error}'
                raise GenkitError(status='INTERNAL', message=message, cause=error) from error
        raise AssertionError('the second attempt returns or raises')


class _Connection:
    """The session of one event loop, opened again after it broke."""

    def __init__(self, parameters: StdioServerParameters, timeout: float) -> None:
        self._parameters = parameters
        self._timeout = timeout
        self._session: McpSession | None = None
        self._opening = asyncio.Lock()

    async def session(self) -> McpSession:
        """The session; callers that come while it opens wait for the same one."""
        async with self._opening:
            if self._session is None:
                self._session = await McpSession.open(self._parameters, timeout=self._timeout)
            return self._session

    async def drop(self, session: McpSession) -> None:
        """Forgets a session that broke, unless somebody else already has."""
        if self._session is session:
            self._session = None
            await session.aclose()

    async def aclose(self) -> None:
        """Ends the session."""
        if self._session is not None:
            await self.drop(self._session)


async def _connection(parameters: StdioServerParameters, timeout: float) -> _Connection:
    return _Connection(parameters, timeout)


async def _all_tools(client: Client) -> list[mcp.Tool]:
    """All pages of the list."""
    page = await client.list_tools()
    tools = list(page.tools)
    while page.next_cursor is not None:
        page = await client.list_tools(cursor=page.next_cursor)
        tools += page.tools
    return tools


def _output(name: str, result: mcp.CallToolResult) -> Any:
    """What the model gets."""
    texts: list[str] = []
    parts: list[Part] = []
    for block in result.content:
        if isinstance(block, mcp.TextContent):
            texts.append(block.text)
        elif isinstance(block, (mcp.ImageContent, mcp.AudioContent)):
            parts.append(Part.from_media(f'data:{block.mime_type};base64,{block.data}', content_type=block.mime_type))
        elif isinstance(block, mcp.EmbeddedResource) and isinstance(block.resource, mcp.TextResourceContents):
            texts.append(block.resource.text)
        else:
            # A link, or a resource that is no text: the model gets its description.
            texts.append(block.model_dump_json(by_alias=True, exclude_none=True))
    text = '\n'.join(texts)
    if result.is_error:
        raise GenkitError(status='UNKNOWN', message=text or f'The tool {name} failed and did not say why.')
    output = text if result.structured_content is None else result.structured_content
    return response(output, parts=parts) if parts else output


def _told(name: str, error: MCPError) -> GenkitError:
    status = STATUSES.get(error.code, 'UNKNOWN')
    message = f'The MCP server {name}: {error.message} (code {error.code}).'
    if error.code == mcp.CONNECTION_CLOSED:
        message = f'The MCP server {name} went away during the call, which may have been carried out. Try again.'
    return GenkitError(status=status, message=message, cause=error)
