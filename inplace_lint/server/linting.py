"""When to lint: a moment after the last change, one run at a time, and what is out of date by its end is never shown."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from ..diagnostics import Diagnostic
from ..session import Session, Shown
from ..settings import SettingsError, SettingsSource
from .buffers import Buffer

QUIET = 0.2
"""How many seconds without a change it takes before a run begins."""

T = TypeVar("T")


@dataclass(frozen=True)
class Linted:
    """The findings in a buffer, and the buffer as it was linted."""

    buffer: Buffer
    found: tuple[Diagnostic, ...] = ()


@dataclass(frozen=True)
class Host:
    """What linting needs of the server. Each is called on the server's own thread, but ``settings``, which may take a while.

    buffers: what is open now, by name. settings: what holds; never raises. show: takes the findings of a buffer that is open and
    as it was linted. unusable: takes what is wrong with settings. failed: takes what went wrong with a run, which is our fault.
    """

    buffers: Callable[[], Mapping[str, Buffer]]
    settings: Callable[[], SettingsSource]
    show: Callable[[Linted], None]
    unusable: Callable[[str], None]
    failed: Callable[[str], None]


@dataclass
class _Changes:
    """What happened since the last run began."""

    names: set[str] = field(default_factory=set)
    everything: bool = False


class Linting:
    """Lints buffers in the background. Made on the thread that runs the event loop, and used there."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._session = Session()
        self._changes = _Changes()
        self._wake = asyncio.Event()
        self._hurry = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._busy = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self.linted: dict[str, Linted] = {}
        """The last findings of each buffer, by name."""

    def changed(self, *names: str, everything: bool = False) -> None:
        """Takes note that files changed, were opened or closed; ``everything`` where settings may have changed as well."""
        self._changes.names.update(names)
        self._changes.everything = self._changes.everything or everything
        self._idle.clear()
        self._wake.set()
        if self._task is None or self._task.done():
            self._loop = asyncio.get_running_loop()
            self._task = asyncio.ensure_future(self._run())

    def soon(self, call: Callable[[], None]) -> None:
        """Has something called on the server's own thread; may be used on any other."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(call)

    async def current(self, name: str) -> Linted | None:
        """The findings in a buffer as it is now, waiting for them where that is needed; None where it is not open, or no run
        comes to its end."""
        tried: str | None = None
        while name in self._host.buffers():
            known, buffer = self.linted.get(name), self._host.buffers()[name]
            if self._idle.is_set():
                if known is not None and known.buffer.text == buffer.text:
                    return known
                if tried == buffer.text:
                    return None
                self.changed(name)
            tried = buffer.text
            self._hurry.set()
            await self._idle.wait()
        return None

    async def fixed(self, name: str) -> tuple[Buffer, str] | None:
        """A buffer, and its text with the safe fixes made; None where it is not open, or changed meanwhile."""
        buffers = dict(self._host.buffers())
        if name not in buffers:
            return None
        texts = {it: buffer.text for it, buffer in buffers.items()}
        async with self._busy:
            after = await _aside(lambda: self._session.fixed(name, texts, self._host.settings()))
        now = self._host.buffers().get(name)
        return None if now is None or now.text != texts[name] else (now, after)

    async def _run(self) -> None:
        while self._wake.is_set():
            await self._quiet()
            self._wake.clear()
            changes, self._changes = self._changes, _Changes()
            try:
                await self._lint(changes)
            except SettingsError as error:
                self._host.unusable(str(error))
            except Exception as error:  # whatever it is, the next change gets its run
                self._host.failed(f"{type(error).__name__}: {error}")
        self._hurry.clear()
        self._idle.set()

    async def _quiet(self) -> None:
        """Waits until nothing has changed for a moment, or somebody waits for the findings."""
        seen = -1
        while seen != len(self._changes.names) or self._wake.is_set():
            self._wake.clear()
            seen = len(self._changes.names)
            if self._hurry.is_set():
                return
            try:
                await asyncio.wait_for(self._hurry.wait(), QUIET)
            except asyncio.TimeoutError:
                continue

    async def _lint(self, changes: _Changes) -> None:
        buffers = dict(self._host.buffers())
        texts = {name: buffer.text for name, buffer in buffers.items()}
        changed = None if changes.everything else changes.names

        def lint() -> Shown:
            return self._session.lint(texts, changed, self._host.settings())

        async with self._busy:
            shown = await _aside(lint)
        for failure in shown.failures:
            self._host.failed(f"{failure.filename}: {failure.error}")
        now = self._host.buffers()
        for name in [it for it in self.linted if it not in now]:
            del self.linted[name]
        for name, buffer in buffers.items():
            if name in now and now[name].text == buffer.text:
                self.linted[name] = Linted(now[name], tuple(shown.found.get(name, ())))
                self._host.show(self.linted[name])


class _Aside(threading.Thread, Generic[T]):
    """Runs a function once. As a daemon: an editor that closes does not wait for a run."""

    def __init__(self, function: Callable[[], T]) -> None:
        super().__init__(daemon=True)
        self.function = function
        self.loop = asyncio.get_running_loop()
        self.future: asyncio.Future[T] = self.loop.create_future()

    def run(self) -> None:
        """Runs it, and hands what comes of it to the event loop."""
        try:
            result = self.function()
        except BaseException as error:  # handed to who waits, whatever it is
            failure = error
            self._hand(lambda: self.future.set_exception(failure))
        else:
            self._hand(lambda: self.future.set_result(result))

    def _hand(self, settle: Callable[[], None]) -> None:
        def unless_given_up() -> None:
            if not self.future.done():
                settle()

        try:
            self.loop.call_soon_threadsafe(unless_given_up)
        except RuntimeError:  # the server has ended
            return


async def _aside(function: Callable[[], T]) -> T:
    """What a function returns, run on another thread while the server goes on."""
    aside = _Aside(function)
    aside.start()
    return await asyncio.shield(aside.future)
