"""The JSON reports, held against the schemas that ship with the program, and those against them."""

import json
import re
from copy import deepcopy
from importlib import import_module

import pytest
from jsonschema import Draft202012Validator
from support import ROOT, SPECS, run

from convcost.cli._reporting import Out
from convcost.errors import Source
from convcost.questions.explain import paths
from convcost.questions.schema.bundle import bundle
from convcost.spec.load import load

FOLDER = ROOT / "convcost" / "schemas"
SCHEMAS = {
    f"convcost.{file.stem.replace('-', '/')}": json.loads(file.read_text("utf-8"))
    for file in sorted(FOLDER.glob("*.json"))
}
VALIDATORS = {name: Draft202012Validator(schema) for name, schema in SCHEMAS.items()}
SHIPPED = sorted(path.stem for path in SPECS.glob("*.yaml"))
TWO_INPUTS = """
name: two
inputs: {image: {channels: 3, size: 8}, mask: {channels: 1, size: 8}}
vars: {n: 4, third: 1/3}
layers:
  - {conv: n, kernel: 3, bias: true, padding: same, from: image, name: stem, note: why}
  - {concat: {a: [{conv: n, kernel: 3, padding: 1, name: own}], b: mask}, name: join}
  - {transposed_conv: 2, kernel: 2, stride: 2}
  - {custom: fold, params: 7, macs: 9, biases: 2, buffers: 1}
  - {conv: 2, kernel: 1, name: one}
  - {conv: 2, kernel: 1, weights: one}
published: [{macs: 1.5, source: s, off: true}]
"""


@pytest.fixture
def answer(capsys):
    """What a command says as JSON; whatever it exits with, it says that first."""

    def ask(command, *arguments, **options):
        try:
            module = import_module(f"convcost.cli.{command}")
            module.command(*arguments, **options, out=Out(format="json"))
        except SystemExit as stop:
            if stop.code != 1:
                raise
        return json.loads(capsys.readouterr().out)

    return ask


def wrong(report, name=None):
    """What the schema of a report, by default the one that it names itself, says against it."""
    validator = VALIDATORS[name or report["schema"]]
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(report)]


@pytest.fixture
def two(tmp_path):
    path = tmp_path / "two.yaml"
    path.write_text(TWO_INPUTS, "utf-8")
    return str(path)


def test_every_shape_that_the_program_names_has_a_schema_and_every_schema_is_named():
    code = "".join(p.read_text("utf-8") for p in (ROOT / "convcost").rglob("*.py"))
    named = set(re.findall(r'^SCHEMA = "(convcost\.\w+/\d+)"', code, re.MULTILINE))
    assert named == set(SCHEMAS)


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_schema_is_strict_and_every_number_says_what_it_counts(name):
    schema = SCHEMAS[name]
    Draft202012Validator.check_schema(schema)
    assert schema["title"] == name
    defs = set(re.findall(r'"#/\$defs/([^"]+)"', json.dumps(schema)))
    assert defs == set(schema["$defs"])

    def walk(part, path):
        if isinstance(part, list):
            for item in part:
                walk(item, path)
        if not isinstance(part, dict):
            return
        if part.get("type") == "object":
            assert "additionalProperties" in part, path
            for key, value in part.get("properties", {}).items():
                counts = value.get("type") == "integer" or value.get("$ref") == "#/$defs/count"
                assert not counts or value.get("description"), f"{path}.{key}"
        for key, value in part.items():
            walk(value, f"{path}.{key}")

    walk(schema, name)


@pytest.mark.parametrize("spec", SHIPPED)
def test_what_analyze_says_of_every_spec_that_ships(answer, spec):
    assert wrong(answer("analyze", [spec])) == []
    assert wrong(answer("analyze", [spec], depth=1, sort="macs", top=3, batch=2)) == []


@pytest.mark.parametrize("spec", SHIPPED)
def test_what_compare_verify_and_reduce_say_of_every_spec_that_ships(answer, spec):
    assert wrong(answer("compare", [spec, "vgg16"])) == []
    assert wrong(answer("verify", [spec])) == []
    assert wrong(answer("reduce", spec, [])) == []
    assert wrong(answer("reduce", spec, [], undo=True)) == []


@pytest.mark.parametrize("spec", SHIPPED)
def test_what_explain_says_of_every_tenth_path_of_every_spec_that_ships(answer, spec):
    network = load(Source(spec, (SPECS / f"{spec}.yaml").read_text("utf-8")))[0]
    for path in paths(network)[::10]:
        assert wrong(answer("explain", spec, path)) == []


