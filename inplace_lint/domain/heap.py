"""The heap: numbered objects in two layers, of which the lower one is shared and knows who mentions whom.

Most of a heap hardly ever changes: a program's functions and classes, the modules that ``__init__`` built. So a heap is a
*layer*, which never changes once it is made and which any number of heaps lie on, and the heap's *own* objects, those that
came or changed since. Everything that used to cost by the size of the heap looks at the own objects alone: copies, joins,
renaming, collection. What the layer holds is found through its index: which objects mention a number, a tag or a fact.

``freeze`` turns what a heap holds into a new layer. It is done where a program's definitions are complete, and whenever
a heap that is about to be copied has grown by a good part, so that the work of it is shared out over what was added.

The index of a layer may name objects that were replaced or dropped since; who uses it looks at the object itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, KeysView, MutableMapping, Set
from typing import Any

from inplace_lint.domain.conditions import TRUE, Cond
from inplace_lint.domain.objects import Node, Obj, join_objects, mentions, of_one_side, ways

MOST_OWN = 64
"""Own objects that a heap holds before it is worth a layer, however small what it lies on is."""
OWN_SHIFT = 4
"""A heap becomes a layer when its own objects are that power of two fewer than the layer's."""


class Effort:
    """Objects that renamings, joins and copies passed over: work that a budget of instructions does not see."""

    passed = 0


class _Step:
    """What one layer changed of the layer below: where two layers come from and how they differ is read off these."""

    __slots__ = ("before", "changed", "depth")

    def __init__(self, before: _Step | None, changed: tuple[int, ...]) -> None:
        self.before = before
        self.changed = changed
        self.depth: int = 0 if before is None else before.depth + 1


def _differing(a: _Step, b: _Step) -> set[int]:
    """The numbers under which the layers of two steps may hold different objects: all that changed since they parted."""
    changed: set[int] = set()
    left: _Step | None = a
    right: _Step | None = b
    while left is not right:
        if right is None or (left is not None and left.depth >= right.depth):
            assert left is not None
            changed.update(left.changed)
            left = left.before
        else:
            changed.update(right.changed)
            right = right.before
    return changed


class Layer:
    """Objects that heaps share, by number, and the numbers of those that mention something.

    users: by the number mentioned (an object's, a storage's, a counter's). tagged: by the tag of an unknown.
    asking: by the key of a fact. savers: nodes by the storage on which they save. freed: nodes that a backward freed. step: how
    it came about.
    """

    __slots__ = ("asking", "freed", "objects", "savers", "step", "tagged", "users")

    def __init__(self, step: _Step) -> None:
        self.step = step
        self.objects: dict[int, Obj] = {}
        self.users: dict[int, tuple[int, ...]] = {}
        self.tagged: dict[str, tuple[int, ...]] = {}
        self.asking: dict[str, tuple[int, ...]] = {}
        self.savers: dict[int, frozenset[int]] = {}
        self.freed: dict[int, None] = {}

    def with_own(self, own: dict[int, Obj | None], savers: dict[int, frozenset[int]]) -> Layer:
        """A further layer with what a heap holds on top of this one."""
        layer = Layer(_Step(self.step, tuple(own)))
        layer.objects = dict(self.objects)
        users: dict[int, list[int]] = {}
        tagged: dict[str, list[int]] = {}
        asking: dict[str, list[int]] = {}
        layer.freed = dict(self.freed)
        for oid, obj in own.items():
            layer.freed.pop(oid, None)
            if obj is None:
                layer.objects.pop(oid, None)
                continue
            layer.objects[oid] = obj
            if obj.__class__ is Node and obj.freed:
                layer.freed[oid] = None
            found = mentions(obj)
            Effort.passed += len(found.ids) >> 4
            for number in found.ids:
                users.setdefault(number, []).append(oid)
            for tag in found.tags:
                tagged.setdefault(tag, []).append(oid)
            for key in found.facts:
                asking.setdefault(key, []).append(oid)
        layer.users, layer.tagged, layer.asking = dict(self.users), dict(self.tagged), dict(self.asking)
        for record, added in ((layer.users, users), (layer.tagged, tagged), (layer.asking, asking)):
            _extend(record, added)
        layer.savers = dict(self.savers)
        for storage, nodes in savers.items():
            layer.savers[storage] = layer.savers.get(storage, frozenset()) | nodes
        return layer


