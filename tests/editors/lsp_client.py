"""A language client that starts the real server as an editor does, and waits for what it sends."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from lsprotocol import types
from pygls.lsp.client import LanguageClient

ROOT = Path(__file__).parents[2]
TIMEOUT = 120


class Client:
    """An editor: opens and changes buffers below ``root``, and sees what is published for them."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.protocol = LanguageClient("test-editor", "1")
        self.published: dict[str, types.PublishDiagnosticsParams] = {}
        self.messages: list[str] = []
        self.log: list[str] = []
        self.registered: list[str] = []
        self.count = 0
        self._versions: dict[str, int] = {}
        self._news = asyncio.Condition()

        @self.protocol.feature(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)
        async def published(params: types.PublishDiagnosticsParams) -> None:
            self.published[params.uri] = params
            self.count += 1
            await self._tell()

        @self.protocol.feature(types.WINDOW_SHOW_MESSAGE)
        async def message(params: types.ShowMessageParams) -> None:
            self.messages.append(params.message)
            await self._tell()

        @self.protocol.feature(types.WINDOW_LOG_MESSAGE)
        def logged(params: types.LogMessageParams) -> None:
            self.log.append(params.message)

        @self.protocol.feature(types.CLIENT_REGISTER_CAPABILITY)
        def register(params: types.RegistrationParams) -> None:
            self.registered += (it.method for it in params.registrations)

    async def _tell(self) -> None:
        async with self._news:
            self._news.notify_all()

    def uri(self, name: str) -> str:
        return (self.root / name).as_uri()

    def open(self, name: str, text: str, language: str = "python", uri: str | None = None) -> str:
        uri = uri or self.uri(name)
        self._versions[uri] = 1
        item = types.TextDocumentItem(uri, language, 1, text)
        self.protocol.text_document_did_open(types.DidOpenTextDocumentParams(item))
        return uri

    def change(self, name: str, text: str) -> int:
        """The whole text anew; says which version that is."""
        uri = self.uri(name)
        self._versions[uri] += 1
        self.protocol.text_document_did_change(
            types.DidChangeTextDocumentParams(
                types.VersionedTextDocumentIdentifier(self._versions[uri], uri),
                [types.TextDocumentContentChangeWholeDocument(text)],
            )
        )
        return self._versions[uri]

    def close(self, name: str) -> None:
        document = types.TextDocumentIdentifier(self.uri(name))
        self.protocol.text_document_did_close(types.DidCloseTextDocumentParams(document))

    async def until(self, holds: Any) -> None:
        """Waits until something holds of what was published or told."""
        async with self._news:
            await asyncio.wait_for(self._news.wait_for(holds), TIMEOUT)

    async def findings(self, name: str, version: int | None = 1, uri: str | None = None) -> list[types.Diagnostic]:
        """The findings published for a version of a buffer."""
        uri = uri or self.uri(name)
        await self.until(lambda: uri in self.published and self.published[uri].version == version)
        return list(self.published[uri].diagnostics)

    async def actions(self, name: str, at: types.Range, only: list[Any] | None = None) -> list[types.CodeAction]:
        params = types.CodeActionParams(
            types.TextDocumentIdentifier(self.uri(name)), at, types.CodeActionContext([], only=only)
        )
        found = await asyncio.wait_for(self.protocol.text_document_code_action_async(params), TIMEOUT)
        return [it for it in found or [] if isinstance(it, types.CodeAction)]

    async def hover(self, name: str, line: int, character: int) -> types.Hover | None:
        params = types.HoverParams(types.TextDocumentIdentifier(self.uri(name)), types.Position(line, character))
        return await asyncio.wait_for(self.protocol.text_document_hover_async(params), TIMEOUT)


def capabilities(*encodings: types.PositionEncodingKind, modern: bool = True) -> types.ClientCapabilities:
    """What a client can do: with all that a modern editor has, or with nothing optional."""
    if not modern:
        return types.ClientCapabilities()
    return types.ClientCapabilities(
        general=types.GeneralClientCapabilities(position_encodings=list(encodings)) if encodings else None,
        workspace=types.WorkspaceClientCapabilities(
            workspace_edit=types.WorkspaceEditClientCapabilities(document_changes=True),
            did_change_watched_files=types.DidChangeWatchedFilesClientCapabilities(dynamic_registration=True),
        ),
        text_document=types.TextDocumentClientCapabilities(
            code_action=types.CodeActionClientCapabilities(
                data_support=True, resolve_support=types.ClientCodeActionResolveOptions(["edit"])
            )
        ),
    )


@asynccontextmanager
async def started(root: Path, able: types.ClientCapabilities | None = None) -> AsyncIterator[Client]:
    """A client whose server runs in ``root``, ended by the protocol's own way."""
    client = Client(root)
    path = os.pathsep.join([str(ROOT), *os.environ.get("PYTHONPATH", "").split(os.pathsep)]).strip(os.pathsep)
    await client.protocol.start_io(
        sys.executable, "-m", "inplace_lint", "server", cwd=root, env={**os.environ, "PYTHONPATH": path}
    )
    try:
        await client.protocol.initialize_async(
            types.InitializeParams(
                able or capabilities(),
                root_uri=root.as_uri(),
                workspace_folders=[types.WorkspaceFolder(root.as_uri(), root.name)],
            )
        )
        client.protocol.initialized(types.InitializedParams())
        yield client
        await asyncio.wait_for(client.protocol.shutdown_async(None), TIMEOUT)
        client.protocol.exit(None)
        server = client.protocol._server
        assert server is not None
        assert await asyncio.wait_for(server.wait(), TIMEOUT) == 0
    finally:
        server = client.protocol._server
        if server is not None and server.returncode is None:
            server.kill()
        with_stop = asyncio.wait_for(client.protocol.stop(), TIMEOUT)
        await asyncio.gather(with_stop, return_exceptions=True)