def test_what_is_said_of_two_inputs_joins_shared_weights_and_stated_costs(answer, two):
    told = answer("analyze", [two])
    assert set(told["networks"][0]["inputs"]) == {"image", "mask"}
    assert wrong(told) == []
    for path in ("stem", "join", "join/a", "custom_1", "conv_3", "transposed_conv_1"):
        assert wrong(answer("explain", two, path)) == []
    assert wrong(answer("compare", [two, "unet"], layers=True)) == []
    assert wrong(answer("verify", [two])) == []


def test_what_a_sweep_says(answer, two):
    told = answer("analyze", ["mobilenet_v1"], settings=["width=1,0.5"], size="128,224")
    assert [network["size"] for network in told["networks"][:2]] == [[128, 128], [224, 224]]
    assert any(network["published"] for network in told["networks"])
    assert wrong(told) == []
    assert wrong(answer("compare", ["mobilenet_v1"], settings=["width=1,0.5"], layers=True)) == []
    assert wrong(answer("analyze", [two], settings=["n=1,2"], batch=3)) == []


def test_what_reduce_says_of_a_spec_it_writes(answer, tmp_path):
    file = str(tmp_path / "reduced.yaml")
    told = answer("reduce", "reduce_5x5#naive", [], channels="1/4", expand=True, write=file)
    assert told["written"]["file"] == file
    assert wrong(told) == []
    assert (
        wrong(answer("reduce", "googlenet", ["inception_3a/5x5"], channels="4", top=1, batch=2))
        == []
    )


def test_what_kinds_says(answer):
    assert wrong(answer("kinds", None)) == []
    assert wrong(answer("kinds", "conv")) == []


# A schema that takes anything promises nothing


def short(value):
    """A report with one record in each list of records."""
    if isinstance(value, dict):
        return {key: short(item) for key, item in value.items()}
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return [short(value[0])]
    return value


def parts(value, path=()):
    """Every part of a report, of lists the first item only."""
    yield path, value
    if isinstance(value, dict):
        for key, item in value.items():
            yield from parts(item, (*path, key))
    elif isinstance(value, list) and value:
        yield from parts(value[0], (*path, 0))


def changed(report, path, change):
    copy = deepcopy(report)
    holder = copy
    for step in path:
        holder = holder[step]
    change(holder)
    return copy


# Where a report speaks in names of its spec, any key may stand; sweeps add three keys together.
OPEN = {"inputs", "left", "set"}
ADDED = {"input", "inputs", "layers", "set", "size", "published", "written"}
SOME = {
    "analyze": (["mobilenet_v1"], {"settings": ["width=1,0.5"], "top": 1}),
    "compare": (["resnet18", "resnet50"], {"layers": True}),
    "explain": ("inception_3a#naive", "5x5/conv_1"),
    "verify": (["resnet50"], {}),
    "reduce": ("reduce_5x5#naive", []),
    "kinds": ("conv",),
}


def some(answer, name):
    arguments = SOME[name]
    if isinstance(arguments[-1], dict):
        return answer(name, arguments[0], **arguments[-1])
    return answer(name, *arguments)


@pytest.mark.parametrize("name", SOME)
def test_a_report_that_lacks_a_key_or_has_one_more_or_a_fraction_for_a_count_is_refused(
    answer, name
):
    report = short(some(answer, name))
    assert wrong(report) == []
    tried = 0

    def refused(path, change):
        return wrong(changed(report, path, change), report["schema"])

    for path, value in parts(report):
        inside = path[-1] if path else ""
        if isinstance(value, dict) and inside not in OPEN:
            assert refused(path, lambda holder: holder.update(more=1)), path
            for key in value:
                if not (inside == 0 and key in ADDED):
                    assert refused(path, lambda holder, k=key: holder.pop(k)), path
            tried += len(value)
        elif type(value) is int and "set" not in path:
            for instead in (value + 0.5, str(value), None, True):

                def put(holder, last=path[-1], new=instead):
                    holder[last] = new

                assert refused(path[:-1], put), (path, instead)
    assert tried > 10


@pytest.mark.parametrize("name", SOME)
def test_the_schema_of_all_reports_takes_each_and_says_no_to_a_wrong_name(answer, name):
    everything = Draft202012Validator(bundle(SCHEMAS))
    report = some(answer, name)
    assert everything.is_valid(report)
    for other in SCHEMAS:
        assert everything.is_valid(report | {"schema": other}) == (other == report["schema"])


def test_the_command_prints_one_schema_or_all():
    for name, schema in SCHEMAS.items():
        assert json.loads(run("schema", name).stdout) == schema
    printed = json.loads(run("schema", "report").stdout)
    Draft202012Validator.check_schema(printed)
    assert printed == bundle(SCHEMAS)
