"""Baselines: readable diffs, careful reading, and no growth by accident."""

import json
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st
from report_forms import distinct, validator
from repository import BODY, STEM, Repository, net
from support import SHIPPED, cost, first_costs, run

from convcost import __version__
from convcost.commands.update_baseline import update_baseline
from convcost.reports.check import moved_networks
from convcost.reports.check.baseline import BaselineError, format_baseline, parse_baseline
from convcost.reports.check.measures import measure_network
from convcost.sources.check_inputs import CheckRequest

SCHEMA = validator("convcost.baseline/1")
PARAMS = STEM + BODY


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "net.yaml").write_text(net(), "utf-8")
    assert update(tmp_path).returncode == 0
    return tmp_path


def update(folder, *arguments, specs=("net.yaml",)):
    return run("check", *specs, "--base", "b.json", "--update-baseline", *arguments, cwd=folder)


def entries(file):
    """The specs that a baseline names."""
    return list(json.loads(file.read_text("utf-8"))["specs"])


def check(folder, *arguments):
    ran = run("check", "net.yaml", "--base", "b.json", *arguments, "--format", "json", cwd=folder)
    return ran.returncode, json.loads(ran.stdout) if ran.stdout else ran.stderr.decode()


# The file


def test_a_baseline_has_a_line_for_each_layer_and_only_integers(folder):
    text = (folder / "b.json").read_text("utf-8")
    layers = """\
        "layers": [
          {"path": "stem", "kind": "conv", "output": {"channels": 8, "size": [6, 6]}, "weights": 216, "macs": 7776, "activations": 288},
          {"path": "body/a", "kind": "conv", "output": {"channels": 8, "size": [6, 6]}, "weights": 64, "macs": 2304, "activations": 288},
          {"path": "body/b", "kind": "conv", "output": {"channels": 8, "size": [6, 6]}, "weights": 64, "macs": 2304, "activations": 288}
        ]
"""  # noqa: E501  as it stands in the file
    assert layers in text
    assert text.endswith("}\n")
    totals = json.loads(text)["specs"]["net.yaml"]["net"]["totals"]
    assert totals == {
        "weights": PARAMS,
        "biases": 0,
        "params": PARAMS,
        "trainable": PARAMS,
        "buffers": 0,
        "macs": PARAMS * 6 * 6,
        "activations": 3 * 8 * 6 * 6,
        "active": PARAMS,
        "largest_activation": 8 * 6 * 6,
        "depth": 3,
        "receptive_field": 3,
    }


@pytest.mark.parametrize("spec", SHIPPED)
def test_a_written_baseline_is_valid_and_read_back_unchanged(spec):
    first = first_costs(spec)
    text = format_baseline({f"{spec}.yaml": {first.network.name: measure_network(first)}})
    assert list(SCHEMA.iter_errors(distinct(json.loads(text))[0])) == []
    assert format_baseline(parse_baseline(text)) == text


@given(st.permutations(["b.yaml", "a.yaml", "a/b.yaml", "é.yaml", 'q"\\.yaml']))
def test_the_order_of_specs_does_not_change_the_file(names):
    one = measure_network(cost(net()))
    baseline = {name: {"z": one._replace(name="z"), "net": one} for name in names}
    text = format_baseline(baseline)
    assert text == format_baseline(
        {name: dict(reversed(baseline[name].items())) for name in sorted(names)}
    )
    assert list(json.loads(text)["specs"]) == sorted(names)


def test_a_baseline_of_the_largest_counts_is_read_back(tmp_path):
    (tmp_path / "net.yaml").write_text(
        "name: net\ninput: {channels: 1000000000, size: [1000000000, 1000000000, 1000000000]}\n"
        "layers: [{upsample: 1000000}, {conv: 1000000000, kernel: 1}]\n"
    )
    assert update(tmp_path).returncode == 0
    code, found = check(tmp_path, "--max-growth", "0")
    assert (code, found["summary"]["passed"]) == (0, 2)
    assert found["networks"][0]["base"]["macs"] == 10**9 * 10**9 * (10**15) ** 3


def test_a_spec_is_named_by_its_path_relative_to_the_baseline(folder):
    (folder / "ci").mkdir()
    (folder / "models").mkdir()
    (folder / "models" / "a.yaml").write_text(net(), "utf-8")
    base = ("--base", "../ci/b.json")
    run("check", "a.yaml", "googlenet", *base, "--update-baseline", cwd=folder / "models")
    written = json.loads((folder / "ci" / "b.json").read_text("utf-8"))
    assert list(written["specs"]) == ["../models/a.yaml", "shipped:googlenet"]
    ran = run("check", "models", "vgg16", "--base", "ci/b.json", "--max-growth", "0", cwd=folder)
    assert ran.returncode == 0
    assert "skipped" not in ran.stdout.decode().splitlines()[-4]
    assert "deleted" not in ran.stdout.decode()


# Growth over it


