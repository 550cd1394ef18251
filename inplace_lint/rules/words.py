"""Building blocks of messages and stories, shared by the rules so that all findings speak alike."""

from __future__ import annotations

import re

from ..diagnostics import Related
from ..events import Context, Site, Write
from .base import RuleContext

_ASKS = re.compile(r"inplace|\bTrue\b")
# One capital alone (`D`) is a variable in many a training script. `Net()(x)` makes no object, so nothing may follow.
_CONSTRUCTOR = re.compile(r"(?:\w+\.)*[A-Z]\w+\([^()]*(?:\([^()]*\)[^()]*)*\)$", re.DOTALL)


def doing(ctx: RuleContext, write: Write) -> str:
    """The write as a message's subject: its text where it is short, else what kind of write it is."""
    text = ctx.snippet(write.site)
    if text is None:
        text = write.op if write.form != "item" else f"{write.target or '...'}[...] ="
    return f"`{text}`"


def target(write: Write, otherwise: str = "a tensor") -> str:
    """The written tensor by its name in the source, where it has one."""
    return f"`{write.target}`" if write.target else otherwise


def line(ctx: RuleContext, site: Site | None, here: Site | None = None) -> str:
    """`` (line 3)``, with the file's name where it is another file than ``here``'s; empty without a site."""
    if site is None:
        return ""
    if here is not None and here.file != site.file:
        return f" ({ctx.span(site).filename}, line {ctx.row(site)})"
    return f" (line {ctx.row(site)})"


def named(op: str | None, otherwise: str = "an operation") -> str:
    """An op's spelling in backquotes; what is no spelling (``indexing``) without."""
    if op == "indexing":
        return op
    return f"`{op}`" if op else otherwise


def story(ctx: RuleContext, *steps: tuple[Site | None, str]) -> tuple[Related, ...]:
    """The steps that have a place, in the order given, each place-and-message once."""
    told = dict.fromkeys(Related(message, ctx.span(site)) for site, message in steps if site is not None)
    return tuple(told)


def calls(context: Context) -> tuple[tuple[Site | None, str], ...]:
    """The steps that led from the analysed definition to the place of the finding."""
    return tuple((site, "called from here") for site in context.calls)


def flag(ctx: RuleContext, write: Write) -> tuple[Site | None, str]:
    """The other place of a write by a module: where it was made, or, where the write is told of there, where it ran."""
    if write.flag_site is None:
        return (None, "")
    if is_constructor(ctx, write.site):
        return (write.flag_site, "called from here")
    if _ASKS.search(ctx.text(write.flag_site)):
        return (write.flag_site, "`inplace=True` is chosen here")
    return (write.flag_site, "the module that writes is made here")


def is_constructor(ctx: RuleContext, site: Site) -> bool:
    """Whether the site makes an object of a class (``nn.ReLU()``), going by the way classes are spelt."""
    return _CONSTRUCTOR.match(ctx.text(site)) is not None


def in_compiled(context: Context, consequence: str) -> str:
    """The consequence, with what torch.compile may make of it."""
    return f"{consequence} (compiled, it may go unnoticed)" if context.compiled else consequence
