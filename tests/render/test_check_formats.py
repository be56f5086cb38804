"""What a check hands to editors and CI servers: lines, annotations, Code Quality, JUnit, SARIF.

Each is read back by something that is not of convcost: `junitparser`, `pysarif` (classes made from
the published schema of SARIF), and readers of what GitHub and GitLab document.
"""

import csv
import json
import re
import shutil
from dataclasses import MISSING, fields, is_dataclass
from io import BytesIO
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints
from urllib.parse import unquote
from xml.etree import ElementTree as ET

import junitparser
import pysarif
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import run

from convcost.model.errors import Span, printable
from convcost.render import FORMATS, Style
from convcost.reports.check.finding import Finding, Growth
from convcost.reports.check.finding_location import locate_findings, relative_to_root
from convcost.reports.check.report import Check
from convcost.reports.report import Root

NEEDY = [name for name, form in FORMATS.items() if form.needs == "findings"]
NOWHERE = Root()
STEM, HEAD = 8 * 3 * 3 * 3, 4 * 8  # params
PARAMS, MACS = STEM + HEAD, (STEM + HEAD) * 6 * 6
WAS = 7 * 3 * 3 * 3 + 4 * 7
NET = """\
name: net
input: {channels: 3, size: 8}
layers:
  - {conv: 8, kernel: 3, name: stem}
  - {conv: 4, kernel: 1, name: head}
budget:
  params: {max: 247, grow: 5%}
  layers: [{match: stem, macs: {warn: 7775}}]
  depth: {max: 2}
  message: Ask first.
"""
CONFIG = """\
budgets:
  - {name: mobile, specs: ["models/*"], macs: {max: 8M}, receptive_field: {min: 5}}
"""


@pytest.fixture
def project(tmp_path):
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "net.yaml").write_text(NET, "utf-8")
    (tmp_path / "convcost.yaml").write_text(CONFIG, "utf-8")
    (tmp_path / "was.yaml").write_text(NET.replace("conv: 8", "conv: 7"), "utf-8")
    return tmp_path


def check(folder: Path, form: str, *arguments: str, spec: str = "models/net.yaml") -> str:
    ran = run("check", spec, *arguments, "--format", form, cwd=folder)
    assert ran.returncode in (0, 1), ran.stderr.decode()
    assert ran.stderr == b""
    return ran.stdout.decode()


def rendered(
    form: str, *found: Finding, statements: tuple[str, ...] = (), root: Root = NOWHERE
) -> str:
    report = Check(found, statements, report_passed=True)
    return "".join(FORMATS.get(form).write(report, Style(root=root)))


def finding(**changes: Any) -> Finding:
    usual = Finding(
        "error", "CC201", "net.yaml", Span(2, 3, 2, 6), "net", "net.yaml", "", "total", "",
        "params", "max", 4, 5,
    )  # fmt: skip
    return usual._replace(**changes)


# Lines


def test_concise_is_a_line_for_each_finding_with_exact_numbers(project):
    assert check(project, "concise", "--base", "was.yaml", "--max-params", "1").splitlines() == [
        f"models/net.yaml:7:3: error[CC201] params {PARAMS} over the max 247 (+1)",
        (
            f"models/net.yaml:7:3: error[CC203] params {PARAMS}, +31 (+14.3 %) from {WAS}, "
            "over the growth limit +5 %"
        ),
        (
            "convcost.yaml:2:58: error[CC202] models/net.yaml: receptive field 3 below the min 5 "
            "of budget `mobile` (-2)"
        ),
        f"models/net.yaml: error[CC201] params {PARAMS} over the max 1 (+{PARAMS - 1})",
        (
            "models/net.yaml:8:26: warning[CC204] macs of `stem` 7,776 over the warning "
            "limit 7,775 (+1)"
        ),
        "7 limits checked: 2 within, 4 exceeded, 1 near",
    ]


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({}, "net.yaml:2:3: error[CC201] params 5 over the max 4 (+1)"),
        ({"span": None, "file": "the command line"}, "net.yaml: error[CC201] params 5 over the max 4 (+1)"),  # noqa: E501  a row of the table
        ({"limit": 320_000_000, "found": 320_000_001}, "net.yaml:2:3: error[CC201] params 320,000,001 over the max 320,000,000 (+1)"),  # noqa: E501  a row of the table
        ({"network": "b"}, "net.yaml:2:3: error[CC201] b: params 5 over the max 4 (+1)"),
        ({"scope": "group", "path": "a/*"}, "net.yaml:2:3: error[CC201] params of all layers that match `a/*` 5 over the max 4 (+1)"),  # noqa: E501  a row of the table
        ({"level": "passed", "found": 4}, "net.yaml:2:3: passed[CC201] params 4 within the max 4"),
        ({"level": "skipped", "reason": "its macs are uncounted: a"}, "net.yaml:2:3: skipped[CC201] max of params is not checked: its macs are uncounted: a"),  # noqa: E501  a row of the table
        ({"level": "passed", "test": "min", "code": "CC202"}, "net.yaml:2:3: passed[CC202] params 5 not below the min 4"),  # noqa: E501  a row of the table
        ({"level": "skipped", "test": "grow", "code": "CC203", "reason": "there is no base"}, "net.yaml:2:3: skipped[CC203] growth limit of params is not checked: there is no base"),  # noqa: E501  a row of the table
        ({"level": "passed", "test": "grow", "code": "CC203", "limit": Growth(0, 1, 0, "0 %"), "base": 5}, "net.yaml:2:3: passed[CC203] params 5, 0 from 5, within the growth limit +0 %"),  # noqa: E501  a row of the table
        ({"test": "grow", "code": "CC203", "limit": Growth(1, 0, 0, "1"), "base": 0}, "net.yaml:2:3: error[CC203] params 5, +5 from 0, over the growth limit +1"),  # noqa: E501  a row of the table
    ],
)  # fmt: skip
def test_a_line_has_the_location_and_the_names_that_it_does_not_contain(changes, line):
    assert rendered("concise", finding(**changes)).splitlines()[0] == line


