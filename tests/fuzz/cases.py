"""The cases: what is made from a number, what must hold of it, and how a failure gets smaller.

A family has `make(rng)`, `check(made, folder)` and `smaller(made)`. `check` gives an outcome, and
raises Broken with what does not hold.
"""

import json
from collections import Counter
from functools import cache
from random import Random
from typing import Any, NamedTuple
from unittest.mock import patch
from xml.dom import minidom

from support import cost, run

from convcost.language.load import load
from convcost.language.network_builder import NetworkBuilder
from convcost.model.costs import costs
from convcost.model.deploy import deploy
from convcost.model.errors import Source, SpecError
from fuzz import memory, models, texts
from fuzz.formulas import Expr, Invalid, evaluate
from fuzz.grammar import Grammar, without_one, written
from fuzz.recount import Recount

SHARE_WITHOUT_LAW = 0.75
BASES = 2_000  # specs that are damaged, again and again
MANY_LAYERS = 10_000  # of these a spec may take longer: docs/limits.md
FORMATS = ["plain", "plain", "table", "json", "csv", "tsv", "markdown", "latex", "html"]
MEASURES = ("weights", "biases", "trainable", "active", "buffers", "macs", "activations")


class Broken(Exception):  # noqa: N818  a promise is broken
    """What was promised and does not hold."""


def hold(condition, promise):
    if not condition:
        raise Broken(promise)


class CountedSpec:
    """A generated spec: convcost counts what `recount` counts, or both refuse it."""

    suffix = ".yaml"
    limits = (2, 300)  # seconds of processor time, MB

    def make(self, rng):
        return Grammar(rng).spec(), rng.random()

    def text(self, made):
        return written(made[0], Random(made[1])).encode()

    def smaller(self, made):
        return ((spec, made[1]) for spec in without_one(made[0]) if spec.get("layers"))

    def check(self, made, folder):
        spec, style = made
        text = self.text(made).decode()
        mine = counted(spec)
        figures_agree(mine, text)
        if mine is None:
            return "refused"
        law = LAWS[int(style * 1e6) % len(LAWS)]
        if style < SHARE_WITHOUT_LAW:
            return "counted"
        law(spec, text, mine, folder)
        return law.__name__


def counted(spec, settings=None):
    """The layers of a spec by `recount`; None if it is invalid."""
    try:
        return Recount(spec, settings).count(spec["layers"])
    except Invalid:
        return None


def figures_agree(mine, text, **settings):
    try:
        theirs = cost(text, **settings)
    except SpecError as error:
        hold(mine is None, f"a valid spec is refused: {error.problems[0].message}")
        return
    hold(mine is not None, "an invalid spec is counted")
    assert mine is not None
    for one, other in zip(mine, theirs.layers, strict=False):
        own = (one.path, one.kind, one.shape, *(getattr(one, measure) for measure in MEASURES))
        found = (other.path, other.kind, tuple(other.output))
        found = (*found, *(getattr(other, measure) for measure in MEASURES))
        hold(own == found, f"figures differ: {own} is counted as {found}")
        if one.fields is not None:
            axes = list(zip(one.fields, other.field, one.shape[1], strict=True))
            hulls = [[field.hull(o) for o in range(n)] for field, _, n in axes]
            places = [[inputs_of(axis, o) for o in range(n)] for _, axis, n in axes]
            hold(hulls == places, f"receptive fields differ: {one.path} {hulls} is {places}")
            sizes = [field.extent(n) for field, _, n in axes]
            extents = [axis.extent for axis in other.field]
            hold(sizes == extents, f"extents differ: {one.path} {sizes} is {extents}")
            steps = [(field.step, axis.step) for field, axis, _ in axes if not field.whole]
            hold(all(a == b for a, b in steps), f"steps differ: {one.path} {steps}")
    hold(len(mine) == len(theirs.layers), "the number of layers differs")
    for measure in MEASURES:
        total = sum(getattr(layer, measure) for layer in mine)
        hold(getattr(theirs.totals, measure) == total, f"the total of {measure} is not {total}")


def inputs_of(axis, output):
    """The first and the last input that an output depends on; None if it depends on none."""
    turns, number = divmod(output, axis.period)
    first, last = (edge[number] + turns * axis.advance for edge in (axis.first, axis.last))
    return (first, last) if first <= last else None


# Laws, of a valid spec


