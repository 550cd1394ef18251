"""What is open in the editor: buffers by file name, and the addresses by which the client knows files."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from pygls.uris import from_fs_path, to_fs_path

if TYPE_CHECKING:
    from pygls.workspace import TextDocument, Workspace


@dataclass(frozen=True)
class Buffer:
    """A text as it stood at some moment. ``name`` is the absolute path that it is linted under."""

    uri: str
    name: str
    text: str
    version: int | None


def python_buffers(workspace: Workspace, root: str) -> Iterator[Buffer]:
    """The open buffers that hold Python: files, and texts that were never saved."""
    for uri, document in list(workspace.text_documents.items()):
        name = name_of(document, root)
        if name is not None:
            yield Buffer(document.uri or uri, name, document.source.removeprefix("\ufeff"), document.version)


def name_of(document: TextDocument, root: str) -> str | None:
    """The path under which a document is linted; None where it is no Python, or a part of something else, such as a cell."""
    parts = urlsplit(document.uri)
    if parts.scheme == "file":
        path = to_fs_path(document.uri)
        if path is None or not (document.language_id == "python" or path.endswith((".py", ".pyi"))):
            return None
        return os.path.abspath(path)
    if parts.scheme == "untitled" and document.language_id == "python":
        # A name that no module has, so that nothing imports it.
        return os.path.join(root, f"<{os.path.basename(unquote(parts.path)) or 'untitled'}>")
    return None


def uri_of(name: str, open_buffers: Mapping[str, Buffer]) -> str:
    """The address of a file: the client's own where it is open."""
    path = os.path.abspath(name)
    return open_buffers[path].uri if path in open_buffers else from_fs_path(path) or path
