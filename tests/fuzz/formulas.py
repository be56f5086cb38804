"""Sizes, costs and receptive fields of every kind: from docs/spec.md and textbooks alone.

Nothing of convcost is imported. A shape is (channels, size), an option is a number, a list, a word
or an `Expr`. `Invalid` is raised for what convcost must refuse.
"""

import re
from collections.abc import Callable
from fractions import Fraction
from functools import lru_cache
from math import ceil, floor, gcd, lcm, prod
from typing import Any, NamedTuple

Shape = tuple[int, tuple[int, ...]]
MAX_PERIOD = 64  # of a receptive field that is followed here


class Invalid(Exception):  # noqa: N818  a spec is invalid; this program has no error
    """The spec breaks a rule of the language or of a kind."""


class Expr(str):
    """An expression of the language. Its grammar is a part of Python's."""

    __slots__ = ()


def divisible(x, by):
    """The nearest multiple of `by`, at least `by`, never below 90 % of x."""
    near = max(by, floor(x / by + Fraction(1, 2)) * by)
    return near + by if near < x * Fraction(9, 10) else near


FUNCTIONS = {
    "F": Fraction, "min": min, "max": max, "abs": abs, "round": lambda x: Fraction(round(x)),
    "floor": lambda x: Fraction(floor(x)), "ceil": lambda x: Fraction(ceil(x)),
    "divisible": divisible, "true": True, "false": False,
}  # fmt: skip


@lru_cache(maxsize=10_000)
def _code(text):
    return compile(re.sub(r"\b\d+(\.\d+)?\b", lambda n: f"F('{n[0]}')", text), "", "eval")


def evaluate(value, names):
    """A value of the spec with all expressions computed; a fraction that is whole is an int."""
    if isinstance(value, list):
        return [evaluate(item, names) for item in value]
    if isinstance(value, dict):
        return {key: evaluate(one, names) for key, one in value.items()}
    if not isinstance(value, Expr):
        return value
    known = {k: Fraction(v) if type(v) is int else v for k, v in names.items()}
    try:
        found = eval(_code(value), {**FUNCTIONS, **known})
    except (ArithmeticError, NameError, TypeError) as error:
        raise Invalid(f"{value}: {error}") from None
    if isinstance(found, bool | list | str):
        return found
    return int(found) if Fraction(found).denominator == 1 else found


def require(condition, reason):
    if not condition:
        raise Invalid(reason)


def whole(value, least=1):
    require(
        type(value) is int and value >= least, f"{value} is no whole number of at least {least}"
    )
    return value


# Receptive fields along one axis


class Axis(NamedTuple):
    """What the outputs of a layer read: output q·period + r reads the inputs q·advance + reads[r].

    `whole` layers read the whole axis: what a window after them reads is not defined here.
    """

    period: int
    advance: int
    reads: tuple[tuple[int, ...], ...]
    whole: bool = False


class Field(NamedTuple):
    """First and last input of each output of a period; None for an output that reads nothing."""

    period: int
    advance: int
    hulls: tuple[tuple[int, int] | None, ...]
    whole: bool = False

    def extent(self, outputs):
        """The most inputs that one of so many outputs depends on."""
        return max((hull[1] - hull[0] + 1 for hull in self.hulls[:outputs] if hull), default=0)

    @property
    def step(self):
        return Fraction(self.advance, self.period)

    def hull(self, output):
        turns, number = divmod(output, self.period)
        found = self.hulls[number]
        return found and (found[0] + turns * self.advance, found[1] + turns * self.advance)


OWN = Axis(1, 1, ((0,),))
Fields = tuple[Field, ...] | None  # None: not followed here


def follow(field, axis):
    """The field after a layer; None where it is not followed."""
    if axis == OWN or axis is None:
        return axis and field
    turns = field.period // gcd(field.period, axis.advance)
    period = axis.period * turns
    if field.whole or period > MAX_PERIOD:
        return None
    hulls: list[tuple[int, int] | None] = []
    for output in range(period):
        turn, number = divmod(output, axis.period)
        read = [field.hull(one + turn * axis.advance) for one in axis.reads[number]]
        there = [hull for hull in read if hull]
        hulls.append((min(a for a, _ in there), max(b for _, b in there)) if there else None)
    advance = field.advance * axis.advance * turns // field.period
    return Field(period, advance, tuple(hulls), axis.whole)