# GitHub


def commands(text: str) -> list[tuple[str, dict[str, str], str]]:
    """Workflow commands as GitHub documents and its runner reads them: level, properties, data."""
    found = []
    for line in text.splitlines():
        if match := re.fullmatch(r"\s*::(\w+) ([^:]*)::(.*)", line):
            pairs = (pair.split("=", 1) for pair in match[2].split(","))
            properties = {key: unescaped(value, ":,") for key, value in pairs}
            found.append((match[1], properties, unescaped(match[3], "")))
    return found


def unescaped(text: str, signs: str) -> str:
    for sign in ("\r", "\n", *signs, "%"):
        text = text.replace(f"%{ord(sign):02X}", sign)
    return text


def test_github_annotates_the_limit_with_every_number(project):
    reported = commands(check(project, "github", "--base", "was.yaml", "--max-macs", "1"))
    assert reported[0] == (
        "error",
        {"title": "convcost (CC201)", "file": "models/net.yaml", "line": "7", "col": "3"},
        (
            "models/net.yaml: params over the max\nlimit 247  (models/net.yaml:7)\n"
            f"found {PARAMS}  (+1)\nbase {WAS}  +31 (+14.3 %)\ngrew stem +27, head +4\n"
            "help Ask first."
        ),
    )
    places = [
        (level, properties["file"], properties.get("line")) for level, properties, _ in reported
    ]
    assert places == [
        ("error", "models/net.yaml", "7"),
        ("error", "models/net.yaml", "7"),
        ("error", "convcost.yaml", "2"),
        ("error", "models/net.yaml", None),
        ("warning", "models/net.yaml", "8"),
    ]


def test_github_has_errors_first_then_warnings_then_what_was_not_checked(tmp_path):
    """Ten of a level are shown of a step: none may be lost to what matters less."""
    limits = {"a": "{macs: {warn: 1}}", "b": "{params: {grow: 1%}}", "c": "{params: {max: 1}}"}
    for name, budget in limits.items():
        text = NET.split("budget:", maxsplit=1)[0].replace("name: net", f"name: {name}")
        (tmp_path / f"{name}.yaml").write_text(f"{text}budget: {budget}\n", "utf-8")
    reported = commands(check(tmp_path, "github", spec="."))
    assert [(level, properties["file"]) for level, properties, _ in reported] == [
        ("error", "c.yaml"),
        ("warning", "a.yaml"),
        ("notice", "b.yaml"),
    ]


def test_github_has_statements_as_notices_and_not_what_passed(project):
    text = rendered("github", finding(level="passed", found=4), statements=("net.yaml: new",))
    assert commands(text) == [("notice", {"title": "convcost"}, "net.yaml: new")]
    assert text.splitlines()[-1] == "1 limit checked: 1 within, 0 exceeded"


# Any text, and much of what a format gives a meaning to.
MEANT = [
    "%", "%0A", "%25", "%3A", ":", "::", ",", "=", "\r", "\n", "<", "&amp;", "]]>", "'", '"', "`",
    "##[", "{0}", "](", "\x1b", "\u202e", "\ue000", "\ud800", "é", "a",
]  # fmt: skip
TEXT = st.text(min_size=1) | st.lists(st.sampled_from(MEANT), min_size=1).map("".join)


