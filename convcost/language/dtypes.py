"""The section `dtype`: the types of the numbers of a network, by part and by layer."""

from collections.abc import Collection

from convcost.language.fields import FieldReader
from convcost.language.patterns import PatternChecker
from convcost.language.problems import Problems
from convcost.language.yaml_nodes import Mapping, Node, Scalar
from convcost.model.dtypes import (
    ALL,
    PARTS,
    Dtype,
    DtypeRule,
    Dtypes,
    LayerDtypes,
    parse_dtype,
    parse_parts,
)

EXAMPLE = "dtype: int8, or dtype: {all: int8, biases: int32}"
KEYS = (ALL, *PARTS)
Parts = tuple[tuple[str, Dtype], ...]


class DtypeParser(FieldReader):
    """Parses the dtypes of one network.

    `paths` are the paths of its layers and the names of its inputs, or None if they are not known.
    """

    def __init__(self, problems: Problems, paths: Collection[str] | None) -> None:
        super().__init__(problems)
        self.patterns = PatternChecker(problems, "section `dtype`", paths)

    def parse(self, node: Node) -> Dtypes:
        if type(node) is Scalar:
            parts = self.parse_text(node, "dtype", parse_parts) or ()
            return Dtypes(LayerDtypes()._replace(**dict(parts)))
        if type(node) is not Mapping:
            self.problems.add("CC112", "`dtype` must be a dtype or a mapping", node, EXAMPLE)
            return Dtypes()
        self.check_keys("`dtype`", node.entries, (*KEYS, "layers"))
        rules = self.items(node.get("layers"), "layers", self._rule)
        return Dtypes(LayerDtypes()._replace(**dict(self._parts(node))), rules)

    def _rule(self, node: Node) -> DtypeRule | None:
        if type(node) is not Mapping or "match" not in node.entries:
            hint = '{match: "head*", weights: float16}'
            self.problems.add("CC103", "a rule needs `match`", node, hint)
            return None
        self.check_keys("a rule", node.entries, (*KEYS, "match"))
        pattern = self.text(node.get("match"), "match")
        self.patterns.check(pattern, node.entries["match"][1])
        if node.entries.keys().isdisjoint(KEYS):
            self.problems.add("CC112", "a rule needs a dtype", node, f"add {{{ALL}: float16}}")
        return DtypeRule(pattern, self._parts(node))

    def _parts(self, node: Mapping) -> Parts:
        """The parts that a mapping names; `all` means all others."""
        dtype_by_part: dict[str, Dtype] = {}
        for key in KEYS:
            if key in node.entries:
                where = node.entries[key][1]
                if type(where) is not Scalar:
                    self.problems.add("CC112", f"{key} must be a dtype", where, EXAMPLE)
                elif value := self.parse_text(where, key, parse_dtype):
                    dtype_by_part |= dict.fromkeys(PARTS if key == ALL else (key,), value)
        return tuple(dtype_by_part.items())
