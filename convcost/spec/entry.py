"""What a network starts from: its variables and its inputs, with what a request changes in them."""

from typing import Any, NamedTuple

from convcost.errors import Problem, Refusal
from convcost.kind import Option
from convcost.names import did_you_mean
from convcost.network import Placed
from convcost.options import size_of
from convcost.shapes import Shape
from convcost.spec.document import Node
from convcost.spec.figures import same
from convcost.spec.sections import NAMES, Sections, authored, is_name
from convcost.spec.sizes import SAYS, Sizes, parted
from convcost.spec.values import IN

MINIMAL = "a spec has at least `input: {channels: 3, size: 224}` and `layers: [...]`"


class Settings(NamedTuple):
    """What a request changes in a spec: `--set`, `--size`."""

    variables: tuple[tuple[str, Any], ...] = ()
    size: tuple[int, ...] | None = None


class Entry:
    """Reads `vars` and `input`; `name` is the network's, for messages."""

    def __init__(self, sections: Sections, name: str, settings: Settings) -> None:
        self.sections = sections
        self.values = sections.values
        self.problems = sections.problems
        self.name = name
        self.settings = settings
        self.defaults: dict[str, Any] = {}
        self.changed: dict[str, Any] = {}
        self.resized: tuple[int, ...] | None = None
        self.sizes: dict[str, Sizes] = {}

    def variables(self) -> dict[str, Any]:
        """`vars` in order, each an expression over those before it; `--set` replaces."""
        variables: dict[str, Any] = {}
        declared = authored(self.sections.mapping("vars"))
        if self.values.torn(self.sections.get("vars")):
            return dict.fromkeys(declared, 1)
        given = dict(self.settings.variables)
        for name in given:
            if name not in declared:
                self.problems.append(
                    Problem(
                        "CC113",
                        f"`{self.name}` has no variable `{name}` to set",
                        help=did_you_mean(name, declared),
                    )
                )
        for name, (key, value) in declared.items():
            if not is_name(name):
                self.sections.problem(
                    "CC107", f"`{name}` cannot be the name of a variable", key, NAMES
                )
                continue
            bound = self._variable(name, value, variables)
            self.defaults[name] = bound
            if name in given:
                variables[name] = given[name]
                if not same(given[name], bound):
                    self.changed[name] = given[name]
            elif bound is not None:
                variables[name] = bound
            else:
                variables[name] = 1  # said already; what uses it is still to be read
        return variables

    def _variable(self, name: str, value: Node, before: dict[str, Any]) -> Any:
        option = Option(name, name, "Variable", "a number, true or false")
        bound = self.values.bind(option, value, before, "vars")
        if bound is None:
            return None
        try:
            return self.values.settle(bound, _looked_up(before))
        except Refusal as refusal:
            self.values.refuse(value.place, refusal)
            return None

    def inputs(
        self, variables: dict[str, Any]
    ) -> tuple[tuple[tuple[str, Shape], ...], list[Placed]]:
        both = self.sections.get("input"), self.sections.get("inputs")
        if both[0] is not None and both[1] is not None:
            self.sections.problem("CC104", "a spec has either `input` or `inputs`", both[1])
        if both[0] is None and not self.sections.mapping("inputs"):
            self.sections.problem("CC103", "a spec needs `input`", self.sections.head(), MINIMAL)
        nodes = {"input": both[0]} if both[0] is not None else {}
        if not nodes:
            nodes = {name: value for name, (_, value) in self.sections.mapping("inputs").items()}
        inputs: list[tuple[str, Shape]] = []
        places: list[Placed] = []
        for name, node in nodes.items():
            shape = self._input(name, node, variables)
            inputs.append((name, shape or Shape(0)))
            places.append(node)
        if self.settings.size is not None and inputs:
            inputs = self._resized(inputs, self.settings.size, places[0])
        return tuple(inputs), places

    def _input(self, name: str, node: Node, variables: dict[str, Any]) -> Shape | None:
        tensor, said = parted(node)
        option = Option(name, name, "Input", "a shape")
        shape: Shape | None = self._settled(option, tensor, variables)
        told = {key: self._settled(SAYS[key], one, variables) for key, one in said.items()}
        if shape is None or None in told.values():
            return None
        sizes = Sizes(**told)
        # What a request asks for instead is held against it there.
        if self.settings.size is None:
            try:
                sizes.check(shape.size, shape.size)
            except Refusal as refusal:
                self.values.refuse(said["multiple"].place, refusal, f"`{name}` has")
                return None
        self.sizes[name] = sizes
        return shape

    def _settled(self, option: Option, node: Node, variables: dict[str, Any]) -> Any:
        bound = self.values.bind(option, node, variables, "the network")
        if bound is None:
            return None
        try:
            return self.values.settle(bound, _looked_up(variables))
        except Refusal as refusal:
            self.values.refuse(node.place, refusal, f"`{option.name}`:")
            return None

    def _resized(
        self, inputs: list[tuple[str, Shape]], size: tuple[int, ...], place: Placed
    ) -> list[tuple[str, Shape]]:
        if len(inputs) > 1:
            message = "--size has one meaning only where there is one input"
            self.problems.append(Problem("CC113", message, place.place))
            return inputs
        name, shape = inputs[0]
        rank = len(shape.size)
        if shape.channels == 0:
            return inputs
        # One number is a square, a row or a cube, as the spec's own input is.
        wanted = size * rank if len(size) == 1 else size
        if rank == 0 or len(wanted) != rank:
            axes = "is flat" if rank == 0 else f"has {rank} axes"
            message = f"--size gives {len(size)} numbers, the input of `{self.name}` {axes}"
            self.problems.append(Problem("CC113", message, place.place))
            return inputs
        try:
            self.sizes[name].check(shape.size, wanted)
        except Refusal as refusal:
            self.values.refuse(place.place, refusal, f"`{self.name}` is asked for")
            return inputs
        self.resized = wanted if wanted != shape.size else None
        return [(name, Shape(shape.channels, size_of(wanted)))]


def _looked_up(variables: dict[str, Any]) -> Any:
    def lookup(name: str) -> Any:
        if name in IN:
            raise Refusal("CC106", f"{name} has no value here: nothing has come in yet")
        return variables[name]

    return lookup
