"""docs/zoo.md: the networks that ship with convcost, from their specs.

`CONVCOST_REWRITE=1 pytest tests/docs/test_zoo_page.py` writes the page.
"""

# ruff: noqa: E501  the lines of the page are longer

import os

from support import ROOT

from convcost.commands.specs import specs
from convcost.reports.specs import ShippedNetwork

PAGE = ROOT / "docs" / "zoo.md"
HEAD = """\
# The networks by name

{specs} specs with {networks} networks ship with convcost. `convcost analyze resnet50` and `resnet#50` name a network of a spec. The name of
a spec means all its networks: `convcost compare resnet`. `convcost show resnet` prints the text. `convcost specs --format csv` prints
this table as CSV, with the inputs.

The counts are for one sample of the size in the spec. Params are weights and biases. macs are multiply-adds of convolutions, linear layers
and matrix products. The peak is the [memory](memory.md) that the tensors of one inference need at once, in bytes, without params. The
receptive field is that of the last layer with several positions; if they depend on all of the input, it is the size of the input.

| network | params | macs | activations | peak, int8 | peak, float32 | receptive field | year | source |
|---|--:|--:|--:|--:|--:|--:|--:|---|
"""


def row(network: ShippedNetwork) -> str:
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


def test_the_page_of_networks_is_current():
    report = specs()
    networks = list(report.compute())
    head = HEAD.format(specs=len(report.specs), networks=len(networks))
    text = head + "".join(map(row, networks))
    if os.environ.get("CONVCOST_REWRITE"):
        PAGE.write_text(text, "utf-8")
    assert PAGE.read_text("utf-8") == text