def answer(*arguments, folder, codes=(0,)):
    """What a command prints as JSON; None if it refuses, where it may."""
    ran = run(*arguments, "--format", "json", cwd=folder)
    if ran.returncode not in codes:
        raise Broken(f"{arguments[0]} exits {ran.returncode}: {ran.stderr.decode()[:300]}")
    return json.loads(ran.stdout) if ran.returncode == 0 else None


def json_has_the_figures(spec, text, mine, folder):
    (folder / "net.yaml").write_text(text, "utf-8")
    (network,) = answer("analyze", "net.yaml", folder=folder)["networks"]
    for one, found in zip(mine, network["layers"], strict=True):
        own = {measure: getattr(one, measure) for measure in MEASURES}
        hold(own == {m: found[m] for m in MEASURES}, f"JSON differs: {own}")
        output = (found["output"]["channels"], tuple(found["output"]["size"]))
        hold(output == one.shape, f"JSON has the output {output}, not {one.shape}")


def compared_with_itself_nothing_changes(spec, text, mine, folder):
    (folder / "net.yaml").write_text(text, "utf-8")
    found = answer("compare", "net.yaml", "net.yaml", "--layers", folder=folder)["networks"]
    for network in found:
        hold(all(not one["difference"] for one in network["changes"]), "a total changes")
        changed = [one for one in network["layers"] if one["state"] != "unchanged"]
        hold(not changed, f"a layer changes: {changed[:1]}")


def set_is_editing_the_value(spec, text, mine, folder):
    for number, (name, value) in enumerate(spec.get("vars", {}).items()):
        new = (not value) if isinstance(value, bool) else 1 + (len(text) + number) % 9
        edited = {**spec, "vars": {**spec["vars"], name: new}}
        expected = counted(edited)
        figures_agree(expected, written(edited, Random(1)))
        figures_agree(expected, text, **{name: new})
    size = spec.get("input", {}).get("size")
    if size:
        sizes = [n + 1 + i for i, n in enumerate(size)] if isinstance(size, list) else [9, 9]
        edited = {**spec, "input": {**spec["input"], "size": sizes}}
        figures_agree(counted(edited), text, size=tuple(sizes))


BITS = {"weights": 4, "biases": 32, "buffers": 16}


