"""The server itself: which messages it answers, and with what."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lsprotocol import types
from pygls.lsp.server import LanguageServer
from pygls.uris import to_fs_path

from .. import __version__
from ..diagnostics import Diagnostic
from ..fixing.rounds import applicable
from ..settings import Resolver, Settings, SettingsError, SettingsSource
from ..settings.reading import NAMES
from ..source import text
from ..source.text import SourceError
from . import actions, messages
from .buffers import Buffer, name_of, python_buffers, uri_of
from .linting import Host, Linted, Linting
from .places import Places


class Server(LanguageServer):
    """One client's server. Handlers below are bound to it."""

    def __init__(self) -> None:
        # The whole text each time: a change of a part has to be put where the client means it, which not all agree on.
        super().__init__("inplace-lint", __version__, text_document_sync_kind=types.TextDocumentSyncKind.Full)
        self.told: set[str] = set()
        self.was_shut_down = False
        """Whether the client has said that it is done, without which an end is a failure."""
        self.linting = Linting(Host(self.buffers, self.settings, self.show, self.tell, self.tell_failure))

    @property
    def root(self) -> str:
        """The folder that the client has open, else the one that the server was started in."""
        folders = list(self.workspace.folders.values())
        path = to_fs_path(folders[0].uri) if folders else self.workspace.root_path
        return os.path.abspath(path or os.getcwd())

    @property
    def encoding(self) -> str:
        """What columns are counted in."""
        agreed = self.server_capabilities.position_encoding
        return agreed.value if isinstance(agreed, types.PositionEncodingKind) else agreed or "utf-16"

    def buffers(self) -> Mapping[str, Buffer]:
        """What is open, by name."""
        return {buffer.name: buffer for buffer in python_buffers(self.workspace, self.root)}

    def settings(self) -> SettingsSource:
        """The settings as the files say now; the defaults where they cannot be used, which the user is told."""
        return _Forgiving(Resolver(directory=self.root), self)

    def show(self, linted: Linted) -> None:
        """Publishes the findings of a buffer."""
        view = View(self, self.buffers())
        found = [view.diagnostic(one) for one in linted.found]
        self.text_document_publish_diagnostics(
            types.PublishDiagnosticsParams(linted.buffer.uri, found, linted.buffer.version)
        )

    def tell(self, message: str, kind: types.MessageType = types.MessageType.Error) -> None:
        """Shows the user a message, once."""
        if message not in self.told:
            self.told.add(message)
            self.window_show_message(types.ShowMessageParams(kind, f"inplace-lint: {message}"))

    def tell_failure(self, message: str) -> None:
        """Tells of a fault of ours, in the log: it says nothing about the user's code."""
        self.window_log_message(
            types.LogMessageParams(types.MessageType.Error, f"internal error (please report this): {message}")
        )


class _Forgiving:
    """Settings that never fail: where they cannot be used, the defaults hold and the client is told."""

    def __init__(self, resolver: Resolver, server: Server) -> None:
        self._resolver = resolver
        self._server = server

    @property
    def run(self) -> Settings:
        return self._or_default(lambda: self._resolver.run)

    def of(self, filename: str) -> Settings:
        return self._or_default(lambda: self._resolver.of(filename))

    def _or_default(self, ask: Any) -> Settings:
        try:
            found: Settings = ask()
        except SettingsError as error:
            message = str(error)
            self._server.linting.soon(lambda: self._server.tell(message))
            return Settings()
        return found


@dataclass
class View:
    """The files as the client sees them while one message is answered."""

    server: Server
    buffers: Mapping[str, Buffer]
    _places: dict[str, Places] = field(default_factory=dict)

    def text(self, name: str) -> str:
        """A file's text: the buffer's, else what lies on disk; nothing where it cannot be read."""
        path = os.path.abspath(name)
        if path in self.buffers:
            return self.buffers[path].text
        try:
            return text.read(Path(path))
        except SourceError:
            return ""

    def places(self, name: str) -> Places:
        """The places of a file's text."""
        if name not in self._places:
            self._places[name] = Places(self.text(name), self.server.encoding)
        return self._places[name]

    def uri(self, name: str) -> str:
        """The client's address of a file."""
        return uri_of(name, self.buffers)

    def version(self, name: str) -> int | None:
        """The version of a file that is open."""
        path = os.path.abspath(name)
        return self.buffers[path].version if path in self.buffers else None

    def diagnostic(self, found: Diagnostic) -> types.Diagnostic:
        """A finding for the client."""
        return messages.diagnostic(found, self.places, self.uri)

    def maker(self) -> actions.Maker:
        """What makes edits for the client."""
        capabilities = self.server.client_capabilities.workspace
        edits = capabilities.workspace_edit if capabilities else None
        return actions.Maker(
            self.text, self.uri, self.version, self.server.encoding, bool(edits and edits.document_changes)
        )