def _extend(record: dict[Any, tuple[int, ...]], added: dict[Any, list[int]]) -> None:
    for key, numbers in added.items():
        known = record.get(key)
        record[key] = tuple(numbers) if known is None else (*known, *numbers)


_EMPTY = Layer(_Step(None, ()))
_UNSEEN: Any = object()


class Heap(MutableMapping[int, Obj]):
    """A mapping from numbers to objects, cheap to copy and to join. See the module for how it is kept."""

    __slots__ = ("_base", "layer", "own", "savers")

    def __init__(self) -> None:
        self._lie_on(_EMPTY)

    def _lie_on(self, layer: Layer) -> None:
        self.layer = layer
        self._base = layer.objects
        self.own: dict[int, Obj | None] = {}
        """Newer objects; None for one of the layer's that is gone."""
        self.savers: dict[int, frozenset[int]] = {}
        """Own nodes by the storage on which they save (and some that are gone)."""

    # --- as a mapping ---

    def get(self, oid: int, default: Any = None) -> Any:
        """The object of that number, or ``default``."""
        obj = self.own.get(oid, _UNSEEN)
        if obj is _UNSEEN:
            obj = self._base.get(oid)
        return default if obj is None else obj

    def __getitem__(self, oid: int) -> Obj:
        obj: Obj | None = self.own.get(oid, _UNSEEN)
        if obj is _UNSEEN:
            return self._base[oid]
        if obj is None:
            raise KeyError(oid)
        return obj

    def __contains__(self, oid: object) -> bool:
        obj = self.own.get(oid, _UNSEEN)  # type: ignore[call-overload]
        return oid in self._base if obj is _UNSEEN else obj is not None

    def __setitem__(self, oid: int, obj: Obj) -> None:
        self.own[oid] = obj
        if obj.__class__ is Node:
            self.index(oid, obj)

    def __delitem__(self, oid: int) -> None:
        if oid not in self:
            raise KeyError(oid)
        if oid in self._base:
            self.own[oid] = None
        else:
            del self.own[oid]

    def __iter__(self) -> Iterator[int]:
        own = self.own
        for oid in self._base:
            if oid not in own:
                yield oid
        for oid, obj in own.items():
            if obj is not None:
                yield oid

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def index(self, oid: int, node: Node) -> None:
        """Note on which storages a node saves."""
        savers = self.savers
        for saved in node.saved:
            for storage in saved.storages:
                known = savers.get(storage)
                if known is None:
                    savers[storage] = frozenset((oid,))
                elif oid not in known:
                    savers[storage] = known | {oid}

    # --- copies and layers ---

    def copy(self) -> Heap:
        """A heap that can be changed without changing this one."""
        self._settle()
        own = self.own
        Effort.passed += len(own) >> 3
        twin = Heap.__new__(Heap)
        twin.layer, twin._base = self.layer, self._base
        twin.own = dict(own)
        twin.savers = dict(self.savers)
        return twin

    def _settle(self) -> None:
        """Freeze what is held once the own objects are many."""
        own = len(self.own)
        if own > MOST_OWN and own > len(self._base) >> OWN_SHIFT:
            self.freeze()

    def freeze(self) -> None:
        """Make a layer of all that the heap holds; copies share it from now on."""
        if self.own:
            Effort.passed += len(self.own)
            self._lie_on(self.layer.with_own(self.own, self.savers))

    def on(self, layer: Layer) -> Heap:
        """The same heap lying on another layer."""
        if layer is self.layer:
            return self
        same = Heap.__new__(Heap)
        same._lie_on(layer)
        own, there = same.own, layer.objects
        differing = _differing(self.layer.step, layer.step)
        differing.update(self.own)
        Effort.passed += len(differing) >> 1
        for oid in differing:
            mine = self.get(oid)
            if mine is not there.get(oid):
                own[oid] = mine
        for oid, changed in own.items():
            if changed.__class__ is Node:
                same.index(oid, changed)
        return same

    def same_as(self, other: Heap) -> bool:
        """Whether two heaps hold the same objects under the same numbers."""
        if other.layer is not self.layer:
            other = other.on(self.layer)
        mine, theirs, base = self.own, other.own, self._base
        Effort.passed += len(mine) >> 2
        for oid, obj in mine.items():
            twin = theirs.get(oid, _UNSEEN)
            if twin is _UNSEEN:
                twin = base.get(oid)
            if obj is not twin and obj != twin:
                return False
        for oid, obj in theirs.items():
            if oid not in mine:
                twin = base.get(oid)
                if obj is not twin and obj != twin:
                    return False
        return True

    def join(self, mine: Cond, other: Heap, theirs: Cond) -> Heap:
        """The heap that stands for both, where ``mine`` and ``theirs`` hold on the paths here."""
        left, right = self, other
        if left.layer is not right.layer:
            if len(left._base) < len(right._base):
                left = left.on(right.layer)
            else:
                right = right.on(left.layer)
        base = left._base
        joined = Heap.__new__(Heap)
        joined.layer, joined._base = left.layer, base
        own = joined.own = dict(left.own)
        my_way, their_way = ways(mine), ways(theirs)
        Effort.passed += (len(own) + len(right.own)) >> 2
        for oid, obj in right.own.items():
            known = own.get(oid, _UNSEEN)
            if known is obj:
                continue
            if known is _UNSEEN:
                known = base.get(oid)
            if obj is None:
                if known is not None and mine:  # what one path alone still holds is held
                    own[oid] = of_one_side(known, mine, my_way)
            elif known is None:
                own[oid] = of_one_side(obj, theirs, their_way) if theirs else obj
            else:
                Effort.passed += 4
                own[oid] = join_objects(known, mine, obj, theirs)
        for oid, obj in left.own.items():
            if oid in right.own:
                continue
            if (shared := base.get(oid)) is None:
                if obj is not None and mine:
                    own[oid] = of_one_side(obj, mine, my_way)
                continue
            Effort.passed += 4
            own[oid] = (
                of_one_side(shared, theirs, their_way) if obj is None else join_objects(obj, mine, shared, theirs)
            )
        if left.savers == right.savers:
            joined.savers = dict(left.savers)
        else:
            savers = joined.savers = dict(left.savers)
            for storage, nodes in right.savers.items():
                known_nodes = savers.get(storage)
                savers[storage] = nodes if known_nodes is None else known_nodes | nodes
        return joined

    # --- who mentions what ---

    def users(self, numbers: Set[int]) -> set[int]:
        """The objects that mention one of the numbers, and perhaps some that no longer do."""
        self._settle()
        found = _named(self.layer.users, numbers, self.own)
        Effort.passed += len(found) + (len(self.own) >> 2)
        for oid, obj in self.own.items():
            if obj is not None and not mentions(obj).ids.isdisjoint(numbers):
                found.add(oid)
        return found

    def tagged(self, tags: Set[str]) -> set[int]:
        """The objects that mention an unknown of one of the tags, and perhaps some that no longer do."""
        found = _named(self.layer.tagged, tags, self.own)
        Effort.passed += len(found) + (len(self.own) >> 2)
        for oid, obj in self.own.items():
            if obj is not None and not mentions(obj).tags.isdisjoint(tags):
                found.add(oid)
        return found

    def asking(self, keys: Set[str] | None) -> set[int]:
        """The objects in which a condition holds a fact of one of the keys (of any key: None), and perhaps some more."""
        found = _named(self.layer.asking, self.layer.asking.keys() if keys is None else keys, self.own)
        Effort.passed += len(found) + (len(self.own) >> 2)
        for oid, obj in self.own.items():
            if obj is not None and (facts := mentions(obj).facts) and (keys is None or not facts.isdisjoint(keys)):
                found.add(oid)
        return found

    def saving_on(self, storages: Iterable[int]) -> set[int]:
        """The nodes that keep a tensor on one of the storages, and perhaps some that no longer do."""
        found: set[int] = set()
        for storage in storages:
            found |= self.layer.savers.get(storage, frozenset()) | self.savers.get(storage, frozenset())
        return found

    def held(self, numbers: Set[int]) -> set[int]:
        """Those of the numbers that name an object here."""
        own = self.own
        found = set(self._base.keys() & numbers)
        found.update(own.keys() & numbers)
        return {oid for oid in found if own.get(oid, oid) is not None}

    def freed(self) -> list[tuple[int, Node]]:
        """The nodes that a backward of the present round freed (an origin below zero is one of a round before)."""
        own, base = self.own, self._base
        found = [(oid, base[oid]) for oid in self.layer.freed if oid not in own]
        found.extend((oid, obj) for oid, obj in own.items() if obj is not None)
        return [(oid, obj) for oid, obj in found if isinstance(obj, Node) and any(n > 0 for _, n in obj.freed)]

    def every_freed(self) -> list[int]:
        """The nodes that any backward freed."""
        own = self.own
        found = [oid for oid in self.layer.freed if oid not in own]
        found.extend(oid for oid, obj in own.items() if obj.__class__ is Node and obj.freed)
        return found

    # --- forgetting ---

    def keep(
        self,
        roots: Iterable[int],
        tags: Iterable[str],
        stands_for: Callable[[int], str | None],
        wholes: Callable[[str], Iterable[str]],
    ) -> None:
        """Drop the own objects that neither ``roots`` nor the layer lead to. The layer stays as it is.

        An unknown leads to the object that stands for it: ``stands_for`` gives that one's tag, ``tags`` are roots as well.
        Who holds a part holds the whole, so the tags that ``wholes`` gives count with each.
        """
        own = self.own
        Effort.passed += len(own) >> 1
        found_by: dict[str, list[int]] = {}
        for oid in own:
            tag = stands_for(oid)
            if tag is not None:
                found_by.setdefault(tag, []).append(oid)
        seen: set[int] = set()
        todo = [oid for oid in roots if oid in own]
        mentioned: KeysView[int] = self.layer.users.keys()
        todo.extend(mentioned & own.keys())
        if found_by:
            for tag in (*tags, *self.layer.tagged):
                for whole in wholes(tag):
                    todo.extend(found_by.get(whole, ()))
        while todo:
            oid = todo.pop()
            if oid in seen:
                continue
            seen.add(oid)
            obj = own[oid]
            if obj is None:
                continue
            found = mentions(obj)
            todo.extend(number for number in found.ids if number in own)
            if found_by:
                for tag in found.tags:
                    for whole in wholes(tag):
                        todo.extend(found_by.get(whole, ()))
        if len(seen) < len(own):
            base = self._base
            self.own = {oid: obj if oid in seen else None for oid, obj in own.items() if oid in seen or oid in base}
            self.savers = {
                storage: kept
                for storage, nodes in self.savers.items()
                if (kept := frozenset(n for n in nodes if n in seen))
            }

    def merge(self, oid: int, obj: Obj) -> None:
        """Put an object under a number that another may bear already: then either is there."""
        known = self.get(oid)
        self[oid] = obj if known is None else join_objects(known, TRUE, obj, TRUE)


def _named(index: dict[Any, tuple[int, ...]], wanted: Set[Any], own: dict[int, Obj | None]) -> set[int]:
    """What a layer's index has for any of the keys, without what the heap holds anew."""
    found: set[int] = set()
    if index:
        for key in wanted if len(wanted) < 8 else index.keys() & wanted:
            numbers = index.get(key)
            if numbers is not None:
                found.update(numbers)
        found.difference_update(own)
    return found