@given(path=TEXT, file=TEXT, message=TEXT)
def test_github_reads_one_command_for_any_name(path, file, message):
    made = finding(scope="layer", path=path, file=file, spec=file, network="n", message=message)
    text = rendered("github", made)
    assert len(text.splitlines()) == 2
    ((level, properties, data),) = commands(text)
    assert level == "error"
    assert properties["file"] == printable(relative_to_root(file, NOWHERE))
    assert printable(f"params of `{path}` over the max") in data


# GitLab

REQUIRED = {  # of an issue, as GitLab documents them
    "description": str, "check_name": str, "fingerprint": str, "severity": str, "location": dict,
}  # fmt: skip
SEVERITIES = {"info", "minor", "major", "critical", "blocker"}


def issues(text: str) -> list[dict[str, Any]]:
    found = json.loads(text)
    for issue in found:
        assert {key: type(value) for key, value in issue.items()} == REQUIRED
        assert issue["severity"] in SEVERITIES
        assert list(issue["location"]) == ["path", "lines"]
        assert not issue["location"]["path"].startswith(("/", "./"))
        assert type(issue["location"]["lines"]["begin"]) is int
        assert issue["location"]["lines"]["begin"] >= 1
    assert len({issue["fingerprint"] for issue in found}) == len(found)
    return found


def test_gitlab_has_what_is_exceeded_near_and_not_checked_each_at_its_place(project):
    found = issues(check(project, "gitlab", "--max-params", "1"))
    reported = [
        (i["check_name"], i["severity"], i["location"]["path"], i["location"]["lines"]["begin"])
        for i in found
    ]
    assert reported == [
        ("CC201", "major", "models/net.yaml", 7),
        ("CC202", "major", "convcost.yaml", 2),
        ("CC201", "major", "models/net.yaml", 1),
        ("CC204", "minor", "models/net.yaml", 8),
        ("CC203", "info", "models/net.yaml", 7),
    ]
    assert found[0]["description"] == f"params {PARAMS} over the max 247 (+1)"


def marks(form: str, text: str) -> list[str]:
    if form == "gitlab":
        return [issue["fingerprint"] for issue in json.loads(text)]
    results = json.loads(text)["runs"][0]["results"]
    return [result["partialFingerprints"]["convcost/v1"] for result in results]


@pytest.mark.parametrize("form", ["gitlab", "sarif"])
def test_a_fingerprint_stays_the_same_if_lines_and_counts_change(project, form):
    before = marks(form, check(project, form))
    spec = project / "models" / "net.yaml"
    spec.write_text("# one\n# two\n" + NET.replace("conv: 8", "conv: 9"), "utf-8")
    assert marks(form, check(project, form)) == before
    spec.write_text(NET.replace("params:", "weights:"), "utf-8")
    assert marks(form, check(project, form)) != before


SHORT = st.text("ab/.", max_size=3)


@given(st.lists(st.builds(finding, path=SHORT, spec=SHORT, network=SHORT, budget=SHORT)))
def test_every_finding_has_its_own_fingerprint(found):
    reported = [finding.fingerprint for finding in locate_findings(found, NOWHERE)]
    assert len(set(reported)) == len(found)


# JUnit


def suites(text: str) -> list[junitparser.TestSuite]:
    ET.parse(BytesIO(text.encode()))
    return list(junitparser.JUnitXml.fromstring(text.encode()))


def outcome(case: junitparser.TestCase) -> str:
    return type(case.result[0]).__name__ if case.result else "Passed"


def test_junit_has_a_suite_for_each_spec_and_a_case_for_each_limit_kept_or_not(project):
    shutil.copy(project / "models" / "net.yaml", project / "models" / "other.yaml")
    one, two = suites(check(project, "junit", "--max-params", "1", spec="models"))
    assert (one.name, one.tests, one.failures, one.errors, one.skipped) == (
        "models/net.yaml", 7, 3, 0, 1,
    )  # fmt: skip
    assert two.name == "models/other.yaml"
    assert {case.classname for case in two} == {"models/other.yaml#net"}
    assert [(case.name, outcome(case)) for case in one] == [
        ("params: max", "Failure"),
        ("params: grow", "Skipped"),
        ("depth: max", "Passed"),
        ("macs of `stem`: warn", "Passed"),
        ("macs: max of budget `mobile` (convcost.yaml)", "Passed"),
        ("receptive field: min of budget `mobile` (convcost.yaml)", "Failure"),
        ("params: max (the command line)", "Failure"),
    ]
    failed = next(iter(one)).result[0]
    assert (failed.type, failed.message) == ("CC201", f"params {PARAMS} over the max 247 (+1)")
    assert failed.text.splitlines()[:2] == ["limit 247  (models/net.yaml:7)", "found 248  (+1)"]
    assert list(one)[3].system_out.splitlines()[0] == (
        "warning: macs of `stem` 7,776 over the warning limit 7,775 (+1)"
    )


