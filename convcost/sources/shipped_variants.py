"""The networks of the specs that ship with convcost: `efficientnet_b4` is the variant `b4` of
`efficientnet`, `resnet50` is `50` of `resnet`."""

from collections.abc import Mapping
from pathlib import Path

from convcost.language.load import Documents, documents_of
from convcost.model.errors import Source
from convcost.sources.spec_files import shipped_specs

COUNTS_FILE = "counts.csv"
COUNTS_HEAD = "spec,network,params,macs"


def find_variant(name: str, shipped: Mapping[str, Path]) -> tuple[str, str] | None:
    """The shipped spec and its variant that one name means; None if there is none."""
    for spec in sorted(filter(name.startswith, shipped), key=len, reverse=True):
        suffix = name.removeprefix(spec).lstrip("_-")
        variants = variants_of(spec, shipped[spec])
        if suffix in variants:
            return spec, suffix
        # `regnetx16gf` may be 1.6 or 16, so it is neither.
        close = [
            variant for variant in variants if _without_signs(variant) == _without_signs(suffix)
        ]
        if len(close) == 1:
            return spec, close[0]
    return None


def _without_signs(name: str) -> str:
    return name.replace("_", "").replace("-", "")


def variants_of(spec: str, path: Path) -> list[str]:
    """The names of the variants of a shipped spec, in order."""
    return list(documents_of_spec(spec, path).variants)


def documents_of_spec(spec: str, path: Path) -> Documents:
    """The documents of a shipped spec."""
    # The next to load this source has its documents already.
    return documents_of(Source(spec, path.read_text("utf-8")))


def full_name(spec: str, variant: str) -> str:
    """The name of a variant as an argument: `efficientnet_b4`, `resnet50`."""
    return f"{spec}{variant}" if variant[0].isdigit() else f"{spec}_{variant}"


def all_names(shipped: Mapping[str, Path]) -> list[str]:
    """The names of the shipped specs and of their variants. Reads all shipped specs."""
    return [
        name
        for spec, path in shipped.items()
        for name in (spec, *(full_name(spec, variant) for variant in variants_of(spec, path)))
    ]


def shipped_counts() -> dict[tuple[str, str], tuple[int, int]]:
    """The params and macs of each network, by the name of its spec and its own, from a table:
    without reading all layers. A test compares the table with the specs."""
    folder = next(iter(shipped_specs().values())).parent
    _, *rows = (folder / COUNTS_FILE).read_text("utf-8").splitlines()
    cells = (row.rsplit(",", 3) for row in rows)
    return {(spec, network): (int(params), int(macs)) for spec, network, params, macs in cells}
