"""The order in which things are evaluated, each part once."""

# ruff: noqa  (odd on purpose: every construct is here for its evaluation)

trace = []


def v(value):
    trace.append(value)
    return value


class Recorder:
    def __init__(self):
        object.__setattr__(self, "held", {})

    def __getitem__(self, key):
        trace.append(("getitem", key))
        return self.held.get(repr(key), [0])

    def __setitem__(self, key, value):
        trace.append(("setitem", key, value))
        self.held[repr(key)] = value

    def __delitem__(self, key):
        trace.append(("delitem", key))

    def __getattr__(self, name):
        trace.append(("getattr", name))
        return self.held.get(name, 1)

    def __setattr__(self, name, value):
        trace.append(("setattr", name, value))
        self.held[name] = value

    def __delattr__(self, name):
        trace.append(("delattr", name))


r = Recorder()
v(r)[v(1)] = v(2)
v(r)[v(1)] += v(3)
v(r)[v("list")] += v([4])
v(r).count -= v(5)
v(r).count **= v(2)
r.a = r[0] = (q, *w) = v("chained")
del v(r)[v(6)], v(r).gone
r[
    v(1) : v(2),
    :: v(3),
    ...,
    v(-1),
] = 0
v(max)(v(1), *v([2, 3]), key=v(None))
v(dict)(**v({"b": 1}), c=v(2))
{v("k1"): v("v1"), **v({"x": 1}), v("k2"): v("v2")}
[v(1), *v([2]), v(3)], (v(4), *v([5])), {v(6), *v([7])}
v(1) < v(2) < v(0) < v(9)
v(1) < v(2) <= v(2) != v(3) is not v(None) not in v([])
v(0) and v(1)
v(0) or v("") or v("end") or v("never")
(v(1) and v(2)) and (v([]) or v(3)) and v(4)
not v(0) and not v(1)
v("then") if v(1) else v("else")
v("then") if v(0) else v("else")
assert v(1), v("never")
try:
    assert v(0), v("message")
except AssertionError as error:
    trace.append(str(error))
x = y = z = v([])
x += v([1])
trace.append((y, z is x))
n: int = v(10)
m: str
r.annotated: int = v(11)
f"{v('f')}{v('g'):{v('>3')}}tail"
v("-") + v("a") * v(2)
-(v(3) ** v(2)), ~v(5), +v(1), -5, -2.5, -1j, 0x1F, 1_000, 0o17, 0b11, 1e3, 2j
(
    "ab",
    b"a\x00",
    r"\d",
    "\n",
    """x
y""",
    "\N{BULLET}",
    "z",
    "",
)
trace.append((q, w, x, y, z, n, "m" in globals()))