def test_junit_counts_all_suites_and_has_statements_in_one_without_cases():
    text = rendered("junit", finding(), finding(level="passed"), statements=("a: new", "<b>"))
    root = ET.fromstring(text)
    assert root.attrib == {
        "name": "convcost", "tests": "2", "failures": "1", "errors": "0", "skipped": "0",
    }  # fmt: skip
    assert root[0].findtext("system-out") == "a: new\n<b>"
    assert [suite.get("tests") for suite in root] == ["0", "2"]


@given(path=TEXT, spec=TEXT, message=TEXT)
def test_junit_is_ascii_and_is_read_back_for_any_name(path, spec, message):
    text = rendered(
        "junit",
        finding(path=path, scope="layer", file=spec, spec=spec, budget="b<", message=message),
    )
    assert text.isascii()
    case = ET.fromstring(text)[0][0]
    assert case.findtext("failure").splitlines()[-1:] == [printable(f"help {message}")]
    assert case.get("name") == printable(f"params of `{path}`: max of budget `b<`")
    assert ET.fromstring(text)[0].get("name") == printable(relative_to_root(spec, NOWHERE))


# SARIF


def conforms(value: Any, kind: Any) -> None:
    """Whether a value of JSON is what a type of `pysarif` allows: every key known, none missing."""
    if kind is Any:
        return
    if get_origin(kind) is Literal:
        assert value in get_args(kind)
    elif get_origin(kind) is Union:
        (inner,) = (arg for arg in get_args(kind) if arg is not type(None))
        conforms(value, inner)
    elif get_origin(kind) is list:
        for item in value:
            conforms(item, get_args(kind)[0])
    elif is_dataclass(kind):
        keys = {key_of(field.name): field for field in fields(kind)}
        assert set(value) <= set(keys)
        assert {
            key for key, field in keys.items()
            if field.default is MISSING and field.default_factory is MISSING
        } <= set(value)  # fmt: skip
        types = get_type_hints(kind)
        for key, item in value.items():
            conforms(item, types[keys[key].name])
    else:
        assert type(value) is kind


def key_of(name: str) -> str:
    head, *rest = name.split("_")
    return "$schema" if name == "schema" else head + "".join(part.title() for part in rest)


def sarif(text: str) -> dict[str, Any]:
    """The one run of a log, once it is known to be one of SARIF 2.1.0."""
    assert text.isascii()
    log = json.loads(text)
    conforms(log, pysarif.SarifLog)
    (made,) = log["runs"]
    rules = [rule["id"] for rule in made["tool"]["driver"]["rules"]]
    for result in made["results"]:
        assert rules[result["ruleIndex"]] == result["ruleId"]
        for location in result["locations"]:
            region = location["physicalLocation"].get("region", {"startLine": 1})
            assert all(number >= 1 for number in region.values())
    return made


def test_sarif_has_the_rules_and_each_finding_at_its_place(project):
    made = sarif(check(project, "sarif", "--max-params", "1"))
    driver = made["tool"]["driver"]
    assert {key: driver[key] for key in ("name", "semanticVersion")} == {
        "name": "convcost", "semanticVersion": "0.1.0",
    }  # fmt: skip
    assert [rule["id"] for rule in driver["rules"]] == ["CC201", "CC202", "CC203", "CC204"]
    assert made["invocations"] == [{"executionSuccessful": True, "toolExecutionNotifications": []}]
    reported = [
        (r["ruleId"], r["level"], r["locations"][0]["physicalLocation"]) for r in made["results"]
    ]
    spec = {"artifactLocation": {"uri": "models/net.yaml"}}

    def at(line: int, column: int, end: int) -> dict[str, Any]:
        return {
            "region": {
                "startLine": line, "startColumn": column, "endLine": line, "endColumn": end,
            }
        }  # fmt: skip

    assert reported == [
        ("CC201", "error", spec | at(7, 3, 9)),
        ("CC202", "error", {"artifactLocation": {"uri": "convcost.yaml"}} | at(2, 58, 73)),
        ("CC201", "error", spec),
        ("CC204", "warning", spec | at(8, 26, 30)),
        ("CC203", "note", spec | at(7, 3, 9)),
    ]
    assert made["results"][0]["message"] == {"text": f"params {PARAMS} over the max 247 (+1)"}


