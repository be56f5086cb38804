"""`convcost import` in a process of its own: files in, specs out, exit codes as promised."""

import json
import os
import sys
from pathlib import Path

import keras_models
import onnx
import onnx_models
import pytest
from support import run

LIGHT = Path(onnx.__file__).parent / "backend" / "test" / "data" / "light"
SQUEEZENET = LIGHT / "light_squeezenet.onnx"
KERAS = {
    "class_name": "Sequential",
    "config": {
        "name": "tiny",
        "layers": [
            {"class_name": "InputLayer", "config": {"name": "x", "batch_shape": [None, 32, 32, 3]}},
            {
                "class_name": "Conv2D",
                "config": {"name": "c", "filters": 8, "kernel_size": [3, 3], "strides": [1, 1]},
            },
        ],
    },
}


@pytest.fixture
def keras(tmp_path):
    path = tmp_path / "tiny.json"
    path.write_text(json.dumps(KERAS))
    return path


def test_a_spec_is_written_and_its_totals_are_printed(tmp_path):
    done = run("import", str(SQUEEZENET), "-o", "net.yaml", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, b"")
    lines = done.stderr.decode().splitlines()
    assert lines[0] == "wrote net.yaml"
    assert "1,235,496 params" in lines[1]
    analyzed = run("analyze", "net.yaml", "--format", "json", cwd=tmp_path)
    assert json.loads(analyzed.stdout)["networks"][0]["totals"]["params"] == 1235496


@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse the name")
def test_a_model_whose_file_name_is_not_utf_8_is_read(keras, tmp_path):
    onnx_file = tmp_path / "\udcff.onnx"
    onnx_file.symlink_to(SQUEEZENET)
    keras_file = keras.rename(tmp_path / "\udcff.json")
    done = run("import", str(onnx_file))
    named = [r'name: "\\udcff"', r'source: "\\udcff.onnx"']
    assert (done.returncode, done.stdout.decode().splitlines()[:2]) == (0, named)
    done = run("import", str(keras_file))
    named = ["name: tiny", r'source: "Keras, \\udcff.json"']
    assert (done.returncode, done.stdout.decode().splitlines()[:2]) == (0, named)
    done = run("check", str(onnx_file), "--max-params", "1235495", "--format", "concise")
    assert (done.returncode, done.stderr) == (1, b"")


def test_without_a_file_the_spec_is_printed_to_standard_output(keras):
    done = run("import", str(keras))
    assert done.stdout.decode() == (
        "name: tiny\n"
        "source: Keras, tiny.json\n"
        "input: {channels: 3, size: 32}\n"
        "layers:\n"
        "  - {conv: 8, kernel: 3, bias: true, name: c}\n"
    )
    assert done.stderr.decode() == (
        "tiny: 1 layer, 224 params, 194,400 macs\n"
        "also compared with the model at 127×193 and 346×227\n"
    )


def test_params_that_are_not_trained_are_in_the_summary(keras):
    keras.write_text(keras.read_text().replace('"name": "c"', '"name": "c", "trainable": false'))
    summary = run("import", str(keras)).stderr.decode().splitlines()[0]
    assert summary == "tiny: 1 layer, 224 params, 0 of them trainable, 194,400 macs"


def test_a_spec_of_one_size_is_compared_at_that_size_only(keras):
    done = run("import", str(keras), "--fixed")
    assert "input: {channels: 3, size: 32, fixed: true}\n" in done.stdout.decode()
    assert done.stderr.decode() == "tiny: 1 layer, 224 params, 194,400 macs\n"


OWN = """# mine
published:
  - {params: 224, source: mine}  # by hand
budget:
  params: {max: 300}
  layers: [{match: c, macs: {max: 200k}}]
x-owner: me
"""


def test_an_overwritten_spec_keeps_the_sections_of_its_author(keras, tmp_path):
    (tmp_path / "net.yaml").write_text(
        f"name: old\ninput: {{channels: 3, size: 32}}\n{OWN}"
        "layers: [{conv: 8, kernel: 3, name: c}]\n"
    )
    done = run("import", str(keras), "-o", "net.yaml", "--force", cwd=tmp_path)
    assert done.returncode == 0
    assert "kept from the old file: published, budget, x-owner\n" in done.stderr.decode()
    assert (tmp_path / "net.yaml").read_text() == (
        run("import", str(keras)).stdout.decode() + OWN.removeprefix("# mine\n")
    )
    assert run("check", "net.yaml", cwd=tmp_path).returncode == 0


