"""A model in the place of a spec: every command counts it, and none counts a part of it."""

import json

import pytest
from onnx_models import array, model, node
from repository import Repository
from support import run
from tools import needs_git

from convcost.sources.models import is_model

CONV, HEAD = 8 * 3 * 3 * 3, 10 * 8  # params


@pytest.fixture
def folder(tmp_path):
    nodes = [
        node("Conv", "x", "w", "-> c", pads=[1] * 4),
        node("Relu", "c", "-> r"),
        node("GlobalAveragePool", "r", "-> g"),
        node("Flatten", "g", "-> f"),
        node("Gemm", "f", "h", "-> y", transB=1),
    ]
    weights = {"w": array(8, 3, 3, 3), "h": array(10, 8)}
    made = model(nodes, weights, ("batch", 3, "height", "width"))
    (tmp_path / "net.onnx").write_bytes(made.SerializeToString())
    (tmp_path / "net.yaml").write_text(
        "input: {channels: 3, size: 16}\n"
        "layers: [{conv: 8, kernel: 3, padding: 1}, relu, global_avg_pool, flatten,\n"
        "         {linear: 10, bias: false}]\n"
    )
    return tmp_path


def answer(folder, *arguments):
    done = run(*arguments, "--format", "json", cwd=folder)
    assert done.returncode == 0, done.stderr.decode()
    return json.loads(done.stdout)


def test_an_onnx_file_is_analyzed_like_a_spec(folder):
    (net,) = answer(folder, "analyze", "net.onnx", "--size", "16")["networks"]
    assert net["totals"]["params"] == CONV + HEAD
    assert net["totals"]["macs"] == CONV * 16 * 16 + HEAD
    (twice,) = answer(folder, "analyze", "net.onnx", "--size", "32")["networks"]
    assert twice["totals"]["macs"] == CONV * 32 * 32 + HEAD


def test_a_model_is_compared_with_a_spec(folder):
    spec, net = answer(folder, "compare", "net.yaml", "net.onnx", "--size", "16")["networks"]
    assert spec["totals"] == net["totals"]


def test_a_dimension_that_a_model_leaves_open_is_given_by_name(folder):
    given = ("--dim", "height=16", "--dim", "width=20")
    (net,) = answer(folder, "analyze", "net.onnx", *given)["networks"]
    assert net["totals"]["macs"] == CONV * 16 * 20 + HEAD


def test_a_layer_of_a_model_is_explained(folder):
    done = run("explain", "net.onnx", "w", "--size", "16", cwd=folder)
    assert done.returncode == 0
    assert "8 × 3 × 3 × 3 = 216" in done.stdout.decode()


def test_the_budget_of_a_model_is_checked(folder):
    fixed = model([node("Conv", "x", "w", "-> y")], {"w": array(8, 3, 3, 3)}, (1, 3, 16, 16))
    (folder / "fixed.onnx").write_bytes(fixed.SerializeToString())
    assert run("check", "fixed.onnx", "--max-params", "216", cwd=folder).returncode == 0
    assert run("check", "fixed.onnx", "--max-params", "215", cwd=folder).returncode == 1


@needs_git
def test_a_model_has_no_base_in_a_commit(folder):
    fixed = model([node("Conv", "x", "w", "-> y")], {"w": array(8, 3, 3, 3)}, (1, 3, 16, 16))
    repository = Repository(folder / "repository")
    (repository.folder / "fixed.onnx").write_bytes(fixed.SerializeToString())
    repository.commit()
    code, answer = repository.check("fixed.onnx", "--base", "git:HEAD", "--max-growth", "0")
    (statement,) = answer["statements"]
    assert code == 2
    assert statement == (
        "fixed.onnx is a model, and a model has no base in Git: growth is not checked; "
        "give a baseline .json or another model as the base"
    )


def test_the_budget_of_a_model_with_open_dimensions_is_checked(folder):
    shape = ("--dim", "height=16", "--dim", "width=16")
    limit = CONV * 16 * 16 + HEAD
    within = run("check", "net.onnx", "--max-macs", str(limit), *shape, cwd=folder)
    above = run("check", "net.onnx", "--max-macs", str(limit - 1), *shape, cwd=folder)
    assert (within.returncode, above.returncode) == (0, 1)
    refused = run("check", "net.yaml", "--max-macs", "1M", *shape, cwd=folder)
    assert refused.stderr.decode() == (
        "error: --input and --dim are for models, and `net.yaml` is a spec\n"
    )


