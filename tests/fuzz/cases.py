"""The cases: what is made from a number, what must hold of it, and how a failure gets smaller.

A family has `make(rng)`, `check(made, folder)` and `smaller(made)`. `check` gives an outcome, and
raises Broken with what does not hold.
"""

from functools import cache
from random import Random
from typing import Any, NamedTuple
from unittest.mock import patch

from support import cost, run

from convcost.language.load import load
from convcost.language.network_builder import NetworkBuilder
from convcost.model.costs import costs
from convcost.model.errors import Source, SpecError
from fuzz import imported, models, texts
from fuzz.grammar import Grammar, without_one, written
from fuzz.laws import LAWS, counted, figures_agree, hold

SHARE_WITHOUT_LAW = 0.65
BASES = 2_000  # specs that are damaged, again and again
MANY_LAYERS = 10_000  # of these a spec may take longer: docs/limits.md
FORMATS = ["plain", "plain", "table", "json", "csv", "tsv", "markdown", "latex", "html"]


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


class ImportedModel:
    """A whole model: the spec that `import` writes costs what `recount` counts."""

    suffix = ".model"
    limits = (5, 1000)

    def make(self, rng):
        suffix = rng.choice([".onnx", ".json"])
        return imported.layers(rng, same=suffix == ".json"), suffix

    def text(self, made):
        layers, suffix = made
        return (imported.onnx if suffix == ".onnx" else imported.keras_json)(layers)

    def smaller(self, made):
        layers, suffix = made
        parts = ([*layers[:n], *layers[n + 1 :]] for n in range(len(layers)) if len(layers) > 1)
        return ((part, suffix) for part in parts if imported.shape_after(part))

    def check(self, made, folder):
        layers, suffix = made
        path, written_ = folder / f"net{suffix}", folder / "net.yaml"
        path.write_bytes(self.text(made))
        written_.unlink(missing_ok=True)
        ran = run("import", path.name, "-o", written_.name, cwd=folder)
        hold(
            ran.returncode == 0, f"exit {ran.returncode} for {suffix}: {ran.stderr.decode()[:300]}"
        )
        totals = cost(written_.read_text("utf-8")).totals
        mine = counted({"input": imported.INPUT, "layers": layers})
        for measure in ("weights", "biases", "buffers", "macs"):
            own, found = sum(getattr(layer, measure) for layer in mine), getattr(totals, measure)
            hold(own == found, f"{measure} of {suffix} are {found}, not {own}: {layers}")
        return suffix


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
    "imported": ImportedModel(),
}
