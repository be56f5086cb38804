"""The file of a device: its memory, its bandwidth and its peak rates."""

from convcost.language.budgets import parse_bytes
from convcost.language.fields import FieldReader
from convcost.language.problems import Problems
from convcost.language.yaml_nodes import Mapping, Node, filled_documents, parse_documents
from convcost.model.dtypes import BITS
from convcost.model.errors import Source, SpecError
from convcost.model.figures import parse_whole_figure
from convcost.model.roofline import Device

MINIMAL_DEVICE = "{ram: 320KiB, flash: 1MiB, source: its datasheet}"
KEYS = ("name", "source", "note", "ram", "flash", "bandwidth", "macs")


def parse_device(source: Source) -> Device:
    """The device of a file. Raises SpecError with all problems."""
    nodes, yaml_problems = parse_documents(source.text)
    problems = Problems(yaml_problems)
    documents = filled_documents(nodes)
    root = documents[0] if len(documents) == 1 else None
    device: Device | None = None
    if type(root) is Mapping:
        device = _DeviceParser(problems).parse(root, source)
    elif not problems:
        problems.add("CC005", "a device is one mapping", root, MINIMAL_DEVICE)
    if problems or device is None:
        raise SpecError(source, problems)
    return device


class _DeviceParser(FieldReader):
    """Reads the mapping of a device, and adds a problem for each wrong field."""

    def parse(self, root: Mapping, source: Source) -> Device:
        self.check_keys("a device", root.entries, KEYS)
        for key in ("ram", "source"):
            if key not in root.entries:
                self.problems.add("CC103", f"a device needs `{key}`", root, MINIMAL_DEVICE)
        numbers = {key: self._positive(root.get(key), key) for key in ("ram", "flash", "bandwidth")}
        return Device(
            name=self.text(root.get("name"), "name") or source.name,
            source=self.text(root.get("source"), "source"),
            ram=numbers["ram"] or 0,
            flash=numbers["flash"],
            bandwidth=numbers["bandwidth"],
            macs=self._macs(root.get("macs")),
            note=self.text(root.get("note"), "note"),
        )

    def _positive(self, node: Node | None, key: str) -> int | None:
        if node is None:
            return None
        number = self.parse_text(node, key, parse_bytes)
        if number == 0:
            self.problems.add("CC112", f"{key} must be above 0", node)
        return number

    def _macs(self, node: Node | None) -> tuple[tuple[str, int], ...]:
        """Multiply-adds a second by dtype."""
        if node is None:
            return ()
        if type(node) is not Mapping:
            hint = "{int8: 960M, float32: 480M}"
            self.problems.add("CC112", "`macs` must be a mapping of dtypes", node, hint)
            return ()
        self.check_keys("`macs`", node.entries, BITS, "dtype")
        rates = []
        for dtype, (_, value) in node.entries.items():
            rate = self.parse_text(value, dtype, parse_whole_figure)
            if rate == 0:
                self.problems.add("CC112", f"{dtype} must be above 0", value)
            elif rate is not None:
                rates.append((dtype, rate))
        return tuple(rates)
