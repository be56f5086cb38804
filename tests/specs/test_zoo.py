"""The networks that ship with convcost, each against the totals of a framework.

`zoo.csv` has params and macs as `benchmarks/count_zoo.py` counts them in PyTorch.
"""

import csv
from functools import partial
from pathlib import Path

import pytest
from support import SPECS, shipped

from convcost.sources.shipped_variants import full_name, variants_of

TABLE = (Path(__file__).parent / "zoo.csv").read_text("utf-8")
ROWS = list(csv.DictReader(TABLE.splitlines()))
FAMILIES = {path.stem: variants_of(path.stem, path) for path in sorted(SPECS.glob("*.yaml"))}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["network"])
def test_a_network_costs_what_a_framework_counts(row):
    found = shipped(row["network"]).totals
    assert (found.params, found.macs) == (int(row["params"]), int(row["macs"]))


def test_every_variant_is_in_the_table():
    counted = {row["network"] for row in ROWS}
    for spec, variants in FAMILIES.items():
        assert set(map(partial(full_name, spec), variants)) <= counted


@pytest.mark.parametrize("spec", [spec for spec, variants in FAMILIES.items() if variants])
def test_a_family_is_written_as_a_person_writes_it(spec):
    lines = (SPECS / f"{spec}.yaml").read_text(encoding="utf-8").splitlines()
    assert len(lines) < 70
    assert max(map(len, lines)) <= 164
