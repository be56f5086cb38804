"""The layers of a spec, counted a second time: from docs/spec.md alone.

Nothing of convcost is imported, and no YAML is read. A spec is what `grammar` makes: dicts, lists,
numbers, words, and `Expr` for expressions. `Invalid` is raised for what convcost must refuse.
"""

from fractions import Fraction
from math import prod
from typing import Any, NamedTuple

from fuzz.formulas import (
    JOINS,
    KINDS,
    NAMED,
    OWN,
    UNKNOWN,
    Field,
    Fields,
    Out,
    Shape,
    around,
    evaluate,
    follow,
    require,
    tensor,
    whole,
)

COMMON = ("name", "from", "repeat", "when", "note", "frozen", "weights", "density")
PARTS = {True: ("weights", "biases"), False: (), "weights": ("weights",), "biases": ("biases",)}
MAX_SIDE = 10**15
MAX_LAYERS = 250_000


class Experts(NamedTuple):
    """A mixture, by the number of the layers before it: how many experts, and how many it takes."""

    place: int
    of: int
    take: int


def taken(ways):
    """The most experts of the same weights that are taken, each in one of several ways."""
    if () in ways:
        return 1
    used = sum(
        one.take * taken({way[1:] for way in ways if way[0] == one})
        for one in {way[0] for way in ways}
    )
    return min(used, prod(one.of for one in next(iter(ways))))


class Layer(NamedTuple):
    """A layer of the result."""

    path: str
    kind: str
    shape: Shape
    weights: int
    biases: int
    buffers: int
    macs: int
    fields: Fields
    frozen: tuple[str, ...] = ()
    experts: tuple[Experts, ...] = ()  # around the layer
    sharing: tuple[tuple[Experts, ...], ...] = ()  # around each layer that uses its weights
    inputs: tuple[int, ...] = ()  # indices of layers; −1 − k is the k-th input of the network
    owner: int = 0  # index of the layer whose weights it uses
    counted: bool = True  # whether its macs are known

    @property
    def active(self):
        """The params of the copies that one position can use: those of its own layer, and in each
        other mixture again as many as it takes there."""
        used = taken({self.experts, *(one[: len(self.experts)] for one in self.sharing)})
        return (self.weights + self.biases) // self.copies[0] * used

    @property
    def copies(self):
        """Of the layers of an expert: those stored, and those that run."""
        return prod(expert.of for expert in self.experts), prod(
            expert.take for expert in self.experts
        )

    @property
    def trainable(self):
        """The params that are not frozen."""
        return sum(getattr(self, part) for part in PARTS[True] if part not in self.frozen)

    @property
    def activations(self):
        return self.shape[0] * prod(self.shape[1]) * self.copies[1]


class Tensor(NamedTuple):
    """A shape, the index of the layer it is from (negative: an input), and its receptive field."""

    shape: Shape
    source: int
    fields: Fields


class Entry:
    """A name: its tensor (None: it is not complete), and the names inside it."""

    def __init__(self, tensor, inner=None, *, dropped=False):
        self.tensor, self.inner, self.dropped = tensor, inner, dropped


class Scope:
    """The names of one list of layers; `start` is the tensor that comes in, None if several do."""

    def __init__(self, prefix, values, parent, start):
        self.prefix, self.values, self.parent, self.start = prefix, values, parent, start
        self.names: dict[str, Entry] = {}
        self.counts: dict[str, int] = {}
        self.later: set[str] = set()  # names of the layers of the list

    def declare(self, name, entry):
        there = self.names.get(name)
        if there is not None and not there.dropped:
            require(entry.dropped, f"two layers are named {name}")
            return
        self.names[name] = entry

    def taken(self, names):
        """Whether a layer of the list has one of the names."""
        there = {name for name, entry in self.names.items() if not entry.dropped}
        return not there.union(self.later).isdisjoint(names)

    def number(self, word):
        self.counts[word] = self.counts.get(word, 0) + 1
        return f"{word}_{self.counts[word]}"

    def find(self, path):
        first, *rest = path.split("/")
        scope: Scope | None = self
        while scope is not None and first not in scope.names:
            if first == "input" and scope.parent is None and not rest:
                require(scope.start, "there are several inputs")
                return scope.start
            scope = scope.parent
        require(scope, f"there is no {path}")
        entry = scope.names[first]
        for name in rest:
            require(entry.inner and name in entry.inner.names, f"there is no {path}")
            entry = entry.inner.names[name]
        require(entry.tensor and not entry.dropped, f"{path} has no output")
        return entry.tensor

    def known(self, x):
        """The names of an expression in this list."""
        if x is None:
            return self.values
        axes = zip(("in_width", "in_height", "in_depth"), reversed(x.shape[1]), strict=False)
        return {**self.values, "in_channels": x.shape[0], **dict(axes)}