def test_growth_over_a_baseline_is_exact(folder):
    (folder / "net.yaml").write_text(net(9, "{layers: [{match: stem, params: {grow: 10%}}]}"))
    code, answer = check(folder, "--max-growth", "2%")
    assert code == 1
    reported = {(f["measure"], f["path"]): (f["base"], f["change"]) for f in answer["findings"]}
    assert reported == {
        ("params", "stem"): (STEM, 27),
        ("params", ""): (PARAMS, 27 + 8),
        ("macs", ""): (PARAMS * 6 * 6, (27 + 8) * 6 * 6),
    }
    assert answer["against"] == "b.json"


@given(st.integers(1, 12), st.integers(1, 12))
def test_a_baseline_gives_the_same_findings_as_the_spec(before, after):
    old, new = measure_network(cost(net(before))), measure_network(cost(net(after)))
    read = parse_baseline(format_baseline({"x": {"net": old}}))["x"]["net"]
    assert (read.depth, read.receptive_field, read.inputs) == (
        old.depth,
        old.receptive_field,
        old.inputs,
    )
    for one, other in zip(read.layers, old.layers, strict=True):
        assert one._replace(field=other.field) == other
    assert [row.path for row in new.layers] == [row.path for row in read.layers]


def test_a_baseline_of_an_older_version_lacks_totals_that_its_layers_have():
    text = format_baseline({"x": {"net": measure_network(cost(net()))}})
    tree = json.loads(text)
    for part in ("trainable", "active"):
        assert tree["specs"]["x"]["net"]["totals"].pop(part) == PARAMS
    assert format_baseline(parse_baseline(json.dumps(tree))) == text


def test_a_baseline_has_the_types_of_each_layer():
    types = "dtype: {all: int8, layers: [{match: stem, weights: int4}, {match: 'b*', all: int16}]}"
    old = measure_network(cost(f"{net()}\n{types}"))
    read = parse_baseline(format_baseline({"x": {"net": old}}))["x"]["net"]
    assert read.dtypes() == old.dtypes()
    assert read.total("flash") == old.total("flash") == STEM // 2 + 2 * BODY


# The ratchet


def test_a_baseline_that_would_grow_is_not_written(folder):
    before = (folder / "b.json").read_bytes()
    (folder / "net.yaml").write_text(net(9), "utf-8")
    ran = update(folder, "--format", "json")
    assert ran.returncode == 1
    assert ran.stderr == b""
    answer = json.loads(ran.stdout)
    assert [(f["measure"], f["base"], f["change"]) for f in answer["findings"]] == [
        ("weights", PARAMS, 27 + 8),
        ("params", PARAMS, 27 + 8),
        ("macs", PARAMS * 6 * 6, (27 + 8) * 6 * 6),
        ("activations", 3 * 8 * 6 * 6, 6 * 6),
        ("largest_activation", 8 * 6 * 6, 6 * 6),
    ]
    assert answer["statements"] == [
        "b.json is not written: 5 counts grew; accept growth with --allow-growth"
    ]
    assert (folder / "b.json").read_bytes() == before
    allowed = update(folder, "--allow-growth")
    assert (allowed.returncode, allowed.stderr) == (0, b"wrote b.json\n")
    assert check(folder, "--max-growth", "0")[0] == 0


def test_macs_that_become_unknown_are_growth_that_must_be_accepted(tmp_path):
    """Else a baseline without them would hide any growth of a later change."""

    def write(macs, filters=4):
        layers = f"[{{conv: {filters}, kernel: 3}}, {{custom: x, params: 5, macs: {macs}}}]"
        text = f"name: n\ninput: {{channels: 3, size: 8}}\nlayers: {layers}\n"
        (tmp_path / "net.yaml").write_text(text)

    write(1000)
    assert update(tmp_path).returncode == 0
    write("uncounted")
    text = (tmp_path / "b.json").read_bytes()
    refused = update(tmp_path)
    assert refused.returncode == 1
    macs = 4 * 3 * 3 * 3 * 6 * 6
    printed = refused.stdout.decode()
    assert f"found  at least {macs:,}\nbase   {macs + 1000:,}  ?\n" in printed
    reason = "b.json is not written: 2 counts grew or may have grown; accept growth with"
    assert reason in printed
    assert (tmp_path / "b.json").read_bytes() == text
    accepted = update(tmp_path, "--allow-growth")
    assert accepted.returncode == 0
    verdict = "the new b.json is accepted: 2 counts grew or may have grown\n"
    assert verdict in accepted.stdout.decode()
    # What was unknown before may stay so. More known macs may be growth.
    assert update(tmp_path).returncode == 0
    write("uncounted", filters=3)
    assert update(tmp_path).returncode == 0
    for stated, filters in (("uncounted", 4), (10**9, 3)):
        write(stated, filters)
        assert update(tmp_path).returncode == 1


def test_smaller_and_new_networks_are_written(folder):
    (folder / "net.yaml").write_text(net(7) + "---\n" + net().replace("name: net", "name: new"))
    (folder / "other.yaml").write_text(net(), "utf-8")
    assert update(folder, specs=("net.yaml", "other.yaml")).returncode == 0
    specs = json.loads((folder / "b.json").read_text("utf-8"))["specs"]
    assert specs["net.yaml"]["net"]["totals"]["params"] == 7 * 27 + 7 * 8 + 64
    assert list(specs["net.yaml"]) == ["net", "new"]
    assert list(specs) == ["net.yaml", "other.yaml"]