def test_sarif_has_what_passed_on_request_and_statements_as_notifications(project):
    quiet = sarif(check(project, "sarif"))["results"]
    full = sarif(check(project, "sarif", "--report-passed"))["results"]
    passed = [r for r in full if r not in quiet]
    assert [(r["ruleId"], r["kind"], r["level"]) for r in passed] == [("CC201", "pass", "none")] * 2
    made = sarif(rendered("sarif", statements=("a.yaml: new",)))
    assert made["invocations"][0]["toolExecutionNotifications"] == [
        {"level": "note", "message": {"text": "a.yaml: new"}}
    ]


def test_sarif_text_has_no_placeholder_and_no_link_of_a_name():
    made = sarif(rendered("sarif", finding(scope="layer", path="[a](http://b){0}")))
    (result,) = made["results"]
    assert r"`\[a\](http://b){{0}}`" in result["message"]["text"]


@given(
    name=st.text(st.characters(exclude_characters="/\\\0", exclude_categories=["Cs"]), min_size=1)
)
def test_an_address_in_sarif_leads_back_to_the_file(name):
    (result,) = sarif(rendered("sarif", finding(file=f"a/{name}")))["results"]
    uri = result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    assert re.fullmatch(r"[A-Za-z0-9._~/%-]+", uri)
    assert unquote(uri) == relative_to_root(f"a/{name}", NOWHERE)