def word_of(item):
    return item if isinstance(item, str) else next(iter(item))


def sources_of(rest):
    sources = rest.get("from", [])
    return sources if isinstance(sources, list) else [sources]


class Recount:
    """The layers of a spec, in order."""

    def __init__(self, spec, settings=None):
        self.blocks, self.defaults = spec.get("blocks", {}), spec.get("defaults", {})
        self.layers: list[Layer] = []
        self.frozen: tuple[str, ...] | None = None  # by the layer or group around, if one says
        self.experts: tuple[Experts, ...] = ()  # around the next layer
        self.kept: list[tuple[int, int]] = []  # of the weights of each layer: how many, of how many
        self.said: dict[int, tuple[str, ...]] = {}  # what is frozen, of each owner of weights
        self.owners: list[tuple[int, str, Out]] = []  # of weights: index, kind, numbers
        values: dict[str, Any] = {}
        for name, value in spec.get("vars", {}).items():
            values[name] = (settings or {}).get(name, evaluate(value, values))
        one = {"input": spec["input"]} if "input" in spec else spec["inputs"]
        tensors = {}
        for k, (name, value) in enumerate(one.items()):
            shape = tensor(evaluate(value, values))
            tensors[name] = Tensor(shape, -1 - k, (Field(1, 1, ((0, 0),)),) * len(shape[1]))
        self.inputs = [found.shape for found in tensors.values()]
        start = next(iter(tensors.values())) if len(tensors) == 1 else None
        self.scope = Scope("", values, None, start)
        for name, found in tensors.items():
            if name != "input" or len(tensors) > 1:
                self.scope.declare(name, Entry(found))

    def count(self, items):
        for name, block in self.blocks.items():
            require(name not in block["layers"], f"{name} calls itself")
        self.expand(items, self.scope)
        return self.layers

    def expand(self, items, scope):
        joins = [i for i in items if word_of(i) in JOINS and i[word_of(i)] and "name" not in i]
        only = joins[0] if len(joins) == 1 and "repeat" not in joins[0] else None
        x = scope.start
        named = [i for i in items if isinstance(i, dict) and "name" in i and "when" not in i]
        scope.later = {item["name"] for item in named}
        for item in items:
            x = self.item(item, scope, x, only=item is only)
        return x

    def item(self, item, scope, x, *, only=False):
        """One layer, with `when` and `repeat`; the tensor that the next layer takes."""
        word, rest = (item, {}) if isinstance(item, str) else (word_of(item), item)
        named, sources = rest.get("name"), sources_of(rest)
        if "when" in rest and not self.value(rest["when"], sources, scope, x):
            scope.number(word)
            if named:
                scope.declare(named, Entry(None, dropped=True))
            return x
        if "repeat" not in rest:
            automatic = scope.number(word)
            return self.one(word, rest, named or automatic, scope, x, sources, only=only)
        copies = whole(self.value(rest["repeat"], sources, scope, x), 0)
        require(copies <= MAX_LAYERS, "too many layers")
        block = self.blocks.get(word, {})
        streams = len(block.get("inputs", [])) > 1
        if streams:
            require(copies == 1 or (copies and "outputs" in block), "a block of several inputs")
        if not copies:
            x = self.own(sources, scope, x)
        inner = None
        for copy in range(copies):
            name = f"{named}_{copy + 1}" if named else scope.number(word)
            x = self.one(word, rest, name, scope, x, sources, only=False)
            inner = scope.names[name].inner
            sources = [f"{name}/{output}" for output in block.get("outputs", [])] if streams else []
        if named:
            scope.declare(named, Entry(x, inner))
        return x

    def own(self, sources, scope, x):
        """What comes into a layer."""
        return scope.find(sources[0]) if sources else x

    def value(self, text, sources, scope, x):
        """Of `when`, `repeat` or `frozen`. Only one that uses the input needs the input."""
        uses_input = isinstance(text, str) and "in_" in text
        known = scope.known(self.own(sources, scope, x)) if uses_input else scope.values
        return evaluate(text, known)

    def one(self, word, rest, name, scope, x, sources, *, only):
        """One layer. The innermost `frozen` counts; a default is as if written on each layer."""
        said = rest.get("frozen", self.defaults.get(word, {}).get("frozen"))
        around = self.frozen
        if said is not None:
            self.frozen = PARTS[said if said in PARTS else self.value(said, sources, scope, x)]
        try:
            return self.layer(word, rest, name, scope, x, sources, only=only)
        finally:
            self.frozen = around

    def layer(self, word, rest, name, scope, x, sources, *, only):
        xs = [scope.find(source) for source in sources] or [x]
        x = xs[0]
        value = rest.get(word)
        if word in self.blocks:
            require(x, "the layer names no input")
            inputs = self.blocks[word].get("inputs", [])
            require(len(xs) == max(1, len(inputs)), "the block has another number of inputs")
            values, tensors = self.call(word, rest, scope, x), dict(zip(inputs, xs, strict=False))
            x = None if len(inputs) > 1 else x
            out = self.group(name, scope, self.blocks[word]["layers"], x, values, tensors)
            for output in self.blocks[word].get("outputs", []):
                scope.names[name].inner.find(output)
            require(out, "several inputs and no layer")
            return out
        if word in ("sequence", "side"):
            out = self.group(name, scope, value, x)
            return x if word == "side" else out
        if word in JOINS:
            return self.join(word, rest, name, scope, xs, only=only)
        require(x, "the layer names no input")
        require(len(xs) == 1 or word == "custom", "the layer has one input")
        options = self.options(word, rest, scope.known(x))
        return self.step(word, KINDS[word][2](options, x.shape), name, scope, xs, rest)

    def options(self, word, rest, known):
        principal, defaults, _ = KINDS.get(word) or ("", *JOINS[word])
        given = {k: v for k, v in rest.items() if k not in COMMON and k != word}
        value = rest.get(word)
        if isinstance(value, dict) and principal in value and principal != "shape":
            given = {**value, **given}
        elif value is not None and principal:
            given[principal] = value
        own = {k: v for k, v in self.defaults.get(word, {}).items() if k != "frozen"}
        return evaluate({**defaults, **own, **given}, known)

    def call(self, word, rest, scope, x):
        """The names that the layers of a called block see."""
        options = self.blocks[word].get("options", {})
        value, known = rest.get(word), scope.known(x)
        given = value if isinstance(value, dict) else {}
        if value is not None and not isinstance(value, dict):
            listed = value if isinstance(value, list) else [value]
            given = dict(zip(options, listed, strict=False))
        given = {**given, **{k: v for k, v in rest.items() if k not in COMMON and k != word}}
        seen = Scope("", dict(self.scope.values), None, x)
        for option, default in options.items():
            found = evaluate(given[option], known) if option in given else None
            seen.values[option] = evaluate(default, seen.known(x)) if option not in given else found
        return seen.values

    def group(self, name, scope, items, x, values=None, tensors=None):
        """Layers below a name; `values` and `tensors` are those of a block, which sees no other
        names."""
        parent = scope if values is None else None
        seen = scope.values if values is None else values
        inner = Scope(f"{scope.prefix}{name}/", seen, parent, x)
        for known, found in (tensors or {}).items():
            inner.declare(known, Entry(found))
        entry = Entry(None, inner)
        scope.declare(name, entry)
        entry.tensor = self.expand(items, inner)
        return entry.tensor

    def join(self, word, rest, name, scope, xs, *, only):
        branches = rest[word]
        x = xs[0]
        holder = scope
        if branches and "name" in rest:
            scope.declare(name, Entry(None))
        # The names of branches belong to the join, if it is not the only one or one is taken.
        if isinstance(branches, dict) and branches and not (only and not scope.taken(branches)):
            holder = Scope(f"{scope.prefix}{name}/", scope.values, scope, x)
        require(word not in NAMED or isinstance(branches, dict), "its branches have names")
        if not branches:
            require(len(sources_of(rest)) > 1, "a join of one")
        elif isinstance(branches, list):
            xs = [scope.find(source) for source in branches]
        else:
            xs = []
            if word in NAMED:
                names = NAMED[word]
                require(set(branches) <= set(names), "a branch of another name")
                require({*branches, "shared"} >= set(names), "a branch is missing")
                branches = {name: branches[name] for name in names if name in branches}
            options = self.options(word, rest, scope.known(x))
            for key, body in branches.items():
                around = self.experts
                if (word, key) == ("experts", "each"):
                    require(not isinstance(body, str), "an expert has layers of its own")
                    of, take = whole(options["of"]), whole(options["take"])
                    self.experts = (*around, Experts(len(self.layers), of, take))
                if isinstance(body, str):
                    xs.append(holder.find(body))
                    holder.declare(key, Entry(xs[-1]))
                else:
                    xs.append(self.group(key, holder, body, x))
                self.experts = around
        require(all(xs), "a branch names no input")
        options = self.options(word, rest, scope.known(x))
        out = JOINS[word][1](options, [one.shape for one in xs])
        if branches and "name" in rest:
            del scope.names[name]
        inner = holder if holder is not scope else None
        return self.step(word, out, name, scope, xs, {}, inner)

    def step(self, word, out, name, scope, xs, rest, inner=None):
        require(max(out.shape[0], *out.shape[1], 0) <= MAX_SIDE, "too large")
        index = len(self.layers)
        owner, stored = index, out[1:4]
        if "weights" in rest:
            source = scope.find(rest["weights"]).source
            require(source >= 0, "an input has no weights")
            owner, kind, theirs = self.owners[source]
            same = (kind, theirs.form, theirs.biases) == (word, out.form, out.biases)
            # A linear layer without a bias may use a table as its matrix.
            table = {kind, word} == {"embedding", "linear"} and not (theirs.biases or out.biases)
            same = same or (table and sorted(theirs.form) == sorted(out.form))
            require(same, "the weights have another form")
            theirs_of = [expert.of for expert in self.layers[owner].experts]
            own_of = [expert.of for expert in self.experts[: len(theirs_of)]]
            require(own_of == theirs_of, "each expert has them")
            sharing = (*self.layers[owner].sharing, self.experts)
            self.layers[owner] = self.layers[owner]._replace(sharing=sharing)
            stored = (0, 0, 0)
            own = {"macs": out.macs, "reads": out.reads, "counted": out.counted}
            out = theirs._replace(shape=out.shape, **own)
        kept, weights = self.prune(rest, scope.known(xs[0]), out, owner)
        stored = (stored[0] * kept // weights, *stored[1:])
        out = out._replace(macs=out.macs * kept // weights)
        self.kept.append((kept, weights))
        self.owners.append((owner, word, out))
        resizes = word in ("upsample_like", "pad_like", "reshape_like")
        fields = self.fields(out, xs[:1] if resizes else xs)
        path = scope.prefix + name
        of, take = (prod(expert[n] for expert in self.experts) for n in (1, 2))
        weights, biases, buffers = (number * of for number in stored)
        layer = Layer(path, word, out.shape, weights, biases, buffers, out.macs * take, fields)
        sources = tuple(x.source for x in xs)
        own = {"experts": self.experts, "owner": owner, "counted": out.counted}
        self.layers.append(layer._replace(inputs=sources, **own))
        if self.frozen is not None:
            said = self.said.setdefault(owner, self.frozen)
            require(said == self.frozen, "shared weights are frozen in one place only")
            self.layers[owner] = self.layers[owner]._replace(frozen=said)
        found = Tensor(out.shape, index, fields)
        scope.declare(name, Entry(found, inner))
        return found

    def prune(self, rest, known, out, owner):
        """How many weights are left, and of how many: their macs are in the same proportion."""
        if owner < len(self.layers):
            require("density" not in rest, "shared weights have the density of their owner")
            return self.kept[owner]
        if "density" not in rest:
            return 1, 1
        density, weights = evaluate(rest["density"], known), out.weights
        require(0 < density <= 1 and weights, "a share of the weights")
        kept = weights - round((1 - Fraction(density)) * weights)
        require(kept, "no weights are left")
        return kept, weights

    def fields(self, out, xs):
        """At a join, around the branches of each axis; then what the layer reads."""
        size = out.shape[1]
        rank = len(size)
        if any(x.fields is None or len(x.fields) != rank for x in xs) or out.reads == UNKNOWN:
            return None
        # What broadcasts, and the step of the only output of a layer, are not followed here.
        if len(xs) > 1 and (
            len({x.shape[1] for x in xs}) > 1 or any(f.whole for x in xs for f in x.fields)
        ):
            return None
        # All outputs see the only position of an axis.
        read = [
            [
                f._replace(period=1, advance=0, hulls=f.hulls[:1]) if m == 1 < n else f
                for f, m, n in zip(x.fields, x.shape[1], size, strict=True)
            ]
            if len(xs) > 1
            else x.fields
            for x in xs
        ]
        joined = [around(axes) for axes in zip(*read, strict=True)]
        if None in joined:
            return None
        reads = out.reads or (OWN,) * rank
        found = [follow(field, axis) for field, axis in zip(joined, reads, strict=True)]
        if any(f is None or (f.whole and n > 1) for f, n in zip(found, size, strict=True)):
            return None
        return tuple(found)