@pytest.mark.parametrize(
    ("budget", "refused"),
    [
        ("", []),
        ("{layers: [{match: body/a, macs: {grow: 50%}}]}", [("layer", "body/a")]),
        ("{layers: [{match: body/a, macs: {max: 1M}}]}", []),
        # The first rule that matches counts, here as everywhere.
        ("{layers: [{match: body/*, params: {max: 1M}}, {match: '*', macs: {grow: 1%}}]}", []),
        ("{groups: [{match: body/a, macs: {grow: 90%, grow_floor: 1M}}]}", [("group", "body/a")]),
        # The receptive field is not a cost.
        ("{receptive_field: {grow: 90%}}", []),
    ],
)
@pytest.mark.parametrize("name", ["a", "renamed"])
def test_layers_and_groups_under_a_grow_rule_may_not_grow_in_a_baseline(
    folder, budget, refused, name
):
    # A smaller stem pays for a larger layer, so that no total but the receptive field grows.
    grown = net(2, budget).replace("conv: 8, kernel: 1, name: a}", "conv: 9, kernel: 3, name: a}")
    renamed = grown.replace("name: a}", f"name: {name}}}").replace("body/a", f"body/{name}")
    (folder / "net.yaml").write_text(renamed, "utf-8")
    ran = update(folder, "--format", "json")
    found = [(f["scope"], f["path"]) for f in json.loads(ran.stdout)["findings"]]
    expected = [(scope, path.replace("body/a", f"body/{name}")) for scope, path in refused]
    assert (ran.returncode, found) == (1 if refused else 0, expected)


@pytest.mark.parametrize(
    ("budget", "found"),
    [
        ("{}", []),
        ("{flash: {grow: 900%}}", [("flash", PARAMS, 3 * PARAMS)]),
        ("{bytes: {grow: 1M, grow_floor: 1M}}", [("bytes", PARAMS, 3 * PARAMS)]),
        ("{flash: {grow: 0, dtype: int8}, memory: {grow: 0}}", []),
    ],
)
def test_bytes_under_a_grow_rule_may_not_grow_in_a_baseline_by_the_types_of_numbers(
    folder, budget, found
):
    small = net(8, budget) + "dtype: int8\n"
    (folder / "net.yaml").write_text(small, "utf-8")
    assert update(folder).returncode == 0
    (folder / "net.yaml").write_text(small.replace("int8\n", "float32\n"), "utf-8")
    ran = update(folder, "--format", "json")
    findings = json.loads(ran.stdout)["findings"]
    assert [(f["measure"], f["base"], f["change"]) for f in findings] == found
    assert ran.returncode == (1 if found else 0)
    assert update(folder, "--allow-growth").returncode == 0


def test_a_layer_that_only_has_another_name_is_written_to_a_baseline(folder):
    budget = "{layers: [{match: '*', params: {grow: 0}, macs: {grow: 0}}]}"
    renamed = net(8, budget).replace("name: a}", "name: c}").replace("stem", "trunk")
    (folder / "net.yaml").write_text(renamed, "utf-8")
    ran = update(folder, "--report-passed", "--format", "json")
    findings = json.loads(ran.stdout)["findings"]
    layers = [(f["path"], f["measure"], f["change"]) for f in findings if f["scope"] == "layer"]
    assert layers == [
        (path, measure, 0)
        for path in ("trunk", "body/c", "body/b")
        for measure in ("params", "macs")
    ]
    assert ran.returncode == 0


def reported(ran):
    """The exit code, and the statements of an answer."""
    assert ran.returncode in (0, 1), ran.stderr.decode()
    return ran.returncode, json.loads(ran.stdout)["statements"]


def two(first, second, filters):
    """A file of two networks; the second has so many filters."""
    one = net().replace("name: net", f"name: {first}")
    return f"{one}---\n{net(filters).replace('name: net', f'name: {second}')}"


@pytest.mark.parametrize(
    ("filters", "written"), [(7, True), (8, True), (9, False)], ids=["less", "same", "more"]
)
def test_a_renamed_spec_is_compared_with_the_deleted_one(folder, filters, written):
    (folder / "net.yaml").rename(folder / "other.yaml")
    (folder / "other.yaml").write_text(net(filters), "utf-8")
    code, message = reported(update(folder, "--format", "json", specs=("other.yaml",)))
    grew = ": 5 counts grew; accept growth with --allow-growth"
    assert code == (0 if written else 1)
    assert message == [
        "other.yaml: `net` was `net` of net.yaml in b.json",
        "net.yaml is deleted; it was in b.json",
        "the new b.json is accepted" if written else f"b.json is not written{grew}",
    ]
    assert update(folder, "--allow-growth", specs=("other.yaml",)).returncode == 0


