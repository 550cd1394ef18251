"""The oracle's worker: keeps torch imported and judges each program in a fork of itself.

Reads one JSON object a line (``source``, ``limit`` in seconds) and answers with one verdict a line.
"""

from __future__ import annotations

import json
import os
import select
import signal
import sys
import time
from typing import Any

WARM = """
import torch
import torch.nn as nn
import torch.nn.functional as F
import torch.optim
import torch.utils.checkpoint
net = nn.Sequential(nn.Linear(2, 2), nn.ReLU(inplace=True))
optimizer = torch.optim.Adam(net.parameters())
net(torch.randn(3, 2)).sum().backward()
optimizer.step()
"""


def _child(request: dict[str, Any], pipe: int) -> None:
    from tools.truth.execute import execute
    from tools.truth.rerun import compare

    quiet = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(quiet, descriptor)
    if "fixed" in request:
        said = compare(request["source"], request["fixed"], request["others"])
    else:
        said = execute(request["source"]).to_json()
    answer = json.dumps(said).encode()
    with os.fdopen(pipe, "wb") as out:
        out.write(answer)


def _read(pipe: int, limit: float) -> bytes | None:
    """Everything the child says; ``None`` if it is not done in time."""
    parts: list[bytes] = []
    end = time.monotonic() + limit
    while True:
        ready, _, _ = select.select([pipe], [], [], max(0.0, end - time.monotonic()))
        if not ready:
            return None
        part = os.read(pipe, 1 << 16)
        if not part:
            return b"".join(parts)
        parts.append(part)


def _invalid(note: str) -> dict[str, Any]:
    return {"kind": "invalid", "findings": [], "note": note, "errors": []}


def judge_in_fork(request: dict[str, Any]) -> dict[str, Any]:
    """The verdict on ``source`` as plain data, from a forked child that is killed after ``limit`` seconds.

    With ``fixed`` in the request: what comparing the two programs gave (see ``rerun``).
    """
    limit: float = request["limit"]
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        try:
            _child(request, writer)
        finally:
            os._exit(0)
    os.close(writer)
    try:
        said = _read(reader, limit)
    finally:
        os.close(reader)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    if said is None:
        return _invalid(f"took more than {limit:g} s")
    if not said:
        return _invalid("the process died")
    answer = json.loads(said)
    assert isinstance(answer, dict)
    return answer


def main() -> None:
    """Serve until standard input closes."""
    from tools.truth.execute import execute

    execute(WARM)  # torch builds several tables on first use: let no fork do that again
    for line in sys.stdin:
        request = json.loads(line)
        print(json.dumps(judge_in_fork(request)), flush=True)


if __name__ == "__main__":
    main()
