"""No text from outside controls a terminal or forges a line, whatever error it ends in.

The specs are valid first; then each of their texts and keys in turn is replaced by a hostile one.
"""

import copy
import json
import re
import unicodedata
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from support import commands_that_read_specs, messages, run

from convcost.model.errors import INVISIBLE, UsageError, printable

FORGED = "forged: a line of its own"
HOSTILE = (
    f"::error::said ##[group]##vso[task.complete] \n::error::said \x1b[31mred\x1b]8;;http://evil.example\x07link\x9b2J\r\n{FORGED}\r{FORGED}\x85{FORGED}"
    f"\u2028{FORGED}\u202eevil\u2066\u200b\u3164\ufe0fzero\x7f<script>@team|`##[error]"
)
SPEC = {
    "name": "net",
    "source": "a paper",
    "input": {"channels": 8, "size": 16},
    "vars": {"width": 4},
    "blocks": {"pair": {"options": {"n": 4}, "layers": [{"conv": "n", "kernel": 3}]}},
    "layers": [
        {"conv": 2, "kernel": 1, "name": "first"},
        {"conv": "width", "kernel": 3, "padding": "same", "note": "a note"},
        {"pair": 4, "name": "block"},
        {"concat": {"a": [{"conv": 4, "kernel": 1}], "b": []}, "name": "both"},
    ],
    "published": [{"params": 7, "source": "a paper", "note": "a note"}],
    "budget": {"params": {"max": "1M"}, "layers": [{"match": "*", "macs": {"max": 1}}]},
}
COMMANDS = {  # and the exit code for the valid spec
    ("analyze", "net.yaml"): 0,
    ("analyze", "net.yaml", "--set", "width=x"): 2,
    ("explain", "net.yaml", "block/conv_1"): 0,
    ("verify", "net.yaml"): 1,
    ("compare", "net.yaml", "other.yaml", "--layers"): 0,
    ("compare", "net.yaml", "other.yaml", "--baseline", "neither"): 2,
    ("reduce", "net.yaml", "--channels", "2", "--write", "new.yaml"): 0,
    ("reduce", "net.yaml", "--undo", "--write", "new.yaml"): 0,
    ("check", "net.yaml", "--base", "other.yaml", "--max-growth", "0", "--report-passed"): 1,
    ("check", "net.yaml", "--format", "concise"): 1,
    ("memory", "net.yaml", "--training", "adam"): 0,
    ("match", "net.yaml", "1", "MFLOPs"): 0,
    ("formula", "net.yaml", "--vary", "width"): 0,
    ("search", "net.yaml", "--vary", "width=2,4"): 0,
}
LISTED = {name for name, *_ in COMMANDS}
COMMANDS |= {(name, "net.yaml"): 0 for name in commands_that_read_specs() if name not in LISTED}


def assert_harmless(text: str) -> None:
    hidden = ("Cc", "Cf", "Cs", "Co", "Zl", "Zp")
    assert {c for c in set(text) if unicodedata.category(c) in hidden} <= {"\n"}
    assert not INVISIBLE & set(text)
    assert not re.search(r"##\w*\[", text)
    for line in text.splitlines():
        assert not line.lstrip().startswith((FORGED, "::"))


def written(*arguments: str, cwd: Path) -> int:
    """The exit code of a run whose two outputs are harmless."""
    done = run(*arguments, cwd=cwd)
    for text in (done.stdout, done.stderr):
        assert_harmless(text.decode("utf-8", "surrogateescape"))
    assert done.returncode in (0, 1, 2)
    return done.returncode


def mutations(spec: Any) -> Iterator[Any]:
    """The spec with one text, number or key replaced by the hostile text, each in turn."""
    places = list(_places(spec))
    for path in places:
        for as_key in (False, True):
            changed = copy.deepcopy(spec)
            *parents, last = path
            inner = changed
            for step in parents:
                inner = inner[step]
            if not as_key:
                inner[last] = HOSTILE
            elif isinstance(last, str):
                inner[HOSTILE] = inner.pop(last)
            else:
                continue
            yield changed


def _places(value: Any, path: tuple = ()) -> Iterator[tuple]:
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, item in items:
        yield (*path, key)
        if isinstance(item, dict | list):
            yield from _places(item, (*path, key))


TEXTS = [yaml.safe_dump(spec) for spec in mutations(SPEC)]