@pytest.mark.parametrize(("filters", "code"), [(4, 0), (5, 1)])
def test_a_renamed_network_is_compared_with_the_deleted_one(folder, filters, code):
    (folder / "two.yaml").write_text(two("a", "b", 4), "utf-8")
    update(folder, specs=("two.yaml",))
    (folder / "two.yaml").write_text(two("a", "c", filters), "utf-8")
    ran = update(folder, "--format", "json", specs=("two.yaml",))
    assert reported(ran)[0] == code
    assert "two.yaml: `c` was `b` in b.json" in reported(ran)[1]
    update(folder, "--allow-growth", specs=("two.yaml",))
    specs = json.loads((folder / "b.json").read_text("utf-8"))["specs"]
    assert list(specs["two.yaml"]) == ["a", "c"]


def test_a_new_network_is_compared_with_a_deleted_one_of_its_name_first(folder):
    (folder / "net.yaml").unlink()
    (folder / "two.yaml").write_text(two("more", "net", 8), "utf-8")
    code, message = reported(update(folder, "--format", "json", specs=("two.yaml",)))
    assert code == 0
    assert message[:3] == [
        "two.yaml: `net` was `net` of net.yaml in b.json",
        "net.yaml is deleted; it was in b.json",
        "b.json has 1 new network: two.yaml#more",
    ]


def test_a_new_network_beside_the_renamed_one_hides_no_growth(folder):
    (folder / "net.yaml").unlink()
    (folder / "two.yaml").write_text(two("a", "b", 50).replace("conv: 8", "conv: 7", 1), "utf-8")
    code, message = reported(update(folder, "--format", "json", specs=("two.yaml",)))
    assert code == 1
    old = "`net` of net.yaml in b.json"
    assert message[:2] == [
        f"two.yaml: `a` was {old}",
        f"two.yaml: `b` is also compared with {old}, which two.yaml#a replaces",
    ]
    (folder / "two.yaml").write_text(two("a", "b", 50), "utf-8")  # `a` only has another name
    code, message = reported(update(folder, "--format", "json", specs=("two.yaml",)))
    assert (code, message[2]) == (0, "b.json has 1 new network: two.yaml#b")


LARGE = """\
name: large
input: {channels: 3, size: 8}
layers: [{sequence: [{conv: 64, kernel: 1}, relu], repeat: 12}]
"""


@pytest.mark.parametrize("name", ["net", "large"])
def test_a_larger_network_that_is_also_deleted_hides_no_growth_in_an_update(folder, name):
    """`a.yaml` is first among the deleted specs, and can have the name of the new network."""
    (folder / "a.yaml").write_text(LARGE, "utf-8")
    assert update(folder, specs=("a.yaml", "net.yaml")).returncode == 0
    (folder / "a.yaml").unlink()
    (folder / "net.yaml").unlink()
    (folder / "new.yaml").write_text(net(9).replace("name: net", f"name: {name}"), "utf-8")
    code, message = reported(update(folder, "--format", "json", specs=("new.yaml",)))
    assert code == 1
    assert message[0] == f"new.yaml: `{name}` was `net` of net.yaml in b.json"
    assert message[-1] == "b.json is not written: 5 counts grew; accept growth with --allow-growth"


def test_a_network_in_the_place_of_a_larger_one_hides_no_growth_in_an_update(folder):
    (folder / "a.yaml").write_text(LARGE, "utf-8")
    assert update(folder, specs=("a.yaml", "net.yaml")).returncode == 0
    (folder / "net.yaml").unlink()
    (folder / "a.yaml").write_text(net(9), "utf-8")
    code, message = reported(update(folder, "--format", "json", specs=("a.yaml",)))
    assert code == 1
    assert message[-1] == "b.json is not written: 5 counts grew; accept growth with --allow-growth"


def test_a_new_network_unlike_all_deleted_ones_is_compared_with_one_in_an_update(folder):
    (folder / "net.yaml").unlink()
    (folder / "new.yaml").write_text(LARGE, "utf-8")
    code, message = reported(update(folder, "--format", "json", specs=("new.yaml",)))
    assert code == 1
    assert "new.yaml#large is new; it is compared with net.yaml, which was deleted" in message


def test_a_baseline_is_not_written_if_too_many_networks_are_compared(folder, monkeypatch):
    monkeypatch.chdir(folder)
    monkeypatch.setattr(moved_networks, "MAX_COMPARISONS", 0)
    (folder / "net.yaml").rename(folder / "other.yaml")
    (folder / "other.yaml").write_text(net(7), "utf-8")
    request = CheckRequest(("other.yaml",), "b.json")
    found = update_baseline(request, allow_growth=False)
    assert found.text is None
    assert found.check.statements[-1] == (
        "b.json is not written: growth of 1 spec is not known; accept growth with --allow-growth"
    )
    assert update_baseline(request, allow_growth=True).text is not None