def test_a_budget_that_does_not_fit_the_new_layers_is_kept(keras, tmp_path):
    text = (
        "input: {channels: 3, size: 32}\nbudget: {layers: [{match: gone, params: {max: 1}}]}\n"
        "layers: [{conv: 8, kernel: 3, name: gone}]\n"
    )
    (tmp_path / "net.yaml").write_text(text)
    done = run("import", str(keras), "-o", "net.yaml", "--force", cwd=tmp_path)
    assert done.returncode == 2
    assert "net.yaml: its `budget` would not fit the new layers: " in done.stderr.decode()
    assert (tmp_path / "net.yaml").read_text() == text


def test_a_file_that_is_not_yaml_is_not_overwritten(keras, tmp_path):
    (tmp_path / "net.yaml").write_text("budget: {params: {max: 3}\n")
    done = run("import", str(keras), "-o", "net.yaml", "--force", cwd=tmp_path)
    assert done.returncode == 2
    assert "net.yaml: it cannot be read: " in done.stderr.decode()
    assert "help: remove it first" in done.stderr.decode()
    assert (tmp_path / "net.yaml").read_text() == "budget: {params: {max: 3}\n"


def test_a_name_can_be_given(keras):
    assert run("import", str(keras), "--name", "Mine").stdout.decode().startswith("name: Mine\n")


