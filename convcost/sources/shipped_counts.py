"""The params and macs of the networks that ship with convcost, from a table that ships with them.

`convcost specs` prints them without reading all layers. A test compares the table with the specs.
"""

from convcost.sources.spec_files import shipped_specs

FILE = "counts.csv"
HEAD = "spec,network,params,macs"


def shipped_counts() -> dict[tuple[str, str], tuple[int, int]]:
    """The params and macs of each network, by the name of its spec and its own."""
    folder = next(iter(shipped_specs().values())).parent
    _, *rows = (folder / FILE).read_text("utf-8").splitlines()
    cells = (row.rsplit(",", 3) for row in rows)
    return {(spec, network): (int(params), int(macs)) for spec, network, params, macs in cells}