@cache
def some_mutations() -> list[str]:
    """Specs with one hostile text: all that are valid, and a fifth of the others, which every
    command refuses as `analyze` does."""
    invalid = [text for text in TEXTS if messages(text)]
    return [text for text in TEXTS if text not in invalid] + invalid[::5]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_no_message_about_a_hostile_spec_controls_a_terminal(command, tmp_path):
    (tmp_path / "other.yaml").write_text(yaml.safe_dump(SPEC | {"name": HOSTILE[-80:]}), "utf-8")
    codes = set()
    (tmp_path / "net.yaml").write_text(yaml.safe_dump(SPEC), "utf-8")
    assert written(*command, cwd=tmp_path) == COMMANDS[command], (
        f"add a call of `{command[0]}` with the arguments that it needs, and its exit code, to "
        "COMMANDS in tests/cli/test_hostile_messages.py"
    )
    for text in TEXTS if command == ("analyze", "net.yaml") else some_mutations():
        (tmp_path / "net.yaml").write_text(text, "utf-8")
        codes.add(written(*command, cwd=tmp_path))
    assert 2 in codes


CONFIG = {"budgets": [{"specs": "*.yaml", "name": "b", "params": {"max": 1}}]}


@pytest.mark.parametrize("config", list(mutations(CONFIG)))
def test_no_message_about_a_hostile_configuration_controls_a_terminal(config, tmp_path):
    (tmp_path / "net.yaml").write_text(yaml.safe_dump(SPEC), "utf-8")
    (tmp_path / "convcost.yaml").write_text(yaml.safe_dump(config), "utf-8")
    written("check", "net.yaml", "--format", "concise", cwd=tmp_path)


def test_no_message_about_a_hostile_baseline_controls_a_terminal(tmp_path):
    (tmp_path / "net.yaml").write_text(yaml.safe_dump({**SPEC, "budget": {}}), "utf-8")
    update = ("check", "net.yaml", "--base", "base.json", "--update-baseline", "--format", "plain")
    run(*update, cwd=tmp_path)
    baseline = json.loads((tmp_path / "base.json").read_text("utf-8"))
    for changed in mutations(baseline):
        (tmp_path / "base.json").write_text(json.dumps(changed), "utf-8")
        written("check", "net.yaml", "--base", "base.json", "--format", "concise", cwd=tmp_path)
        written(*update, "--allow-growth", cwd=tmp_path)


NAMES = ("compare", "vgg16", "alexnet", "--baseline"), ("reduce", "vgg16", "--undo"), ("kinds",)
ARGUMENTS = (
    *NAMES,
    ("analyze",),
    ("analyze", "vgg16", "--columns"),
    ("analyze", "vgg16", "--sort"),
    ("analyze", "vgg16", "--work"),
    ("analyze", "vgg16", "--layout"),
    ("analyze", "vgg16", "--set"),
    ("analyze", "vgg16", "--set", f"{HOSTILE}=1", "--size"),
    ("analyze", "vgg16", "--size"),
    ("analyze", "vgg16", "--batch"),
    ("analyze", "vgg16", "--format"),
    ("analyze", "vgg16", "--color"),
    ("analyze", "vgg16", "--units"),
    ("analyze", "vgg16", "--output"),
    ("analyze", "vgg16", "--plot"),
    ("explain", "vgg16"),
    ("reduce", "vgg16"),
    ("reduce", "vgg16", "--channels"),
    ("check", "vgg16", "--max-params"),
    ("check", "vgg16", "--max-params", "1", "--base"),
    ("check", "vgg16", "--config"),
    ("schema",),
    ("import",),
    ("import", "a.onnx", "--input"),
    ("import", "a.onnx", "--dim"),
    ("import", "a.onnx", "--output"),
    (),
)
SHAPES = ("{}", "{}.yaml", "{}/x.yaml", "{}.json", "git:{}", "{}.onnx", "--{}", "x={}", "net#{}")


@pytest.mark.parametrize("command", ARGUMENTS, ids=lambda command: ascii(" ".join(command))[:50])
def test_no_message_about_a_hostile_argument_controls_a_terminal(command, tmp_path):
    for shape in SHAPES:
        folder = tmp_path / ascii(shape).replace("/", "-")
        folder.mkdir()
        assert written(*command, shape.format(HOSTILE), cwd=folder) in (0, 1, 2), shape


def test_hostile_names_of_files_are_only_text(tmp_path):
    folder = tmp_path / HOSTILE.replace("/", "")[:80]
    folder.mkdir()
    file = folder / "net.yaml"
    file.write_text("layers: [{convv: 3}]\n", "utf-8")
    for command in ("analyze", "verify", "check", "reduce"):
        assert written(command, str(file), cwd=tmp_path) == 2
        assert written(command, str(folder), cwd=tmp_path) == 2
    file.write_bytes(b"\xff\xfe\x00")
    assert written("analyze", str(file), cwd=tmp_path) == 2
    file.write_bytes(b"a: \xff")
    assert written("analyze", str(file), cwd=tmp_path) == 2