def test_an_existing_file_is_not_overwritten(keras, tmp_path):
    (tmp_path / "net.yaml").write_text("mine\n")
    done = run("import", str(keras), "-o", "net.yaml", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.decode() == (
        "error: `net.yaml` exists already; overwrite it with --force, or check with "
        "--check net.yaml that it still describes the model\n"
    )
    assert (tmp_path / "net.yaml").read_text() == "mine\n"
    assert run("import", str(keras), "-o", "net.yaml", "--force", cwd=tmp_path).returncode == 0
    assert (tmp_path / "net.yaml").read_text().startswith("name: tiny\n")


def test_a_spec_that_describes_the_model_passes_with_any_names(keras, tmp_path):
    spec = tmp_path / "mine.yaml"
    spec.write_text(
        "name: Other\ninput: {channels: 3, size: 32}\nvars: {n: 8}\n"
        "layers: [{sequence: [{conv: n, kernel: [3, 3], bias: true}], name: stem}]\n"
    )
    done = run("import", str(keras), "--check", "mine.yaml", cwd=tmp_path)
    assert done.returncode == 0
    assert done.stdout.decode() == (
        "mine.yaml still describes tiny\n"
        "\n"
        "params: model 224, spec 224\n"
        "macs: model 194,400, spec 194,400\n"
    )


def test_a_spec_that_does_not_describe_the_model_fails_and_names_the_layers(keras, tmp_path):
    spec = tmp_path / "mine.yaml"
    spec.write_text("input: {channels: 3, size: 32}\nlayers: [{conv: 16, kernel: 3, bias: true}]\n")
    done = run("import", str(keras), "--check", "mine.yaml", cwd=tmp_path)
    assert done.returncode == 1
    assert done.stdout.decode() == (
        "mine.yaml no longer describes tiny\n"
        "\n"
        "Layers that differ\n"
        "\n"
        "layer   only in  kind    output  params     macs  options\n"
        "c       model    conv   30×30×8     224  194,400  filters: 8\n"
        "conv_1  spec     conv  30×30×16     448  388,800  filters: 16\n"
        "\n"
        "params: model 224, spec 448\n"
        "macs: model 194,400, spec 388,800\n"
    )


def enlarged(tmp_path, kind, **options):
    """The tiny network behind a layer that makes 64×64 of 32×32."""
    start, conv = KERAS["config"]["layers"]
    layer = {"class_name": kind, "config": {"name": "up", **options}}
    config = {"name": "tiny", "layers": [start, layer, conv]}
    path = tmp_path / f"{kind}.json"
    path.write_text(json.dumps({"class_name": "Sequential", "config": config}))
    return str(path)


def test_a_difference_at_another_size_only_is_a_difference(tmp_path):
    """64×64 of 32×32 is twice the size to one model, and 64×64 to the other."""
    twice = enlarged(tmp_path, "UpSampling2D", size=[2, 2], interpolation="nearest")
    to_64 = enlarged(tmp_path, "Resizing", height=64, width=64, interpolation="nearest")
    assert run("import", twice, "-o", "net.yaml", cwd=tmp_path).returncode == 0
    assert run("import", twice, "--check", "net.yaml", cwd=tmp_path).returncode == 0
    done = run("import", to_64, "--check", "net.yaml", cwd=tmp_path)
    assert done.returncode == 1
    lines = done.stdout.decode().splitlines()
    assert lines[0] == "net.yaml no longer describes tiny at 127×193"
    assert lines[5].split() == ["up", "model", "upsample", "64×64×3", "0", "0", "size:", "64"]
    assert run("import", to_64, "--fixed", "--check", "net.yaml", cwd=tmp_path).returncode == 0


def test_a_spec_that_takes_fewer_sizes_is_reported(keras, tmp_path):
    (tmp_path / "net.yaml").write_text(
        "input: {channels: 3, size: 32, fixed: true}\nlayers: [{conv: 8, kernel: 3, bias: true}]\n"
    )
    done = run("import", str(keras), "--check", "net.yaml", cwd=tmp_path)
    assert done.returncode == 0
    assert "the spec refuses 127×193, but the model accepts it\n" in done.stdout.decode()


def test_open_dimensions_of_a_model_are_taken_from_the_spec(tmp_path):
    config = json.loads(json.dumps(KERAS))
    config["config"]["layers"][0]["config"]["batch_shape"] = [None, None, None, 3]
    (tmp_path / "open.json").write_text(json.dumps(config))
    (tmp_path / "net.yaml").write_text(
        "input: {channels: 3, size: 48}\nlayers: [{conv: 8, kernel: 3, bias: true}]\n"
    )
    done = run("import", "open.json", "--check", "net.yaml", cwd=tmp_path)
    assert done.returncode == 0, done.stderr.decode()
    assert run("import", "open.json", cwd=tmp_path).returncode == 2


def test_a_different_input_is_reported_first(keras, tmp_path):
    spec = tmp_path / "mine.yaml"
    spec.write_text("input: {channels: 3, size: 16}\nlayers: [{conv: 8, kernel: 3, bias: true}]\n")
    done = run("import", str(keras), "--check", "mine.yaml", cwd=tmp_path)
    assert done.returncode == 1
    assert "the inputs differ: model 32×32×3, spec 16×16×3\n" in done.stdout.decode()


ONE_INPUT = "input: {channels: 8, size: 8}\n"
TWO_INPUTS = "inputs: {x: {channels: 8, size: 8}, y: {channels: 8, size: 8}}\n"


def equivalence(one, other, inputs=ONE_INPUT):
    from convcost.importing.verify.equivalence import Equivalence
    from convcost.language.load import load
    from convcost.model.costs import costs
    from convcost.model.errors import Source

    spec = f"{inputs}layers:\n"
    first, second = (
        costs(load(Source("net.yaml", spec + "".join(f"- {line}\n" for line in lines)))[0])
        for lines in (one, other)
    )
    return Equivalence(first, second)


A = "{conv: 8, kernel: 1, name: a}"
B = "{conv: 8, kernel: 3, padding: 1, name: b}"
EQUAL = {
    "a stride that is the kernel": (["{max_pool: 2}"], ["{max_pool: 2, stride: 2}"]),
    "padding by its word": ([B], ["{conv: 8, kernel: [3, 3], padding: same}"]),
    "a flat layer at each position": (
        ["flatten", "{linear: 4}"],
        ["flatten", "{linear: 4, each_position: true}"],
    ),
    "branches in another order": (
        [f"{{maximum: {{x: [{A}], y: [{B}]}}}}"],
        [f"{{maximum: {{y: [{B}], x: [{A}]}}}}"],
    ),
    "a concat's branches in another order": (
        [f"{{concat: {{x: [{A}], y: [{B}]}}}}"],
        [f"{{concat: {{y: [{B}], x: [{A}]}}}}"],
    ),
}
OTHER = {
    "a stride moved": (
        [A, "{conv: 8, kernel: 3, padding: 1, stride: 2}"],
        ["{conv: 8, kernel: 1, stride: 2}", "{conv: 8, kernel: 3, padding: 1}"],
    ),
    "a bias dropped": ([A], ["{conv: 8, kernel: 1, bias: true}"]),
    "another activation": ([A, "relu"], [A, "gelu"]),
    "a window of the same output": (
        ["{max_pool: 3, stride: 2, padding: 1}"],
        ["{max_pool: 2, stride: 2}"],
    ),
    "a window that stands elsewhere": (
        ["{max_pool: 3, stride: 2, padding: [1, 1, 0, 0]}"],
        ["{max_pool: 3, stride: 2, padding: [0, 0, 1, 1]}"],
    ),
    "weights that are not shared": (
        [A, "{conv: 8, kernel: 1, weights: a}"],
        [A, "{conv: 8, kernel: 1, name: z}"],
    ),
    "an operator of another name": (
        ["{custom: a, params: 0, macs: uncounted}"],
        ["{custom: b, params: 0, macs: uncounted}"],
    ),
}


@pytest.mark.parametrize("case", EQUAL)
def test_specs_that_differ_only_in_notation_are_equal(case):
    assert equivalence(*EQUAL[case]).is_same


@pytest.mark.parametrize("case", OTHER)
def test_networks_of_equal_cost_can_differ(case):
    assert not equivalence(*OTHER[case]).is_same


def test_a_layer_that_reads_the_other_of_two_equal_inputs_differs():
    convs = "{conv: 8, kernel: 1, from: x, name: a}", "{conv: 8, kernel: 1, from: y, name: b}"
    one, other = ([*convs, f"{{multiply: [a, {read}]}}"] for read in ("x", "y"))
    assert equivalence(one, one, TWO_INPUTS).is_same
    assert not equivalence(one, other, TWO_INPUTS).is_same


def test_layers_joined_differently_are_reported_by_the_first_difference():
    join = "{{add: [{}, relu_1], name: sum}}"
    one = [A, "relu", join.format("input")]
    other = [A, "relu", join.format("a")]
    assert equivalence(one, one).is_same
    answer = equivalence(one, other)
    assert (answer.is_same, answer.difference_table()) == (False, None)
    assert answer.first_difference() == "`sum` has other inputs"
    message = "the layers are the same, but their connections differ: see `sum`"
    assert list(answer.lines())[:3] == ["net.yaml no longer describes net", "", message]


FREE = "left out, as they are free"
CONSTANT = "its outputs do not depend on its inputs"
EXCLUDED = "8 numbers of the file are constant, and not counted as params: `w` (8)"
SHAPE = "because its output shape depends on the data"


@pytest.mark.parametrize(
    ("op", "inputs", "why"),
    [
        ("Identity", ["x"], f"{FREE}: Identity ×1"),
        ("NonZero", ["x"], f"left out: NonZero `y`, {SHAPE}"),
        ("Relu", ["w"], f"{CONSTANT}; 8 numbers of the file are in no layer: `w` (8)"),
        ("Add", ["x", "w"], f"{FREE}: Add ×1; {EXCLUDED}"),
    ],
)
def test_a_model_without_layers_is_refused(tmp_path, op, inputs, why):
    weights = {name: onnx_models.array(8, 1, 1) for name in inputs if name == "w"}
    made = onnx_models.model([onnx_models.node(op, *inputs, "-> y")], weights)
    onnx.save(made, tmp_path / "net.onnx")
    done = run("import", "net.onnx", cwd=tmp_path)
    message = "error[CC401]: net.onnx: no operator of the model becomes a layer"
    assert (done.returncode, done.stderr.decode()) == (2, f"{message}\nhelp: {why}\n")


NO_MODEL = """error[CC401]: tiny.txt: the name is not that of a model
help: a model is a file that ends in .onnx, .tflite, .keras, .h5 or .json, or \
package.module:callable
"""
MISTAKES = {
    "no file": (
        ["import", "nothing.onnx"],
        "error[CC404]: nothing.onnx: there is no such file\n",
    ),
    "a near name": (
        ["import", "tinny.json"],
        "error[CC404]: tinny.json: there is no such file\nhelp: did you mean `tiny.json`?\n",
    ),
    "no model": (
        ["import", "tiny.txt"],
        NO_MODEL,
    ),
    "a wrong input": (
        ["import", "tiny.json", "--input", "3xx"],
        "error: --input must be like 3x224x224 or 64:int, not `3xx`\n",
    ),
    "a wrong dim": (
        ["import", "tiny.json", "--dim", "batch"],
        "error: --dim must be like batch=1, not `batch`\n",
    ),
    "a file that is no spec": (
        ["import", "tiny.json", "-o", "net.html"],
        "error: --output must end in .yaml for a spec, not `net.html`\n",
    ),
    "a check that would write": (
        ["import", "tiny.json", "-o", "net.yaml", "--check", "net.yaml"],
        "error: --check writes no spec; use it without --output\n",
    ),
    "a dimension of what has none": (
        ["import", "tiny.json", "--dim", "batch=1"],
        "error[CC401]: tiny.json: --dim is for ONNX models\nhelp: give --size or --input\n",
    ),
    "a spec that is not there": (
        ["import", "tiny.json", "--check", "gone.yaml"],
        "error: there is no file `gone.yaml`\n",
    ),
}


@pytest.mark.parametrize("case", MISTAKES)
def test_a_usage_error_has_a_message_and_exits_with_2(keras, tmp_path, case):
    arguments, message = MISTAKES[case]
    done = run(*arguments, cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr.decode()) == (2, b"", message)


def unknown(tmp_path):
    """A model with an operator that nobody has heard of."""
    from onnx import TensorProto, helper

    shape = [1, 3, 8, 8]
    graph = helper.make_graph(
        [helper.make_node("Wavelet", ["x"], ["y"], name="wavelet", domain="of.mine")],
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, shape)],
    )
    imports = [helper.make_opsetid("", 17), helper.make_opsetid("of.mine", 1)]
    path = tmp_path / "odd.onnx"
    onnx.save(helper.make_model(graph, opset_imports=imports, ir_version=8), str(path))
    return path