def test_the_notes_of_a_model_are_those_of_its_reports(folder):
    nodes = [
        node("LayerNormalization", "x", "s", "a", "-> h"),
        node("LayerNormalization", "h", "s", "b", "-> y"),
    ]
    made = model(nodes, {name: array(16) for name in "sab"}, (1, 3, 16, 16))
    (folder / "norms.onnx").write_bytes(made.SerializeToString())
    note = (
        "norms: 16 numbers of the file are counted for each of several layers, since equal tensors "
        "are stored once: `s` (16)"
    )
    for command in (("analyze",), ("compare", "net.yaml")):
        done = run(*command, "norms.onnx", cwd=folder)
        assert note in done.stdout.decode().splitlines()


def test_a_model_of_which_a_part_is_in_no_layer_is_refused(folder):
    nodes = [
        node("NonZero", "x", "-> n"),
        node("Cast", "n", "-> y", to=1),
    ]
    (folder / "part.onnx").write_bytes(model(nodes, {}, (1, 3, 16, 16)).SerializeToString())
    done = run("analyze", "part.onnx", cwd=folder)
    assert done.returncode == 2
    assert done.stderr.startswith(b"error[CC401]: part.onnx: ")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("analyze", "far.onnx"), "error[CC404]: far.onnx: there is no such file\n"),
        (
            ("analyze", "net.yaml", "--input", "3x8x8"),
            "error: --input and --dim are for models, and `net.yaml` is a spec\n",
        ),
        (
            ("analyze", "nowhere:make"),
            """\
error[CC405]: nowhere:make: the shape of its input is missing
help: --input 3x224x224: channels, height and width
""",
        ),
    ],
)
def test_a_model_that_cannot_be_read_is_refused(arguments, message, folder):
    done = run(*arguments, cwd=folder)
    assert (done.returncode, done.stderr.decode()) == (2, message)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("net.onnx", True),
        ("Net.ONNX", True),
        ("net.keras", True),
        ("package.module:make", True),
        ("net.yaml", False),
        ("googlenet", False),
        ("-", False),
        ("C:\\net.yaml", False),
        ("a b:c", False),
    ],
)
def test_a_model_is_known_by_its_name(name, expected):
    assert is_model(name) is expected


@pytest.mark.parametrize(
    ("has_link", "message"),
    [
        (True, "error: `attack:net.yaml` is a link that leads to no file\n"),
        (False, "error: there is no file `attack:net.yaml`\n"),
    ],
)
def test_the_name_of_a_missing_spec_is_not_the_name_of_a_callable(folder, has_link, message):
    """A callable is code, and strangers choose the names of specs."""
    (folder / "attack.py").write_text("def net(): raise SystemExit(0)\n", "utf-8")
    if has_link:
        (folder / "attack:net.yaml").symlink_to("nowhere")
    done = run("check", "attack:net.yaml", "--input", "3x16x16", "--max-macs", "1", cwd=folder)
    assert done.returncode == 2
    assert done.stderr.decode() == message


def test_a_link_to_no_file_is_not_a_callable(folder):
    (folder / "attack:net").symlink_to("nowhere")
    done = run("check", "attack:net", "--input", "3x16x16", "--max-macs", "1", cwd=folder)
    assert done.returncode == 2
    assert done.stderr.decode() == "error: `attack:net` is a link that leads to no file\n"


@pytest.mark.parametrize("name", ["package:net", "package:net.yaml", "#1.yaml", "net.yaml#a.yaml"])
def test_a_spec_with_an_unusual_name_is_a_spec(folder, name):
    (folder / "net.yaml").rename(folder / name)
    assert run("check", name, "--max-params", str(CONV + HEAD), cwd=folder).returncode == 0
    assert run("check", name, "--max-params", str(CONV + HEAD - 1), cwd=folder).returncode == 1


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_a_file_with_the_name_of_a_network_does_not_hide_the_network(folder, kind):
    """Strangers choose the names of files."""
    text = (folder / "net.yaml").read_text("utf-8")
    (folder / "net.yaml").write_text(f"name: net\n{text}", "utf-8")
    other = folder / ("net.yaml#net" if kind == "file" else "net.yaml#net/a.yaml")
    other.parent.mkdir(exist_ok=True)
    other.write_text("input: {channels: 3, size: 8}\nlayers: [relu]\n", "utf-8")
    done = run("check", "net.yaml#net", "--max-params", str(CONV + HEAD - 1), cwd=folder)
    assert done.returncode == 1
    (folder / "net.yaml").unlink()
    done = run("check", "net.yaml#net", "--max-params", "1", cwd=folder)
    assert done.returncode == 2
    assert done.stderr.decode().startswith("error: there is no file `net.yaml`")


def test_a_model_is_not_overwritten_by_its_report(folder):
    before = (folder / "net.onnx").read_bytes()
    done = run("analyze", "net.onnx", "--size", "16", "-o", "csv:net.onnx", cwd=folder)
    assert done.returncode == 2
    assert (folder / "net.onnx").read_bytes() == before
