"""Objects of the heap with everything that they mention under new names."""

from __future__ import annotations

from dataclasses import replace

from inplace_lint.domain import sequences
from inplace_lint.domain.objects import Class, Container, Frame, Function, Instance, Node, Obj, Tensor, mentions
from inplace_lint.domain.values import Renaming


def rename_object(obj: Obj, names: Renaming) -> Obj:
    """The object with everything that it mentions under new names; the same object where nothing changes."""
    found = mentions(obj)
    if found.ids.isdisjoint(names.ids) and found.tags.isdisjoint(names.tags):
        return obj
    if isinstance(obj, Tensor):
        return _rename_tensor(obj, names)
    if isinstance(obj, Node):
        return _rename_node(obj, names)
    value = names.value
    if isinstance(obj, Container):
        items = None if obj.items is None else tuple(value(v) for v in obj.items)
        entries = None if obj.entries is None else {k: value(v) for k, v in obj.entries.items()}
        default = None if obj.default is None else value(obj.default)
        order = None if obj.order is None else sequences.renamed(obj.order, names)
        return Container(obj.kind, items, entries, value(obj.rest), default, order)
    if isinstance(obj, Instance):
        cls = names.atom(obj.cls)
        attrs = {k: value(v) for k, v in obj.attrs.items()}
        return Instance(cls, attrs, obj.made, {k: value(v) for k, v in obj.config.items()}, obj.tag)
    if isinstance(obj, Frame):
        parent = None if obj.parent is None else names.number(obj.parent)
        return Frame({k: value(v) for k, v in obj.names.items()}, parent)
    if isinstance(obj, Function):
        frame = None if obj.frame is None else names.number(obj.frame)
        owner = None if obj.owner is None else names.number(obj.owner)
        defaults = {k: value(v) for k, v in obj.defaults.items()}
        return replace(obj, defaults=defaults, frame=frame, owner=owner)
    if isinstance(obj, Class):
        attrs = {k: value(v) for k, v in obj.attrs.items()}
        bases = tuple(value(v) for v in obj.bases)
        return Class(obj.name, obj.qualname, bases, attrs, obj.fields, obj.code, obj.dataclass, obj.module)
    return obj


def _rename_tensor(obj: Tensor, names: Renaming) -> Tensor:
    storages, counters = names.numbers(obj.storages), names.numbers(obj.counters)
    bases, nodes = names.keys(obj.bases), names.keys(obj.nodes)
    grad = None if obj.grad is None else names.value(obj.grad)
    module = None if obj.module is None else names.number(obj.module)
    from_grad = names.numbers(obj.from_grad)
    same = storages is obj.storages and counters is obj.counters and bases is obj.bases and nodes is obj.nodes
    if same and grad is obj.grad and module == obj.module and from_grad is obj.from_grad:
        return obj
    return replace(
        obj,
        storages=storages,
        counters=counters,
        bases=bases,
        nodes=nodes,
        grad=grad,
        module=module,
        from_grad=from_grad,
    )


def _rename_node(obj: Node, names: Renaming) -> Node:
    edges = names.keys(obj.edges)
    saved = tuple(
        s
        if s.tensor not in names.ids
        and names.ids.keys().isdisjoint(s.storages)
        and names.ids.keys().isdisjoint(s.counters)
        else replace(
            s, tensor=names.number(s.tensor), storages=names.numbers(s.storages), counters=names.numbers(s.counters)
        )
        for s in obj.saved
    )
    if edges is obj.edges and all(x is y for x, y in zip(saved, obj.saved, strict=True)):
        return obj
    return replace(obj, edges=edges, saved=saved)
