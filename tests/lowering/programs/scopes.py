"""Where names belong."""

# ruff: noqa  (odd on purpose: every construct is here for its evaluation)

trace = []
x = "global"
i = "untouched"


def outer(p, *, k=1):
    x = "outer"

    def inner():
        nonlocal x, p
        x += "+inner"
        p = p + 1
        global made
        made = x
        return lambda: (x, p, k)

    result = inner()()
    return result, x, p


trace.append(outer(1))
trace.append(made)


def makes_global():
    global x, y
    x = y = "set"
    del y

    def reads():
        return x

    return reads()


trace.append((makes_global(), x, "y" in globals()))


class Holder:
    x = "class"
    seen = x
    listed = [x for _ in range(2)]
    first = [item for item in (x,)]
    global from_class
    from_class = x
    if True:
        made = lambda self: x  # noqa: E731

    def method(self):
        return x, self.x

    class Inner:
        found = x


trace.append(
    (Holder.seen, Holder.listed, Holder.first, from_class, Holder().made(), Holder().method(), Holder.Inner.found)
)

squares = [i * j for i in range(4) if i % 2 for j in range(i) if j]
nested = [[i + j for j in range(i)] for i in range(3)]
lambdas = [lambda: i for i in range(3)]
pairs = {i: {j for j in range(i)} for (i,) in [(1,), (2,)]}
total = sum(i for i in range(5))
trace.append((squares, nested, [f() for f in lambdas], pairs, total, i))


def comprehensions(items):
    i = "local"
    found = [i for i in items if (last := i) > 0]
    functions = [(lambda i=i: (i, last)) for i in items]
    return found, last, i, [f() for f in functions], [[(i, j) for j in [i]] for i in items]


trace.append(comprehensions([1, 2, 3]))


def shadowed(x):
    def deeper():
        return [x for x in [x, x + 1]], x

    return deeper()


trace.append(shadowed(5))


def exceptions():
    try:
        1 / 0
    except ZeroDivisionError as e:
        caught = type(e).__name__
    for k, (a, *b) in [(1, (2, 3, 4))]:
        pass
    with open("/dev/null") as handle:
        closed = handle.closed
    import os.path as path, string
    from math import pi as circle, e

    return caught, k, a, b, closed, path.basename("a/b"), string.digits, int(circle), int(e)


trace.append(exceptions())


def deep():
    x = 1

    def middle():
        def innermost():
            nonlocal x
            x += 1
            return x

        return innermost() + innermost()

    return middle(), x


trace.append(deep())


def unbound():
    try:
        return late
    except UnboundLocalError:
        return "unbound"
    late = 1


trace.append(unbound())


def walrus_everywhere():
    while (n := len(trace)) < 0:
        pass
    sorted((hit := k) > 1 for k in range(4))
    return n, hit


trace.append(walrus_everywhere()[1])


def decorator(tag):
    trace.append(("made", tag))

    def apply(target):
        trace.append(("applied", tag, target.__name__))
        return target

    return apply


@decorator("a")
@decorator("b")
def decorated(p=trace.append("default"), *q, r=trace.append("keyword default"), **s):
    """Doc."""
    return p, q, r, s


@decorator("c")
class Decorated(dict):
    """Class doc."""


trace.append((decorated(1, 2, r=3, t=4), decorated.__doc__, Decorated.__doc__, decorated.__name__))