def test_new_networks_without_deleted_ones_are_named(folder):
    (folder / "new.yaml").write_text(two("a", "b", 50), "utf-8")
    code, message = reported(update(folder, "--format", "json", specs=("net.yaml", "new.yaml")))
    names = "new.yaml#a, new.yaml#b"
    assert code == 0
    assert message == [
        f"b.json has 2 new networks: {names}",
        "the new b.json is accepted",
    ]


@pytest.mark.parametrize(
    ("budget", "more", "exceeded"),
    [
        ("{params: {max: 10}}", [], 1),
        ("{params: {max: 10}}", ["--allow-growth"], 1),
        ("{params: {min: 1M, warn: 10}}", [], 1),
        ("", ["--max-params", "10", "--max-macs", "10"], 2),
        ("{params: {grow: 1%, warn: 10}}", [], 0),
    ],
)
def test_a_baseline_over_a_limit_is_not_written(folder, budget, more, exceeded):
    before = (folder / "b.json").read_bytes()
    (folder / "net.yaml").write_text(net(7, budget), "utf-8")
    ran = update(folder, *more, "--format", "plain")
    text = ran.stdout.decode()
    limits = "1 limit is exceeded" if exceeded == 1 else f"{exceeded} limits are exceeded"
    reported = f"b.json is not written: {limits}" if exceeded else "the new b.json is accepted"
    assert ran.returncode == (1 if exceeded else 0)
    assert f"\n{reported}\n" in text
    headline = "The baseline is not written" if exceeded else "The new baseline is accepted"
    assert f"{headline}\n" in text
    assert "Within all budgets" not in text
    assert ((folder / "b.json").read_bytes() == before) == bool(exceeded)


def test_accepted_growth_is_a_statement_and_not_a_warning(folder):
    (folder / "net.yaml").write_text(net(9), "utf-8")
    ran = update(folder, "--allow-growth", "--format", "json")
    answer = json.loads(ran.stdout)
    assert (answer["findings"], answer["summary"]["warned"]) == ([], 0)
    assert answer["statements"] == ["the new b.json is accepted: 5 counts grew"]


# Names


def test_a_linked_folder_has_the_same_base(folder):
    (folder / "real").mkdir()
    (folder / "real" / "a.yaml").write_text(net(), "utf-8")
    (folder / "link").symlink_to("real")
    (folder / "ci").mkdir()
    (folder / "linked").symlink_to("ci")
    base = ("--base", "linked/b.json")
    run("check", "link/a.yaml", *base, "--update-baseline", cwd=folder)
    assert entries(folder / "ci/b.json") == ["../link/a.yaml", "../real/a.yaml"]
    for spec, file in (("real", "ci/b.json"), ("link", "linked/b.json")):
        ran = run("check", spec, "--base", file, "--max-growth", "0", cwd=folder)
        assert "2 limits checked: 2 within, 0 exceeded\n" in ran.stdout.decode()


def test_a_file_replaced_by_a_link_to_a_larger_one_keeps_its_base(folder):
    (folder / "small.yaml").write_text(net(), "utf-8")
    (folder / "large.yaml").write_text(net(50), "utf-8")
    base = ("--base", "b.json", "--max-growth", "0")
    run("check", "small.yaml", "large.yaml", "--base", "b.json", "--update-baseline", cwd=folder)
    (folder / "small.yaml").unlink()
    (folder / "small.yaml").symlink_to("large.yaml")
    assert run("check", "large.yaml", *base, cwd=folder).returncode == 0
    assert run("check", "small.yaml", *base, cwd=folder).returncode == 1


@pytest.mark.parametrize("large", ["large.yaml", "z.yaml"])
def test_a_link_to_another_spec_hides_no_growth_of_either(folder, large):
    (folder / large).write_text(net(50), "utf-8")
    update(folder, specs=("net.yaml", large))
    base = ("--base", "b.json", "--max-growth", "0")
    (folder / "net.yaml").unlink()
    (folder / "net.yaml").symlink_to(large)
    assert run("check", ".", *base, cwd=folder).returncode == 1  # net.yaml grew
    (folder / "net.yaml").unlink()
    (folder / "net.yaml").write_text(net(49), "utf-8")
    (folder / large).unlink()
    (folder / large).symlink_to("net.yaml")
    assert run("check", ".", *base, cwd=folder).returncode == 1
    assert update(folder, specs=(".",)).returncode == 1
    assert update(folder, "--allow-growth", specs=(".",)).returncode == 0
    assert entries(folder / "b.json") == sorted(["net.yaml", large])
    assert run("check", ".", *base, cwd=folder).returncode == 0


@pytest.mark.parametrize("replaced", ["folder", "link", "broken link"])
def test_a_moved_spec_has_its_base_whatever_is_in_its_place(folder, replaced):
    (folder / "net.yaml").unlink()
    larger = folder / ("net.yaml/larger.yaml" if replaced == "folder" else "larger.yaml")
    larger.parent.mkdir(exist_ok=True)
    larger.write_text(net(9), "utf-8")
    if replaced != "folder":
        (folder / "net.yaml").symlink_to("larger.yaml" if replaced == "link" else "nothing")
    ran = run("check", ".", "--base", "b.json", "--max-growth", "0", cwd=folder)
    assert ran.returncode == 1
    assert update(folder, specs=(".",)).returncode == 1