@pytest.mark.parametrize(
    ("op", "sizes"), [("Relu", [1, 3, 8, 8]), (HOSTILE, [1, 3, 8, 8]), ("Relu", [HOSTILE, 3, 8, 9])]
)
def test_an_imported_model_with_hostile_names_is_only_text(op, sizes, tmp_path):
    onnx = pytest.importorskip("onnx")
    weights = onnx.helper.make_tensor(f"{HOSTILE}w", 1, [4, 3, 3, 3], [0.0] * 108)
    nodes = [
        onnx.helper.make_node("Conv", ["x", f"{HOSTILE}w"], [f"{HOSTILE}y"], name=f"/{HOSTILE}/c"),
        onnx.helper.make_node(op, [f"{HOSTILE}y"], [f"{HOSTILE}z"], name=HOSTILE),
    ]
    ends = (("x", sizes), (f"{HOSTILE}z", None))
    ports = [[onnx.helper.make_tensor_value_info(name, 1, shape)] for name, shape in ends]
    graph = onnx.helper.make_graph(nodes, HOSTILE, *ports, [weights])
    onnx.save(onnx.helper.make_model(graph, producer_name=HOSTILE), tmp_path / "m.onnx")
    written("import", "m.onnx", cwd=tmp_path)
    written("import", "m.onnx", "--dim", f"{HOSTILE}=1", cwd=tmp_path)
    written("import", "m.onnx", "--output", "net.yaml", "--force", cwd=tmp_path)
    written("import", "m.onnx", "--check", "vgg16", cwd=tmp_path)


def test_an_error_in_colour_has_no_escape_but_those_of_its_colours(tmp_path):
    (tmp_path / "net.yaml").write_text(yaml.safe_dump({HOSTILE: [HOSTILE]}), "utf-8")
    done = run("analyze", "net.yaml", cwd=tmp_path)
    assert done.returncode == 2
    assert_harmless(re.sub(r"\x1b\[[\d;]*m", "", done.stderr.decode()))


def test_a_line_break_within_a_line_of_a_message_is_an_escape():
    error = UsageError("one `a\nb`", "two", help="three\r")
    assert str(error) == "one `a\\x0ab`\ntwo\nhelp: three\\x0d"


@pytest.mark.parametrize(
    ("hidden", "escape"),
    [
        ("\u3164", "\\u3164"),  # Hangul filler: a letter, and empty
        ("\uffa0", "\\uffa0"),
        ("\u115f", "\\u115f"),
        ("\u034f", "\\u034f"),
        ("\u17b4", "\\u17b4"),
        ("\u180f", "\\u180f"),
        ("\u2800", "\\u2800"),
        ("\ufe0f", "\\ufe0f"),
        ("\U000e0101", "\\U000e0101"),
        ("\U0001d159", "\\U0001d159"),
        ("\U00016fe4", "\\U00016fe4"),
    ],
)
def test_names_that_look_the_same_differ_in_their_escapes(hidden, escape, tmp_path):
    assert printable(f"a{hidden}") == f"a{escape}"
    names = json.dumps([f"a{hidden}", "a"], ensure_ascii=False)
    text = f"input: {{channels: 3, size: 8}}\nlayers: [{{concat: {names}}}]\n"
    (tmp_path / "net.yaml").write_text(text, "utf-8")
    ran = run("analyze", "net.yaml", cwd=tmp_path)
    assert f"`a{escape}`" in ran.stderr.decode()


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (("import", "m.onnx"), """by its name: --dim 'h'"'"'; touch x; '"'"'=…' --dim 'w=…'"""),
        (("a; touch x.yaml",), "`convcost analyze 'a; touch x.yaml'`?"),
        (("analyze", "vgg16", "-o", "a; touch x.svg"), "--plot 'a; touch x.svg'"),
        (("import", "m.onnx", "-o", "a; touch x.yaml"), "--check 'a; touch x.yaml' that"),
        (("explain", "a; touch x.yaml", "z", "--deploy"), "analyze 'a; touch x.yaml' --deploy` l"),
        (("formula", "a; touch x.yaml", "z", "--vary", "size"), "analyze 'a; touch x.yaml'` l"),
    ],
)
def test_an_option_to_copy_into_a_shell_runs_nothing_else(arguments, hint, tmp_path):
    onnx = pytest.importorskip("onnx")
    port = onnx.helper.make_tensor_value_info("x", 1, [1, 3, "h'; touch x; '", "w"])
    graph = onnx.helper.make_graph([onnx.helper.make_node("Relu", ["x"], ["y"])], "g", [port], [])
    graph.output.append(onnx.helper.make_empty_tensor_value_info("y"))
    onnx.save(onnx.helper.make_model(graph), tmp_path / "m.onnx")
    many = "input: {channels: 3, size: 8}\nlayers: [{conv: 3, kernel: 1, repeat: 20}]\n"
    (tmp_path / "a; touch x.yaml").write_text(many, "utf-8")
    ran = run(*arguments, cwd=tmp_path)
    assert ran.returncode == 2
    assert hint in ran.stderr.decode()
