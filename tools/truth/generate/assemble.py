"""From a writer's definitions and statements to a program's text: imports, style, seed."""

from __future__ import annotations

import re
import textwrap

from tools.truth.generate.base import INDENT, Writer

_NN = re.compile(r"(?<![\w.])nn\.")
_F = re.compile(r"(?<![\w.])F\.")


def _imports(writer: Writer, text: str) -> tuple[list[str], str]:
    lines = ["import torch"]
    if _F.search(text):
        way = writer.rng.randrange(6)
        if way == 0:
            text = _F.sub("torch.nn.functional.", text)
        elif way == 1:
            text = _F.sub("nn.functional.", text)
        elif way == 2:
            lines.append("from torch.nn import functional as F")
        else:
            lines.append("import torch.nn.functional as F")
    if _NN.search(text):
        way = writer.rng.randrange(5)
        if way == 0:
            text = _NN.sub("torch.nn.", text)
        elif way == 1:
            lines.append("from torch import nn")
        else:
            lines.append("import torch.nn as nn")
    for marker, line in (
        (r"(?<![\w.])np\.", "import numpy as np"),
        (r"(?<![\w.])optim\.", "import torch.optim as optim"),
        (r"@dataclass", "from dataclasses import dataclass"),
        (r"(?<![\w.])field\(", "from dataclasses import field"),
        (r"(?<![\w.])math\.", "import math"),
        (r"(?<![\w.])copy\.", "import copy"),
        (r"(?<![\w.])functools\.", "import functools"),
        (r"(?<![\w.])itertools\.", "import itertools"),
        (r"(?<![\w.])deque\(", "from collections import deque"),
        (r"(?<![\w.])defaultdict\(", "from collections import defaultdict"),
        (r"(?<![\w.])OrderedDict\(", "from collections import OrderedDict"),
        (r"(?<![\w.])namedtuple\(", "from collections import namedtuple"),
        (r"(?<![\w.])Optional\[", "from typing import Optional"),
    ):
        if re.search(marker, text):
            lines.append(line)
    if writer.chance(0.3):
        lines.sort(key=lambda line: (line.startswith("import torch"), line))
    return lines, text


def assemble(writer: Writer) -> str:
    """The program's source."""
    body = list(writer.lines)
    if writer.chance(0.3):
        body.insert(0, f"torch.manual_seed({writer.rng.randrange(100)})")
    style = writer.rng.randrange(6) if writer.layout.wrap else 0
    parts = list(writer.defs)
    if parts and writer.prelude:
        parts.insert(0, "\n".join(writer.prelude))
    else:
        body = [*writer.prelude, *body]
    if style in (1, 2):
        name = writer.one("main", "main", "run", "train", "demo", "test_case")
        header = f"def {name}() -> None:" if writer.chance(0.3) else f"def {name}():"
        doc = [f'{INDENT}"""One step."""'] if writer.chance(0.2) else []
        parts.append("\n".join([header, *doc, textwrap.indent("\n".join(body), INDENT)]))
        parts.append(f'if __name__ == "__main__":\n{INDENT}{name}()' if style == 1 else f"{name}()")
    else:
        parts.append("\n".join(body))
    text = "\n\n\n".join(parts)
    imports, text = _imports(writer, text)
    title = ['"""A small experiment."""'] if writer.chance(0.1) else []
    return "\n".join([*title, *imports]) + "\n\n" + text + "\n"
