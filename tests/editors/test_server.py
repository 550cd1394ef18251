"""The language server, as an editor meets it: over standard input and output, with a real client."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest
from lsp_client import capabilities, started
from lsprotocol import types
from pygls.exceptions import JsonRpcException

from inplace_lint import rules
from inplace_lint.diagnostics import Diagnostic
from inplace_lint.fixing.edits import Replacement, apply
from inplace_lint.server.places import Places

SAVED = """\
import torch

x = torch.ones(3, requires_grad=True)
y = x.exp()
y += 1
y.sum().backward()
"""
LEAF = "import torch\n\nw = torch.ones(3, requires_grad=True)\nw += 1\n"
CLEAN = "import torch\n\nw = torch.ones(3, requires_grad=True)\ny = w + 1\n"
WHOLE = types.Range(types.Position(0, 0), types.Position(1000, 0))


def edited(root: Path, name: str, action: types.CodeAction, text: str, encoding: str = "utf-16") -> str:
    """The text after the edit of an action, made as an editor makes it."""
    assert action.edit is not None
    uri = (root / name).as_uri()
    changes: list[types.TextEdit] = []
    if action.edit.changes is not None:
        changes += action.edit.changes[uri]
    for change in action.edit.document_changes or []:
        assert isinstance(change, types.TextDocumentEdit) and change.text_document.uri == uri
        changes += (it for it in change.edits if isinstance(it, types.TextEdit))
    places = Places(text, encoding)
    starts = [0]
    for line in text.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))

    def offset(position: types.Position) -> int:
        place = places.place(position)
        return starts[place.row - 1] + place.column - 1

    return apply(text, [Replacement(offset(it.range.start), offset(it.range.end), it.new_text) for it in changes])


def test_the_findings_of_a_buffer_are_published_as_it_is_typed(tmp_path: Path) -> None:
    async def session() -> None:
        async with started(tmp_path) as client:
            client.open("model.py", SAVED)
            (found,) = await client.findings("model.py")
            assert (found.code, found.source, found.severity) == (
                "IPL202",
                "inplace-lint",
                types.DiagnosticSeverity.Error,
            )
            assert found.range == types.Range(types.Position(4, 0), types.Position(4, 6))
            assert found.code_description is not None and found.code_description.href.startswith("https://")
            steps = found.related_information or []
            assert [step.location.range.start.line for step in steps] == [3, 4, 5]
            assert {step.location.uri for step in steps} == {client.uri("model.py")}
            version = client.change("model.py", CLEAN)
            assert await client.findings("model.py", version) == []
            client.change("model.py", LEAF)
            client.close("model.py")
            await client.until(lambda: client.published[client.uri("model.py")].version is None)
            assert not client.published[client.uri("model.py")].diagnostics

    asyncio.run(session())


def test_broken_code_is_a_finding_and_never_the_end(tmp_path: Path) -> None:
    async def session() -> None:
        async with started(tmp_path) as client:
            client.open("model.py", "import torch\ndef f(:\n    pass\n")
            (found,) = await client.findings("model.py")
            assert (found.code, found.range.start) == ("IPL000", types.Position(1, 6))
            for text in ("import torch\nx = (((", "\0", "import torch\n" + "(" * 5000, "", "\ud83d x.add_(torch"):
                version = client.change("model.py", text)
                await client.findings("model.py", version)
                assert await client.hover("model.py", 0, 0) is None or text
                assert isinstance(await client.actions("model.py", WHOLE), list)
            version = client.change("model.py", LEAF)
            (found,) = await client.findings("model.py", version)
            assert found.code == "IPL101"

    asyncio.run(session())


def test_only_the_last_of_many_changes_is_linted_and_shown(tmp_path: Path) -> None:
    async def session() -> None:
        async with started(tmp_path) as client:
            client.open("model.py", CLEAN)
            await client.findings("model.py")
            before = client.count
            for number in range(20):
                version = client.change("model.py", CLEAN + f"# {number}\n")
            version = client.change("model.py", LEAF)
            (found,) = await client.findings("model.py", version)
            assert found.code == "IPL101"
            # A run may have begun before the last change arrived, but not one for each.
            assert client.count - before <= 3

    asyncio.run(session())


@pytest.mark.parametrize(
    ("encoding", "before"),
    [
        (None, 4 + len("🔥") * 2),
        (types.PositionEncodingKind.Utf8, 4 + 4),
        (types.PositionEncodingKind.Utf32, 4 + 1),
    ],
)
def test_columns_are_counted_as_agreed(
    tmp_path: Path, encoding: types.PositionEncodingKind | None, before: int
) -> None:
    text = LEAF.replace("w += 1", "'🔥'; w += 1")

    async def session() -> None:
        async with started(tmp_path, capabilities(*([encoding] if encoding else []))) as client:
            client.open("model.py", text)
            (found,) = await client.findings("model.py")
            assert (found.range.start.character, found.range.end.character) == (before, before + 6)
            assert await client.hover("model.py", 3, before) is not None
            assert await client.hover("model.py", 3, before - 1) is None

    asyncio.run(session())


def test_quick_fixes_tell_safe_from_unsafe_and_make_what_they_say(tmp_path: Path) -> None:
    async def session() -> None:
        async with started(tmp_path) as client:
            client.open("model.py", SAVED)
            (found,) = await client.findings("model.py")
            fix, silence = await client.actions("model.py", found.range, [types.CodeActionKind.QuickFix])
            assert fix.is_preferred and "unsafe" not in fix.title and fix.title.startswith("inplace-lint (IPL202): ")
            assert list(fix.diagnostics or ()) == [found]
            assert edited(tmp_path, "model.py", fix, SAVED) == SAVED.replace("y += 1", "y = y + 1")
            assert silence.title == "inplace-lint (IPL202): Disable for this line"
            after = edited(tmp_path, "model.py", silence, SAVED)
            assert after == SAVED.replace("y += 1", "y += 1  # noqa: IPL202")
            version = client.change("model.py", after)
            assert await client.findings("model.py", version) == []
            elsewhere = types.Range(types.Position(0, 0), types.Position(0, 1))
            assert await client.actions("model.py", elsewhere, [types.CodeActionKind.QuickFix]) == []

    asyncio.run(session())


def test_unsafe_fixes_say_so_and_those_to_look_at_are_no_edits(tmp_path: Path) -> None:
    unsafe = "import torch\n\nw = torch.ones(3, requires_grad=True)\nw.zero_()\n"
    shown = (
        "import torch\n\nw = torch.ones(3, requires_grad=True)\nb = w * 2\nl = b.sum()\nl.backward()\nl.backward()\n"
    )

    async def session() -> None:
        async with started(tmp_path) as client:
            client.open("unsafe.py", unsafe)
            client.open("shown.py", shown)
            levels = {}
            for name, text in (("unsafe.py", unsafe), ("shown.py", shown)):
                (found,) = await client.findings(name)
                titles = [it.title for it in await client.actions(name, found.range, [types.CodeActionKind.QuickFix])]
                level = next(it for it in linted(text) if it.code == found.code).fix
                assert level is not None
                levels[name] = level.applicability
                fixes = [it for it in titles if not it.endswith("Disable for this line")]
                assert len(fixes) == (level.applicability != "display-only")
                assert all(("unsafe" in it) == (level.applicability == "unsafe") for it in fixes)
            assert "display-only" in levels.values()

    asyncio.run(session())


def linted(text: str) -> list[Diagnostic]:
    from inplace_lint.api import check_source

    return check_source(text)


@pytest.mark.parametrize("modern", [True, False], ids=["resolved", "at once"])
def test_fix_all_makes_the_safe_ones(tmp_path: Path, modern: bool) -> None:
    text = SAVED.replace("\n", "\r\n")

    async def session() -> None:
        async with started(tmp_path, capabilities(modern=modern)) as client:
            client.open("model.py", text)
            await client.findings("model.py")
            (action,) = await client.actions("model.py", WHOLE, [types.CodeActionKind.SourceFixAll])
            assert action.kind == "source.fixAll.inplaceLint"
            if modern:
                assert action.edit is None
                action = await client.protocol.code_action_resolve_async(action)
            after = edited(tmp_path, "model.py", action, text)
            assert after == text.replace("y += 1", "y = y + 1")
            version = client.change("model.py", after)
            assert await client.findings("model.py", version) == []
            assert await client.actions("model.py", WHOLE, [types.CodeActionKind.SourceFixAll]) == []

    asyncio.run(session())


def test_resting_on_a_finding_or_a_noqa_shows_the_rule(tmp_path: Path) -> None:
    text = LEAF + "y = w * 2  # noqa: IPL201\n"

    async def session() -> None:
        async with started(tmp_path) as client:
            client.open("model.py", text)
            hover = await client.hover("model.py", 3, 1)
            assert hover is not None and isinstance(hover.contents, types.MarkupContent)
            assert hover.contents.kind == types.MarkupKind.Markdown
            assert rules.documentation(rules.find_rule("IPL101")).text in hover.contents.value
            hover = await client.hover("model.py", 4, text.splitlines()[4].index("IPL201") + 2)
            assert hover is not None and isinstance(hover.contents, types.MarkupContent)
            assert hover.contents.value == rules.page(rules.find_rule("IPL201"))
            assert await client.hover("model.py", 0, 0) is None

    asyncio.run(session())


def test_settings_suppressions_and_exclusions_hold(tmp_path: Path) -> None:
    settings = tmp_path / "inplace-lint.toml"
    settings.write_text('exclude = ["generated"]\n')

    async def session() -> None:
        async with started(tmp_path) as client:
            client.open("model.py", LEAF)
            client.open("silent.py", LEAF.replace("w += 1", "w += 1  # noqa: IPL101"))
            client.open("generated/model.py", LEAF)
            client.open("notes.md", LEAF, "markdown")
            assert len(await client.findings("model.py")) == 1
            assert await client.findings("silent.py") == []
            assert await client.findings("generated/model.py") == []
            assert "workspace/didChangeWatchedFiles" in client.registered
            settings.write_text('ignore = ["IPL101"]\n')
            client.protocol.workspace_did_change_watched_files(
                types.DidChangeWatchedFilesParams(
                    [types.FileEvent(client.uri("inplace-lint.toml"), types.FileChangeType.Changed)]
                )
            )
            await client.until(lambda: not client.published[client.uri("model.py")].diagnostics)
            assert client.uri("notes.md") not in client.published
            settings.write_text('ignored = ["IPL101"]\n')
            client.protocol.workspace_did_change_configuration(types.DidChangeConfigurationParams({}))
            await client.until(lambda: client.messages)
            assert "inplace-lint.toml" in client.messages[0] and "`ignore`" in client.messages[0]
            await client.until(lambda: client.published[client.uri("model.py")].diagnostics)

    asyncio.run(session())


def test_what_other_files_say_counts_as_it_stands_in_the_editor(tmp_path: Path) -> None:
    (tmp_path / "helper.py").write_text("def change(t):\n    return t + 1\n")
    (tmp_path / "model.py").write_text(CLEAN)
    model = "import torch\nfrom helper import change\n\nx = torch.ones(3, requires_grad=True)\ny = x.exp()\nchange(y)\n"
    model += "y.sum().backward()\n"
    helper = "def change(t):\n    return t.add_(1)\n"

    async def session() -> None:
        async with started(tmp_path) as client:
            client.open("model.py", model)
            assert await client.findings("model.py") == []
            client.open("helper.py", helper)
            await client.until(lambda: client.published.get(client.uri("helper.py")) is not None)
            (found,) = await client.findings("helper.py")
            assert (found.code, found.range.start.line) == ("IPL202", 1)
            assert client.uri("model.py") in {it.location.uri for it in found.related_information or []}
            version = client.change("helper.py", helper.replace("add_", "add"))
            assert await client.findings("helper.py", version) == []

    asyncio.run(session())


def test_an_unused_suppression_is_told_until_a_file_on_disk_may_need_it(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    text = CLEAN.replace("y = w + 1", "y = w + 1  # noqa: IPL201")

    async def session() -> None:
        async with started(tmp_path) as client:
            client.open("model.py", text)
            (found,) = await client.findings("model.py")
            assert found.code == "IPL900" and list(found.tags or ()) == [types.DiagnosticTag.Unnecessary]
            version = client.change("model.py", text + "# more\n")
            assert len(await client.findings("model.py", version)) == 1
            (tmp_path / "other.py").write_text("import model\n")
            created = types.FileEvent(client.uri("other.py"), types.FileChangeType.Created)
            client.protocol.workspace_did_change_watched_files(types.DidChangeWatchedFilesParams([created]))
            await client.until(lambda: not client.published[client.uri("model.py")].diagnostics)

    asyncio.run(session())


def test_a_text_that_was_never_saved_is_linted_too(tmp_path: Path) -> None:
    async def session() -> None:
        async with started(tmp_path) as client:
            uri = client.open("", LEAF, uri="untitled:Untitled-1")
            (found,) = await client.findings("", uri=uri)
            assert found.code == "IPL101"

    asyncio.run(session())


def test_a_request_that_is_cancelled_is_answered_so_and_the_rest_goes_on(tmp_path: Path) -> None:
    async def session() -> None:
        async with started(tmp_path) as client:
            client.open("model.py", SAVED)
            params = types.HoverParams(types.TextDocumentIdentifier(client.uri("model.py")), types.Position(4, 0))
            wire = client.protocol.protocol
            request = wire.send_request_async(types.TEXT_DOCUMENT_HOVER, params, msg_id="hover")
            answer = asyncio.ensure_future(request)
            await asyncio.sleep(0)
            client.protocol.cancel_request(types.CancelParams("hover"))
            (told,) = await asyncio.gather(answer, return_exceptions=True)
            assert isinstance(told, JsonRpcException) and told.code == types.LSPErrorCodes.RequestCancelled.value
            (found,) = await client.findings("model.py")
            assert found.code == "IPL202"
            assert await client.hover("model.py", 4, 0) is not None

    asyncio.run(session())


def test_without_pygls_the_command_says_what_to_install(tmp_path: Path) -> None:
    (tmp_path / "pygls.py").write_text("raise ModuleNotFoundError(\"No module named 'pygls'\", name='pygls')\n")
    code = "import sys; sys.path.insert(0, sys.argv.pop(1)); from inplace_lint.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path), "server"], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 2
    assert done.stderr == "Error: the language server needs pygls: install it with `pip install 'inplace-lint[lsp]'`\n"