def memory_is_that_of_a_run(spec, text, mine, folder):
    """In the order of the spec and in that of the least peak, with numbers of several types."""
    if not mine:
        return
    (folder / "net.yaml").write_text(text, "utf-8")
    inputs, batch, other = Recount(spec).inputs, 1 + len(text) % 3, mine[len(text) % len(mine)]
    within = [f"{one.path}/".startswith(f"{other.path}/") for one in mine]  # a join is a group, too
    bits = {-1: 8, -2: 8, **{n: 16 if own else 8 for n, own in enumerate(within)}}
    types = memory.Bytes(bits, batch)
    dtypes = "weights=int4,biases=int32,buffers=float16,activations=int8"
    rule = f"{other.path}:activations=int16"
    common = ["memory", "net.yaml", "--dtype", dtypes, "--dtype", rule, "--batch", str(batch)]
    common += ["--training", "adam"]
    apart, over, best = (
        answer(*common, *more, folder=folder)["networks"][0]
        for more in (("--no-inplace",), (), ("--order", "best"))
    )
    maybe = {layer.kind for layer in mine} - memory.NEVER_ELEMENTWISE
    own, least, most = (
        memory.alive(mine, inputs, types, kinds) for kinds in ((), maybe, memory.ELEMENTWISE)
    )
    bytes_apart, bytes_over = ([one["bytes"] for one in of["layers"]] for of in (apart, over))
    hold(bytes_apart == own, f"bytes alive are {bytes_apart}, not {own}")
    between = [a <= n <= b for a, n, b in zip(least, bytes_over, most, strict=True)]
    hold(all(between), f"bytes alive in place are {bytes_over}, not from {least} to {most}")
    hold(apart["peak"]["bytes"] == max(own), f"the peak is not {max(own)}")
    hold(over["peak"]["bytes"] == max(bytes_over), f"the peak is not {max(bytes_over)}")
    order, peak = best["order"], best["peak"]["bytes"]
    hold(order["at_least"] <= peak <= order["spec_peak"] == max(bytes_over), f"order: {order}")
    flash = [sum(-(-getattr(one, p) * bits // 8) for p, bits in BITS.items()) for one in mine]
    hold([one["flash"] for one in over["layers"]] == flash, f"flash of layers is not {flash}")
    hold(over["flash"]["bytes"] == sum(flash), f"flash is not {sum(flash)}")
    training = over["training"]
    parts = [(p, -(-getattr(one, p) * BITS[p] // 8), one) for p in BITS for one in mine]
    gradients = sum(n for p, n, one in parts if p not in ("buffers", *one.frozen))
    hold(training["gradients"] == gradients, f"gradients are not {gradients}")
    hold(training["state"] == 2 * gradients, f"the state is not {2 * gradients}")
    hold(training["saved"] <= apart["all_tensors"]["bytes"], "more is saved than there is")
    low, high = (batch * macs for macs in memory.backward_macs(mine))
    hold(low <= training["backward_macs"] <= high, f"backward macs are not {low} to {high}")


def a_batch_multiplies_macs_and_activations(spec, text, mine, folder):
    (folder / "net.yaml").write_text(text, "utf-8")
    (network,) = answer("analyze", "net.yaml", "--batch", "3", folder=folder)["networks"]
    times = {"macs": 3, "activations": 3}
    for one, found in zip(mine, network["layers"], strict=True):
        own = {measure: getattr(one, measure) * times.get(measure, 1) for measure in MEASURES}
        hold(own == {m: found[m] for m in MEASURES}, f"a batch of 3 differs: {own}")


def a_formula_has_the_count_as_its_product(spec, text, mine, folder):
    if not mine:
        return
    (folder / "net.yaml").write_text(text, "utf-8")
    one = mine[len(text) % len(mine)]
    for found in answer("explain", "net.yaml", one.path, folder=folder)["layers"]:
        for measure in ("weights", "biases", "buffers", "macs"):
            product, own = found[measure], getattr(one, measure)
            work = product["work"].replace("·", "*").replace("×", "*")
            hold(product["value"] == own, f"{measure} of {one.path} is not {own}")
            hold(evaluate(Expr(work), {}) == own, f"{work} is not {own}")


def budgets_hold_exactly(spec, text, mine, folder):
    params = sum(layer.weights + layer.biases for layer in mine)
    macs = sum(layer.macs for layer in mine)
    for less, code in ((0, 0), (1, 1 if params else 0)):
        limit = f"budget: {{params: {{max: {max(params - less, 0)}}}, macs: {{max: {macs}}}}}\n"
        (folder / "net.yaml").write_text(text + limit, "utf-8")
        answer("check", "net.yaml", folder=folder, codes=(code,))
    limit = f"budget: {{params: {{warn: {max(params - 1, 0)}}}}}\n"
    (folder / "net.yaml").write_text(text + limit, "utf-8")
    found = answer("check", "net.yaml", folder=folder)["findings"]
    hold([one["code"] for one in found] == ["CC204"] * bool(params), f"warnings: {found}")


def growth_is_that_over_the_base(spec, text, mine, folder):
    base = {**spec, "name": "net", "layers": spec["layers"][:-1]}
    before = counted(base)
    if not base["layers"] or before is None or "uncounted" in text:
        return
    for name, one in ("base", base), ("net", {**spec, "name": "net"}):
        (folder / f"{name}.yaml").write_text(written(one, Random(1)), "utf-8")
    params, macs = (
        [sum(map(of, layers)) for layers in (before, mine)]
        for of in (lambda one: one.weights + one.biases, lambda one: one.macs)
    )
    by = max(after - before for before, after in (params, macs))
    for limit in (by, by - 1):
        code = int(limit < by) if by > 0 else 0
        growth = ("--base", "base.yaml", "--max-growth", str(max(limit, 0)))
        answer("check", "net.yaml", *growth, folder=folder, codes=(code,))


def every_format_has_the_exact_counts(spec, text, mine, folder):
    """Of a network with counts that no float has."""
    many = 10**24 - len(text)
    custom = {"custom": "x", "params": many, "macs": many}
    large = {**spec, "layers": [*spec["layers"], custom]}
    mine = counted(large)
    if mine is None:
        return
    params = sum(layer.weights + layer.biases for layer in mine)
    budget = f"budget: {{params: {{max: {params - 1}}}}}\n"
    (folder / "net.yaml").write_text(written(large, Random(1)) + budget, "utf-8")
    name = CHECK_FORMATS[len(text) % len(CHECK_FORMATS)]
    ran = run("check", "net.yaml", "--format", name, cwd=folder)
    hold(ran.returncode == 1, f"check as {name} exits {ran.returncode}")
    printed = ran.stdout.decode()
    if name == "junit":
        minidom.parseString(printed)
    elif name in ("json", "sarif", "gitlab"):
        json.loads(printed)
    digits = printed.replace("\\allowbreak ", "").replace(",", "")
    for number in (params, params - 1):
        hold(str(number) in digits, f"{name} does not have {number}")


CHECK_FORMATS = [
    *("plain", "table", "concise", "json", "csv", "tsv", "markdown", "latex", "html"),
    *("github", "gitlab", "junit", "sarif"),
]


def published_figures_are_verified(spec, text, mine, folder):
    params = sum(layer.weights + layer.biases for layer in mine)
    macs = "" if "uncounted" in text else f"macs: {sum(one.macs for one in mine)}, "
    figure = f"published: [{{params: {params}, {macs}source: a}}]\n"
    (folder / "net.yaml").write_text(text + figure, "utf-8")
    answer("verify", "net.yaml", folder=folder)


def reduce_writes_what_it_reports(spec, text, mine, folder):
    (folder / "net.yaml").write_text(text, "utf-8")
    for number, way in enumerate(
        (("--channels", "1/2"), ("--undo",), ("--channels", "2", "--expand"))
    ):
        if number and (len(text) + number) % 3:
            continue
        new = folder / "new.yaml"
        new.unlink(missing_ok=True)
        found = answer(
            "reduce", "net.yaml", *way, "--write", "new.yaml", folder=folder, codes=(0, 2)
        )
        if found is None:
            continue
        (promised,) = found["written"]["networks"]
        totals = cost(new.read_text("utf-8")).totals
        for measure in MEASURES:
            hold(promised["totals"][measure] == getattr(totals, measure), f"reduce: {measure}")


def deployed_networks_lose_only_what_is_folded(spec, text, mine, folder):
    spec = {**spec, "layers": [one for item in spec["layers"] for one in (item, "batch_norm")]}
    text, mine = written(spec, Random(1)), counted(spec)
    figures_agree(mine, text)
    if mine is None:
        return
    trained = cost(text).network
    found = costs(deploy(trained))
    now = found.totals
    for measure in ("weights", "macs", "activations"):
        before = sum(getattr(layer, measure) for layer in mine)
        hold(getattr(now, measure) <= before, f"deployed {measure} grow")
    again = costs(deploy(found.network)).totals
    hold(again == now, f"what is deployed is deployed again: {now} {again}")
    if trained.steps and found.network.steps:
        ends = (trained, found.network)
        outputs = [one.steps[one.last].shape if one.last >= 0 else None for one in ends]
        hold(outputs[0] == outputs[1], f"the output is {outputs[1]}, not {outputs[0]}")
    if any(layer.kind == "add" for layer in mine):
        return  # parallel convolutions may be merged
    kept = Counter((*own(layer), tuple(layer.shape)) for layer in mine if layer.kind not in FOLDED)
    left = [layer for layer in found.layers if layer.kind not in FOLDED]
    others = Counter((*own(layer), tuple(layer.output)) for layer in left)
    hold(kept == others, f"other layers change: {kept - others} {others - kept}")
    norms = Counter(layer.shape for layer in mine if layer.kind == "batch_norm")
    norms.subtract(tuple(one.output) for one in found.layers if one.kind == "batch_norm")
    hold(min(norms.values(), default=0) >= 0, f"norms appear: {norms}")
    biases = sum(layer.biases for layer in left)
    least = sum(layer.biases for layer in mine if layer.kind not in FOLDED)
    hold(least <= biases, f"{biases} biases, not {least} or more")
    stored = sum(layer.weights + layer.biases + layer.buffers for layer in mine)
    hold(now.params + now.buffers <= stored, "deployed params and buffers grow")


FOLDED = ("batch_norm", "identity", "dropout")


def own(layer):
    """What folding does not change of a layer."""
    return layer.kind, layer.weights, layer.macs


LAWS = [
    json_has_the_figures,
    compared_with_itself_nothing_changes,
    set_is_editing_the_value,
    set_is_editing_the_value,
    deployed_networks_lose_only_what_is_folded,
    memory_is_that_of_a_run,
    memory_is_that_of_a_run,
    a_batch_multiplies_macs_and_activations,
    a_formula_has_the_count_as_its_product,
    budgets_hold_exactly,
    growth_is_that_over_the_base,
    every_format_has_the_exact_counts,
    published_figures_are_verified,
    reduce_writes_what_it_reports,
    reduce_writes_what_it_reports,
]


class DamagedSpec:
    """A damaged text: every command ends with 0, 1 or 2."""

    suffix = ".yaml"
    limits = (2, 300)

    class Made(NamedTuple):
        data: bytes
        command: tuple[str, ...]
        prints: bool  # also what is wrong with it

    def make(self, rng):
        base = texts.shipped(rng) if rng.random() < 0.2 else base_text(rng.randrange(BASES))
        commands = [
            *[("analyze", "-", "--format", rng.choice(FORMATS))] * 5,
            ("analyze", "-", "--columns", "all"),
            ("analyze", "-", "--set", "w=3", "--size", "7"),
            ("check", "-"),
            ("verify", "-"),
            ("compare", "-", "reduce_3x3#naive", "--layers"),
            ("explain", "-", "conv_1"),
            ("reduce", "-"),
            ("reduce", "-", "--channels", "1/2", "--write", "-"),
            ("reduce", "-", "--undo", "--write", "-"),
            ("analyze", "-", "--deploy", "--count", "flops,thop,fvcore"),
            ("memory", "-", "--order", "best", "--training", "adam", "--device", "h100"),
            ("check", "-", "--device", "stm32h743", "--dtype", "int8", "--deploy"),
            ("formula", "-"),
            ("match", "-", "1", "MFLOPs"),
            ("search", "-", "--vary", "size=7,8", "--vary", "batch=1,2"),
        ]
        return self.Made(texts.damaged(base, rng), rng.choice(commands), rng.random() < 0.3)

    def text(self, made):
        return made.data

    def smaller(self, made):
        return (made._replace(data=data) for data in less_bytes(made.data))

    def check(self, made, folder):
        if not made.prints:
            try:
                layers_of(made)
            except SpecError:
                return "refused"
            except UnicodeDecodeError:
                pass
        ran = run(*made.command, text=made.data, cwd=folder)
        command = " ".join(made.command)
        hold(ran.returncode in (0, 1, 2), f"exit {ran.returncode} of {command}: {last(ran.stderr)}")
        return f"exit {ran.returncode}"


class DamagedModel:
    """A damaged model: `import` ends with 0 or 2."""

    suffix = ".model"
    limits = (5, 1000)

    def make(self, rng):
        return (*models.damaged(rng), rng.random() < 0.7)

    def text(self, made):
        return made[0]

    def smaller(self, made):
        data, suffix, fixed = made
        parts = models.less(data) if suffix == ".onnx" else less_bytes(data)
        return ((less, suffix, fixed) for less in parts)

    def check(self, made, folder):
        data, suffix, fixed = made
        path = folder / f"net{suffix}"
        path.write_bytes(data)
        ran = run("import", path.name, *["--fixed"] * fixed, cwd=folder)
        hold(ran.returncode in (0, 2), f"exit {ran.returncode} for {suffix}: {last(ran.stderr)}")
        return f"{suffix} exit {ran.returncode}"


@cache
def base_text(number):
    rng = Random(f"base {number}")
    return written(Grammar(rng).spec(), rng)


def last(errors):
    lines = [line for line in errors.decode("utf-8", "replace").splitlines() if "internal" in line]
    return lines[-1][:300] if lines else ""


def less_bytes(data):
    """The data without a half, a quarter, …, a few bytes."""
    size = len(data) // 2
    while size:
        for at in range(0, len(data), size):
            yield data[:at] + data[at + size :]
        size //= 2


def layers_of(made):
    """How many layers the networks of a text have. Raises SpecError."""
    networks = load(Source("net.yaml", made.data.decode("utf-8-sig")))
    return sum(len(costs(network).layers) for network in networks)


def has_many_layers(made):
    """Whether a spec has so many layers that it may take longer, or more than are allowed. Those of
    a spec with errors count, too."""
    added, add_step = 0, NetworkBuilder.add_step

    def count_step(*arguments):
        nonlocal added
        added += 1
        return add_step(*arguments)

    with patch.object(NetworkBuilder, "add_step", count_step):
        try:
            layers_of(made)
        except SpecError as error:
            if any(problem.code == "CC110" for problem in error.problems):
                return True
        except UnicodeDecodeError:
            return False
    return added > MANY_LAYERS


FAMILIES: dict[str, Any] = {
    "counted": CountedSpec(),
    "damaged": DamagedSpec(),
    "models": DamagedModel(),
}