def test_a_link_left_in_the_place_of_a_moved_spec_hides_no_growth(folder):
    (folder / "moved").mkdir()
    (folder / "moved/net.yaml").write_text(net(9), "utf-8")
    (folder / "net.yaml").unlink()
    (folder / "net.yaml").symlink_to("moved/net.yaml")
    base = ("--base", "b.json", "--max-growth", "0")
    assert run("check", "net.yaml", *base, cwd=folder).returncode == 1
    assert run("check", "moved", *base, cwd=folder).returncode == 1
    assert update(folder, specs=("moved",)).returncode == 1
    assert update(folder, "--allow-growth", specs=("moved",)).returncode == 0
    assert entries(folder / "b.json") == ["moved/net.yaml", "net.yaml"]
    assert run("check", "net.yaml", *base, cwd=folder).returncode == 1  # not accepted by that name
    assert update(folder, "--allow-growth", specs=("moved", "net.yaml")).returncode == 0
    assert run("check", "moved", "net.yaml", *base, cwd=folder).returncode == 0


@pytest.mark.parametrize("link", ["link.yaml", "link/a.yaml"])
@pytest.mark.parametrize("asked", [["link"], ["."]])
def test_a_link_that_leads_to_a_larger_spec_keeps_its_base(folder, link, asked):
    for name, filters in (("small", 8), ("large", 50)):
        (folder / name).mkdir()
        (folder / name / "a.yaml").write_text(net(filters), "utf-8")
    at, target = (folder / link.split("/")[0]), "" if "/" in link else "/a.yaml"
    at.symlink_to(f"small{target}")
    asked = [link if entry == "link" else entry for entry in asked] + [link]
    update(folder, specs=asked)
    assert {"small/a.yaml", link} <= set(entries(folder / "b.json"))
    base = ("--base", "b.json", "--max-growth", "0", "--format", "json")
    assert run("check", *asked, *base, cwd=folder).returncode == 0
    at.unlink()
    at.symlink_to(f"large{target}")
    ran = run("check", *asked, *base, cwd=folder)
    grown = {(f["spec"], f["base"]) for f in json.loads(ran.stdout)["findings"]}
    assert ran.returncode == 1
    assert (link, PARAMS) in grown
    assert update(folder, specs=asked).returncode == 1


def test_an_update_of_other_specs_keeps_the_base_of_one_that_a_link_replaced(folder):
    (folder / "large.yaml").write_text(net(50), "utf-8")
    (folder / "other.yaml").write_text(net(), "utf-8")
    (folder / "net.yaml").unlink()
    (folder / "net.yaml").symlink_to("large.yaml")
    assert update(folder, specs=("other.yaml",)).returncode == 0
    assert entries(folder / "b.json") == ["net.yaml", "other.yaml"]
    ran = run("check", "net.yaml", "--base", "b.json", "--max-growth", "0", cwd=folder)
    assert ran.returncode == 1


@pytest.mark.parametrize("name", ["shipped:a.yaml", "shipped:googlenet", "shipped:/a.yaml"])
def test_a_file_whose_name_begins_like_a_shipped_spec_keeps_its_base(folder, name):
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_text(net(), "utf-8")
    asked = (name, "net.yaml", "googlenet")
    update(folder, specs=asked)
    assert entries(folder / "b.json") == [f"./{name}", "net.yaml", "shipped:googlenet"]
    assert update(folder, specs=("net.yaml",)).returncode == 0
    (folder / name).write_text(net(50), "utf-8")
    base = ("--base", "b.json", "--max-growth", "0", "--format", "json")
    ran = run("check", *asked, *base, cwd=folder)
    grown = [(f["spec"], f["base"]) for f in json.loads(ran.stdout)["findings"]]
    assert (ran.returncode, grown[0]) == (1, (name, PARAMS))


def test_a_shipped_spec_is_not_a_file_of_the_same_name(folder):
    Repository(folder).commit()
    (folder / "googlenet.yaml").write_text(net(), "utf-8")
    (folder / "convcost.yaml").write_text("budgets: [{params: {max: 1}}]", "utf-8")
    asked = ("googlenet", "--base", "b.json", "--update-baseline")
    assert run("check", *asked, cwd=folder).returncode == 0
    specs = json.loads((folder / "b.json").read_text("utf-8"))["specs"]
    assert list(specs) == ["net.yaml", "shipped:googlenet"]
    ran = run("check", "googlenet", "--base", "git:HEAD", "--max-growth", "0", cwd=folder)
    assert "googlenet is not a file of a repository, so it has no base" in ran.stdout.decode()


