"""The variables and inputs of a network, with what a request changes in them."""

import re
from typing import Any

from convcost.language.fields import NAMES, Sections, is_name
from convcost.language.scalars import equal_settings
from convcost.language.values import INPUT_NAMES, Names, read_value, report_split_expression
from convcost.language.yaml_nodes import Mapping, Node
from convcost.model.errors import ConstraintError
from convcost.model.kind import Option
from convcost.model.network import HasSpan
from convcost.model.number_format import counted
from convcost.model.options import size_of
from convcost.model.record import NamedTuple
from convcost.model.shape import Shape, size_text
from convcost.model.suggestions import did_you_mean, nearest

MINIMAL_SPEC = "a spec has at least `input: {channels: 3, size: 224}` and `layers: [...]`"
OPTIONS = ("size", "batch")  # options of commands; a variable may have the same name
SIZE_OPTIONS = {
    "fixed": Option("fixed", "fixed", "Flag", "whether only the size in the spec is valid", False),
    "multiple": Option("multiple", "multiple", "PositiveInt", "the divisor of every axis", 1),
}


class Settings(NamedTuple):
    """The settings of a command: `--set` and `--size` change a spec, `--input` and `--dim` read a
    model.

    Each of `inputs` has a shape and a type. `size` is that of all inputs that have axes; `sizes`
    are those of inputs by name. With `if_present`, variables and inputs that a network does not
    have are ignored.
    """

    variables: tuple[tuple[str, Any], ...] = ()
    size: tuple[int, ...] | None = None
    inputs: tuple[tuple[tuple[int, ...], str], ...] = ()
    dims: tuple[tuple[str, int], ...] = ()
    sizes: tuple[tuple[str, tuple[int, ...]], ...] = ()
    if_present: bool = False


