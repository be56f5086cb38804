"""The JSON reports follow the shipped schemas, and the schemas take nothing else."""

import json
import re
from copy import deepcopy
from importlib import import_module
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from referencing import Registry
from referencing.jsonschema import DRAFT202012
from report_forms import distinct, validator
from support import ROOT, SHIPPED, first_costs, run

import convcost
import convcost.cli
from convcost.cli._reporting import OutputOptions
from convcost.model.errors import UsageError
from convcost.reports.explain import Explanation, paths
from convcost.reports.schema.named import named_schema, report_schema

pytestmark = pytest.mark.slow

FOLDER = ROOT / "convcost" / "schemas"
SCHEMAS = {
    name: named_schema(name)
    for file in sorted(FOLDER.glob("*.json"))
    for name in [f"convcost.{file.stem.replace('-', '/')}"]
}
REPORT = report_schema(SCHEMAS)
# With an index of the identifiers in the schema, no reference is searched for.
EVERYTHING = Draft202012Validator(
    REPORT, registry=Registry().with_resource("", DRAFT202012.create_resource(REPORT)).crawl()
)
MAX_PATHS = 20  # of one spec
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
    """The JSON report of a command, whether it exits with 0 or 1."""

    def ask(command, *arguments, **options):
        try:
            module = import_module(f"convcost.cli.{command}")
            module.command(*arguments, **options, out=OutputOptions(format="json"))
        except SystemExit as stop:
            if stop.code != 1:
                raise
        return json.loads(capsys.readouterr().out)

    return ask


def wrong(report, name=None):
    """The errors of a report by a schema, by default the one that it names."""
    errors = validator(name or report["schema"]).iter_errors(distinct(report)[0])
    return [f"{error.json_path}: {error.message}" for error in errors]


@pytest.fixture
def two(tmp_path):
    path = tmp_path / "two.yaml"
    path.write_text(TWO_INPUTS, "utf-8")
    return str(path)


def test_every_named_report_has_a_schema_and_every_schema_a_report():
    code = "".join(p.read_text("utf-8") for p in (ROOT / "convcost").rglob("*.py"))
    named = set(re.findall(r'^SCHEMA = "(convcost\.\w+/\d+)"', code, re.MULTILINE))
    page = (ROOT / "docs" / "schema.md").read_text("utf-8")
    for name in named:
        file = f"convcost/schemas/{name.removeprefix('convcost.').replace('/', '-')}.json"
        assert name in SCHEMAS, f"write the JSON Schema {file}; copy convcost/schemas/specs-1.json"
        assert f"\n| `{name}` | " in page, f"add a row for `{name}` to the table of docs/schema.md"
    assert named == set(SCHEMAS)


def test_each_command_with_a_report_is_tested():
    others = {"check"}  # a limit of its report is a count or a text
    for name in convcost.cli.command_files():
        if "--format " in run(name, "--help").stdout.decode() and name not in others:
            file = "tests/reports/schema/test_report_schemas.py"
            assert name in SOME, f"add a call of the function of `{name}` to SOME in {file}"


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_schema_is_strict_and_every_key_has_a_description(name):
    schema = SCHEMAS[name]
    Draft202012Validator.check_schema(schema)
    assert schema["title"] == name
    defs = set(re.findall(r'"#/\$defs/([^"]+)"', json.dumps(schema)))
    assert defs == set(schema["$defs"])

    def is_described(value):
        parts = [value, *value.get("anyOf", ()), value.get("items", {})]
        parts += [schema["$defs"][part["$ref"].split("/")[-1]] for part in parts if "$ref" in part]
        return any("description" in part for part in parts)

    def walk(part, path):
        if isinstance(part, list):
            for item in part:
                walk(item, path)
        if not isinstance(part, dict):
            return
        if part.get("type") == "object":
            assert "additionalProperties" in part, path
            named = part["additionalProperties"]
            values = {"NAME": named} if isinstance(named, dict) else {}
            for key, value in {**part.get("properties", {}), **values}.items():
                counts = value.get("type") == "integer" or value.get("$ref") == "#/$defs/count"
                assert "description" in value if counts else is_described(value), f"{path}.{key}"
        for key, value in part.items():
            walk(value, f"{path}.{key}")

    walk(schema, name)


def first(spec):
    return f"{spec}#{first_costs(spec).network.name}"


@pytest.mark.parametrize("spec", SHIPPED)
def test_analyze_of_every_shipped_spec_follows_its_schema(answer, spec):
    assert wrong(answer("analyze", [first(spec)])) == []
    assert wrong(answer("analyze", [first(spec)], depth=1, sort="macs", top=3, batch=2)) == []


@pytest.mark.parametrize("spec", SHIPPED)
def test_compare_verify_and_reduce_of_every_shipped_spec_follow_their_schemas(answer, spec):
    assert wrong(answer("compare", [first(spec), "vgg16"])) == []
    assert wrong(answer("verify", [first(spec)])) == []
    assert wrong(answer("reduce", first(spec), [])) == []
    try:
        undone = answer("reduce", first(spec), [], undo=True)
    except UsageError as error:
        refused = "removing the 1x1 leaves an invalid network: "
        assert error.args[0].startswith(refused)  # noqa: PT017  most are not refused
    else:
        assert wrong(undone) == []