def test_other_specs_stay_in_a_baseline_and_deleted_ones_leave_it(folder):
    both = net() + "---\n" + net(4).replace("name: net", "name: two")
    for name in ("a.yaml", "b.yaml", "old.yaml"):
        (folder / name).write_text(both, "utf-8")
    update(folder, specs=("a.yaml", "b.yaml", "old.yaml"))
    (folder / "old.yaml").unlink()
    for name in ("a.yaml", "b.yaml"):
        (folder / name).write_text(both.replace("conv: 4", "conv: 3"), "utf-8")
    ran = update(folder, specs=("a.yaml",))
    assert "old.yaml is deleted; it was in b.json" in ran.stdout.decode()
    specs = json.loads((folder / "b.json").read_text("utf-8"))["specs"]
    assert list(specs) == ["a.yaml", "b.yaml", "net.yaml"]
    assert specs["a.yaml"]["two"]["totals"]["params"] == 3 * 27 + 3 * 8 + 64
    assert specs["b.yaml"]["two"]["totals"]["params"] == 4 * 27 + 4 * 8 + 64


def test_a_broken_spec_leaves_the_baseline_unchanged(folder):
    before = (folder / "b.json").read_bytes()
    (folder / "bad.yaml").write_text("layers: [", "utf-8")
    ran = update(folder, specs=("net.yaml", "bad.yaml"))
    assert ran.returncode == 2
    assert (folder / "b.json").read_bytes() == before


# Files that are no baseline


def spoilt(text, change):
    tree = json.loads(text)
    change(tree, tree["specs"]["net.yaml"]["net"])
    return json.dumps(tree)


def put(where, key, value):
    return lambda tree, network: where(tree, network).__setitem__(key, value)


def totals(_, network):
    return network["totals"]


def stem(_, network):
    return network["layers"][0]


def root(tree, _):
    return tree


def own(_, network):
    return network


def other(schema):
    return f"its schema is {schema}, and convcost {__version__} reads 'convcost.baseline/1'"


WRONG = [
    (lambda text: text[:200], "it is not valid JSON (line 4)"),
    (lambda text: "<<<<<<< HEAD\n" + text, "it is not valid JSON (line 1)"),
    (lambda _: "[" * 100_000, "it is nested too deeply"),
    (lambda text: f'{text.rstrip()[:-1]}, "specs": {{}}}}', "it has the key 'specs' twice"),
    (lambda _: "[1]", other("None")),
    (lambda _: "9" * 5000, "it is not valid JSON"),
    (put(root, "schema", "convcost.baseline/2"), other("'convcost.baseline/2'")),
    (put(root, "schema", "convcost.check/1"), other("'convcost.check/1'")),
    (put(root, "schema", 1), other("1")),
    (put(root, "specs", []), "`specs` is not a mapping"),
    (put(totals, "macs", 1.0), "`macs` is not a count"),
    (put(totals, "macs", -1), "`macs` is not a count"),
    (put(totals, "macs", True), "`macs` is not a count"),
    (put(stem, "macs", 10**1000), "`macs` is not a count"),
    (put(totals, "macs", 1), "`macs` of `net` does not agree with its layers"),
    (put(stem, "macs", 7777), "`macs` of `net` does not agree with its layers"),
    (put(stem, "path", None), "`path` and `kind` of a layer are not text"),
    (put(stem, "output", {"channels": 8, "size": 6}), "`size` of `stem` is not a list of counts"),
    (put(own, "layers", {}), "`layers` is not a list"),
    (put(own, "receptive_field_is_bound", 1), "`receptive_field_is_bound` is not true or false"),
    (put(own, "inputs", {"\x1b[2J": 1}), "`input \\x1b[2J` is not a mapping"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "message"), WRONG, ids=[message for _, message in WRONG])
def test_a_file_that_is_not_a_baseline_is_reported_and_not_overwritten(folder, change, message):
    file = folder / "b.json"
    text = file.read_text("utf-8")
    file.write_text(change(text) if change.__code__.co_argcount == 1 else spoilt(text, change))
    before = file.read_bytes()
    code, answer = check(folder, "--max-params", "1", "--max-growth", "1%")
    assert code == 2
    assert answer["findings"][0]["code"] == "CC201"  # what needs no base is checked all the same
    (reported,) = answer["statements"]
    assert reported == (
        "net.yaml: growth is not checked without a base: `b.json` is not a valid baseline: "
        f"{message}; fix it, or delete it and write it with --update-baseline"
    )
    ran = update(folder)
    assert ran.returncode == 2
    assert ran.stderr.decode() == (
        f"error: `b.json` is not a valid baseline: {message}\n"
        "help: fix it, or delete it to start a new one\n"
    )
    assert file.read_bytes() == before


def test_a_missing_baseline_is_an_error_unless_it_is_written(folder):
    ran = run("check", "net.yaml", "--base", "bb.json", "--max-growth", "1%", cwd=folder)
    message = "error: there is no baseline `bb.json`\nhelp: write it with --update-baseline\n"
    assert (ran.returncode, ran.stderr.decode()) == (2, message)


KEYS = st.sampled_from(["specs", "net", "layers", "totals", "inputs", "x"])
JSON = st.recursive(
    st.none() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(KEYS, inner),
)


