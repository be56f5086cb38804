"""docs/zoo.md and specs/counts.csv: the networks that ship with convcost, from their specs.

`CONVCOST_REWRITE=1 pytest tests/docs/test_zoo_page.py` writes both.
"""

# ruff: noqa: E501  the lines of the page are longer

import json
import os
from pathlib import Path
from types import SimpleNamespace

import pytest
from once import shipped_counts
from support import ROOT, SPECS

from convcost.sources.shipped_variants import COUNTS_FILE, COUNTS_HEAD, documents_of_spec
from convcost.sources.spec_files import shipped_specs

PAGE = ROOT / "docs" / "zoo.md"
COUNTS = SPECS / COUNTS_FILE
HEAD = """\
# The networks by name

{specs} specs with {networks} networks ship with convcost. `resnet50` and `resnet#50` are two names of one network, the second with
the name of its spec. The name of a spec means all its networks: `convcost compare resnet`. `convcost show resnet` prints the text.
`convcost specs --format csv` prints this table as CSV, with the inputs. `convcost specs --where "macs <= 300M and params <= 5M"` prints
the networks that fit.

The counts are for one sample of the size in the spec. Params are weights and biases. macs are multiply-adds of convolutions, linear layers
and matrix products. The peak is the [memory](memory.md) that the tensors of one inference need at once, in bytes, without params. The
receptive field is that of the last layer with several positions; if they depend on all of the input, it is the size of the input.

| network | params | macs | activations | peak, int8 | peak, float32 | receptive field | year | source |
|---|--:|--:|--:|--:|--:|--:|--:|---|
"""


def row(network: SimpleNamespace) -> str:
    counts = (
        *(network.params, network.macs, network.activations),
        *(network.peak_memory_int8, network.peak_memory_float32),
    )
    cells = (
        f"`{network.spec}`",
        *(f"{count:,}" for count in counts),
        "×".join(map(str, network.receptive_field)),
        str(network.year or ""),
        network.source.replace("|", "\\|"),
    )
    return f"| {' | '.join(cells)} |\n"


@pytest.fixture(scope="module")
def networks(tmp_path_factory) -> list[SimpleNamespace]:
    records = json.loads((shipped_counts(tmp_path_factory) / "specs.json").read_text("utf-8"))
    return [SimpleNamespace(**record) for record in records["networks"]]


@pytest.fixture(scope="module")
def names() -> list[tuple[str, str]]:
    """The spec and the name of each network."""
    return [
        (spec, network)
        for spec, path in shipped_specs().items()
        for documents in [documents_of_spec(spec, path)]
        for network in (documents.variants or documents.sources)
    ]


def check(path: Path, text: str) -> None:
    if os.environ.get("CONVCOST_REWRITE"):
        path.write_text(text, "utf-8")
    assert path.read_text("utf-8") == text


def test_the_page_of_networks_is_current(networks):
    head = HEAD.format(specs=len(shipped_specs()), networks=len(networks))
    check(PAGE, head + "".join(map(row, networks)))


def test_the_table_of_counts_is_current(networks, names):
    """Without it, `convcost specs` would have to cost all networks."""
    counts = (
        f"{spec},{name},{network.params},{network.macs}\n"
        for (spec, name), network in zip(names, networks, strict=True)
    )
    check(COUNTS, f"{COUNTS_HEAD}\n" + "".join(counts))
