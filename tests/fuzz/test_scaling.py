"""Each item of a long input takes at most 1.2 times the work of an item of a quarter of the input.

Work is counted in calls, not in seconds.
"""

import gc
import io
import json
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path
from tempfile import mkdtemp
from time import process_time

import keras_models as keras
import numpy as np
import pytest
import tflite_models as tflite
from onnx import helper
from onnx_models import array, model, node
from repository import Repository
from support import calls_of, commands_that_read_specs, cost, run
from tools import needs_git

from convcost import cli
from convcost.design_space.pareto import pareto_front
from convcost.importing.frontends.onnx import read
from convcost.importing.spec import proved_spec
from convcost.language.load import Documents
from convcost.model import suggestions
from convcost.model.dtypes import Dtypes
from convcost.model.errors import Source, printable
from convcost.model.peak_memory import buffers
from convcost.model.roofline import traffic
from convcost.render import FORMATS
from convcost.reports.check import evaluate, measures
from convcost.sources.rename_detection import MAX_COMPARISONS, detect_renames

MAX_GROWTH = 1.2

Files = dict[str, str | bytes]


def spec(layers: str, *sections: str) -> str:
    head = "input: {channels: 3, size: 8}\n"
    return head + "".join(f"{section}\n" for section in sections) + f"layers:\n{layers}"


def lines(text: str, n: int) -> str:
    """`text` n times, each `#` replaced by a number."""
    return "".join(text.replace("#", str(i)) + "\n" for i in range(n))


def listed(text: str, n: int) -> str:
    return ", ".join(text.replace("#", str(i)) for i in range(n))


def named(n: int) -> str:
    return lines("  - {relu: , name: layer_#}", n)


def views(n: int, reader: str) -> str:
    """Views, each of the one before, and a layer that reads each."""
    first = "  - {identity: , name: v0, from: layer_0}\n"
    others = (f"  - {{identity: , name: v{i}, from: v{i - 1}}}\n" for i in range(1, n))
    return first + "".join(others) + lines(f"  - {reader}", n)


def published(entry: str, n: int) -> str:
    return "published:\n" + lines(f"  - {{params: 0, source: x, {entry}}}", n)


def documents(n: int, section: str) -> str:
    layers = spec("  - relu\n")
    return "---\n".join(f"name: net_{i}\n{layers}{section}" for i in range(n))


def rules(section: str, pattern: str, n: int) -> str:
    rule = f"    - {{match: {pattern}, params: {{max: 1}}}}"
    return f"budget:\n  {section}:\n" + lines(rule, n)


def keras_config(n: int, *kinds: str) -> str:
    layers = [keras.conv(f"c{i}", 4, 1) for i in range(n)]
    layers += [keras.one(kind, f"{kind}_{i}") for kind in kinds for i in range(n)]
    return json.dumps(keras.sequential(*layers))


def reversed_keras(n: int) -> str:
    first = (keras.one("InputLayer", "a0", batch_shape=[None, 8, 8, 4]),)
    others = [(keras.one("ReLU", f"a{i}"), f"a{i - 1}") for i in range(n, 0, -1)]
    return json.dumps(keras.functional([first, *others], [f"a{n}"]))