@pytest.mark.slow
@given(JSON)
def test_any_json_is_read_or_refused_without_a_crash(value):
    for tree in (value, {"schema": "convcost.baseline/1", "specs": value}):
        try:
            parse_baseline(json.dumps(tree))
        except BaselineError:
            continue
        whole = {**tree, "version": "0.0.0", "convention": ""}
        assert list(SCHEMA.iter_errors(whole)) == []


# Requests

NAMES = "--update-baseline needs a baseline file as base\nhelp: add --base baseline.json"
NO_FOLDER = "cannot write `no/b.json`: No such file or directory"
TWICE = "two outputs write to `b.json`; give each its own file"
OVER = "--output would overwrite the input `b.json`"
OVER_CONFIG = "--output would overwrite the input `convcost.yaml`"
BOTH = "--allow-growth accepts any growth, but --max-growth limits it"
UPDATE = ["--update-baseline", "--base", "b.json"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["net.yaml", "--update-baseline"], NAMES),
        (["net.yaml", "--update-baseline", "--base", "git:main"], NAMES),
        (["net.yaml", "--update-baseline", "--base", "net.yaml"], NAMES),
        (["-", *UPDATE], ("a baseline stores specs by file name, and standard input has none\n"
            "help: save the spec to a file")),
        (["net.yaml#net", *UPDATE], "a baseline stores all networks of a spec; give `net.yaml`"),
        (["vgg16", *UPDATE], "a baseline stores all networks of a spec; give `vgg`"),
        (["net.yaml", *UPDATE, "-o", "b.json"], TWICE),
        (["net.yaml", "--max-growth", "1%", "--base", "b.json", "-o", "./b.json"], OVER),
        (["net.yaml", *UPDATE[:-1], "no/b.json"], NO_FOLDER),
        (["net.yaml", *UPDATE, "-o", "plain:convcost.yaml"], OVER_CONFIG),
        (["net.yaml", *UPDATE, "-o", "plain:no/x"], NO_FOLDER.replace("b.json", "x")),
        (["net.yaml", *UPDATE, "--allow-growth", "--max-growth", "1%"], BOTH),
    ],
)  # fmt: skip
def test_an_invalid_request_leaves_the_baseline_unchanged(folder, arguments, message):
    (folder / "convcost.yaml").write_text("budgets: [{macs: {max: 1M}}]", "utf-8")
    (folder / "net.yaml").write_text(net(7), "utf-8")  # the baseline would be another
    before = (folder / "b.json").read_bytes()
    ran = run("check", *arguments, cwd=folder, text=net())
    assert (ran.returncode, ran.stderr.decode()) == (2, f"error: {message}\n")
    assert (folder / "b.json").read_bytes() == before
    assert not (folder / "no.json").exists()


def test_a_diff_of_a_baseline_shows_the_layers_that_changed(folder):
    repository = Repository(folder)
    repository.commit()
    (folder / "net.yaml").write_text(net().replace("kernel: 1, name: b", "kernel: 3, name: b"))
    assert update(folder, "--allow-growth").returncode == 0
    command = ["git", "diff", "--numstat", "b.json"]
    diff = subprocess.run(command, cwd=folder, capture_output=True, check=True).stdout
    assert diff.split()[:2] == [b"2", b"2"]  # the totals, and the layer


def test_unknown_macs_stay_unknown_in_a_baseline(tmp_path):
    layers = "[{conv: 8, kernel: 3}, {custom: magic, params: 0, macs: uncounted, name: magic}]"
    (tmp_path / "net.yaml").write_text(f"input: {{channels: 3, size: 8}}\nlayers: {layers}\n")
    base = ("check", "net.yaml", "--base", "base.json")
    assert run(*base, "--update-baseline", cwd=tmp_path).returncode == 0
    assert '"path": "magic", "kind": "custom"' in (tmp_path / "base.json").read_text()
    assert '"macs": "uncounted"' in (tmp_path / "base.json").read_text()
    (tmp_path / "net.yaml").write_text(
        "input: {channels: 3, size: 8}\nlayers: [{conv: 9, kernel: 3}]\n"
    )
    reported = run(*base, "--max-growth", "0%", cwd=tmp_path).stdout.decode()
    assert "uncounted" in reported


def test_fewer_macs_than_the_counted_ones_of_the_base_did_not_grow(tmp_path):
    """The base has 8 · 27 · 36 macs at least, and 8 · 27 params."""
    head = "input: {channels: 3, size: 8}\nlayers:\n- {conv: 8, kernel: 3}\n"
    magic = "- {custom: magic, params: 0, macs: uncounted}\n"
    (tmp_path / "base.yaml").write_text(head + magic)
    check = ("check", "net.yaml", "--base", "base.yaml", "--max-growth", "0%")
    for text, counts in ((head, "2 2 0 0 0"), (head + magic, "2 1 0 0 1")):
        (tmp_path / "net.yaml").write_text(text)
        printed = run(*check, cwd=tmp_path).stdout.decode().splitlines()
        heads = ["limits", "within", "exceeded", "warned", "not", "checked"]
        (row,) = (n for n, line in enumerate(printed, 1) if line.split() == heads)
        assert printed[row].split() == counts.split()
