"""The shares of params and of macs, beside each other."""

import csv
import io

from support import run

NET = """\
name: net
input: {channels: 1, size: 4}
layers:
  - {conv: 3, kernel: 1}
  - flatten
  - {linear: 1, bias: false}
"""
PARAMS = (3 * 1 * 1, 0, 1 * 48)
MACS = (3 * 1 * 4 * 4, 0, 1 * 48)


def test_each_layer_has_its_share_of_both():
    lines = run("analyze", "-", text=NET).stdout.decode().splitlines()
    assert lines[2:7] == [
        "layer      kind     output  params  macs  share of params  share of macs",
        "conv_1     conv      4×4×3       3    48            5.9 %         50.0 %",
        "flatten_1  flatten      48       0     0            0.0 %          0.0 %",
        "linear_1   linear        1      48    48           94.1 %         50.0 %",
        "total                           51    96          100.0 %        100.0 %",
    ]


def test_csv_has_both_shares_as_numbers():
    text = run("analyze", "-", "--format", "csv", text=NET).stdout.decode()
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [row["params_share"] for row in rows] == [f"{100 * n / sum(PARAMS):.4f}" for n in PARAMS]
    assert [row["share"] for row in rows] == [f"{100 * n / sum(MACS):.4f}" for n in MACS]


def test_the_column_of_products_replaces_both():
    lines = run("analyze", "-", "--work", "macs", text=NET).stdout.decode().splitlines()
    assert lines[2] == "layer      kind     output  params  macs  macs ="
    assert lines[3] == "conv_1     conv      4×4×3       3    48  3 × 1 × 1 × 1 × 4 × 4"