def make_server() -> Server:
    """A server with its handlers, ready to be started."""
    server = Server()

    @server.feature(types.INITIALIZED)
    def initialized(params: types.InitializedParams) -> None:
        _watch_files(server)

    @server.feature(types.SHUTDOWN)
    def shut_down(params: None) -> None:
        server.was_shut_down = True

    @server.feature(types.TEXT_DOCUMENT_DID_OPEN)
    @server.feature(types.TEXT_DOCUMENT_DID_CHANGE)
    def changed(params: Any) -> None:
        _note(server, params.text_document.uri)

    @server.feature(types.TEXT_DOCUMENT_DID_CLOSE)
    def closed(params: types.DidCloseTextDocumentParams) -> None:
        # What is closed is no longer watched, so that nothing must be left standing.
        server.text_document_publish_diagnostics(types.PublishDiagnosticsParams(params.text_document.uri, []))
        path = to_fs_path(params.text_document.uri)
        server.linting.changed(*([os.path.abspath(path)] if path else []))

    @server.feature(types.TEXT_DOCUMENT_DID_SAVE)
    def saved(params: types.DidSaveTextDocumentParams) -> None:
        path = to_fs_path(params.text_document.uri) or ""
        server.linting.changed(os.path.abspath(path), everything=os.path.basename(path) in NAMES)

    @server.feature(types.WORKSPACE_DID_CHANGE_WATCHED_FILES)
    def watched(params: types.DidChangeWatchedFilesParams) -> None:
        paths = [path for change in params.changes if (path := to_fs_path(change.uri))]
        # A file that is new, or gone, changes what the imports of others mean.
        moved = any(change.type != types.FileChangeType.Changed for change in params.changes)
        settings = any(os.path.basename(path) in NAMES for path in paths)
        server.linting.changed(*map(os.path.abspath, paths), everything=moved or settings)

    @server.feature(types.WORKSPACE_DID_CHANGE_CONFIGURATION)
    @server.feature(types.WORKSPACE_DID_CHANGE_WORKSPACE_FOLDERS)
    def configured(params: Any) -> None:
        server.linting.changed(everything=True)

    @server.feature(types.TEXT_DOCUMENT_HOVER)
    async def hover(params: types.HoverParams) -> types.Hover | None:
        linted = await _linted(server, params.text_document.uri)
        if linted is None:
            return None
        places = Places(linted.buffer.text, server.encoding)
        return messages.hover(linted.found, places, places.place(params.position))

    @server.feature(
        types.TEXT_DOCUMENT_CODE_ACTION,
        types.CodeActionOptions(
            [types.CodeActionKind.QuickFix, types.CodeActionKind.SourceFixAll, actions.FIX_ALL], resolve_provider=True
        ),
    )
    async def code_action(params: types.CodeActionParams) -> list[types.CodeAction]:
        linted = await _linted(server, params.text_document.uri)
        if linted is None:
            return []
        return await _code_actions(server, linted, params)

    @server.feature(types.CODE_ACTION_RESOLVE)
    async def resolve(action: types.CodeAction) -> types.CodeAction:
        if isinstance(action.data, dict) and isinstance(action.data.get("name"), str):
            action.edit = await _fix_all(server, action.data["name"])
        return action

    return server


def _note(server: Server, uri: str) -> None:
    name = name_of(server.workspace.get_text_document(uri), server.root)
    if name is not None:
        server.linting.changed(name)


async def _linted(server: Server, uri: str) -> Linted | None:
    """The findings in a document as it is now."""
    name = name_of(server.workspace.get_text_document(uri), server.root)
    return None if name is None else await server.linting.current(name)


async def _code_actions(server: Server, linted: Linted, params: types.CodeActionParams) -> list[types.CodeAction]:
    view = View(server, server.buffers())
    only = params.context.only
    made: list[types.CodeAction] = []
    if actions.wanted(types.CodeActionKind.QuickFix.value, only):
        places = view.places(linted.buffer.name)
        start, end = places.place(params.range.start), places.place(params.range.end)
        here = [one for one in linted.found if one.span.start <= end and start <= one.span.end]
        made += actions.quick_fixes(here, view.maker(), view.diagnostic)
    if actions.wanted(actions.FIX_ALL, only) and any(applicable(one, unsafe=False) for one in linted.found):
        action = types.CodeAction(f"{messages.SOURCE}: Fix all that can be fixed safely", actions.FIX_ALL)
        if _resolves(server):
            action.data = {"name": linted.buffer.name}
        elif only:
            # Made here and now, which takes a while: only where it was asked for.
            action.edit = await _fix_all(server, linted.buffer.name)
        if action.data or action.edit:
            made.append(action)
    return made


async def _fix_all(server: Server, name: str) -> types.WorkspaceEdit | None:
    fixed = await server.linting.fixed(name)
    if fixed is None or fixed[0].text == fixed[1]:
        return None
    return View(server, server.buffers()).maker().replaced(name, fixed[1])


def _resolves(server: Server) -> bool:
    """Whether the client asks for an action's edit once the user has chosen it."""
    documents = server.client_capabilities.text_document
    asked = documents.code_action if documents else None
    return bool(asked and asked.data_support and asked.resolve_support and "edit" in asked.resolve_support.properties)


def _watch_files(server: Server) -> None:
    """Asks the client to tell of files that change on disk, where it can."""
    workspace = server.client_capabilities.workspace
    watching = workspace.did_change_watched_files if workspace else None
    if not (watching and watching.dynamic_registration):
        return
    patterns = ["**/*.py", *(f"**/{name}" for name in NAMES)]
    options = types.DidChangeWatchedFilesRegistrationOptions([types.FileSystemWatcher(it) for it in patterns])
    registration = types.Registration("inplace-lint-files", types.WORKSPACE_DID_CHANGE_WATCHED_FILES, options)
    server.client_register_capability(types.RegistrationParams([registration]))
