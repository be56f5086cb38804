"""Layers that cost nothing and keep the shape: readers see one note, programs see each layer."""

import csv
import io
import json

import pytest
from support import cost, run

from convcost.reports.analyze import Analysis
from convcost.reports.analyze.columns import AnalysisView
from convcost.reports.analyze.table import select_rows

NET = """\
name: net
input: {channels: 3, size: 8}
layers:
  - {conv: 4, kernel: 3, padding: 1}
  - relu
  - {max_pool: 3, stride: 1, padding: 1}
  - relu6
  - {add: [relu6_1, max_pool_1]}
  - prelu
  - {dropout: 0.5}
  - {conv: 2, kernel: 1}
  - softmax
"""
LISTED = ["conv_1", "max_pool_1", "add_1", "prelu_1", "conv_2", "softmax_1"]
NOTE = (
    "not listed: 3 elementwise layers without cost (1 relu, 1 relu6, 1 dropout); `--all` lists all "
    "layers"
)


def rows(text: str = NET, **view) -> list[str]:
    return [row.path for row in select_rows(cost(text), AnalysisView(folds=True, **view)).rows]


def test_only_elementwise_layers_without_cost_have_no_row():
    """A pool that keeps the size, a join, a softmax and an activation with params have one."""
    assert rows() == LISTED


@pytest.mark.parametrize("form", ["table", "markdown", "latex", "html"])
def test_formats_for_readers_list_the_others_only_with_all(form):
    folded = run("analyze", "-", "--format", form, text=NET).stdout.decode()
    every = run("analyze", "-", "--format", form, "--all", text=NET).stdout.decode()
    assert "not listed: 3 elementwise layers" in folded
    assert "not listed" not in every
    assert len(every) > len(folded) or form == "html"


def test_the_note_says_how_many_of_each_kind():
    lines = run("analyze", "-", "--format", "table", text=NET).stdout.decode().splitlines()
    assert lines[13] == NOTE
    assert [line.split()[0] for line in lines[4:10]] == LISTED


def test_plain_csv_tsv_and_json_list_every_layer():
    paths = [layer.path for layer in cost(NET).layers]
    plain = run("analyze", "-", text=NET).stdout.decode().splitlines()
    assert [line.split()[0] for line in plain[3:12]] == paths
    for form, separator in (("csv", ","), ("tsv", "\t")):
        text = run("analyze", "-", "--format", form, text=NET).stdout.decode()
        read = csv.DictReader(io.StringIO(text), delimiter=separator)
        assert [row["path"] for row in read] == paths
    tree = json.loads(run("analyze", "-", "--format", "json", text=NET).stdout)
    assert [layer["path"] for layer in tree["networks"][0]["layers"]] == paths
    assert len(str(Analysis((cost(NET),))).splitlines()) == len(plain)


def test_top_counts_the_rows_that_remain_and_sort_orders_them():
    assert rows(top=2) == ["conv_1", "max_pool_1"]
    assert rows(sort="activations", top=3) == ["conv_1", "max_pool_1", "add_1"]
    selection = select_rows(cost(NET), AnalysisView(folds=True, top=4))
    assert (selection.left_out.rows, len(selection.folded)) == (len(LISTED) - 4, 3)


def test_a_total_of_activations_says_that_it_has_more_layers():
    text = run(
        "analyze", "-", "--format", "table", "--columns", "layer,activations", text=NET
    ).stdout.decode()
    assert f"{NOTE}\nthe total of activations includes layers that are not listed\n" in text


def test_a_block_keeps_its_row_at_a_depth():
    text = """\
    name: net
    input: {channels: 3, size: 8}
    layers:
      - sequence: [relu, relu]
        name: block
      - relu
      - {conv: 4, kernel: 1}
    """
    assert rows(text, depth=1) == ["block", "conv_1"]
    assert rows(text) == ["conv_1"]


def test_a_network_of_nothing_else_is_listed():
    assert rows("input: {channels: 3, size: 8}\nlayers: [relu, relu]\n") == ["relu_1", "relu_2"]


def test_a_layer_that_a_convention_counts_is_listed():
    text = run("analyze", "-", "--format", "markdown", "--count", "onnx_tool", text=NET)
    found = text.stdout.decode()
    assert "| relu_1 | relu |" in found
    assert "| dropout_1 |" not in found


def test_explain_without_a_layer_lists_every_layer():
    text = run("explain", "-", "--format", "table", text=NET).stdout.decode()
    assert "not listed" not in text
    assert "\nrelu_1 " in text
