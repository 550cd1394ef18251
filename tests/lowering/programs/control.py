"""Loops, exceptions, context managers, match and generators."""

# ruff: noqa  (odd on purpose: every construct is here for its evaluation)

from contextlib import suppress

trace = []


class manager:
    def __init__(self, name):
        self.name = name

    def __enter__(self):
        trace.append(("enter", self.name))
        return self.name.upper()

    def __exit__(self, *exception):
        trace.append(("exit", self.name, exception[0]))


def loops(n):
    out = []
    for k in range(n):
        if k == 1:
            continue
        if k == 5:
            break
        out.append(k)
    else:
        out.append("exhausted")
    while n:
        n -= 1
        if n == 3:
            break
    else:
        out.append("counted")
    return out


trace.append((loops(3), loops(7)))


def returns_through_finally(mode):
    try:
        if mode == "return":
            return "returned"
        if mode == "raise":
            raise KeyError(mode)
        trace.append("body")
    except (KeyError, ValueError) as error:
        trace.append(repr(error))
        if mode == "raise":
            try:
                raise
            except KeyError:
                trace.append("reraised")
    except Exception:
        trace.append("never")
    else:
        trace.append("else")
    finally:
        trace.append("finally")
    return "end"


trace.extend([returns_through_finally(mode) for mode in ("return", "raise", "pass")])


def nested_managers():
    with manager("a") as a, manager("b") as b:
        trace.append((a, b))
        with manager("c"), suppress(ZeroDivisionError):
            1 / 0
        return "out"


trace.append(nested_managers())


class Point:
    __match_args__ = ("x", "y")

    def __init__(self, x, y):
        self.x = x
        self.y = y


def classify(value):
    match value:
        case None | True | False:
            return "singleton"
        case 0 | -1:
            return "small"
        case int(n) if n > 100:
            return ("large", n)
        case int() | float():
            return "number"
        case "ab":
            return "text"
        case []:
            return "empty"
        case [x]:
            return ("one", x)
        case [1, *rest, last]:
            return ("starts with one", rest, last)
        case (x, (y, z)) as whole:
            return ("nested", x, y, z, whole)
        case [_, *_]:
            return "sequence"
        case {"kind": "k", "value": [a, b], **rest}:
            return ("mapping", a, b, rest)
        case {}:
            return "mapping"
        case Point(x=0, y=y):
            return ("on axis", y)
        case Point(x=x) if x == trace:
            return "never"
        case str.__class__:
            return "type"
        case other:
            return ("other", type(other).__name__)


for value in (
    None,
    True,
    0,
    -1,
    101,
    50,
    2.5,
    "ab",
    [],
    ["x"],
    [1, 2, 3, 4],
    [1, 2],
    [5, (6, 7)],
    [5, 6, 7],
    {"kind": "k", "value": [1, 2], "more": 3},
    {"kind": "x"},
    Point(0, 1),
    Point(1, 1),
    "zzz",
    type,
):
    trace.append(classify(value))


def generator(n):
    for k in range(n):
        yield k
    yield from (k * k for k in range(n))
    yield
    return


trace.append(list(generator(3)))


def elif_chain(n):
    if n == 0:
        return "zero"
    elif n == 1:
        return "one"
    elif (m := n * 2) == 4:
        return ("two", m)
    else:
        return ("more", m)


trace.append([elif_chain(n) for n in range(4)])


def fib(n):
    return n if n < 2 else fib(n - 1) + fib(n - 2)


trace.append(fib(10))


def swap(a, b):
    a, b = b, a
    [c, *d] = a, b, *[a, b]
    (e), f[0] = 1, 2
    return a, b, c, d, e


f = [0]
trace.append((swap(1, 2), f))


def raises():
    try:
        raise ValueError("x") from KeyError("y")
    except ValueError:
        pass
    try:
        try:
            raise TypeError
        finally:
            trace.append("cleanup")
    except TypeError:
        return "caught"


trace.append(raises())
if trace:
    trace.append(1)
    trace.append(2)


class Small:
    a = 1
    b = 2


def small():
    return Small.a, Small.b


trace.append(small())