def archive(*members: tuple[str, str | bytes]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as file:
        for name, data in members:
            file.writestr(name, data)
    return packed.getvalue()


def onnx_chain(n: int, op: str) -> bytes:
    """A chain of an operator, each with a stored tensor of its own."""
    names = ["x", *(f"y{i}" for i in range(n - 1)), "y"]
    nodes = [node(op, names[i], f"w{i}", f"-> {names[i + 1]}") for i in range(n)]
    dims = (4, 4, 1, 1) if op == "Conv" else (4, 1, 1)
    made = model(nodes, {f"w{i}": array(*dims) + i for i in range(n)}, dims=(1, 4, 8, 8))
    return made.SerializeToString()


def onnx_outputs(n: int) -> bytes:
    """A chain of convolutions, and a ReLU of each that is an output of the model."""
    names = ["x", *(f"y{i}" for i in range(n))]
    nodes = [node("Conv", names[i], f"w{i}", f"-> {names[i + 1]}") for i in range(n)]
    nodes += [node("Relu", f"y{i}", f"-> z{i}") for i in range(n)]
    weights = {f"w{i}": array(4, 4, 1, 1) for i in range(n)}
    return model(nodes, weights, (1, 4, 8, 8), [f"z{i}" for i in range(n)]).SerializeToString()


def onnx_parts(n: int) -> bytes:
    """A chain of sums, each with another part of one stored tensor."""
    names = ["z", *(f"y{i}" for i in range(n - 1)), "y"]
    parts = [f"w{i}" for i in range(n)]
    nodes = [node("Split", "w", f"-> {parts[0]}", *parts[1:], axis=0, num_outputs=n)]
    nodes += [node("Relu", "x", "-> z")]
    nodes += [node("Add", names[i], f"w{i}", f"-> {names[i + 1]}") for i in range(n)]
    weights = {"w": np.arange(4.0 * n, dtype="f").reshape(4 * n, 1, 1)}
    return model(nodes, weights, dims=(1, 4, 8, 8)).SerializeToString()


def onnx_branches(n: int) -> bytes:
    """A chain of `If`, each decided by the size of the output of the one before."""
    names, nodes = ["x", *(f"y{i}" for i in range(n - 1)), "y"], []
    for i, name in enumerate(names[:-1]):
        branches = {
            f"{branch}_branch": helper.make_graph(
                [node(op, name, "-> o")], "branch", [], [helper.make_empty_tensor_value_info("o")]
            )
            for branch, op in (("then", "Relu"), ("else", "Flatten"))
        }
        nodes += [node("Size", name, f"-> n{i}"), node("Greater", f"n{i}", "one", f"-> c{i}")]
        nodes += [node("If", f"c{i}", f"-> {names[i + 1]}", **branches)]
    return model(nodes, {"one": np.array(1)}, dims=(1, 4, 8, 8)).SerializeToString()


def onnx_inputs(n: int) -> bytes:
    """The sum of n inputs, one after the other."""
    inputs = {f"x{i}": (1, 4, 8, 8) for i in range(n + 1)}
    sums = ["x0", *(f"y{i}" for i in range(1, n + 1))]
    nodes = [node("Add", sums[i], f"x{i + 1}", f"-> {sums[i + 1]}") for i in range(n)]
    return model(nodes, outputs=[sums[-1]], inputs=inputs).SerializeToString()


def tflite_inputs(n: int) -> bytes:
    """The sum of n inputs, one after the other."""
    inputs = [f"x{i}" for i in range(n + 1)]
    sums = ["x0", *(f"y{i}" for i in range(1, n + 1))]
    nodes = [
        tflite.node("ADD", sums[i], inputs[i + 1], f"-> {sums[i + 1]}", kind="AddOptions")
        for i in range(n)
    ]
    tensors = dict.fromkeys((*inputs, *sums), (1, 8, 8, 4))
    return tflite.model(nodes, tensors, inputs=inputs, outputs=sums[-1:])


# The command, the files for n, and n. In braces are arguments for each of n.
CASES: dict[str, tuple[str, Callable[[int], Files], int]] = {
    "published figures of layers that do not exist": (
        "analyze net.yaml",
        lambda n: {"net.yaml": spec(named(n)) + published("layer: layr_#", n)},
        200,
    ),
    "the same under other settings": (
        "verify net.yaml",
        lambda n: {
            "net.yaml": spec(named(n), "vars: {w: 1}") + published("layer: layr_#, set: {w: 2}", n)
        },
        200,
    ),
    "published figures under settings of their own": (
        "verify net.yaml",
        lambda n: {
            "net.yaml": spec("  - {conv: w, kernel: 1}\n", "vars: {w: 1}")
            + "published:\n"
            + lines("  - {params: 0, source: x, set: {w: 1#}}", n)
        },
        50,
    ),
    "points of a sweep, each with a published figure": (
        "analyze net.yaml {points}",
        lambda n: {
            "net.yaml": spec("  - {conv: w, kernel: 1}\n", "vars: {w: 1}")
            + published("set: {w: #}", n)
        },
        100,
    ),
    "figures under settings of their own, as readings": (
        "match net.yaml 5M",
        lambda n: {
            "net.yaml": spec("  - {conv: w, kernel: 1}\n", "vars: {w: 1}")
            + "published:\n"
            + lines("  - {params: 0, source: x, set: {w: 1#}}", n)
        },
        50,
    ),
    "published figures of many layers": (
        "verify net.yaml",
        lambda n: {"net.yaml": spec(named(n)) + published("layer: layer_#", n)},
        100,
    ),
    "published figures of many documents": (
        "verify net.yaml",
        lambda n: {
            "net.yaml": "---\n".join(
                f"name: net_{i}\n{spec('  - relu', 'vars: {w: 1}')}\n{published('set: {w: 2}', 1)}"
                for i in range(n)
            )
        },
        50,
    ),
    "references to layers that do not exist": (
        "analyze net.yaml",
        lambda n: {"net.yaml": spec(named(n) + lines("  - {relu: , from: lyer_x#}", n))},
        200,
    ),
    "kinds that do not exist": (
        "analyze net.yaml",
        lambda n: {
            "net.yaml": spec(
                lines("  - {blok#: }", n), f"blocks: {{{listed('block#: {layers: [relu]}', n)}}}"
            )
        },
        200,
    ),
    "options that do not exist": (
        "analyze net.yaml",
        lambda n: {
            "net.yaml": spec(
                f"  - {{b: , {listed('optn#: 1', n)}}}\n",
                f"blocks: {{b: {{options: {{{listed('option#: 1', n)}}}, layers: [relu]}}}}",
            )
        },
        200,
    ),
    "variables that do not exist": (
        "analyze net.yaml",
        lambda n: {
            "net.yaml": spec(
                lines("  - {conv: widh#, kernel: 1}", n), f"vars: {{{listed('width#: 1', n)}}}"
            )
        },
        200,
    ),
    "branches of which one differs": (
        "analyze net.yaml",
        lambda n: {
            "net.yaml": spec(f"  - add: {{{listed('b#: []', n)}, z: [{{conv: 5, kernel: 1}}]}}\n")
        },
        100,
    ),
    "inputs of a network as a graph": (
        "analyze net.yaml --format html",
        lambda n: {
            "net.yaml": f"inputs: {{{listed('i#: {channels: 1, size: 8}', n)}}}\n"
            f"layers: [{{concat: [{listed('i#', n)}]}}]\n"
        },
        100,
    ),
    "rules for one layer each": (
        "check net.yaml",
        lambda n: {"net.yaml": spec(named(n)) + rules("layers", "layer_#", n)},
        100,
    ),
    "groups of one layer each": (
        "check net.yaml",
        lambda n: {"net.yaml": spec(named(n)) + rules("groups", "layer_#", n)},
        100,
    ),
    "rules that match no layer": (
        "check net.yaml",
        lambda n: {"net.yaml": spec(named(n)) + rules("layers", "layr_#", n)},
        200,
    ),
    "budgets of one rule in a configuration": (
        "check net.yaml",
        lambda n: {
            "net.yaml": spec(named(n)),
            "convcost.yaml": "budgets:\n"
            + lines("  - {params: {max: 1}, layers: [{match: layer_#, params: {max: 1}}]}", n),
        },
        100,
    ),
    "layers of two networks": (
        "compare net.yaml other.yaml --layers",
        lambda n: {
            "net.yaml": spec(lines("  - {conv: 4, kernel: 1, name: a#}", n)),
            "other.yaml": spec(lines("  - {conv: 4, kernel: 1, name: b#}", n)),
        },
        100,
    ),
    "variables that do not exist and are set": (
        "analyze net.yaml {set}",
        lambda n: {"net.yaml": spec("  - relu", f"vars: {{{listed('width#: 1', n)}}}")},
        200,
    ),
    "ten patterns with wildcards": (
        "check net.yaml",
        lambda n: {"net.yaml": spec(named(n)) + rules("layers", "'*er_#*'", 10)},
        200,
    ),
    "layers of a Keras model": (
        "import net.json --fixed",
        lambda n: {"net.json": keras_config(n, "ReLU")},
        50,
    ),
    "layers of a Keras model, the last one first": (
        "import net.json --fixed",
        lambda n: {"net.json": reversed_keras(n)},
        50,
    ),
    "layers of a Keras archive": (
        "import net.keras",
        lambda n: {"net.keras": archive(("config.json", keras_config(n, "ReLU")))},
        50,
    ),
    "members of a Keras archive": (
        "import net.keras --fixed",
        lambda n: {
            "net.keras": archive(
                ("config.json", keras_config(1)), *((f"assets/{i}", "") for i in range(20 * n))
            )
        },
        50,
    ),
    "layers of Keras that do not exist": (
        "import net.json",
        lambda n: {"net.json": keras_config(n, "Rleu")},
        50,
    ),
    "convolutions of an ONNX model": (
        "import net.onnx --fixed",
        lambda n: {"net.onnx": onnx_chain(n, "Conv")},
        50,
    ),
    "stored tensors of an ONNX model that are added": (
        "import net.onnx --fixed",
        lambda n: {"net.onnx": onnx_chain(n, "Add")},
        50,
    ),
    "branches of an ONNX model that sizes decide": (
        "import net.onnx --fixed",
        lambda n: {"net.onnx": onnx_branches(n)},
        15,
    ),
    "inputs of an ONNX model": (
        "import net.onnx --fixed",
        lambda n: {"net.onnx": onnx_inputs(n)},
        100,
    ),
    "inputs of one operator of an ONNX model": (
        "import net.onnx --fixed",
        lambda n: {
            "net.onnx": model(
                [node("Sum", *["x"] * n, "-> y")], dims=(1, 4, 8, 8)
            ).SerializeToString()
        },
        600,
    ),
    "inputs of a TensorFlow Lite model": (
        "import net.tflite --fixed",
        lambda n: {"net.tflite": tflite_inputs(n)},
        200,
    ),
    "parts of a stored tensor of an ONNX model": (
        "import net.onnx --fixed",
        lambda n: {"net.onnx": onnx_parts(n)},
        200,
    ),
    "outputs of an ONNX model": (
        "import net.onnx --fixed",
        lambda n: {"net.onnx": onnx_outputs(n)},
        200,
    ),
    "sums of a tensor and of views of views of it": (
        "memory net.yaml",
        lambda n: {"net.yaml": spec(named(1) + views(n, "{add: [layer_0, v#]}"))},
        100,
    ),
    "batch norms in series that are folded": (
        "analyze net.yaml --deploy",
        lambda n: {
            "net.yaml": spec(
                "  - {conv: 4, kernel: 1, name: first, frozen: true}\n"
                f"  - {{dropout: 0.5, repeat: {n}}}\n  - {{batch_norm: , repeat: {n}}}\n"
            )
        },
        100,
    ),
    "parallel convolutions of which only the last includes all": (
        "analyze net.yaml --deploy",
        lambda n: {
            "net.yaml": spec(
                f"  - add: {{{listed('b#: [{conv: 4, kernel: 1}]', n)},"
                " last: [{conv: 4, kernel: 3, padding: 1}]}\n"
            )
        },
        100,
    ),
    "copies of a block with ten inputs": (
        "analyze net.yaml",
        lambda n: {
            "net.yaml": spec(
                f"  - {{relu: , name: a}}\n  - {{b: , from: [{listed('a', 10)}], repeat: {n}}}\n",
                f"blocks: {{b: {{inputs: [{listed('i#', 10)}], layers: [{{relu: , from: i0,"
                f" name: o}}], outputs: [{listed('o', 10)}]}}}}",
            )
        },
        50,
    ),
    "variants": (
        "check net.yaml",
        lambda n: {
            "net.yaml": spec("  - {conv: w, kernel: 1}\n", "vars: {w: 1}")
            + f"variants: {{{listed('v#: {set: {w: 2}}', n)}}}\nbudget: {{params: {{max: 9}}}}"
        },
        50,
    ),
    "a device and rules of dtypes": (
        "check net.yaml --device stm32h743",
        lambda n: {
            "net.yaml": spec(lines("  - {conv: 4, kernel: 1, name: layer_#}", n))
            + "dtype:\n  layers:\n"
            + lines("  - {match: layer_#, all: int8}", n)
        },
        100,
    ),
    "rules of dtypes for one layer each": (
        "memory net.yaml",
        lambda n: {
            "net.yaml": spec(named(n))
            + "dtype:\n  layers:\n"
            + lines("  - {match: layer_#, all: int8}", n)
        },
        100,
    ),
    "mixtures of experts": (
        "analyze net.yaml",
        lambda n: {
            "net.yaml": spec(
                lines(
                    "  - {experts: {gate: [{conv: 2, kernel: 1}], each: [relu]}, of: 2, take: 1}",
                    n,
                )
            )
        },
        50,
    ),
    "branches of an einsum": (
        "analyze net.yaml",
        lambda n: {
            "net.yaml": spec(
                f"  - einsum: {{{listed('b#: []', n)}, z: []}}\n"
                f"    equation: {'chw,' * n}chw->chw\n"
            )
        },
        50,
    ),
    "connections of a convolution": (
        "analyze net.yaml",
        lambda n: {
            "net.yaml": spec(
                f"  - {{conv: {n}, kernel: 1, connections: [{listed('[1, 2]', n)}]}}\n"
            )
        },
        100,
    ),
    "aliases of a layer with many keys": (
        "analyze net.yaml --depth 0",
        lambda n: {
            "net.yaml": f"x-a: &a {{conv: 3, kernel: 1, {listed('x-key#: 1', n)}}}\n"
            + spec("  - *a\n" * n)
        },
        100,
    ),
    "variables that do not exist and a variant sets": (
        "analyze net.yaml",
        lambda n: {
            "net.yaml": spec("  - relu", f"vars: {{{listed('width#: 1', n)}}}")
            + f"\nvariants: {{a: {{set: {{{listed('widh#: 1', n)}}}}}}}\n"
        },
        200,
    ),
    "documents that are picked one by one": (
        "check {picked}",
        lambda n: {"net.yaml": documents(n, "budget: {params: {max: 1}}\n")},
        30,
    ),
    "documents of one file": (
        "check net.yaml",
        lambda n: {"net.yaml": documents(n, "budget: {params: {max: 1}}\n")},
        50,
    ),
    "budgets of a configuration that apply to no file": (
        "check net.yaml",
        lambda n: {
            "net.yaml": spec("  - relu"),
            **{f"notes/{i}.txt": "" for i in range(n)},
            "convcost.yaml": "budgets:\n"
            + lines("  - {specs: notes/#.yaml, params: {max: 1}}\n  - {params: {max: 1}}", n),
        },
        50,
    ),
    "budgets of a configuration for one spec each": (
        "check specs",
        lambda n: {
            **{f"specs/{i}.yaml": spec("  - relu") for i in range(n)},
            "convcost.yaml": "budgets:\n" + lines("  - {specs: specs/#.yaml, params: {max: 1}}", n),
        },
        30,
    ),
}


VARIED = """\
  - {conv: w, kernel: 3, padding: 1, name: c_#, frozen: true}
  - {conv: w, kernel: 1, density: 0.5}
  - {conv: w, kernel: 3, padding: 1, name: r_#}
  - batch_norm
  - {add: {a: [{conv: w, kernel: 3, padding: 1, weights: c_#}], b: []}, name: a_#}
  - {unit: w, name: u_#}
  - {multiply: [a_#, u_#]}
  - {custom: x, params: 1, macs: uncounted}
"""


def varied(n: int) -> Files:
    """A network of many layers of all sorts, and one with other channels."""
    block = "blocks: {unit: {options: {m: }, layers: [{conv: m, kernel: 1}, relu]}}"
    layers = "  - {conv: w, kernel: 1}\n" + lines(VARIED.rstrip("\n"), n)
    text = spec(layers, "vars: {w: 4}", block)
    return {"net.yaml": text, "base.yaml": text.replace("w: 4", "w: 5")}


@pytest.mark.parametrize("form", ["spec{}.yaml", "net.yaml#net_{}", "spec{}"])
def test_arguments_that_do_not_exist_are_compared_with_names_up_to_a_limit(
    form, tmp_path, monkeypatch
):
    monkeypatch.setattr(suggestions, "MAX_COMPARED_IN_CALL", 2_000)

    def missing(n: int) -> int:
        files = {f"spek{i}.yaml": "" for i in range(n)}
        others = documents(n, "").replace("net_", "nets_")
        folder = written({**files, "net.yaml": others}, tmp_path)
        names = (form.format(i) for i in range(n))
        return calls_of(lambda: run("check", *names, cwd=folder))

    assert growth(missing, 100) <= MAX_GROWTH


RESULTS = "findings"
COMMANDS = (
    "analyze net.yaml --columns all --deploy --count flops,thop",
    "analyze net.yaml --depth 1 --sort macs --top 5",
    "check net.yaml --base base.yaml --max-growth 1%",
    "compare net.yaml base.yaml --layers --count flops",
    "explain net.yaml",
    "explain net.yaml c_0",
    "explain net.yaml --count flops",
    "formula net.yaml --vary w",
    "match net.yaml 1 MFLOPs --size 8",
    "memory net.yaml --training adam --device h100",
    "memory net.yaml --order best --dtype int8",
    "reduce net.yaml --channels 1/2 --write new.yaml",
    "reduce net.yaml --undo",
    "search net.yaml --vary w=4,5,6",
    "verify net.yaml",
    *(f"analyze net.yaml --format {name}" for name, of in FORMATS.items() if of.needs != RESULTS),
    *(f"check net.yaml --max-params 1 --format {name}" for name, of in FORMATS.items()
      if of.needs == RESULTS),
)  # fmt: skip
LISTED = {command.split()[0] for command in COMMANDS}
OTHERS = tuple(f"{name} net.yaml" for name in commands_that_read_specs() if name not in LISTED)


def written(files: Files, outer: Path) -> Path:
    """A new folder with these files."""
    folder = Path(mkdtemp(dir=outer))
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return folder


def growth(work: Callable[[int], int], n: int) -> float:
    """The work for each of n items, divided by that for each of n/4.

    The work for the first two items is not included: it is mostly the same for any input.
    """
    work(2)  # imports what it needs
    few, some, many = map(work, (2, n // 4, n))
    return (many - few) / (n - 2) / ((some - few) / (n // 4 - 2))


def calls(command: str, files: Files, outer: Path) -> int:
    """The calls of functions in a run of a command, of Python and of C."""
    folder = written(files, outer)
    own = str(files.get("net.yaml", ""))
    picked = " ".join(f"net.yaml#net_{i}" for i in range(own.count("name: net_")))
    settings = " ".join(f"--set widh{i}=1" for i in range(own.count("width")))
    points = "--set w=" + ",".join(map(str, range(1, own.count("source: x"))))
    arguments = (
        command.replace("{picked}", picked)
        .replace("{set}", settings)
        .replace("{points}", points)
        .split()
    )

    def act() -> None:
        ran = run(*arguments, cwd=folder)
        assert ran.returncode in (0, 1, 2), ran.stderr.decode()

    return calls_of(act)


@pytest.mark.parametrize("name", CASES)
def test_each_item_of_an_input_takes_at_most_1_2_times_the_work_of_one_of_few(name, tmp_path):
    command, files, n = CASES[name]
    assert growth(lambda k: calls(command, files(k), tmp_path), n) <= MAX_GROWTH


@pytest.mark.parametrize("command", [*COMMANDS, *OTHERS])
def test_each_layer_takes_at_most_1_2_times_the_work_of_one_of_few(command, tmp_path):
    assert run(*command.split(), cwd=written(varied(2), tmp_path)).returncode in (0, 1), (
        f"add a call of `{command.split()[0]}` with the arguments that it needs to COMMANDS in "
        "tests/fuzz/test_scaling.py"
    )
    assert growth(lambda n: calls(command, varied(n), tmp_path), 24) <= MAX_GROWTH


def test_each_input_of_a_model_is_read_in_at_most_1_2_times_the_work_of_one_of_few(tmp_path):
    def reading(n: int) -> int:
        file = tmp_path / f"{n}.onnx"
        file.write_bytes(onnx_inputs(n))
        return calls_of(lambda: read(file))

    assert growth(reading, 400) <= MAX_GROWTH


@needs_git
def test_folders_in_each_other_are_each_searched_once_for_a_repository(tmp_path):
    command = ("check", "a", "--base", "git:HEAD", "--max-growth", "1%")

    def nested(depth: int) -> int:
        repository = Repository(Path(mkdtemp(dir=tmp_path)) / "work")
        for n in range(1, depth + 1):
            repository.write("a/" * n + "net.yaml", spec("  - relu"))
        repository.commit()
        return calls_of(lambda: run(*command, cwd=repository.folder))

    assert growth(nested, 40) <= MAX_GROWTH


@needs_git
def test_specs_replaced_by_links_to_one_of_them_find_its_budgets_once(tmp_path):
    command = ("check", "specs", "--base", "git:HEAD", "--max-growth", "1%")

    def linked(n: int) -> int:
        repository = Repository(Path(mkdtemp(dir=tmp_path)) / "work")
        repository.write("convcost.yaml", "budgets: [{specs: specs/*.yaml, params: {max: 1}}]\n")
        for i in range(n):
            repository.write(f"specs/{i}.yaml", spec("  - relu"))
        repository.commit()
        for i in range(1, n):
            link = repository.folder / f"specs/{i}.yaml"
            link.unlink()
            link.symlink_to("0.yaml")
        return calls_of(lambda: run(*command, cwd=repository.folder))

    assert growth(linked, 60) <= MAX_GROWTH


def renamed(n: int) -> tuple[dict[str, bytes], dict[str, bytes]]:
    """Files that are all alike but for blanks: each may be any of the others."""
    texts = [b"layers: [relu]" + b" " * i for i in range(n)]
    new = {f"new{i}": text for i, text in enumerate(texts)}
    return new, {f"old{i}": b" " + text for i, text in enumerate(texts)}


def test_no_pair_of_files_is_compared_above_a_limit():
    few = int(MAX_COMPARISONS**0.5)
    one, two = (calls_of(lambda n=n: detect_renames(*renamed(n))) for n in (few // 8, few // 4))
    assert two <= 4.2 * one  # pairs
    assert len(detect_renames(*renamed(few // 8))) == few // 8
    assert detect_renames(*renamed(few + 1)) == {}
    many, more = (calls_of(lambda n=n: detect_renames(*renamed(n))) for n in (2 * few, 4 * few))
    assert more <= 2 * MAX_GROWTH * many


@pytest.mark.parametrize("text", ["→", "é\u200b", "\x1b[2J"])
def test_a_long_text_is_made_printable_without_a_call_for_each_character(text):
    assert calls_of(lambda: printable(text * 10_000)) < 100


DIGITS = "1" * 30_000
LONG: dict[
    str, tuple[str, Files]
] = {  # with a regular expression that tries all parts of it, each takes minutes
    "a line that is not YAML": (
        "analyze net.yaml",
        {"net.yaml": "layers:\n" + " " * 2_000 + "a: b: x" + " " * 2_000 + "{\n"},
    ),
    "digits in a path": (
        "compare net.yaml other.yaml --layers",
        {
            f"{name}.yaml": spec(lines(f"  - {{conv: 1#, kernel: 1, name: {name}{DIGITS}a#a}}", 2))
            for name in ("net", "other")
        },
    ),
}


@pytest.mark.parametrize("name", LONG)
def test_a_long_text_takes_no_second(name, tmp_path):
    command, files = LONG[name]
    folder = written(files, tmp_path)
    start = process_time()
    assert run(*command.split(), cwd=folder).returncode in (0, 2)
    assert process_time() - start < 1


def test_patterns_are_compared_with_paths_up_to_a_limit(tmp_path):
    n = 2_300
    text = spec(named(n)) + rules("layers", "'*er_#*'", n)
    (tmp_path / "net.yaml").write_text(text, "utf-8")
    ran = run("check", "net.yaml", cwd=tmp_path)
    assert ran.returncode == 2
    message = "the patterns of the budget need more than 5,000,000 comparisons with the 2,300 paths"
    assert message in ran.stderr.decode()


def test_groups_count_layers_up_to_a_limit(tmp_path, monkeypatch):
    """The limits of one group count 2 × 250 layers; ten groups, 5,000."""
    monkeypatch.setattr(evaluate, "MAX_GROUPED", 5_000)
    layers = "  - {sequence: [{conv: 4, kernel: 1, repeat: 250}], name: all}\n"
    rule = "    - {match: all, params: {max: 3k}, macs: {max: 9M}}\n"

    def checked(groups: int) -> tuple[int, str]:
        text = f"{spec(layers)}budget:\n  groups:\n{rule * groups}"
        (tmp_path / "net.yaml").write_text(text, "utf-8")
        ran = run("check", "net.yaml", cwd=tmp_path)
        return ran.returncode, ran.stderr.decode()

    # 250 layers have 4 × 4 params each, more than 3k together.
    assert checked(10)[0] == 1
    message = (
        "error: the groups of the budgets for `net.yaml` need more than 5,000 counts of its "
        "layers\nhelp: use fewer limits, or groups of fewer layers\n"
    )
    assert checked(11) == (2, message)


def test_a_measure_of_a_layer_is_counted_once_for_all_groups(tmp_path, monkeypatch):
    counted = []
    count = measures.count_by_path

    def counting(layers, measure, dtypes):
        counted.append(measure)
        return count(layers, measure, dtypes)

    monkeypatch.setattr(evaluate, "count_by_path", counting)
    text = spec(named(3)) + rules("groups", "'layer_*'", 5)
    (tmp_path / "net.yaml").write_text(text, "utf-8")
    monkeypatch.chdir(tmp_path)
    assert cli.run(["check", "net.yaml"]) in (0, 1)
    assert counted == ["params"]


def test_the_search_for_the_best_order_takes_the_square_of_the_layers(tmp_path):
    def ordered(n: int) -> int:
        joins = [f"  - {{add: [a0, a{3 % i}], name: a{i}}}\n" for i in range(1, n)]
        files: Files = {"net.yaml": spec("  - {relu: , name: a0}\n" + "".join(joins))}
        return calls("memory net.yaml --order best", files, tmp_path)

    ordered(2)  # imports what the command needs
    one, two = ordered(60), ordered(120)
    assert two <= 4.2 * one


def test_a_front_of_all_points_takes_no_second():
    first, second = (np.arange(40_000) * factor % 40_009 for factor in (1, 7))
    start = process_time()
    assert len(pareto_front([first, second, -first - second])) == 40_000
    assert process_time() - start < 1


@pytest.mark.parametrize(
    "layers",
    [
        named(1) + views(4_000, "{sigmoid: , from: v#}"),
        named(4_000) + 2 * f"  - {{add: [{listed('layer_#', 4_000)}]}}\n",
    ],
    ids=["views of views", "inputs that are read again"],
)
def test_the_traffic_and_the_buffers_of_many_reads_take_no_second(layers):
    network_costs = cost(spec(layers))
    start = process_time()
    traffic(network_costs, Dtypes())
    buffers(network_costs.network)
    assert process_time() - start < 1


def peak_of(act: Callable[[], object]) -> int:
    """The most bytes that Python has at once while something runs."""
    gc.collect()
    gc.freeze()  # garbage is collected as often as in a process without other tests
    tracemalloc.start()
    try:
        act()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_the_memory_for_variables_of_blocks_grows_with_their_number():
    def peak(n: int) -> int:
        block = "b#: {options: {a: v#}, layers: [{conv: a, kernel: 1}]}"
        variables, blocks = f"vars: {{{listed('v#: 1', n)}}}", f"blocks: {{{listed(block, n)}}}"
        documents = Documents(Source("net.yaml", spec("  - relu\n", variables, blocks)))
        return peak_of(documents.load)

    assert growth(peak, 400) <= MAX_GROWTH


def test_the_memory_for_the_spec_of_a_model_grows_with_its_inputs(tmp_path):
    def peak(n: int) -> int:
        file = tmp_path / f"{n}.onnx"
        file.write_bytes(onnx_inputs(n))
        graph = read(file)
        return peak_of(lambda: proved_spec(graph))

    assert growth(peak, 800) <= MAX_GROWTH
