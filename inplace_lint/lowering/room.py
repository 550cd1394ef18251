"""Room for deep syntax: run a function on a thread whose stack is large.

libcst's parser is native code without a depth limit of its own: what nests too deeply ends the process. A stack of
half a gigabyte, of which only the touched part is ever backed by memory, holds whatever CPython itself would accept.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

STACK_SIZE = 512 * 1024 * 1024
RECURSION_LIMIT = 200_000

_THREAD = "inplace-lint-deep"
_lock = threading.Lock()


def with_room(function: Callable[[], T]) -> T:
    """What ``function()`` returns or raises, run on a thread of its own with a large stack and recursion limit.

    Where no such stack can be had, it is run right here.
    """
    if threading.current_thread().name == _THREAD:
        return function()
    result: list[T] = []
    failure: list[BaseException] = []

    def run() -> None:
        try:
            result.append(function())
        except BaseException as error:  # handed to the caller below, whatever it is
            failure.append(error)

    with _lock:
        limit, stack_size = sys.getrecursionlimit(), threading.stack_size()
        try:
            threading.stack_size(STACK_SIZE)
            sys.setrecursionlimit(max(limit, RECURSION_LIMIT))
            thread = threading.Thread(target=run, name=_THREAD)
            try:
                thread.start()
            except RuntimeError:  # no address space for the stack: what is not too deep works without
                sys.setrecursionlimit(limit)
                return function()
            thread.join()
        finally:
            threading.stack_size(stack_size)
            sys.setrecursionlimit(limit)
    if failure:
        raise failure[0]
    return result[0]