def test_a_file_outside_of_the_current_folder_has_an_absolute_address(tmp_path):
    made = sarif(
        rendered("sarif", finding(file=str(tmp_path / "a b.yaml")), root=Root("/else", "/else"))
    )
    uri = made["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    assert uri == f"file://{tmp_path}/a%20b.yaml"


# CSV and TSV

COLUMNS = [
    "level", "code", "spec", "network", "budget", "scope", "path", "measure", "test", "limit",
    "found", "base", "change", "file", "line", "message", "reason",
]  # fmt: skip


@pytest.mark.parametrize(("form", "sign"), [("csv", ","), ("tsv", "\t")])
def test_for_a_spreadsheet_there_is_one_header_and_a_row_for_each_finding(project, form, sign):
    text = check(project, form, "--base", "was.yaml", "--max-params", "1", "--report-passed")
    head, *rows = csv.reader(text.splitlines(), delimiter=sign)
    assert head == COLUMNS
    found = [dict(zip(head, row, strict=True)) for row in rows]
    answer = json.loads(
        check(project, "json", "--base", "was.yaml", "--max-params", "1", "--report-passed")
    )["findings"]
    assert found == [
        {key: "" if entry[key] is None else str(entry[key]) for key in COLUMNS} for entry in answer
    ]
    assert len(found) == 7
    assert list(found[1].values()) == [
        "error", "CC203", "models/net.yaml", "net", "", "total", "", "params", "grow", "5 %",
        str(PARAMS), str(WAS), str(PARAMS - WAS), "models/net.yaml", "7", "Ask first.", "",
    ]  # fmt: skip


# Read by people


def test_skipped_limits_are_listed_in_a_table_and_only_counted_if_no_base_is_given(project):
    text = check(project, "plain")
    assert "Not checked" not in text
    assert text.splitlines()[-3:-1] == [
        "5 limits checked: 2 within, 2 exceeded, 1 near, 1 not checked",
        "Growth was not checked: there is no base; add one, such as --base git:origin/main...",
    ]
    text = check(project, "plain", "--base", "git:none", "--allow-missing-base")
    at = text.index("Not checked\n")
    assert text[at:].split("\n\n")[1].split("\n") == [
        "spec             measure  test          limit  found  where              reason",
        "models/net.yaml  params   growth limit   +5 %    248  models/net.yaml:7  there is no base",
    ]


TWICE = "{name: net, input: {channels: 1, size: 8}, layers: [{conv: 1, kernel: 1}], budget: %s}"


@pytest.mark.parametrize("grow", [False, True])
def test_two_limits_on_one_measure_are_never_two_equal_rows(grow, tmp_path):
    limit = "{macs: {max: 64}, params: {grow: 1%}}" if grow else "{macs: {max: 64}}"
    (tmp_path / "net.yaml").write_text(TWICE % limit, "utf-8")
    (tmp_path / "convcost.yaml").write_text(f"budgets: [{limit}, {limit}]\n", "utf-8")
    options = ("--report-passed", "--base", "base.json", "--allow-missing-base")
    tables = check(tmp_path, "plain", *options, spec="net.yaml").split("\n\n")
    rows = [line for text in tables[1:4:2] for line in text.splitlines() if "net.yaml  " in line]
    assert len(set(rows)) == len(rows) == (6 if grow else 3)
    assert {"net.yaml:1", "convcost.yaml:1, column 12"} <= {
        row.split("  ")[-1] for row in rows if " max " in row
    }
    cells = [
        line
        for line in check(tmp_path, "markdown", *options, spec="net.yaml").splitlines()
        if line.startswith("| net.yaml |") and "max" in line
    ]
    assert len(set(cells)) == len(cells) == 3
    junit = check(tmp_path, "junit", *options, spec="net.yaml")
    names = re.findall(r"<testcase [^>]*name=[^>]*>", junit)
    assert len(set(names)) == len(names) == (6 if grow else 3)


def test_without_a_base_layers_have_sizes_and_no_signs(project):
    assert f"\nmost   stem {STEM}, head {HEAD}\n" in check(project, "plain")


UNCOUNTED = """\
name: net
input: {channels: 3, size: 8}
layers:
  - {conv: 8, kernel: 3, name: stem}
  - {custom: magic, params: 0, macs: %s, name: magic}
budget:
  macs: {%s}
  layers: [{match: "*", macs: {%s}}]
  groups: [{match: "m*", macs: {%s}}]
"""
KNOWN = STEM * 6 * 6
WHY = "its macs are uncounted: magic"


@pytest.mark.parametrize(
    ("limit", "total", "layers", "group"),
    [
        (f"max: {KNOWN}", "skipped", ["passed", "skipped"], "skipped"),
        (f"max: {KNOWN - 1}", "error", ["error", "skipped"], "skipped"),
        (f"warn: {KNOWN}", "skipped", ["passed", "skipped"], "skipped"),
        (f"warn: {KNOWN - 1}", "warning", ["warning", "skipped"], "skipped"),
        (f"min: {KNOWN}", "passed", ["passed", "skipped"], "skipped"),
        (f"min: {KNOWN + 1}", "skipped", ["error", "skipped"], "skipped"),
    ],
)
def test_a_limit_of_unknown_macs_is_skipped_unless_the_known_ones_decide_it(
    limit, total, layers, group, tmp_path
):
    text = UNCOUNTED % ("uncounted", limit, limit, limit)
    (tmp_path / "net.yaml").write_text(text, "utf-8")
    found = json.loads(check(tmp_path, "json", "--report-passed", spec="net.yaml"))["findings"]
    levels = {(entry["scope"], entry["path"]): entry["level"] for entry in found}
    assert levels == {
        ("total", ""): total,
        ("layer", "stem"): layers[0],
        ("layer", "magic"): layers[1],
        ("group", "m*"): group,
    }
    assert {entry["reason"] for entry in found} == {"", WHY}
    assert all((entry["level"] == "skipped") == (entry["reason"] == WHY) for entry in found)


@pytest.mark.parametrize(
    ("now", "was", "filters", "level", "reason"),
    [
        ("uncounted", "0", 8, "skipped", WHY),
        ("uncounted", "0", 7, "error", ""),
        ("0", "uncounted", 8, "passed", ""),
        ("0", "uncounted", 7, "skipped", "its macs are uncounted in the base: magic"),
        ("uncounted", "uncounted", 7, "skipped", WHY),
        ("0", "0", 8, "passed", ""),
    ],
)
def test_growth_of_unknown_macs_passes_only_if_known_macs_decide_it(
    now, was, filters, level, reason, tmp_path
):
    limits = ("grow: 1%", "max: 1G", "max: 1G")
    (tmp_path / "net.yaml").write_text(UNCOUNTED % (now, *limits), "utf-8")
    base = (UNCOUNTED % (was, *limits)).replace("conv: 8", f"conv: {filters}")
    (tmp_path / "was.yaml").write_text(base, "utf-8")
    reported = check(tmp_path, "json", "--base", "was.yaml", "--report-passed", spec="net.yaml")
    (found,) = [
        finding for finding in json.loads(reported)["findings"] if finding["test"] == "grow"
    ]
    assert (found["level"], found["reason"]) == (level, reason)
    change = (8 - filters) * 3 * 3 * 6 * 6 if "uncounted" not in (now, was) else None
    assert found["change"] == change


def test_a_layer_whose_macs_were_unknown_has_not_grown(tmp_path):
    limits = ("grow: 1%", "max: 1G", "max: 1G")
    for name, macs, filters in (("was", "uncounted", 4), ("net", "7", 8)):
        text = (UNCOUNTED % (macs, *limits)).replace("conv: 8", f"conv: {filters}")
        (tmp_path / f"{name}.yaml").write_text(text, "utf-8")
    options = ("--base", "was.yaml", "--max-macs", "1")
    reported = check(tmp_path, "plain", *options, spec="net.yaml")
    (grew,) = (line for line in reported.splitlines() if line.startswith("grew"))
    assert grew.split(maxsplit=1)[1].startswith("stem +")
    assert "magic" not in grew


def test_a_layer_without_a_base_is_reported_as_new(project):
    rule = "layers: [{match: '*', macs: {grow: 1%}}]"
    (project / "a.yaml").write_text(
        NET.split("budget:", maxsplit=1)[0] + f"budget: {{{rule}}}\n", "utf-8"
    )
    was = NET.split("budget:", maxsplit=1)[0].replace(NET.splitlines()[4] + "\n", "")
    (project / "was.yaml").write_text(was, "utf-8")
    reported = check(project, "concise", "--base", "was.yaml", spec="a.yaml")
    assert "growth limit of macs of `head` is not checked: the layer is new\n" in reported


@pytest.mark.parametrize(
    ("limit", "level", "found"),
    [("max: 7", "passed", 7), ("max: 6", "error", 7), ("min: 3", "passed", 3),
     ("min: 4", "error", 3), ("warn: 6", "warning", 7)],
)  # fmt: skip
def test_the_receptive_field_is_at_most_its_longest_and_at_least_its_shortest_side(
    limit, level, found, tmp_path
):
    text = "name: n\ninput: {channels: 3, size: 9}\nlayers: [{conv: 8, kernel: [3, 7]}]\n"
    (tmp_path / "net.yaml").write_text(f"{text}budget: {{receptive_field: {{{limit}}}}}\n", "utf-8")
    (one,) = json.loads(check(tmp_path, "json", "--report-passed", spec="net.yaml"))["findings"]
    assert (one["level"], one["found"]) == (level, found)


# All of them


@pytest.mark.parametrize("form", NEEDY)
@pytest.mark.parametrize(
    "command",
    [
        ("analyze", "vgg16"),
        ("analyze", "vgg16", "--size", "224,256"),
        ("compare", "vgg16", "alexnet"),
        ("explain", "vgg16", "fc8"),
        ("verify", "vgg16"),
        ("reduce", "vgg16", "conv5/conv_1/conv_1", "--channels", "1/4", "--write", "new.yaml"),
        ("kinds",),
    ],
    ids=" ".join,
)
def test_a_format_of_findings_is_refused_where_there_are_none(form, command, tmp_path):
    ran = run(*command, "-o", "x.csv", "-o", f"{form}:-", cwd=tmp_path)
    assert ran.returncode == 2
    assert ran.stdout == b""
    assert ran.stderr.decode() == (
        f"error: the format `{form}` writes the findings of `convcost check`; "
        "this report has no findings\n"
    )
    assert list(tmp_path.iterdir()) == []


def test_several_are_written_at_once_and_before_a_failing_exit(project):
    asked = ("-o", "sarif:all", "-o", "junit:j", "-o", "gitlab:q.json", "--format", "github")
    ran = run("check", "models/net.yaml", *asked, cwd=project)
    assert ran.returncode == 1
    assert commands(ran.stdout.decode())[0][0] == "error"
    assert sarif((project / "all").read_text())["results"]
    assert suites((project / "j").read_text())[0].failures == 2
    assert issues((project / "q.json").read_text())


def test_the_suffix_of_a_file_names_its_format(project):
    ran = run("check", "models/net.yaml", "-o", "a.sarif", "-o", "b.xml", "-o", "-", cwd=project)
    assert ran.returncode == 1
    assert ran.stdout.startswith(b"models/net.yaml: error\n")
    assert sarif((project / "a.sarif").read_text())["results"]
    assert suites((project / "b.xml").read_text())[0].failures == 2


@pytest.mark.parametrize("form", NEEDY)
def test_the_output_does_not_depend_on_the_folder_or_spelling_of_a_path(form, project):
    named = check(project, form, "--base", "was.yaml")
    moved = project / "deeper" / "copy"
    moved.mkdir(parents=True)
    for name in ("models", "convcost.yaml", "was.yaml"):
        shutil.move(project / name, moved / name)
    whole = moved / "models" / "net.yaml"
    assert check(moved, form, "--base", "was.yaml", spec=str(whole)) == named
    assert check(moved, form, "--base", "was.yaml", spec="./models/net.yaml") == named


def repository(project: Path) -> Path:
    (project / ".git").mkdir()
    (project / ".git/HEAD").write_text("ref: refs/heads/main\n", "utf-8")
    shutil.copy(project / "models" / "net.yaml", project / "models" / "other.yaml")
    return project


@pytest.mark.parametrize("form", [name for name in NEEDY if name != "concise"])
def test_file_names_are_relative_to_the_repository_in_every_folder(form, project):
    root = repository(project)
    asked = ("--max-params", "1")
    named = check(root, form, "--max-params", "1")
    for folder, spec in (
        ("models", "net.yaml"),
        ("models", "../models/./net.yaml"),
        (".", "models/../models/net.yaml"),
        ("models", str(root / "models" / "net.yaml")),
    ):
        assert check(root / folder, form, *asked, spec=spec) == named
    assert str(root) not in named


def test_concise_lines_are_for_an_editor_in_the_current_folder(project):
    lines = check(repository(project) / "models", "concise", spec="../models/net.yaml")
    assert lines.startswith("net.yaml:7:3: error[CC201] ")


@pytest.mark.parametrize(("form", "count"), [("gitlab", 3), ("sarif", 3)])
def test_a_fingerprint_is_the_same_on_every_machine_for_a_spec_outside_the_repository(
    form, count, tmp_path
):
    """A spec outside has an absolute path, and a checkout may lie anywhere."""
    found = []
    for machine in ("one", "two/deeper"):
        inside = tmp_path / machine / "checkout"
        (inside / ".git").mkdir(parents=True)
        (inside / ".git/HEAD").write_text("ref: refs/heads/main\n", "utf-8")
        (inside.parent / "net.yaml").write_text(NET, "utf-8")
        found.append(marks(form, check(inside, form, spec="../net.yaml")))
    assert found[0] == found[1]
    assert len(found[0]) == count


def test_an_input_that_is_not_a_file_has_the_name_from_the_command(project):
    (project / ".git").mkdir()
    ran = run("check", "-", "--format", "gitlab", text=NET, cwd=project / "models")
    assert {issue["location"]["path"] for issue in issues(ran.stdout.decode())} == {"<stdin>"}
    reported = check(project / "models", "gitlab", "--max-params", "1", spec="vgg16")
    assert {issue["location"]["path"] for issue in issues(reported)} == {"vgg"}


@pytest.mark.parametrize("form", ["gitlab", "sarif"])
def test_two_equal_budgets_never_share_a_fingerprint(form, tmp_path):
    (tmp_path / "net.yaml").write_text(NET.split("budget:", maxsplit=1)[0], "utf-8")
    found = {}
    for low, high in ((1, 2), (PARAMS, 2), (1, PARAMS)):
        limits = "".join(f"  - {{params: {{max: {most}}}}}\n" for most in (low, high))
        (tmp_path / "convcost.yaml").write_text(f"budgets:\n{limits}", "utf-8")
        found[low, high] = marks(form, check(tmp_path, form, spec="net.yaml"))
    first, second = found[1, 2]
    assert found == {(1, 2): [first, second], (PARAMS, 2): [second], (1, PARAMS): [first]}


@pytest.mark.parametrize(
    ("form", "text"),
    [
        ("concise", "1 limit checked: 1 within, 0 exceeded\n"),
        ("github", "1 limit checked: 1 within, 0 exceeded\n"),
        ("gitlab", "[]\n"),
    ],
)
def test_without_findings_nothing_is_reported(form, text, tmp_path):
    (tmp_path / "net.yaml").write_text(NET.split("budget:", maxsplit=1)[0], "utf-8")
    assert check(tmp_path, form, "--max-params", str(PARAMS), spec="net.yaml") == text
    assert (
        sarif(check(tmp_path, "sarif", "--max-macs", str(MACS), spec="net.yaml"))["results"] == []
    )


@pytest.mark.parametrize("form", NEEDY)
def test_an_output_that_is_ascii_only_gets_what_can_be_read(form, tmp_path):
    text = NET.replace("name: net", "name: é×→中").replace("name: stem", "name: é×→中")
    (tmp_path / "net.yaml").write_text(text.replace("match: stem", "match: é×→中"), "utf-8")
    asked = ("check", "net.yaml", "--format", form)
    ran = run(*asked, cwd=tmp_path, PYTHONUTF8="0", PYTHONIOENCODING="ascii")
    assert ran.returncode == 1
    out = ran.stdout.decode("ascii")
    reads = {"gitlab": issues, "junit": suites, "sarif": sarif, "github": commands}
    assert reads.get(form, str.splitlines)(out)


@pytest.mark.parametrize("form", NEEDY)
def test_a_spec_from_a_pipe_has_results_too(form):
    ran = run("check", "-", "--format", form, text=NET)
    assert ran.returncode == 1
    assert ran.stdout
    assert ran.stderr == b""