@pytest.mark.skipif(sys.platform == "win32", reason="no named pipes and devices there")
def test_a_path_without_a_file_is_not_the_model(tmp_path):
    (tmp_path / "link.onnx").symlink_to("nowhere")
    (tmp_path / "zero.onnx").symlink_to("/dev/zero")
    (tmp_path / "folder.onnx").mkdir()
    os.mkfifo(tmp_path / "pipe.onnx")
    for name, reason in (
        ("link", "there is no such file"),
        ("zero", "it is a device or a pipe, not a model"),
        ("pipe", "it is a device or a pipe, not a model"),
        ("folder", "it is a folder, not a model"),
    ):
        done = run("import", f"{name}.onnx", cwd=tmp_path)
        assert (done.returncode, done.stdout) == (2, b"")
        assert done.stderr.decode() == f"error[CC404]: {name}.onnx: {reason}\n"


def test_uncounted_layers_are_in_the_spec_in_reports_and_in_the_exit_code(tmp_path):
    path = unknown(tmp_path)
    assert run("import", str(path)).returncode == 0
    done = run("import", str(path), "--strict", "-o", "odd.yaml", cwd=tmp_path)
    assert done.returncode == 1
    assert "1 layer, 0 params, ? macs\n" in done.stderr.decode()
    assert "uncounted: the macs of 1 layer of" in done.stderr.decode()
    assert "macs: uncounted" in (tmp_path / "odd.yaml").read_text()
    report = run("analyze", "odd.yaml", cwd=tmp_path).stdout.decode()
    assert "uncounted: the macs of 1 layer of" in report
    check = ("import", str(path), "--check", "odd.yaml")
    checked = run(*check, cwd=tmp_path)
    assert checked.returncode == 0
    note = "uncounted: the macs of 1 layer of {} are unknown and not in the total: {}"
    assert checked.stdout.decode().splitlines()[2:] == [
        "params: model 0, spec 0",
        "macs: model ?, spec ?",
        note.format("the model", "custom_1"),
        note.format("the spec", "custom_1"),
    ]
    assert run(*check, "--strict", cwd=tmp_path).returncode == 1


def test_a_long_value_of_a_model_is_truncated_in_the_message(tmp_path):
    long = keras_models.one("Conv2D", "c", filters=4, kernel_size=[1, 1], padding="x" * 90_000)
    (tmp_path / "net.json").write_text(json.dumps(keras_models.sequential(long)))
    done = run("import", "net.json", cwd=tmp_path)
    shown = "x" * 200
    assert done.returncode == 2
    message, _help = done.stderr.decode().splitlines()
    assert message == (
        "error[CC401]: net.json: layer `c`: convcost does not support the padding "
        f"`{shown}…` of Conv2D"
    )


def test_a_message_with_a_long_list_of_a_model_is_truncated(tmp_path):
    permuted = keras_models.one("Permute", "c", dims=[1] * 40_000)
    (tmp_path / "net.json").write_text(json.dumps(keras_models.sequential(permuted)))
    done = run("import", "net.json", cwd=tmp_path)
    start = "error[CC404]: net.json: "
    listed = f"layer `c`: its permutation [0{', 1' * 40_000}"
    assert done.returncode == 2
    assert done.stderr.decode() == f"{start}{listed[:2_000]}…\n"