@pytest.mark.parametrize("spec", SHIPPED)
def test_explain_of_some_paths_follows_its_schema(spec):
    counted = first_costs(spec)
    every = paths(counted.network)
    for path in every[:: max(10, len(every) // MAX_PATHS)]:
        text = convcost.formatted(Explanation((counted,), path), "json")
        assert wrong(json.loads(text)) == []


def test_two_inputs_joins_shared_weights_and_declared_costs_follow_the_schemas(answer, two):
    report = answer("analyze", [two])
    assert set(report["networks"][0]["inputs"]) == {"image", "mask"}
    assert wrong(report) == []
    for path in ("stem", "join", "join/a", "custom_1", "conv_3", "transposed_conv_1"):
        assert wrong(answer("explain", two, path)) == []
    assert wrong(answer("compare", [two, "unet"], layers=True)) == []
    assert wrong(answer("verify", [two])) == []


def test_a_sweep_follows_its_schema(answer, two):
    report = answer("analyze", ["mobilenet_v1"], settings=["width=1,0.5"], size=["128,224"])
    assert [network["size"] for network in report["networks"][:2]] == [[128, 128], [224, 224]]
    assert any(network["published"] for network in report["networks"])
    assert wrong(report) == []
    assert wrong(answer("compare", ["mobilenet_v1"], settings=["width=1,0.5"], layers=True)) == []
    assert wrong(answer("analyze", [two], settings=["n=1,2"], batch=3)) == []


def test_reduce_with_a_written_spec_follows_its_schema(answer, tmp_path):
    file = str(tmp_path / "reduced.yaml")
    report = answer("reduce", "reduce_5x5#naive", [], channels="1/4", expand=True, write=file)
    assert report["written"]["file"] == file
    assert wrong(report) == []
    assert (
        wrong(answer("reduce", "googlenet", ["inception_3a/5x5"], channels="4", top=1, batch=2))
        == []
    )


def test_counts_by_conventions_follow_their_schemas(answer):
    assert wrong(answer("analyze", ["vit_b16"], count="fvcore,torch_scan,macs", depth=1)) == []
    assert wrong(answer("compare", ["vit_b16", "vgg16"], count="fvcore,flops")) == []
    assert wrong(answer("analyze", ["mobilenet_v1"], settings=["width=1,0.5"], count="thop")) == []
    assert wrong(answer("explain", "vit_b16", count="thop,fvcore")) == []
    assert wrong(answer("conventions", None)) == []
    assert wrong(answer("match", "resnet50", ["4.1G", "params", "25.6M"])) == []
    assert wrong(answer("match", "resnet50", ["4.3123G"])) == []


def test_kinds_follows_its_schema(answer):
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


# Keys that are names of the spec can be any; sweeps add three keys together.
OPEN = {"at", "first", "inputs", "left", "numbers", "set", "values"}
ADDED = {"input", "inputs", "layers", "set", "size", "published", "written"}
SOME = {
    "analyze": (["mobilenet_v1"], {"settings": ["width=1,0.5"], "top": 1}),
    "compare": (["resnet18", "resnet50"], {"layers": True}),
    "explain": ("inception_3a#naive", "5x5/conv_1"),
    "verify": (["resnet50"], {}),
    "reduce": ("reduce_5x5#naive", []),
    "kinds": ("conv",),
    "search": ("mobilenet_v1", {"vary": ["width=0.5,0.3"], "pareto": "macs,params"}),
    "formula": ("resnet18", {"vary": "size"}),
    "specs": (["year <= 2012"],),
    "memory": (["mobilenet_v1"], {"training": "adam"}),
    "match": ("resnet18", ["1.8G"]),
    "conventions": ("thop",),
}


# Macs of which nothing is known, and changes of macs that are known in part.
MAY_BE_NULL = {"backward_macs", "difference", "macs_change", "numbers", "value"}

_answers: dict[str, Any] = {}


def some(answer, name):
    """The report of a command in SOME, made once."""
    if name not in _answers:
        _answers[name] = _report(answer, name)
    return _answers[name]


def _report(answer, name):
    arguments = SOME[name]
    if arguments and isinstance(arguments[-1], dict):
        return answer(name, arguments[0], **arguments[-1])
    return answer(name, *arguments)


@pytest.mark.parametrize("name", SOME)
def test_a_report_that_lacks_a_key_or_has_one_more_or_a_fraction_for_a_count_is_refused(
    answer, name
):
    report = some(answer, name)
    assert wrong(report) == []
    report = short(report)
    tried = 0

    def violations(path, change):
        return wrong(changed(report, path, change), report["schema"])

    for path, value in parts(report):
        inside = path[-1] if path else ""
        if isinstance(value, dict) and inside not in OPEN:
            assert violations(path, lambda holder: holder.update(more=1)), path
            for key in value:
                if not (inside == 0 and key in ADDED):
                    assert violations(path, lambda holder, k=key: holder.pop(k)), path
            tried += len(value)
        elif type(value) is int and "set" not in path:
            nothing = [None] if MAY_BE_NULL.isdisjoint(path[-2:]) else []
            for instead in (value + 0.5, str(value), True, *nothing):

                def put(holder, last=path[-1], new=instead):
                    holder[last] = new

                assert violations(path[:-1], put), (path, instead)
    assert tried > 4  # the keys of the smallest report


@pytest.mark.parametrize("name", SOME)
def test_the_schema_of_all_reports_accepts_each_and_refuses_a_wrong_name(answer, name):
    report = short(some(answer, name))
    assert EVERYTHING.is_valid(report)
    for other in SCHEMAS:
        assert EVERYTHING.is_valid(report | {"schema": other}) == (other == report["schema"])


def test_the_command_prints_one_schema_or_all():
    for name, schema in SCHEMAS.items():
        assert json.loads(run("schema", name).stdout) == schema
    printed = json.loads(run("schema", "report").stdout)
    Draft202012Validator.check_schema(printed)
    assert printed == REPORT
