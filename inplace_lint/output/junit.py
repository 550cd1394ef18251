"""JUnit's XML as Jenkins, GitLab and others read it: a suite for each file, a failed test for each finding."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import PurePath
from xml.sax.saxutils import escape, quoteattr

from ..diagnostics import Diagnostic
from .report import Report
from .words import advice, sentence, story, within

_PACKAGE = "org.inplace-lint"
# XML 1.0 has no way to write these at all.
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def render(report: Report) -> str:
    """An XML document. Names are relative to the directory, so that a finding keeps its history on another machine."""
    count = len(report.diagnostics)
    out = ['<?xml version="1.0" encoding="UTF-8"?>']
    out.append(f'<testsuites name="inplace-lint" tests="{count or 1}" failures="{count}" errors="0">')
    if not count:
        # A report without a single test is an error to most readers.
        out.append(f'    <testsuite name="inplace-lint" tests="1" failures="0" errors="0" package="{_PACKAGE}">')
        out.append('        <testcase name="No errors found" classname="inplace-lint"/>')
        out.append("    </testsuite>")
    for filename, found in groupby(report.diagnostics, key=lambda one: one.span.filename):
        out += _suite(report.shown(filename), list(found), report)
    out.append("</testsuites>")
    return "\n".join(out) + "\n"


def _suite(name: str, found: Sequence[Diagnostic], report: Report) -> Iterator[str]:
    counts = f'tests="{len(found)}" failures="{len(found)}" errors="0"'
    yield f'    <testsuite name={_attribute(name)} {counts} package="{_PACKAGE}">'
    path = PurePath(name)
    class_name = _attribute(str(path.with_suffix("")) if path.name.strip(".") else name)
    seen: Counter[str] = Counter()
    for one in found:
        seen[one.code] += 1
        # Readers take two tests of one name for one test.
        again = f" ({seen[one.code]})" if seen[one.code] > 1 else ""
        yield f'        <testcase name="{_PACKAGE}.{one.code}{again}" classname={class_name}>'
        message, body = _attribute(sentence(one)), escape(_text(_body(one, report)))
        yield f'            <failure type="{one.severity}" message={message}>{body}</failure>'
        yield "        </testcase>"
    yield "    </testsuite>"


def _body(one: Diagnostic, report: Report) -> str:
    start = one.span.start
    place = f"line {start.row}, col {start.column}" if one.cell is None else within(one)
    lines = [f"{place}, {sentence(one)}", *story(one, report)]
    if one.torch_error:
        lines.append(f"PyTorch: {one.torch_error}")
    return "\n".join([*lines, *advice(one)])


def _attribute(text: str) -> str:
    return quoteattr(_text(text))


def _text(text: str) -> str:
    return _FORBIDDEN.sub("\ufffd", text)