def around(fields):
    """The field after a join, whose output reads all that the branches read; None for branches of
    different steps."""
    first, period = fields[0], lcm(*(field.period for field in fields))
    if len({field.step for field in fields}) > 1 or period > MAX_PERIOD:
        return first if all(field == first for field in fields) else None
    hulls = []
    for output in range(period):
        there = [hull for field in fields if (hull := field.hull(output))]
        hulls.append((min(a for a, _ in there), max(b for _, b in there)) if there else None)
    return Field(period, first.advance * (period // first.period), tuple(hulls), first.whole)


def all_of(n):
    return Axis(1, 0, (tuple(range(n)),), whole=True)


def resized(n, o, last, before=0):
    """Output i reads the inputs from ⌊i·n/o⌋ − before to last(i). None if the period is long."""
    period = o // gcd(n, o)
    if period > MAX_PERIOD:
        return None
    reads = tuple(tuple(range(i * n // o - before, last(i) + 1)) for i in range(period))
    return Axis(period, n // gcd(n, o), reads)


# Layers

UNKNOWN = (None,)  # the receptive field is not followed here


class Out(NamedTuple):
    """What a layer gives and costs.

    `reads` are the axes of its receptive field: None if an output element depends on its own
    position only, UNKNOWN if the fuzzer does not check it. `form` is compared between layers that
    share weights: two layers with equal forms can share them.
    """

    shape: Shape
    weights: int = 0
    biases: int = 0
    buffers: int = 0
    macs: int = 0
    reads: tuple[Any, ...] | None = None
    form: tuple[Any, ...] = ()
    counted: bool = True  # whether its macs are known


def per_axis(value, rank, least=1):
    values = value if isinstance(value, list) else [value] * rank
    require(len(values) == rank, f"{value} is not of {rank} axes")
    return [whole(n, least) for n in values]


def borders(value, rank):
    if value == "valid":
        value = 0
    if isinstance(value, list) and len(value) == 2 * rank:
        return [(whole(a, 0), whole(b, 0)) for a, b in zip(value[:rank], value[rank:], strict=True)]
    return [(n, n) for n in per_axis(value, rank, 0)]


def windows(o, size):
    """n, kernel, stride, (begin, end) or None for `same`, dilation, of each axis."""
    require(size, "a window needs a size")
    rank = len(size)
    same = o["padding"] == "same"
    numbers = (per_axis(o[name], rank) for name in ("kernel", "stride", "dilation"))
    kernel, stride, dilation = numbers
    pads = [None] * rank if same else borders(o["padding"], rank)
    return zip(size, kernel, stride, pads, dilation, strict=True)


def slide(o, size):
    """Output size and reads of a window: ⌊(n + p_begin + p_end − d·(f − 1) − 1)/s⌋ + 1."""
    sizes, axes = [], []
    for n, f, s, pad, d in windows(o, size):
        span = d * (f - 1) + 1
        if pad is None:
            out = -(-n // s)
            begin = max((out - 1) * s + span - n, 0) // 2
        else:
            begin = pad[0]
            room = Fraction(n + sum(pad) - span, s)
            out = (ceil(room) if o.get("ceil") else floor(room)) + 1
            require(out >= 1, "the kernel is larger than its input")
            # As in PyTorch: no window starts in the padding at the end.
            if o.get("ceil") and (out - 1) * s >= n + begin:
                out -= 1
        sizes.append(out)
        axes.append(Axis(1, s, (tuple(k * d - begin for k in range(f)),)))
    return tuple(sizes), tuple(axes)


def conv(o, x):
    channels, size = x
    filters, groups = whole(o["filters"]), whole(o["groups"])
    out, reads = slide(o, size)
    require(channels % groups == 0 == filters % groups, "groups do not divide")
    form: tuple[Any, ...] = (filters, *per_axis(o["kernel"], len(size)), channels // groups)
    if o["connections"] is not None:
        seen = o["connections"]
        require(groups == 1 and len(seen) == filters, "one list of channels for each filter")
        require(all(1 <= whole(c) <= channels for row in seen for c in row), "no such channel")
        require(all(row and len(set(row)) == len(row) for row in seen), "a channel is repeated")
        form = (sum(map(len, seen)), *per_axis(o["kernel"], len(size)))
    return _filters(o, (filters, out), form, prod(form) * prod(out), filters, reads)


def depthwise(o, x):
    channels, size = x
    out, reads = slide(o, size)
    form = (channels, whole(o["multiplier"]), *per_axis(o["kernel"], len(size)))
    filters = channels * o["multiplier"]
    return _filters(o, (filters, out), form, prod(form) * prod(out), filters, reads)


def transposed_conv(o, x):
    """(n − 1)·s − p_begin − p_end + d·(f − 1) + output_padding + 1; `same` gives n·s."""
    channels, size = x
    filters, groups = whole(o["filters"]), whole(o["groups"])
    require(channels % groups == 0 == filters % groups, "groups do not divide")
    out, reads = [], []
    extra = per_axis(o["output_padding"], len(size), 0)
    for (n, f, s, pad, d), more in zip(windows(o, size), extra, strict=True):
        require(pad is None or more < max(s, d), "output_padding is too large")
        require(pad is not None or not more, "`same` has no output_padding")
        span = d * (f - 1) + 1
        begin, end = pad or (max(span - s, 0) // 2, 0)
        out.append((n - 1) * s - begin - end + span + more if pad is not None else n * s)
        require(out[-1] >= 1, "the padding removes all")
        # Output i is fed by input j through element k if j·s + k·d = i + begin.
        taps = [[(i + begin - k * d) for k in range(f)] for i in range(s)]
        reads.append(Axis(s, 1, tuple(tuple(t // s for t in tap if t % s == 0) for tap in taps)))
    form = (filters // groups, *per_axis(o["kernel"], len(size)), channels)
    return _filters(o, (filters, tuple(out)), form, prod(form) * prod(size), filters, tuple(reads))


def _filters(o, shape, form, macs, filters, reads):
    weights, buffers = (0, prod(form)) if o.get("buffer") else (prod(form), 0)
    stored = (*form, bool(o.get("buffer")))
    return Out(shape, weights, filters * o["bias"], buffers, macs, reads, stored)


def locally_connected(o, x):
    """A convolution with filters and biases of its own at every position."""
    out, reads = slide({**o, "dilation": 1}, x[1])
    filters = whole(o["filters"])
    weights = prod(out) * filters * prod(per_axis(o["kernel"], len(x[1]))) * x[0]
    return Out((filters, out), weights, prod(out) * filters * o["bias"], 0, weights, reads)


def max_unpool(o, x):
    """The size of a transposed convolution; the stride is the kernel by default."""
    stride = o["kernel"] if o["stride"] is None else o["stride"]
    fixed = {"stride": stride, "filters": x[0], "groups": 1, "dilation": 1, "bias": False}
    return Out(transposed_conv({**o, **fixed}, x).shape, reads=UNKNOWN)


def pool(o, x):
    out, reads = slide({**o, "stride": o["kernel"] if o["stride"] is None else o["stride"]}, x[1])
    return Out((x[0], out), reads=reads)


def global_pool(o, x):
    require(x[1], "a pool needs a size")
    return Out((x[0], (1,) * len(x[1])), reads=tuple(map(all_of, x[1])))


def adaptive_pool(o, x):
    require(x[1], "a pool needs a size")
    out = per_axis(o["size"], len(x[1]))
    pairs = list(zip(x[1], out, strict=True))
    reads = tuple(resized(n, m, lambda i, n=n, m=m: -(-(i + 1) * n // m) - 1) for n, m in pairs)
    return Out((x[0], tuple(out)), reads=reads)


def upsample(o, x):
    channels, size = x
    require(size, "upsample needs a size")
    if o["size"] is not None:
        out = per_axis(o["size"], len(size))
    else:
        scale = o["scale"] if isinstance(o["scale"], list) else [o["scale"]] * len(size)
        require(len(scale) == len(size) and min(scale) > 0, "one scale for each axis")
        out = [floor(n * Fraction(s)) for n, s in zip(size, scale, strict=True)]
    require(min(out) >= 1, "nothing is left")
    return Out((channels, tuple(out)), reads=_enlarged(o, size, tuple(out)))


AROUND = {"nearest": (0, 0), "linear": (0, 1), "cubic": (1, 2)}  # elements that are read, too


def _enlarged(o, size, out):
    pairs, (before, after) = zip(size, out, strict=True), AROUND[o["mode"]]
    return tuple(
        all_of(1) if n == 1 else resized(n, m, lambda i, n=n, m=m: i * n // m + after, before)
        for n, m in pairs
    )


def border(o, x, sign):
    require(x[1], "a border needs a size")
    pads = borders(o["border"], len(x[1]))
    out = tuple(n + sign * (a + b) for n, (a, b) in zip(x[1], pads, strict=True))
    require(min(out) >= 1, "crop removes all")
    return Out((x[0], out), reads=tuple(Axis(1, 1, ((-sign * a,),)) for a, _ in pads))


def slice_(o, x):
    length, start, step = whole(o["length"]), whole(o["start"], 0), whole(o["step"])
    last = start + (length - 1) * step
    if o["along"] == "channels":
        require(last < x[0], "slice needs more channels")
        return Out((length, x[1]))
    axis = axis_of(o["along"], x)
    require(last < x[1][axis], "slice needs a longer axis")
    reads = [OWN] * len(x[1])
    reads[axis] = Axis(1, step, ((start,),))
    return Out((x[0], replaced(x[1], axis, length)), reads=tuple(reads))


def axis_of(number, x):
    require(whole(number) <= len(x[1]), f"there is no axis {number}")
    return number - 1


def replaced(values, axis, value):
    return (*values[:axis], value, *values[axis + 1 :])


def glu(o, x):
    if o["along"] == "channels":
        require(x[0] % 2 == 0, "glu halves")
        return Out((x[0] // 2, x[1]))
    axis = axis_of(o["along"], x)
    require(x[1][axis] % 2 == 0, "glu halves")
    half = x[1][axis] // 2
    reads = replaced((OWN,) * len(x[1]), axis, Axis(1, 1, ((0, half),)))
    return Out((x[0], replaced(x[1], axis, half)), reads=reads)


def shuffle(o, x):
    require(x[1], "pixel_shuffle needs a size")
    r = whole(o["factor"])
    require(x[0] % r ** len(x[1]) == 0, "the factor does not divide the channels")
    reads = (Axis(r, 1, ((0,),) * r),) * len(x[1])
    return Out((x[0] // r ** len(x[1]), tuple(n * r for n in x[1])), reads=reads)


def unshuffle(o, x):
    require(x[1], "pixel_unshuffle needs a size")
    r = whole(o["factor"])
    require(all(n % r == 0 for n in x[1]), "the factor does not divide the size")
    reads = (Axis(1, r, (tuple(range(r)),)),) * len(x[1])
    return Out((x[0] * r ** len(x[1]), tuple(n // r for n in x[1])), reads=reads)


def divides(o, x):
    require(x[0] % whole(o["groups"]) == 0, "groups do not divide the channels")
    return Out(x)


def norm(o, x, buffers=0):
    n = x[0] * (prod(x[1]) if o.get("over") == "all" else 1)
    return Out(x, n * o["scale"], n * o["shift"], buffers * x[0], form=(n, o["scale"], o["shift"]))


def batch_norm(o, x):
    out = norm(o, x, buffers=2)
    if not o["buffer"]:
        return out
    stored = out.buffers + out.weights + out.biases
    return Out(x, buffers=stored, form=(*out.form, "buffer"))


def local_response_norm(o, x):
    whole(o["neighbours"])
    return Out(x)


def group_norm(o, x):
    divides(o, x)
    return norm(o, x)


def scale(o, x):
    require(o["factor"] or o["shift"], "scale learns nothing")
    require(not (o["shared"] and o["over"] == "all"), "one number, or one for each element")
    shape = [] if o["shared"] else [x[0], *(x[1] if o["over"] == "all" else ())]
    n, form = prod(shape), (*shape, o["factor"], o["shift"], o["shared"], o["over"])
    return Out(x, n * o["factor"], n * o["shift"], form=form)


def linear(o, x):
    channels, size = x
    features = whole(o["features"])
    require(o["each_position"] or not size, "linear needs a flat input")
    require(o["inputs"] in (None, channels), "linear needs other inputs")
    macs = features * channels * prod(size)
    form = (features, channels)
    return Out((features, size), features * channels, features * o["bias"], 0, macs, form=form)


def flatten(o, x):
    return Out((x[0] * prod(x[1]), ()), reads=UNKNOWN)


def reshape(o, x):
    channels, size = o["shape"]["channels"], o["shape"]["size"]
    size = [size, size] if not isinstance(size, list) else size
    elements = x[0] * prod(x[1])
    given = prod(whole(n) for n in (channels, *size) if n != "rest")
    left, over = divmod(elements, given)
    require(not over and ("rest" in (channels, *size) or left == 1), "reshape keeps all elements")
    fill = [left if n == "rest" else n for n in (channels, *size)]
    return Out((fill[0], tuple(fill[1:])), reads=UNKNOWN)


def tensor(value):
    size = value["size"] if isinstance(value["size"], list) else [value["size"]] * 2
    return whole(value["channels"]), tuple(map(whole, size))


def learned(o, x):
    shape = tensor(o["shape"])
    n = shape[0] * prod(shape[1])
    return Out(shape, 0 if o["buffer"] else n, 0, n if o["buffer"] else 0, reads=UNKNOWN)


def embedding(o, x):
    require(not x[1] or x[0] == 1, "an index is one number")
    channels, rows = whole(o["channels"]), whole(o["rows"])
    shape, reads = (channels, x[1] or (x[0],)), None if x[1] else UNKNOWN
    return Out(shape, rows * channels, reads=reads, form=(rows, channels))


def reduction(o, x):
    over = o["over"]
    if over == "channels":
        return Out((1, x[1]))
    require(over != "size" or x[1], "there is no size")
    listed = over if isinstance(over, list) else [over]
    axes = range(len(x[1])) if over in ("size", "all") else [axis_of(one, x) for one in listed]
    require(len(set(axes)) == len(axes), "an axis is repeated")
    kept = [(i, n) for i, n in enumerate(x[1]) if o["keep"] or i not in axes]
    size = tuple(1 if i in axes else n for i, n in kept)
    reads = tuple(all_of(n) if i in axes else OWN for i, n in enumerate(x[1]))
    known = not axes or o["keep"]
    return Out((1 if over == "all" else x[0], size), reads=reads if known else UNKNOWN)


def recurrent(o, x, gates):
    """For each gate hidden × (inputs + state) weights, and two biases, or one."""
    require(x[1], "a recurrent layer needs steps")
    hidden, layers = whole(o["hidden"]), whole(o["layers"])
    projection = o.get("projection")
    state = hidden if projection is None else whole(projection)
    ways = 2 if o["bidirectional"] else 1
    weights = 0
    for layer in range(layers):
        inputs = ways * state if layer else x[0]
        weights += ways * (gates * hidden * (inputs + state) + (projection or 0) * hidden)
    biases = ways * layers * gates * hidden * (1 if o["one_bias"] else 2) * o["bias"]
    size = x[1][:-1] if o["last"] else x[1]
    return Out((ways * state, size), weights, biases, 0, weights * prod(x[1]), UNKNOWN)


def custom(o, x):
    shape = x if o["output"] is None else tensor(o["output"])
    require(o["input"] is None or tensor(o["input"]) == x, "custom is stated for another input")
    params, biases, buffers = (whole(o[name], 0) for name in ("params", "biases", "buffers"))
    require(biases <= params, "biases are params")
    counted = o["macs"] != "uncounted"
    macs = whole(o["macs"], 0) if counted else 0
    return Out(shape, params - biases, biases, buffers, macs, UNKNOWN, counted=counted)


def fft(o, x):
    """⌈log2 N⌉ stages of N/2 butterflies, each of 4 multiply-adds; half of it for real points."""
    channels, size = x
    require(size and o["over"] not in ("channels", "all"), "fft is along the size")
    require(o["length"] is None or (o["real"] and o["inverse"]), "only a real inverse has a length")
    listed = o["over"] if isinstance(o["over"], list) else [o["over"]]
    axes = range(len(size)) if o["over"] == "size" else [axis_of(one, x) for one in listed]
    require(len(set(axes)) == len(axes), "an axis is repeated")
    last = axes[-1]
    require(channels % 2 == 0 or (o["real"] and not o["inverse"]), "a complex number has two parts")
    maps, points, out = channels // 2, size, size
    if o["real"] and not o["inverse"]:
        maps, out = channels, replaced(size, last, size[last] // 2 + 1)
    elif o["real"]:
        length = 2 * (size[last] - 1) if o["length"] is None else whole(o["length"])
        require(length >= 1 and length // 2 + 1 == size[last], "the length has other points")
        points = out = replaced(size, last, length)
    few = out if not o["inverse"] else size
    macs = 0
    for axis in axes:
        real = o["real"] and axis == last
        there = points if axis == last else few
        stages = next(k for k in range(99) if 2**k >= there[axis])
        macs += maps * prod(there) * stages * (1 if real else 2)
    reads = UNKNOWN
    if o["real"]:
        return Out((2 * maps if not o["inverse"] else maps, out), macs=macs, reads=reads)
    return Out(x, macs=macs, reads=reads)


# Joins, of the shapes of all branches


def broadcast(sizes):
    rank = max(map(len, sizes))
    axes = [
        set(axis) - {1} for axis in zip(*((1,) * (rank - len(s)) + s for s in sizes), strict=True)
    ]
    require(all(len(axis) <= 1 for axis in axes), "branches do not broadcast")
    return tuple(axis.pop() if axis else 1 for axis in axes)


def elementwise(o, xs):
    (channels,) = broadcast([(x[0],) for x in xs])
    return Out((channels, broadcast([x[1] for x in xs])))


def contract(o, xs):
    """The product of the branches, summed: one multiply-add for each product of two."""
    shape = elementwise(o, xs).shape
    macs = (len(xs) - 1) * shape[0] * prod(shape[1])
    return Out(reduction(o, shape).shape, macs=macs, reads=UNKNOWN)


def concat(o, xs):
    channels, size = xs[0]
    if o["along"] == "channels":
        require(len({x[1] for x in xs}) == 1, "concat needs equal sizes")
        return Out((sum(x[0] for x in xs), size))
    axis = axis_of(o["along"], min(xs, key=lambda x: len(x[1])))
    rest = {(x[0], x[1][:axis], x[1][axis + 1 :]) for x in xs}
    require(len(rest) == 1, "concat needs equal axes")
    whole = channels, replaced(size, axis, sum(x[1][axis] for x in xs))
    return Out(whole, reads=None if len(xs) == 1 else UNKNOWN)


def resize_like(o, xs, kind):
    require(len(xs) == 2, "two branches")
    (channels, size), like = xs[0], xs[1][1]
    if kind == "reshape_like":
        left, over = divmod(channels * prod(size), prod(like))
        require(not over, "reshape_like keeps all elements")
        return Out((left, like), reads=UNKNOWN)
    require(len(size) == len(like), "the same number of axes")
    require(kind == "pad_like" or size, "upsample_like needs a size")
    if kind == "pad_like":
        begins = ((m - n) // 2 for n, m in zip(size, like, strict=True))
        return Out((channels, like), reads=tuple(Axis(1, 1, ((-n,),)) for n in begins))
    reads = _enlarged(o, size, like)
    return Out((channels, like), reads=reads)


def matmul(o, xs):
    require(len(xs) == 2 and all(x[1] for x in xs), "two matrices")
    (inner, (*_, rows)), (columns, (*_, depth)) = xs
    if o["transpose"]:
        columns, depth = depth, columns
    require(inner == depth, "the inner sizes differ")
    batch = broadcast([x[1][:-1] for x in xs])
    macs = prod(batch) * rows * inner * columns
    return Out((columns, (*batch, rows)), macs=macs, reads=UNKNOWN)


def attention(o, xs):
    """heads × queries × keys × (query channels of a head + value channels of a head)."""
    require(len(xs) == 3 and all(x[1] for x in xs), "query, key and value")
    (q, (*outer, queries)), (k, (*k_outer, keys)), (v, (*v_outer, values)) = xs
    require(keys == values, "a value for every key")
    heads = o["heads"]
    if heads is not None:
        require(q % whole(heads) == 0, "heads do not divide the channels")
        width = q // heads
        require(k % width == 0, "key channels are no heads")
        groups = k // width
        require(heads % groups == 0 == v % groups, "heads in groups")
        q, k, v = width, width, v // groups
        outer, k_outer, v_outer = [*outer, heads], [*k_outer, groups], [*v_outer, groups]
    require(q == k, "queries and keys have other channels")
    rank = max(map(len, (outer, k_outer, v_outer)))
    padded = [[1] * (rank - len(s)) + s for s in (outer, k_outer, v_outer)]
    batch = [max(axis) for axis in zip(*padded, strict=True)]
    require(all(b % n == 0 for s in padded for b, n in zip(batch, s, strict=True)), "outer axes")
    before, after = keys, 0 if o["causal"] else keys
    if o["window"] is not None:
        half = whole(o["window"]) // 2
        before, after = (o["window"] - 1, 0) if o["causal"] else (half, half)
    require(queries <= keys or (o["window"] is None and not o["causal"]), "a key for every query")
    pairs = queries * keys
    if o["causal"] or o["window"] is not None:
        own = [i + keys - queries for i in range(queries)]  # the last query is at the last key
        pairs = sum(max(min(i + after, keys - 1) - max(i - before, 0) + 1, 0) for i in own)
    macs = prod(batch) * pairs * (q + v)
    channels, out = (v * heads, batch[:-1]) if heads is not None else (v, batch)
    return Out((channels, (*out, queries)), macs=macs, reads=UNKNOWN)


def deformable_conv(o, xs):
    """A convolution of the first branch; the others say where its elements are."""
    require(len(xs) in (2, 3), "features, offsets and a mask")
    (channels, size), *moved = xs
    out = conv({**o, "connections": None}, xs[0])
    parts = whole(o["offset_groups"])
    require(channels % parts == 0, "offset_groups do not divide")
    elements = prod(per_axis(o["kernel"], len(size))) * parts
    for shape, numbers in zip(moved, (len(size), 1), strict=False):
        require(shape == (numbers * elements, out.shape[1]), "offsets of another shape")
    return out._replace(reads=UNKNOWN)


def grid_sample(o, xs):
    require(len(xs) == 2 and xs[0][1], "features and a grid")
    (channels, size), (axes, positions) = xs
    require(axes == len(size) == len(positions), "a coordinate for each axis")
    return Out((channels, positions), reads=UNKNOWN)


def selective_scan(o, xs):
    """h = exp(ΔA)∘h + Δx⊗B and y = C·h + D∘x, step by step: three for each state, one for D."""
    require(len(xs) == 4 and xs[0][1], "x, delta, b and c")
    (channels, size), delta, b, c = xs
    groups, heads = whole(o["groups"]), o["heads"]
    rows = channels if heads is None else whole(heads)
    require(channels % groups == 0 == b[0] % groups == channels % rows, "groups or heads")
    require(delta == (rows, size) and b == c and b[1] == size, "branches of another shape")
    states = b[0] // groups
    matrix = rows * (states if heads is None else 1)
    macs = prod(size) * channels * (3 * states + o["skip"])
    return Out((channels, size), matrix + rows * o["skip"], macs=macs, reads=UNKNOWN)


def experts(o, xs):
    """The weighted sum of the experts that are taken; what they cost is in their layers."""
    gate, each, *shared = xs
    require(whole(o["take"]) <= whole(o["of"]), "more experts than there are")
    require(gate[0] == o["of"], "one number for each expert")
    require(gate[1] in ((), each[1], (1,) * len(each[1])), "a gate of another size")
    require(all(shape == each for shape in shared), "a shared expert of another shape")
    return Out(each, reads=UNKNOWN)


def einsum(o, xs):
    """Every combination of the letters is one product of all branches."""
    left, _, result = o["equation"].partition("->")
    terms = left.split(",")
    require(len(terms) == len(xs) >= 2, "a term for each branch")
    extents: dict[str, int] = {}
    for term, (channels, size) in zip(terms, xs, strict=True):
        require(len(term) == 1 + len(size), "a letter for each axis")
        for letter, n in zip(term, (channels, *size), strict=True):
            require(extents.setdefault(letter, n) == n, "a letter has one extent")
    out = [extents[letter] for letter in result] or [1]
    macs = prod(extents.values()) * (len(xs) - 1)
    return Out((out[0], tuple(out[1:])), macs=macs, reads=UNKNOWN)


# The branches that a join knows by name, in the order of its inputs; the last one may be missing.
NAMED = {"experts": ("gate", "each", "shared"), "selective_scan": ("x", "delta", "b", "c")}
# A kind: its principal option, the defaults of its options, and its function.
WINDOW = {"stride": 1, "padding": 0, "dilation": 1}
FILTERS = {**WINDOW, "bias": False, "buffer": False}
NORM = {"scale": True, "shift": True}
RECURRENT = {"layers": 1, "bidirectional": False, "bias": True, "one_bias": False, "last": False}
NAMELESS = """
relu relu6 selu gelu silu mish sigmoid hard_sigmoid hard_swish tanh softplus softsign hard_tanh
log_sigmoid sign quick_gelu soft_shrink hard_shrink tanh_shrink softmax log_softmax identity l2_norm
""".split()  # noqa: SIM905
NUMBERED = {
    "leaky_relu": "slope", "elu": "alpha", "celu": "alpha", "threshold": "value",
    "dropout": "rate", "elementwise": "function",
}  # fmt: skip


KINDS: dict[str, tuple[str, dict[str, Any], Callable[..., Out]]] = {
    **{kind: ("", {}, lambda _, x: Out(x)) for kind in NAMELESS},
    **{kind: (option, {option: None}, lambda _, x: Out(x)) for kind, option in NUMBERED.items()},
    "local_response_norm": (
        "neighbours", {"neighbours": 5, "alpha": None, "beta": None}, local_response_norm,
    ),
    "roll": ("places", {"places": None}, lambda _, x: Out(x, reads=UNKNOWN)),
    "conv": ("filters", {**FILTERS, "groups": 1, "connections": None}, conv),
    "depthwise": ("kernel", {**FILTERS, "multiplier": 1}, depthwise),
    "transposed_conv": (
        "filters", {**WINDOW, "bias": False, "groups": 1, "output_padding": 0}, transposed_conv,
    ),
    "locally_connected": (
        "filters", {"stride": 1, "padding": 0, "bias": False}, locally_connected,
    ),
    "max_unpool": ("kernel", {"stride": None, "padding": 0, "output_padding": 0}, max_unpool),
    "max_pool": ("kernel", {**WINDOW, "stride": None, "ceil": False}, pool),
    "avg_pool": ("kernel", {**WINDOW, "stride": None, "ceil": False}, pool),
    "global_avg_pool": ("", {}, global_pool),
    "global_max_pool": ("", {}, global_pool),
    "adaptive_avg_pool": ("size", {}, adaptive_pool),
    "adaptive_max_pool": ("size", {}, adaptive_pool),
    "upsample": ("scale", {"scale": None, "size": None, "mode": "nearest"}, upsample),
    "pad": ("border", {}, lambda o, x: border(o, x, 1)),
    "crop": ("border", {}, lambda o, x: border(o, x, -1)),
    "fft": ("over", {"over": "size", "real": False, "inverse": False, "length": None}, fft),
    "slice": ("length", {"start": 0, "step": 1, "along": "channels"}, slice_),
    "glu": ("", {"along": "channels"}, glu),
    "pixel_shuffle": ("factor", {}, shuffle),
    "pixel_unshuffle": ("factor", {}, unshuffle),
    "channel_shuffle": ("groups", {}, divides),
    "batch_norm": ("", {**NORM, "buffer": False}, batch_norm),
    "instance_norm": ("", NORM, norm),
    "global_response_norm": ("", NORM, norm),
    "layer_norm": ("", {**NORM, "over": "channels"}, norm),
    "rms_norm": ("", {"scale": True, "shift": False, "over": "channels"}, norm),
    "group_norm": ("groups", NORM, group_norm),
    "scale": ("", {"factor": True, "shift": False, "over": "channels", "shared": False}, scale),
    "prelu": ("", {"shared": False}, lambda o, x: Out(x, 1 if o["shared"] else x[0])),
    "linear": ("features", {"bias": True, "inputs": None, "each_position": False}, linear),
    "flatten": ("", {}, flatten),
    "reshape": ("shape", {}, reshape),
    "learned": ("shape", {"buffer": False}, learned),
    "constant": ("shape", {}, lambda o, _x: Out(tensor(o["shape"]), reads=UNKNOWN)),
    "embedding": ("channels", {}, embedding),
    **{kind: ("over", {"keep": True}, reduction) for kind in ("mean", "max", "min", "sum")},
    "rnn": ("hidden", RECURRENT, lambda o, x: recurrent(o, x, 1)),
    "gru": ("hidden", RECURRENT, lambda o, x: recurrent(o, x, 3)),
    "lstm": ("hidden", {**RECURRENT, "projection": None}, lambda o, x: recurrent(o, x, 4)),
    "custom": ("what", {"output": None, "input": None, "biases": 0, "buffers": 0}, custom),
}  # fmt: skip
JOINS: dict[str, tuple[dict[str, Any], Callable[..., Out]]] = {
    **{
        kind: ({}, elementwise)
        for kind in ("add", "subtract", "multiply", "divide", "maximum", "minimum")
    },
    "contract": ({"keep": True}, contract),
    "concat": ({"along": "channels"}, concat),
    "upsample_like": ({"mode": "nearest"}, lambda o, xs: resize_like(o, xs, "upsample_like")),
    "pad_like": ({}, lambda o, xs: resize_like(o, xs, "pad_like")),
    "reshape_like": ({}, lambda o, xs: resize_like(o, xs, "reshape_like")),
    "matmul": ({"transpose": False}, matmul),
    "attention": ({"heads": None, "causal": False, "window": None}, attention),
    "deformable_conv": (
        {**WINDOW, "bias": False, "groups": 1, "offset_groups": 1},
        deformable_conv,
    ),
    "einsum": ({}, einsum),
    "grid_sample": ({"mode": "linear"}, grid_sample),
    "selective_scan": ({"heads": None, "groups": 1, "skip": True}, selective_scan),
    "experts": ({}, experts),
}
