"""What must hold of a valid spec: its costs are those of `recount`, and laws between commands.

Each law gets the tree of a spec, its text, its layers as `recount` counts them, and an empty
folder. It raises Broken with what does not hold.
"""

import json
import shutil
from collections import Counter
from fractions import Fraction
from random import Random
from typing import Any
from xml.dom import minidom

from support import cost, run

from convcost.language import expressions
from convcost.model.costs import costs
from convcost.model.deploy import deploy
from convcost.model.errors import ConstraintError, SpecError
from fuzz import conventions, memory
from fuzz.deployed import folded
from fuzz.formulas import Expr, Invalid, evaluate
from fuzz.grammar import written
from fuzz.recount import Recount

MEASURES = ("weights", "biases", "trainable", "active", "buffers", "macs", "activations")


class Broken(Exception):  # noqa: N818  a promise is broken
    """What was promised and does not hold."""


def hold(condition, promise):
    if not condition:
        raise Broken(promise)


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
        own = (one.path, one.kind, one.shape, one.counted)
        own = (*own, *(getattr(one, measure) for measure in MEASURES))
        found = (other.path, other.kind, tuple(other.output), not other.uncounted)
        found = (*found, *(getattr(other, measure) for measure in MEASURES))
        hold(own == found, f"figures differ: {own} is counted as {found}")
        if one.fields is not None:
            axes = list(zip(one.fields, other.field, one.shape[1], strict=True))
            hulls = [[field.hull(o) for o in first_outputs(n)] for field, _, n in axes]
            places = [[inputs_of(axis, o) for o in first_outputs(n)] for _, axis, n in axes]
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


