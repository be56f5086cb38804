"""Random specs: valid ones, and a few that break one rule. Equal seeds give equal specs.

`Grammar(rng).spec()` is a tree for `recount`, `written(tree, rng)` its YAML text. Each layer is
counted as soon as it is made, so that most layers fit their input.
"""

import json
import re
from contextlib import suppress
from math import prod
from typing import Any

from fuzz.formulas import JOINS, KINDS, NAMELESS, NUMBERED, Expr, Invalid, evaluate
from fuzz.recount import COMMON, MAX_LAYERS, Entry, Recount, Scope, word_of

MAX_GENERATED = 250
MAX_LISTED = 200  # numbers of an option
NORMS = ["batch_norm", "instance_norm", "global_response_norm", "layer_norm", "rms_norm"]
LEARNING = ["conv", "depthwise", "transposed_conv", "linear", "embedding", "batch_norm", "scale"]
MIXES = [*["conv"] * 6, *["other_window"] * 4, *["free"] * 4, "norm", "axis", "shape", "head"]
FUNCTIONS = ["abs", "sqrt", "exp", "erf", "affine"]


class Grammar:
    """Makes one spec; `boldness` is the share of layers that may break a rule."""

    def __init__(self, rng, boldness=0.05):
        self.rng = rng
        self.boldness = boldness
        self.rich = False  # while a layer has about half of its options

    def chance(self, share):
        return self.rng.random() < (max(share, 0.5) if self.rich else share)

    def options(self, family, *arguments):
        """A kind and its options; of one in five layers with many of them, because each pair of
        options has to meet."""
        self.rich = self.rng.random() < 0.2
        try:
            return family(*arguments)
        finally:
            self.rich = False

    def upto(self, n, least=1):
        """A number from `least`; small ones are more likely."""
        return min(self.rng.randint(least, max(n, least)), self.rng.randint(least, max(n, least)))

    def spec(self):
        rng = self.rng
        rank = rng.choice([2, 2, 2, 2, 1, 1, 3, 0])
        spec: dict[str, Any] = {}
        if self.chance(0.3):
            spec["name"] = rng.choice(["net", "Großes Netz", "a b", "1", "x-y"])
        self.variables(spec)
        if self.chance(0.12):
            spec["inputs"] = {n: self.tensor(rank) for n in rng.sample(["a", "image", "z_2"], 2)}
        else:
            spec["input"] = self.tensor(rank)
        if self.chance(0.25):
            spec["defaults"] = {}
            for kind in rng.sample(["conv", "max_pool", "linear", "batch_norm", "depthwise"], 2):
                spec["defaults"][kind] = rng.choice(DEFAULTS[kind])
        self.net = Recount(spec)
        self.blocks: dict[str, Any] = {}
        self.labels = 0
        self.owners = []  # of weights: scope, name and layer
        start = self.net.scope.start or next(e.tensor for e in self.net.scope.names.values())
        for name in rng.sample(["block", "unit", "se"], rng.choice([0, 0, 1, 2])):
            body = self.block(start)
            if body["layers"]:
                self.blocks[name] = self.net.blocks[name] = body
        self.net.layers.clear()
        self.net.owners.clear()
        self.net.said.clear()
        layers, _ = self.items(self.net.scope, self.net.scope.start, rng.randint(1, 9), 0)
        if self.blocks:
            spec["blocks"] = self.blocks
        layers = layers or ["identity"]
        if self.chance(0.02):
            self.exceed(layers)
        return {**spec, "layers": layers}

    def exceed(self, layers):
        """A block that calls itself, or an output or a number of layers above a limit or at it."""
        if self.blocks and self.chance(0.5):
            name = self.rng.choice(sorted(self.blocks))
            self.blocks[name]["layers"].append(name)
        elif self.chance(0.7):
            layers += [{"upsample": 10**9}] * self.rng.choice([1, 2])
        else:
            layers.append({"relu": None, "repeat": MAX_LAYERS + 1})

    def variables(self, spec):
        values: dict[str, Any] = {}
        for name in self.rng.sample(
            ["w", "width", "deep", "k", "r"], self.rng.choice([0, 0, 1, 2, 3])
        ):
            if name == "deep":
                values[name] = self.chance(0.5)
            elif name == "r" and "w" in values:
                values[name] = Expr(self.rng.choice(["w * 2", "w // 2 + 1", "max(w, 3)", "w/4"]))
            else:
                values[name] = self.upto(12)
        if values:
            spec["vars"] = values

    def tensor(self, rank):
        size: Any = [self.upto(24, 2 if rank < 3 else 1) for _ in range(rank)]
        if rank == 2 and self.chance(0.6):
            size = size[0]
        return {"channels": self.rng.choice([1, 2, 3, 4, 6, 8, 12, 16]), "size": size}

    def block(self, start):
        """A block, tried with some values of its options on some shape."""
        options: dict[str, Any] = {}
        for name in self.rng.sample(["n", "stride", "m", "flag", "shape"], self.rng.randint(0, 3)):
            options[name] = {
                "n": None,
                "stride": self.rng.choice([1, 2]),
                "m": Expr(
                    self.rng.choice(["in_channels", "in_channels*2", "max(in_channels//2, 1)"])
                ),
                "flag": self.rng.choice([True, False, Expr("in_channels > 4")]),
                "shape": self.rng.choice([[1, 1], "same", 3]),
            }[name]
        known = Scope("", dict(self.net.scope.values), None, start)
        for name, default in options.items():
            value = self.upto(12) if default is None else default
            with suppress(Invalid):
                known.values[name] = evaluate(value, known.known(start))
        several = self.chance(0.3)
        inputs = ["p", "q"] if several else ["p"] if self.chance(0.2) else []
        for name in inputs:
            known.declare(name, Entry(start))
        layers, _ = self.items(known, None if several else start, self.rng.randint(1, 4), 1)
        found: dict[str, Any] = {"options": options} if options else {}
        if inputs:
            found["inputs"] = inputs
        if several and self.chance(0.8):  # each has the shape of its input
            names = [
                n for n, e in known.names.items() if e.tensor and e.tensor.shape == start.shape
            ]
            found["outputs"] = [self.rng.choice(names) for _ in inputs]
        return {**found, "layers": layers}

    # Lists of layers

    def items(self, scope, x, n, depth):
        """Up to n layers that fit each other, and their output."""
        made: list[Any] = []
        for _ in range(n):
            if len(self.net.layers) > MAX_GENERATED:
                break
            item = self.item(scope, x, depth)
            if item is None:
                continue
            names, counts = dict(scope.names), dict(scope.counts)
            try:
                x = self.net.item(item, scope, x)
            except Invalid:
                scope.names, scope.counts = names, counts
                if not self.chance(self.boldness):
                    continue
            made.append(item)
            if isinstance(item, dict) and word_of(item) in LEARNING and "repeat" not in item:
                word = word_of(item)
                name = item.get("name", f"{word}_{scope.counts.get(word)}")
                self.owners.append((scope, name, item))
        return made, x

    def item(self, scope, x, depth):
        rng = self.rng
        names = [n for n, e in scope.names.items() if e.tensor and not e.dropped]
        if scope.parent:
            names += [n for n, e in scope.parent.names.items() if e.tensor and not e.dropped]
        source = rng.choice(names) if names and (x is None or self.chance(0.06)) else None
        flow, x = x, scope.names[source].tensor if source in scope.names else x
        if x is None:
            return None
        item = self.layer(scope, x, depth)
        if item is None or (isinstance(item, str) and self.chance(0.8) and not source):
            return item
        item = {item: None} if isinstance(item, str) else item
        if source in scope.names and "from" not in item:
            item["from"] = source
        if self.chance(0.12):
            self.labels += 1
            item["name"] = rng.choice(
                [f"{rng.choice('abcxyz')}{self.labels}", "stem", "1x1", "a-b"]
            )
        repeats = word_of(item) in self.blocks or not isinstance(item.get("from"), list)
        if self.chance(0.06) and repeats:
            item["repeat"] = self.number(rng.choice([0, 1, 2, 2, 3]), scope, flow)
        if self.chance(0.06):
            item["when"] = rng.choice([True, False, Expr("in_channels > 3"), Expr("1 < 2")])
            if "deep" in scope.values:
                item["when"] = Expr(rng.choice(["deep", "not deep", "deep or in_channels == 8"]))
        return item | self.free_keys()

    def free_keys(self):
        """Keys that a layer may have, whatever it is."""
        found = {}
        if self.chance(0.02):
            found["note"] = "a: remark # 1"
        if self.chance(0.06):
            values = [True, False, "weights", "biases", Expr("in_channels > 3")]
            found["frozen"] = self.rng.choice(values)
        return found

    def layer(self, scope, x, depth):
        rng = self.rng
        if depth < 3 and self.chance(0.22):
            return rng.choice([self.join, self.join, self.sequence])(scope, x, depth)
        if self.blocks and self.chance(0.15):
            return self.call(scope, x)
        owners = [(name, item) for known, name, item in self.owners if known is scope]
        if owners and self.chance(0.15):
            return self.shared(*rng.choice(owners))
        family = rng.choice(MIXES)
        if not x.shape[1] or len(x.shape[1]) > 3:
            family = rng.choice(["free", "norm", "axis", "shape", "head"])
        kind, options = self.options(getattr(self, family), x.shape)
        if options is None:
            return None
        found = self.mapping(kind, {k: self.number(v, scope, x) for k, v in options.items()})
        if kind in LEARNING and isinstance(found, dict) and self.chance(0.08):
            found["density"] = rng.choice([1, Expr("0.5"), Expr("1/3"), Expr("0.01")])
        return found

    def shared(self, name, owner):
        """A layer that uses the weights of another: one like it, or the matrix of a table."""
        if word_of(owner) == "embedding" and "rows" in owner:
            shape = {"linear": owner["rows"], "each_position": True}
            return {**shape, "bias": self.chance(0.1), "weights": name}
        options = {k: v for k, v in owner.items() if k not in COMMON}
        return {**options, "weights": name}

    def mapping(self, kind, options):
        """A layer of a kind and its options, in one of the forms of the language."""
        principal = KINDS[kind][0]
        if not options and (not principal or kind in (*NUMBERED, "local_response_norm", "roll")):
            return kind
        if principal in options and principal != "shape" and kind != "custom" and self.chance(0.08):
            return {kind: options}
        return {kind: options.pop(principal, None), **options}

    def number(self, value, scope, x):
        """A whole number, sometimes as an expression that has this value here."""
        if isinstance(value, list):
            return [self.number(item, scope, x) for item in value]
        if type(value) is not int or self.chance(0.85):
            return value
        known = {n: v for n, v in scope.known(x).items() if type(v) is int and v}
        texts = [
            f"{value}.0",
            f"{value}*1",
            f"({value} + 1) - 1",
            f"{value * 2}/2",
            f"min({value}, 99)",
        ]
        if known:
            name, there = self.rng.choice(sorted(known.items()))
            texts = [
                f"{name} + {value - there}",
                f"{name}*{value}//{there}",
                f"max({name}, {value})",
            ]
            texts += [f"{value} if {name} > 0 else 1", f"divisible({name}, {value or 1})", name]
        found = Expr(self.rng.choice(texts))
        if evaluate(found, scope.known(x)) != value and not self.chance(0.02):
            return value
        return found

    # Families of kinds: a kind and its options for an input, or None if none fits

    def per_axis(self, rank, make):
        if self.chance(0.7):
            return min(make(i) for i in range(rank))
        return [make(i) for i in range(rank)]

    def window(self, size, most=5):
        """Kernel, and sometimes stride, padding and dilation."""
        rng, rank = self.rng, len(size)
        fits = self.chance(0.97)
        kernel = self.per_axis(rank, lambda i: self.upto(min(most, size[i]) if fits else most))
        found = {"kernel": kernel}
        if self.chance(0.4):
            found["stride"] = self.per_axis(rank, lambda _: self.upto(4))
        if self.chance(0.5):
            forms = ["same", "valid", self.upto(3, 0), [self.upto(2, 0) for _ in range(rank)]]
            found["padding"] = rng.choice([*forms, [self.upto(2, 0) for _ in range(2 * rank)]])
        if self.chance(0.15):
            found["dilation"] = self.per_axis(rank, lambda _: self.upto(3))
        return found

    def divisor(self, n):
        return self.rng.choice([d for d in range(1, n + 1) if n % d == 0][-8:])

    def flags(self, **shares):
        """Each option, with its share of being written."""
        return {k: self.chance(0.5) for k, share in shares.items() if self.chance(share)}

    def conv(self, shape):
        filters, groups = self.upto(16), {}
        if self.chance(0.08):
            found = self.window(shape[1])
            found.pop("dilation", None)
            return "locally_connected", {"filters": filters, **found, **self.flags(bias=0.3)}
        if self.chance(0.05) and shape[0] <= MAX_LISTED:
            rows = [self.rng.sample(range(1, shape[0] + 1), self.upto(shape[0])) for _ in "abc"]
            return "conv", {"filters": 3, **self.window(shape[1]), "connections": rows}
        if self.chance(0.2):
            groups = {"groups": self.divisor(shape[0])}
            filters = groups["groups"] * self.upto(4)
        flags = self.flags(bias=0.3, buffer=0.05)
        return "conv", {"filters": filters, **self.window(shape[1]), **groups, **flags}

    def other_window(self, shape):  # noqa: PLR0911  one for each family
        rng, (channels, size) = self.rng, shape
        rank = len(size)
        kind = rng.choice(
            ["pool", "pool", "depthwise", "transposed", "whole", "upsample", "border"]
        )
        if kind == "pool" and self.chance(0.15):
            found = self.window(size, 4)
            found.pop("dilation", None)
            if self.chance(0.2):
                found["output_padding"] = self.upto(2, 0)
            return "max_unpool", found
        if kind == "pool":
            return rng.choice(["max_pool", "avg_pool"]), {
                **self.window(size, 4),
                **self.flags(ceil=0.3),
            }
        if kind == "depthwise":
            more = {"multiplier": self.upto(3)} if self.chance(0.2) else {}
            return "depthwise", {**self.window(size), **more, **self.flags(bias=0.2, buffer=0.1)}
        if kind == "transposed":
            found = {"filters": self.upto(8), **self.window(size, 4), **self.flags(bias=0.3)}
            if self.chance(0.2):
                found["output_padding"] = self.upto(2, 0)
            if self.chance(0.2):
                found["groups"] = self.divisor(channels)
                found["filters"] *= found["groups"]
            return "transposed_conv", found
        if kind == "whole":
            name = rng.choice(["global", "adaptive"]) + rng.choice(["_avg_pool", "_max_pool"])
            out = {} if name[0] == "g" else {"size": self.per_axis(rank, lambda _: self.upto(7))}
            return name, out
        if kind == "upsample":
            scale = rng.choice([2, 3, Expr("1.5"), Expr("4/3"), Expr("1/2"), [2] * rank])
            how = (
                {"size": self.per_axis(rank, lambda _: self.upto(30))}
                if self.chance(0.3)
                else {"scale": scale}
            )
            mode = {"mode": rng.choice(["nearest", "linear", "cubic"])} if self.chance(0.4) else {}
            return "upsample", {**how, **mode}
        forms: list[Any] = [self.upto(2, 0), [self.upto(2, 0) for _ in range(2 * rank)]]
        return rng.choice(["pad", "crop"]), {"border": rng.choice(forms)}

    def free(self, shape):
        if self.chance(0.75):
            return self.rng.choice(NAMELESS), {}
        kind = self.rng.choice([*NUMBERED, "local_response_norm", "roll", "prelu", "scale"])
        if kind == "prelu":
            return kind, self.flags(shared=0.3)
        if kind == "scale":
            # Options that contradict each other are refused even in a block that nothing calls.
            biases = {"factor": False, "shift": True} if self.chance(0.1) else {}
            over = {"over": "all"} if self.chance(0.15) else self.flags(shared=0.3)
            return kind, {**self.flags(shift=0.3), **biases, **over}
        if kind == "elementwise":
            return kind, {"function": self.rng.choice(FUNCTIONS)}
        value = self.rng.choice([1, 3, Expr("0.1"), Expr("1/3")])
        if kind == "local_response_norm":
            numbers = {"neighbours": self.upto(9), "alpha": Expr("0.0001"), "beta": Expr("0.75")}
            return kind, {name: n for name, n in numbers.items() if self.chance(0.3)}
        return kind, self.rng.choice([{}, {NUMBERED.get(kind, "places"): value}])

    def norm(self, shape):
        flags = self.flags(scale=0.2, shift=0.2)
        if self.chance(0.2):
            return "group_norm", {"groups": self.divisor(shape[0]), **flags}
        kind = self.rng.choice(NORMS)
        over = {"over": "all"} if kind in ("layer_norm", "rms_norm") and self.chance(0.3) else {}
        buffer = self.flags(buffer=0.1) if kind == "batch_norm" else {}
        return kind, {**flags, **over, **buffer}

    def axis(self, shape):
        """Kinds of axes: slices, reductions, shuffles."""
        rng, (channels, size) = self.rng, shape
        kind = rng.choice(
            [
                "slice",
                "fft",
                "glu",
                "pixel_shuffle",
                "pixel_unshuffle",
                "channel_shuffle",
                "mean",
                "max",
                "min",
                "sum",
            ]
        )
        along = rng.choice(["channels", *range(1, len(size) + 1)])
        n = channels if along == "channels" else size[along - 1]
        if kind == "slice":
            length, step = self.upto(n), self.upto(2)
            start = self.upto(n - (length - 1) * step - 1, 0)
            return kind, {"length": length, "start": start, "step": step, "along": along}
        if kind == "glu":
            return kind, {"along": along} if n % 2 == 0 or self.chance(0.02) else None
        if kind == "fft":
            return self.fft(channels, size)
        if kind == "channel_shuffle":
            return kind, {"groups": self.divisor(channels)}
        if kind in ("pixel_shuffle", "pixel_unshuffle"):
            return kind, {"factor": rng.choice([1, 2, 2, 3])}
        over = rng.choice(
            ["channels", "all", *["size"] * bool(size), *([1, len(size)] if size else [])]
        )
        if len(size) > 1 and self.chance(0.2):
            over = [1, len(size)]
        return kind, {"over": over, **self.flags(keep=0.3)}

    def fft(self, channels, size):
        if not size:
            return "fft", None
        axes = self.rng.sample(range(1, len(size) + 1), self.rng.randint(1, len(size)))
        found: dict[str, Any] = {"over": self.rng.choice(["size", axes, axes[0]])}
        found |= {"real": True} if channels % 2 or self.chance(0.6) else {}
        if "real" in found and channels % 2 == 0 and self.chance(0.5):
            last = {"size": len(size)}.get(str(found["over"])) or axes[-1]
            if found["over"] == axes[0]:
                last = axes[0]
            n = size[last - 1]
            found |= {"inverse": True, "length": max(2 * n - self.rng.choice([1, 2]), 1)}
        return "fft", found

    def shape(self, shape):
        """Kinds that change the shape, or ignore it."""
        rng, (channels, size) = self.rng, shape
        kind = rng.choice(
            ["flatten", "reshape", "reshape", "learned", "constant", "embedding", "custom"]
        )
        if kind == "reshape":
            split = self.divisor(channels)
            forms: list[Any] = [
                {"channels": channels, "size": ["rest"]},
                {"channels": "rest", "size": list(size)},
                {"channels": channels // split, "size": [split, *size]},
                {"channels": "rest", "size": [self.upto(6), self.upto(6)]},
            ]
            found = rng.choice(forms)
            return kind, {"shape": found} if len(found["size"]) <= 5 else None
        if kind in ("learned", "constant"):
            found = {"channels": channels, "size": rng.choice([list(size), [1] * len(size)])}
            return kind, {"shape": found, **(self.flags(buffer=0.2) if kind == "learned" else {})}
        if kind == "embedding":
            return kind, {
                "channels": self.upto(8),
                "rows": self.upto(100),
            } if channels == 1 or not size else None
        if kind == "custom":
            params = self.upto(1000, 0)
            found = {"what": "a thing", "params": params, "macs": rng.choice([7, "uncounted"])}
            found |= {"biases": self.upto(params, 0)} if self.chance(0.3) else {}
            found |= {"buffers": self.upto(100, 0)} if self.chance(0.2) else {}
            found |= {"output": self.tensor(len(size))} if self.chance(0.3) else {}
            if self.chance(0.2):
                found["input"] = {"channels": channels, "size": list(size)}
            return kind, found
        return kind, {}

    def head(self, shape):
        """Linear and recurrent layers."""
        rng, (channels, size) = self.rng, shape
        if self.chance(0.3):
            kind = rng.choice(["lstm", "gru", "rnn"])
            found: Any = {"hidden": self.upto(9), **self.flags(bidirectional=0.3, last=0.2)}
            found |= {"bias": False} if self.chance(0.2) else self.flags(one_bias=0.3)
            found |= {"layers": self.upto(3)} if self.chance(0.3) else {}
            found |= {"projection": self.upto(4)} if kind == "lstm" and self.chance(0.3) else {}
            return kind, found if size else None
        found = {"features": self.upto(20), **self.flags(bias=0.3)}
        found |= {"each_position": True} if size or self.chance(0.1) else {}
        found |= {"inputs": channels} if self.chance(0.1) else {}
        return "linear", found

    # Groups and calls

    def sequence(self, scope, x, depth):
        kind = self.rng.choice(["sequence", "side"])
        layers, _ = self.branch(scope, x, depth)
        return {kind: layers} if layers else None

    def branch(self, scope, x, depth):
        return self.items(Scope("", scope.values, scope, x), x, self.rng.randint(1, 3), depth + 1)

    def join(self, scope, x, depth):
        """A join of layers that keep the shape, of names, or of whatever fits."""
        rng = self.rng
        names = [n for n, e in scope.names.items() if e.tensor and not e.dropped]
        kind = rng.choice(["add", "add", "concat", "concat", "multiply", *JOINS])
        options: dict[str, Any] = {}
        if kind in ("matmul", "attention"):
            options = self.options(getattr(self, kind), x.shape)
            keys = ["q", "k", "v"][: 2 if kind == "matmul" else 3]
            bodies: list[Any] = [[], *[rng.choice([[], ["identity"]]) for _ in keys[1:]]]
            return {kind: dict(zip(keys, bodies, strict=True)), **options}
        if kind in ("deformable_conv", "grid_sample", "selective_scan", "experts", "einsum"):
            return getattr(self, kind)(scope, x, depth)
        options = {
            "contract": {"over": rng.choice(["channels", "all"]), **self.flags(keep=0.3)},
            "upsample_like": {"mode": rng.choice(["nearest", "linear", "cubic"])},
        }.get(kind, {})
        if names and self.chance(0.2):
            return {kind: [rng.choice([*names, "input"]), rng.choice(names)], **options}
        if names and self.chance(0.1):
            return {kind: None, **options, "from": [rng.choice(names), rng.choice(names)]}
        count = (
            2 if kind in ("upsample_like", "pad_like", "reshape_like") else rng.choice([2, 2, 3])
        )
        keys = rng.sample(["a", "b", "main", "1x1", "skip", "up"], count)
        branches: dict[str, Any] = {}
        for key in keys:
            made, _ = self.branch(scope, x, depth)
            fit = [*[[]] * (kind != "concat"), made, made]
            if names and self.chance(0.1):
                fit = [rng.choice(names)]
            branches[key] = rng.choice(fit)
        if kind == "concat" and self.chance(0.2) and x.shape[1]:
            options["along"] = rng.randint(1, len(x.shape[1]))
        return {kind: branches, **options}

    def matmul(self, shape):
        square = shape[1] and shape[0] == shape[1][-1]
        return {"transpose": not square or self.chance(0.5)}

    def attention(self, shape):
        options: dict[str, Any] = {"heads": self.divisor(shape[0])} if self.chance(0.5) else {}
        options |= {"causal": True} if self.chance(0.3) else {}
        return options | ({"window": self.upto(9)} if self.chance(0.3) else {})

    def deformable_conv(self, scope, x, depth):
        channels, size = x.shape
        if not 1 <= len(size) <= 3:
            return None
        window = self.window(size, 3)
        kernel = window["kernel"] if isinstance(window["kernel"], list) else [window["kernel"]]
        elements = prod(kernel * (1 if len(kernel) == len(size) else len(size)))
        parts = self.divisor(channels)
        moved = {"offsets": len(size), "mask": 1} if self.chance(0.5) else {"offsets": len(size)}
        branches = {"features": []} | {
            name: [{"conv": numbers * elements * parts, **window}]
            for name, numbers in moved.items()
        }
        more = {"filters": self.upto(8), **window, "offset_groups": parts, **self.flags(bias=0.3)}
        if self.chance(0.2):
            more["groups"] = self.divisor(channels)
            more["filters"] *= more["groups"]
        return {"deformable_conv": branches, **more}

    def einsum(self, scope, x, depth):
        letters = "abcdef"[: 1 + len(x.shape[1])]
        result = "".join(self.rng.sample(letters, self.rng.randint(0, len(letters))))
        names = self.rng.choice(["xy", "xy", "xyz"])
        branches = {name: self.rng.choice([[], ["identity"]]) for name in names}
        return {"einsum": branches, "equation": f"{','.join([letters] * len(names))}->{result}"}

    def grid_sample(self, scope, x, depth):
        size = x.shape[1]
        if not 1 <= len(size) <= 3:
            return None
        grid = [{"conv": len(size), **self.window(size)}]
        mode = {"mode": self.rng.choice(["nearest", "cubic"])} if self.chance(0.3) else {}
        return {"grid_sample": {"features": [], "grid": grid}, **mode}

    def selective_scan(self, scope, x, depth):
        channels, size = x.shape
        if not size:
            return None
        groups = self.divisor(channels)
        heads = self.divisor(channels) if self.chance(0.4) else None
        states = groups * self.upto(5)
        rows = {"delta": heads or channels, "b": states, "c": states}
        branches: dict[str, Any] = {
            name: [{"linear": n, "each_position": True, "bias": False}] for name, n in rows.items()
        }
        options = {} if heads is None else {"heads": heads}
        options |= {"groups": groups} if groups > 1 else {}
        return {"selective_scan": {"x": [], **branches}, **options, **self.flags(skip=0.3)}

    def experts(self, scope, x, depth):
        of = self.upto(5)
        gate: list[Any] = [{"linear": of, "each_position": True}]
        if self.chance(0.3) and x.shape[1]:
            gate = ["global_avg_pool", *gate]
        kept = self.net.experts
        each, _ = self.branch(scope, x, depth)
        self.net.experts = kept
        branches = {"gate": gate, "each": each}
        if self.chance(0.3):
            branches["shared"] = self.rng.choice([[], each])
        options = {"of": self.number(of, scope, x), "take": self.upto(of)}
        return {"experts": branches, **options}

    def call(self, scope, x):
        """A call of a block, with its options in one of four forms."""
        rng = self.rng
        name = rng.choice(sorted(self.blocks))
        options = self.blocks[name].get("options", {})
        required = [n for n, default in options.items() if default is None]
        given = {n for n in options if n in required or self.chance(0.3)}
        makes = {
            "n": lambda: self.number(self.upto(12), scope, x),
            "stride": lambda: rng.choice([1, 2]),
            "m": lambda: self.number(self.upto(8), scope, x),
            "flag": lambda: self.chance(0.5),
            "shape": lambda: rng.choice(["same", 1, [2, 1]]),
        }
        values = {n: makes[n]() for n in options if n in given}
        order = list(options)
        form = rng.randint(0, 3)
        if len(self.blocks[name].get("inputs", [])) > 1:
            names = [n for n, e in scope.names.items() if e.tensor and not e.dropped]
            return {name: values or None, "from": rng.choices(names, k=2)} if names else None
        if not values:
            return name
        if form == 0:
            return {name: values}
        if form == 1 and list(values) == order[: len(values)]:
            return {name: list(values.values())}
        if form == 2 and order[0] in values and not isinstance(values[order[0]], list):
            return {name: values.pop(order[0]), **values}
        return {name: None, **values}


DEFAULTS: dict[str, list[Any]] = {
    "conv": [{"bias": True}, {"padding": "same"}, {"kernel": 1}, {"groups": Expr("1")}],
    "max_pool": [{"ceil": True}, {"stride": 1}],
    "linear": [{"each_position": True}, {"bias": False}],
    "batch_norm": [{"scale": False}, {"frozen": True}, {"scale": False, "frozen": "biases"}],
    "depthwise": [{"padding": "same", "bias": True}],
}

# Text

PLAIN = re.compile(r"[A-Za-z0-9_][\w.*/+()<>=% -]*[\w)]|[A-Za-z0-9_]")


def scalar(value, rng):
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return f"0x{value:x}" if rng.random() < 0.02 else str(value)
    text = str(value)
    bare = PLAIN.fullmatch(text) and (
        isinstance(value, Expr) or not text[0].isdigit() or "x" in text
    )
    return text if bare and rng.random() < 0.9 else json.dumps(text)


def flow(value, rng):
    if isinstance(value, dict):
        return "{" + ", ".join(f"{scalar(k, rng)}: {flow(v, rng)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(flow(item, rng) for item in value) + "]"
    return scalar(value, rng)


def block(value, rng, indent):
    """After a key or a dash: what stands on the same line, and the lines below."""
    short = rng.random() < 0.5 or not value or not isinstance(value, dict | list)
    if short and indent:
        text = flow(value, rng)
        return f" {text}\n" if text else "\n"
    pad = "  " * indent
    if isinstance(value, list):
        return "\n" + "".join(f"{pad}-{block(item, rng, indent + 1)}" for item in value)
    parts = [f"{pad}{scalar(k, rng)}:{block(v, rng, indent + 1)}" for k, v in value.items()]
    return "\n" + "".join(parts)


def written(spec, rng):
    """The YAML of a spec, in flow and block style."""
    parts = []
    for key, value in shuffled(spec, rng).items():
        text = block(value, rng, 1)
        parts.append(f"{key}:{text}")
    return "".join(parts)


def shuffled(spec, rng):
    """Sections in some order, and the keys of each layer in some order."""
    sections = list(spec.items())
    rng.shuffle(sections)
    return dict(sections)


def without_one(items):
    """All trees with one layer, key or section less: for the smallest example of a failure."""
    found: list[Any] = []
    if isinstance(items, list):
        found += [items[:i] + items[i + 1 :] for i in range(len(items))]
        found += [
            [*items[:i], less, *items[i + 1 :]]
            for i, one in enumerate(items)
            for less in without_one(one)
        ]
    elif isinstance(items, dict):
        keys = list(items)
        found += [
            {k: v for k, v in items.items() if k != key}
            for key in keys
            if key not in ("layers", "input") and key != word_of(items)
        ]
        found += [{**items, key: less} for key in keys for less in without_one(items[key])]
    return found