class AllowedSizes(NamedTuple):
    """The input sizes that a spec is valid for. `fixed` allows only the size in the spec; every
    axis must be a multiple of `multiple`."""

    fixed: bool = False
    multiple: int = 1

    def check(self, size: tuple[int, ...], requested: tuple[int, ...]) -> None:
        """Raises ConstraintError if a network of `size` cannot have the `requested` one."""
        if self.fixed and requested != size:
            fixed = f"its `input` is fixed at {size_text(size)}"
            message = f"cannot have size {size_text(requested)}: {fixed}"
            hint = "if this spec is imported, import the model again for another size"
            raise ConstraintError("CC113", message, hint)
        odd = [n for n in requested if n % self.multiple]
        if odd:
            message = f"the size must be a multiple of {self.multiple}; {odd[0]} is not"
            message = f"cannot have size {size_text(requested)}: {message}"
            by = self.multiple
            nearest = tuple(max(by, (2 * n + by) // (2 * by) * by) for n in requested)
            raise ConstraintError("CC113", message, f"the nearest is {size_text(nearest)}")


def _set_hint(name: str, declared: list[str]) -> str:
    """Help for a name that is not a variable: the nearest one, an option of the command, or how the
    value of a layer becomes a variable. It is the same for all values of a sweep."""
    if nearest(name, declared) is not None:
        return did_you_mean(name, declared)
    if name in OPTIONS:
        return f"the {name} is set by an option of its own, `--{name} N`"
    last = re.split(r"[/.:]", name)[-1]
    last = last if is_name(last) else "name"
    variable_hint = did_you_mean(name, declared) if declared else "the spec has no variables"
    how = f"add `vars: {{{last}: 1}}` to the spec and write `{last}` as that value"
    return "; ".join(filter(None, (variable_hint, f"to set a value of a layer, {how}")))


class NetworkInputs:
    """Reads `vars` and `input`; `name` is the name of the network in messages.

    `changed` are the variables that differ from the spec; `resized` is the size, if it differs;
    `()` if inputs have different sizes. `size` is that of all inputs with axes, or None.
    """

    def __init__(self, sections: Sections, name: str, settings: Settings) -> None:
        self.sections = sections
        self.problems = sections.problems
        self.name = name
        self.settings = settings
        self.variables: dict[str, Any] = {}
        self.names = Names(self.variables)
        self.defaults: dict[str, Any] = {}
        self.changed: dict[str, Any] = {}
        self.resized: tuple[int, ...] | None = None
        self.size: tuple[int, ...] | None = None
        self.sizes: dict[str, AllowedSizes] = {}
        self._read_variables()

    def _read_variables(self) -> None:
        """Reads `vars` in order. Each is an expression over those before it, unless `--set`
        replaces it."""
        declared = self.sections.mapping("vars")
        if report_split_expression(self.problems, self.sections.node.get("vars")):
            self.variables |= dict.fromkeys(declared, 1)
            return
        requested = dict(self.settings.variables)
        for name in requested:
            if name not in declared and not self.settings.if_present:
                message = f"`{self.name}` has no variable `{name}` to set"
                self.problems.add("CC113", message, help=_set_hint(name, list(declared)))
        for name, (key, node) in declared.items():
            if not is_name(name):
                message = f"`{name}` cannot be the name of a variable"
                self.problems.add("CC107", message, key, NAMES)
                continue
            option = Option(name, name, "Variable", "a number, true or false")
            default = self._evaluate(option, node, "vars")
            self.defaults[name] = default
            # A variable with a problem is 1, so that what uses it can be read.
            self.variables[name] = requested.get(name, 1 if default is None else default)
            if name in requested and not equal_settings(requested[name], default):
                self.changed[name] = requested[name]

    def inputs(self) -> tuple[tuple[tuple[str, Shape], ...], list[HasSpan]]:
        """The names, shapes and spans of the inputs. An input with a problem has 0 channels."""
        single = self.sections.node.get("input")
        several = self.sections.mapping("inputs", x_keys=True)
        if single is not None and several:
            message = "a spec must not have both `input` and `inputs`"
            self.problems.add("CC104", message, self.sections.node.get("inputs"))
        if single is None and not several:
            message = "a spec needs `input`"
            self.problems.add("CC103", message, self.sections.head(), MINIMAL_SPEC)
        nodes = {name: value for name, (_, value) in several.items()}
        if single is not None:
            nodes = {"input": single}
        inputs = [(name, self._input(name, node) or Shape(0)) for name, node in nodes.items()]
        origins: list[HasSpan] = list(nodes.values())
        if self.settings.size is not None or self.settings.sizes:
            inputs = self._resize_all(inputs, origins)
        sizes = [shape.size for _, shape in inputs if shape.size]
        if sizes and all(equal_settings(size, sizes[0]) for size in sizes[1:]):
            self.size = sizes[0]
        return tuple(inputs), origins

    def have_settings(
        self, settings: tuple[tuple[str, Any], ...], size: tuple[int, ...] | None
    ) -> bool:
        """Whether the spec gives this network with only these settings and this size. They may be
        equal to those of the spec, and the value of a variable may depend on other variables."""
        return (
            self.changed.keys() <= dict(settings).keys()
            and all(equal_settings(value, self.variables[name]) for name, value in settings)
            and (self.resized is None if size is None else equal_settings(size, self.size))
        )

    def _input(self, name: str, node: Node) -> Shape | None:
        size_nodes: dict[str, Node] = {}
        if type(node) is Mapping:
            rest = dict(node.entries)
            size_nodes = {key: rest.pop(key)[1] for key in SIZE_OPTIONS if key in rest}
            node = node._replace(entries=rest)
        owner = "the network"
        shape: Shape | None = self._evaluate(Option(name, name, "Input", "a shape"), node, owner)
        options = {
            key: self._evaluate(SIZE_OPTIONS[key], value, owner)
            for key, value in size_nodes.items()
        }
        if shape is None or None in options.values():
            return None
        self.sizes[name] = AllowedSizes(**options)
        if self.settings.size is None and name not in dict(self.settings.sizes):
            try:
                self.sizes[name].check(shape.size, shape.size)
            except ConstraintError as error:
                self.problems.refuse(size_nodes["multiple"], error, f"`{name}`")
                return None
        return shape

    def _evaluate(self, option: Option, node: Node, owner: str) -> Any:
        """The value of an option, or None and a problem."""
        value = read_value(self.problems, option, node, self.names, owner)
        if value is None:
            return None

        def lookup(name: str) -> Any:
            if name in INPUT_NAMES:
                message = f"{name} has no value here: there is no incoming tensor"
                raise ConstraintError("CC106", message)
            return self.variables[name]

        try:
            return value.resolve(lookup)
        except ConstraintError as error:
            self.problems.refuse(node, error, "" if owner == "vars" else f"`{option.name}`:")
            return None

    def _resize_all(
        self, inputs: list[tuple[str, Shape]], origins: list[HasSpan]
    ) -> list[tuple[str, Shape]]:
        """The inputs with the requested sizes. A size of all inputs leaves flat ones as they are,
        if there are others."""
        named, shape_by_name = dict(self.settings.sizes), dict(inputs)
        for name in () if self.settings.if_present else named.keys() - shape_by_name.keys():
            message = f"`{self.name}` has no input `{name}`"
            origin = origins[0] if origins else None
            self.problems.add("CC113", message, origin, did_you_mean(name, shape_by_name))
        has_sized = any(shape.size for shape in shape_by_name.values())
        for (name, shape), origin in zip(inputs, origins, strict=True):
            size = None if has_sized and not shape.size else self.settings.size
            size = named.get(name, size)
            if size is not None and shape.channels:
                try:
                    shape_by_name[name] = self._resize(name, shape, size)
                except ConstraintError as error:
                    is_only = len(inputs) == 1
                    subject = f"`{self.name}`" if is_only else f"`{name}` of `{self.name}`"
                    self.problems.refuse(origin, error, subject)
        if any(not equal_settings(shape_by_name[name].size, shape.size) for name, shape in inputs):
            sizes = [shape.size for shape in shape_by_name.values() if shape.size]
            self.resized = sizes[0] if all(size == sizes[0] for size in sizes) else ()
        return list(shape_by_name.items())

    def _resize(self, name: str, shape: Shape, size: tuple[int, ...]) -> Shape:
        """Raises ConstraintError if the input does not allow the size."""
        axes = len(shape.size)
        # One number is a square, a row or a cube, as in the spec.
        requested = size * axes if len(size) == 1 else size
        if axes == 0 or len(requested) != axes:
            description = f"a size with {counted(axes, 'axis')}"
            description = description if axes else "no size"
            numbers = counted(len(size), "number")
            raise ConstraintError("CC113", f"has {description}, but --size has {numbers}")
        self.sizes[name].check(shape.size, requested)
        return Shape(shape.channels, size_of(requested))