def first_outputs(n):
    """The outputs whose fields are compared, of an axis of n: all, if there are not many."""
    return range(min(n, 5000))


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
        hold(all(not change["difference"] for change in network["changes"]), "a total changes")
        changed = [layer for layer in network["layers"] if layer["state"] != "unchanged"]
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
    # A join is a group, too.
    within = [f"{layer.path}/".startswith(f"{other.path}/") for layer in mine]
    bits = {-1: 8, -2: 8, **{n: 16 if own else 8 for n, own in enumerate(within)}}
    types = memory.Bytes(bits, batch)
    group, scale = [(0, ""), (4, ""), (32, ""), (3, "/float32")][len(text) % 4]
    int4 = f"int4/{group}{scale}" if group else "int4"
    dtypes = f"weights={int4},biases=int32,buffers=float16,activations=int8"
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
    bytes_apart, bytes_over = ([layer["bytes"] for layer in of["layers"]] for of in (apart, over))
    hold(bytes_apart == own, f"bytes alive are {bytes_apart}, not {own}")
    between = [a <= n <= b for a, n, b in zip(least, bytes_over, most, strict=True)]
    hold(all(between), f"bytes alive in place are {bytes_over}, not from {least} to {most}")
    hold(apart["peak"]["bytes"] == max(own), f"the peak is not {max(own)}")
    hold(over["peak"]["bytes"] == max(bytes_over), f"the peak is not {max(bytes_over)}")
    order, peak = best["order"], best["peak"]["bytes"]
    hold(order["at_least"] <= peak <= order["spec_peak"] == max(bytes_over), f"order: {order}")

    def stored(one, part):
        """The bytes of a part of a layer; weights may have a scale for each group."""
        numbers = getattr(one, part)
        scales = -(-numbers // group) if group and part == "weights" else 0
        return -(-(numbers * BITS[part] + scales * (32 if scale else 16)) // 8)

    flash = [sum(stored(layer, part) for part in BITS) for layer in mine]
    hold([layer["flash"] for layer in over["layers"]] == flash, f"flash of layers is not {flash}")
    hold(over["flash"]["bytes"] == sum(flash), f"flash is not {sum(flash)}")
    training = over["training"]
    parts = [(part, stored(layer, part), layer) for part in BITS for layer in mine]
    gradients = sum(n for p, n, one in parts if p not in ("buffers", *one.frozen))
    hold(training["gradients"] == gradients, f"gradients are not {gradients}")
    hold(training["state"] == 2 * gradients, f"the state is not {2 * gradients}")
    at_least = sum(flash) + 2 * gradients + max(training["saved"], gradients)
    hold(training["at_least"] == at_least, f"training does not need {at_least} bytes")
    hold(training["saved"] <= apart["all_tensors"]["bytes"], "more is saved than there is")
    backward = training["backward_macs"]
    known = all(layer.counted for layer in mine)
    hold(backward is not None or not known, "all macs are known, and the backward macs are not")
    low, high = (batch * macs for macs in memory.backward_macs(mine))
    hold(low <= (backward or 0) <= high, f"backward macs {backward} are not {low} to {high}")


def a_device_bounds_each_layer(spec, text, mine, folder):
    """The bytes that it moves, and the longer of two times, in float16 on an H100."""
    if not mine or any(layer.experts for layer in mine):
        return
    (folder / "net.yaml").write_text(text, "utf-8")
    batch, rate, bandwidth = 1 + len(text) % 3, 4947 * 10**11, 3350 * 10**9
    asked = ("--dtype", "float16", "--device", "h100", "--batch", str(batch))
    (network,) = answer("memory", "net.yaml", *asked, folder=folder)["networks"]
    own = memory.moved(mine, Recount(spec).inputs, batch, 2)
    both = zip(mine, own, network["layers"], network["device"]["limits"], strict=True)
    for layer, (least, most, written_), found, bound in both:
        read = found["read"]
        hold(least <= read <= most, f"{layer.path} reads {read} bytes, not {least} to {most}")
        hold(found["written"] == written_, f"{layer.path} does not write {written_} bytes")
        times = layer.macs * batch * bandwidth, (read + written_) * rate
        least_time = max(times) * 10**12 // (rate * bandwidth)
        hold(bound["picoseconds"] == least_time, f"{layer.path} does not take {least_time} ps")
        limit: str | None = "memory" if times[1] else ""
        if times[0] > times[1]:
            limit = "compute"
        elif not layer.counted:
            limit = None
        hold(bound["limit"] == limit, f"{layer.path}: limit is {bound['limit']!r}, not {limit!r}")


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
        for size in found["sizes"]:
            formula = size["formula"].translate(BRACKETS)
            hold(evaluate(Expr(formula), {}) == size["value"], f"{formula} is not {size['value']}")


BRACKETS = str.maketrans({"⌊": "floor(", "⌈": "ceil(", "⌋": ")", "⌉": ")", "·": "*", "−": "-"})


def expressions_have_the_values_of_python(spec, text, mine, folder):
    rng = Random(text)
    names = {"a": rng.randint(0, 99), "b": Fraction(2 * rng.randint(-50, 50) + 1, 4)}

    def number(depth):
        if not depth or rng.random() < 0.2:
            return rng.choice(["a", "b", "0", "1", "2", "7", "10", "0.5", "2.25"])
        one, other = number(depth - 1), number(depth - 1)
        return rng.choice([
            f"({one} {rng.choice(['+', '-', '*', '/', '//', '%'])} {other})",
            f"{rng.choice(['min', 'max'])}({one}, {other})",
            f"{rng.choice(['abs', 'round', 'floor', 'ceil', '-'])}({one})",
            f"divisible({one}, {rng.randint(1, 16)})",
            f"({one}) ** {rng.randint(-2, 3)}",
            f"({one} if {truth()} else {other})",
        ])  # fmt: skip

    def truth():
        one, other, sign = number(0), number(0), rng.choice(["<", "<=", ">", ">=", "==", "!="])
        less = f"{one} {sign} {other}"
        both = rng.choice(["and", "or"])
        return rng.choice([less, f"{less} < {number(0)}", f"not {less}", f"{less} {both} a > 50"])

    for _ in range(20):
        source = number(3)
        try:
            own = evaluate(Expr(source), names)
        except Invalid:
            own = None
        try:
            found = expressions.parse(source).evaluate(names.__getitem__)
        except ConstraintError as error:
            found = own if "is too large" in error.message else None
        same = (type(own), own) == (type(found), found)
        hold(same, f"{source} is {found}, not {own}, with {names}")


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
    hold([entry["code"] for entry in found] == ["CC204"] * bool(params), f"warnings: {found}")


def rules_limit_the_layers_that_match(spec, text, mine, folder):
    """A path, or the first characters of one: each layer, and all of them together."""
    if not mine or "uncounted" in text:
        return
    rng = Random(text)
    path = rng.choice(mine).path
    pattern = rng.choice([path, path.partition("/")[0], f"{path[: rng.randint(1, len(path))]}*"])
    start = pattern.removesuffix("*")
    found = [
        layer for layer in mine
        if layer.path.startswith(start if pattern != start else f"{start}/") or layer.path == start
    ]  # fmt: skip
    for measure in ("macs", "activations"):
        counts = [getattr(layer, measure) for layer in found]
        for rule, most in ("layers", max(counts)), ("groups", sum(counts)):
            less = min(rng.randint(0, 1), most)
            limit = f"{{match: {json.dumps(pattern)}, {measure}: {{max: {most - less}}}}}"
            (folder / "net.yaml").write_text(f"{text}budget: {{{rule}: [{limit}]}}\n", "utf-8")
            answer("check", "net.yaml", folder=folder, codes=(less,))
    paths: list[int] = []
    for layer in mine:
        read = [paths[n] for n in memory.read_by(layer) if n >= 0]
        paths.append(max(read, default=0) + bool(layer.macs))
    largest = max(layer.activations for layer in mine)
    for measure, most in ("depth", max(paths)), ("largest_activation", largest):
        less = min(rng.randint(0, 1), most)
        limit = f"budget: {{{measure}: {{max: {most - less}}}}}\n"
        (folder / "net.yaml").write_text(text + limit, "utf-8")
        answer("check", "net.yaml", folder=folder, codes=(less,))


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
    before, after = params
    grown, rng = max(after - before, 0), Random(text)
    percent = rng.choice([1, 10, 100 * grown // before if before else 0])
    floor = rng.choice([0, grown, max(grown - 1, 0)])
    limit = f"budget: {{params: {{grow: {percent}%, grow_floor: {floor}}}}}\n"
    one = written({**spec, "name": "net"}, Random(1))
    (folder / "net.yaml").write_text(one + limit, "utf-8")
    code = int(grown > max(floor, before * Fraction(percent, 100)))
    answer("check", "net.yaml", "--base", "base.yaml", folder=folder, codes=(code,))


LARGER: dict[str, Any] = {
    "name": "large",
    "input": {"channels": 3, "size": []},
    "layers": [{"linear": 10**7}],
}


def a_network_that_moves_hides_no_growth(spec, text, mine, folder):
    """To another file, to another name, beside others or in the place of a larger network; with a
    smaller copy that may be more like the old one, or another network that has its name."""
    rng, added = Random(text), {"custom": "added", "params": 10**5, "macs": 0}
    names, files = ["net", "large", "moved"], ["net.yaml", "large.yaml", "c.yaml", "d/c.yaml"]
    (decoy, name), (other, file) = rng.sample(names, 2), rng.sample(files, 2)
    grown = {**spec, "name": name, "layers": [*spec["layers"], added]}
    copied = {**spec, "name": decoy, "layers": [*spec["layers"], {**added, "params": 1}]}
    absent = {"sign", "softsign", "tanh"}.difference(layer.kind for layer in mine)
    other_net = {**LARGER, "name": decoy, "layers": [min(absent, default="")]}
    if not mine or any(counted(one) is None for one in (grown, copied)) or not absent:
        return
    old, moved = folder / "old", folder / "moved"
    for part in (old, moved / "d"):
        part.mkdir(parents=True)
    try:
        before = {"net.yaml": {**spec, "name": "net"}, "large.yaml": LARGER}
        for path, one in before.items():
            (old / path).write_text(written(one, Random(1)), "utf-8")
        base = ("--base", "base.json")
        answer("check", ".", *base, "--update-baseline", folder=old)
        (moved / "base.json").write_bytes((old / "base.json").read_bytes())
        (moved / "here.yaml").write_text(written({**spec, "name": name}, rng), "utf-8")
        answer("check", ".", *base, "--max-growth", "0", folder=moved)  # it has only moved
        (moved / "here.yaml").unlink()
        after = {file: [grown]}
        # If a copy has its name and file, that network has not moved.
        kept = (other, decoy) == ("net.yaml", "net")
        if rng.random() < 0.7:
            after[other] = [other_net if kept or rng.random() < 0.3 else copied]
        if rng.random() < 0.5 and "large" not in (name, decoy):
            after.setdefault("large.yaml", []).insert(0, LARGER)
        for path, networks in after.items():
            whole = "---\n".join(written(network, rng) for network in networks)
            (moved / path).write_text(whole, "utf-8")
        answer("check", ".", *base, "--max-growth", str(10**5 - 2), folder=moved, codes=(1,))
    finally:
        shutil.rmtree(old)
        shutil.rmtree(moved)


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
    macs = "" if "uncounted" in text else f"macs: {sum(layer.macs for layer in mine)}, "
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
        outputs = [end.steps[end.last].shape if end.last >= 0 else None for end in ends]
        hold(outputs[0] == outputs[1], f"the output is {outputs[1]}, not {outputs[0]}")
    if any(layer.kind == "add" for layer in mine):
        return  # parallel convolutions may be merged
    left = Counter(folded(mine, trained.last))
    others = Counter(
        (layer.kind, layer.weights, layer.biases, layer.buffers) for layer in found.layers
    )
    hold(left == others, f"deployed layers differ: {left - others} is {others - left}")
    macs = sum(layer.macs for layer in mine)
    hold(now.macs == macs, f"deployed macs are not {macs}")
    stored = sum(layer.weights + layer.biases + layer.buffers for layer in mine)
    hold(now.params + now.buffers <= stored, "deployed params and buffers grow")


def parallel_convolutions_become_one(spec, text, mine, folder):
    """A convolution, a smaller one and perhaps a norm of one tensor, summed, as in RepVGG."""
    rng = Random(text)
    rank, channels = rng.choice([1, 2]), rng.randint(1, 6)
    input_of = {"channels": channels, "size": [rng.randint(6, 9)] * rank}
    kernel, stride, dilation = rng.choice([3, 3, 5]), rng.choice([1, 1, 2]), rng.choice([1, 1, 2])
    groups = rng.choice([1, channels])
    filters = channels * rng.choice([1, 1, 2])
    large = {"conv": filters, "kernel": kernel, "stride": stride, "dilation": dilation,
             "padding": dilation * (kernel // 2), "groups": groups,
             "bias": rng.random() < 0.5}  # fmt: skip
    small = {"conv": filters, "kernel": rng.choice([1, 1, 2, kernel]), "stride": stride,
             "groups": rng.choice([groups, groups, 1]), "bias": rng.random() < 0.3}  # fmt: skip
    if small["kernel"] == kernel:
        small.update(dilation=dilation, padding=large["padding"])
    branches: dict[str, list[Any]] = {"a": [large], "b": [small]}
    normed = [name for name in branches if rng.random() < 0.5]
    for name in normed:
        branches[name].append("batch_norm")
    same = stride == 1 and filters == channels
    if same and rng.random() < 0.6:
        branches["c"] = rng.choice([["batch_norm"], ["identity"]])
    before, tail = rng.choice([[], ["relu"]]), rng.choice([[], ["batch_norm"], ["relu"]])
    layers = [*before, {"add": branches}, *tail]
    fits = small["kernel"] in (1, kernel) or dilation == 1  # all that it reads
    one = fits and small["groups"] == groups
    tree = {"input": input_of, "layers": layers}
    own = counted(tree)
    if own is None:
        return
    found = costs(deploy(cost(written(tree, Random(1))).network))
    weights = filters * kernel**rank * channels // groups
    convolutions = [layer for layer in found.layers if layer.kind == "conv"]
    kept = [layer.weights for layer in own if layer.kind == "conv"]
    expected = [weights] if one else kept
    hold([c.weights for c in convolutions] == expected, f"convolutions: {tree}")
    if one:
        others = normed or ["batch_norm"] in branches.values() or tail == ["batch_norm"]
        bias = filters if large["bias"] or small["bias"] or others else 0
        hold([c.biases for c in convolutions] == [bias], f"biases are not {bias}: {tree}")
        norms = [layer for layer in found.layers if layer.kind in ("batch_norm", "add")]
        hold(not norms, f"layers are left: {tree}")


def conventions_count_by_their_rules(spec, text, mine, folder):
    if any(layer.experts for layer in mine):
        return
    (folder / "net.yaml").write_text(text, "utf-8")
    batch = 1 + len(text) % 3
    common = ("--count", "flops,thop", "--batch", str(batch))
    (network,) = answer("analyze", "net.yaml", *common, folder=folder)["networks"]
    for found, rule in zip(network["counts"], (conventions.flops, conventions.thop), strict=True):
        if rule is conventions.thop and "density" in text:
            continue  # thop knows nothing of pruned weights
        layers = list(conventions.uses(mine, Recount(spec).inputs))
        own = [rule(use) for use in layers]
        for use, number, there in zip(layers, own, found["layers"], strict=True):
            same = number is None or number * batch == there
            hold(same, f"{found['convention']} of {use.layer.path}: {there}, not {number}")


LAWS = [
    json_has_the_figures,
    compared_with_itself_nothing_changes,
    set_is_editing_the_value,
    set_is_editing_the_value,
    deployed_networks_lose_only_what_is_folded,
    parallel_convolutions_become_one,
    conventions_count_by_their_rules,
    memory_is_that_of_a_run,
    memory_is_that_of_a_run,
    a_device_bounds_each_layer,
    a_batch_multiplies_macs_and_activations,
    expressions_have_the_values_of_python,
    a_formula_has_the_count_as_its_product,
    budgets_hold_exactly,
    rules_limit_the_layers_that_match,
    growth_is_that_over_the_base,
    a_network_that_moves_hides_no_growth,
    every_format_has_the_exact_counts,
    published_figures_are_verified,
    reduce_writes_what_it_reports,
    reduce_writes_what_it_reports,
]
