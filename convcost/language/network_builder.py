"""Collects the steps, groups and names of a network that is being expanded."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from convcost.language.problems import Problems
from convcost.language.scope import DROPPED, Scope, ScopeEntry, StepOutput, Variables
from convcost.language.syntax_tree import LayerNode
from convcost.language.yaml_nodes import Node, Scalar, texts_of
from convcost.model.errors import ConstraintError, Note, printable
from convcost.model.kind import Kind, invalid_result
from convcost.model.network import ALL_PARTS, Copies, Density, Group, HasSpan, Parts, Step
from convcost.model.shape import Shape, is_shape
from convcost.model.symbolic import memo

MAX_LAYERS = 250_000
MAX_SIDE = 10**15  # channels, or elements of an axis
MAX_OPTION_VALUES = 1_000_000
MAX_FURTHER_INPUTS = 100_000  # of all layers and block calls, without the first two of each
MAX_LEFT_OUT = 500_000
MAX_EVALUATED = 1_000_000  # characters
MAX_INPUT_NOTES = 4  # notes on inputs in a problem
MAX_PATH_CHARACTERS = 5_000_000


# What each value of `frozen` freezes.
FROZEN_PARTS: dict[bool | str, Parts] = {
    True: ALL_PARTS,
    False: (),
    "weights": ("weights",),
    "biases": ("biases",),
}


class NetworkTooLargeError(Exception):
    """Stops the expansion. It becomes a problem of the section `layers`."""

    def __init__(self, message: str = f"the network has more than {MAX_LAYERS:,} layers") -> None:
        super().__init__(message)
        self.message = message


class NetworkBuilder:
    """Builds the `steps` and `groups` of a network, in order. Raises NetworkTooLargeError where a
    limit is exceeded."""

    def __init__(
        self,
        problems: Problems,
        variables: Variables,
        inputs: tuple[tuple[str, Shape], ...],
        origins: list[HasSpan],
    ) -> None:
        self.problems = problems
        self.variables = variables
        self.inputs = inputs
        self.origins = origins
        self.steps: list[Step] = []
        self.groups: list[Group] = []
        self.frozen: Parts | None = None  # the parts of layers that are frozen here, if stated
        self._frozen_of: dict[int, Parts] = {}  # the stated parts, by the owner of the weights
        self.copies: Copies | None = None  # the copies of the layers of an expert
        self.complete = True  # False if a layer has no shape; a problem then has the reason
        self._counted: Counter[str] = Counter()  # what is limited, by the message
        self._lengths: dict[int, int] = {}  # the keys are ids of lists of expressions
        values = (inputs, tuple(variables.values()))
        self._outputs: dict[tuple[Kind[Any], Shape], Shape] = memo(*values)
        self._differences: dict[tuple[object, ...], tuple[str, str] | None] = memo(*values)
        self._densities: dict[tuple[object, ...], Density | None] = memo(*values)

    def size(self) -> int:
        """The number of steps and groups so far."""
        return len(self.steps) + len(self.groups)

    def add_group(self, path: str, kind: str, origin: HasSpan) -> int:
        """The index of a new group, whose output is not known yet."""
        if len(self.groups) >= MAX_LAYERS:
            raise NetworkTooLargeError
        self._count_path(path)
        self.groups.append(Group(path, kind, -1, origin))
        return len(self.groups) - 1

    def add_step(
        self,
        node: LayerNode,
        layer: Kind[Any] | None,
        name: str,
        scope: Scope,
        inputs: tuple[StepOutput, ...],
        density: Any = None,
    ) -> StepOutput:
        """Adds a step for a layer. Adds none if the shape is unknown because of a problem."""
        index = len(self.steps)
        shape = self._output_shape(node, layer, inputs) if layer is not None else None
        if layer is None or shape is None:
            self.complete = False
            tensor = StepOutput(inputs[0].source, None)
        else:
            if index >= MAX_LAYERS:
                raise NetworkTooLargeError
            path = scope.prefix + name
            self._count_path(path)
            self.count_inputs(len(inputs))
            sources = tuple([tensor.source or 0 for tensor in inputs])
            shared = self._owner_of_weights(node, layer, scope, inputs) if node.weights else None
            if not layer.copied_branch:
                self._check_copies(node, sources)
            step = Step(path, layer, sources, shape, node.origin, shared, node.note)
            self.steps.append(step._replace(copies=self.copies) if self.copies else step)
            if density is not None:
                self._prune(node, density)
            elif shared is not None:
                self.steps[-1] = self.steps[-1]._replace(density=self.steps[shared].density)
            if self.frozen is not None:
                self._freeze(index if shared is None else shared, self.frozen, node)
            tensor = StepOutput(index, shape)
        entry = ScopeEntry(node.origin, tensor)
        declared = scope.names.setdefault(name, entry)
        if declared is not entry:
            if declared.tensor is None and declared.origin is node.origin:
                declared.tensor = tensor
            else:
                self.declare(scope, name, entry)
        return tensor

    def _freeze(self, index: int, parts: Parts, node: LayerNode) -> None:
        """Freezes the params of a step. All layers that share them agree on what is frozen."""
        owner_parts = self._frozen_of.setdefault(index, parts)
        owner = self.steps[index]
        self.steps[index] = owner._replace(frozen=parts)
        if owner_parts != parts:
            text, other = (_frozen_text(of) for of in (parts, owner_parts))
            message = f"{node.label} shares weights that are {other} in `{owner.path}`, {text} here"
            hint = "give both the same `frozen`"
            note = Note("that layer", owner.origin.span)
            self.problems.add("CC306", message, node.weights or node.origin, hint, note)

    def _check_copies(self, node: LayerNode, sources: tuple[int, ...], part: str = "") -> None:
        """Adds a problem if a layer outside an expert uses what each expert has: an output, or with
        `part`, weights."""
        layer_copies = self.copies or Copies()
        for source in sources:
            copies = self.steps[source].copies if source >= 0 else Copies()
            outer = layer_copies.choices[: len(copies.choices)]
            fits = outer == copies.choices
            if part:  # experts of another join may have these weights, if they are as many
                fits = [choice.of for choice in outer] == [choice.of for choice in copies.choices]
            if not fits:
                path = self.steps[source].path
                message = (
                    f"{node.label} uses {part}`{path}`, which each of {copies.stored} experts has"
                )
                hint = "use the output of `experts`, or put the layer into its branch"
                self.problems.add("CC108", message, node.origin, hint)

    def _prune(self, node: LayerNode, stated: Any) -> None:
        """Gives the last step a density. Its macs must use each of its weights equally often."""
        step = self.steps[-1]
        if step.shared is not None:
            owner = self.steps[step.shared].path
            message = f"{node.label} has the density of `{owner}`, whose weights it uses"
            self.problems.add("CC104", message, node.origin, f"write `density` at `{owner}`")
            return
        shapes = tuple(map(self._shape, step.inputs))
        key = (step.layer, shapes, stated)
        if key not in self._densities:
            self._densities[key] = self._density(node, step.layer, shapes, stated)
        self.steps[-1] = step._replace(density=self._densities[key])

    def _density(
        self, node: LayerNode, layer: Kind[Any], shapes: tuple[Shape, ...], stated: Any
    ) -> Density | None:
        x = layer.select_inputs(shapes)
        weights = layer.weights(x)
        if not weights.value:
            message = f"{node.label} has no weights here, so it has no density"
            self.problems.add("CC104", message, node.origin)
        elif not weights.is_proportional(layer.macs(x)):
            message = f"{node.label} uses its weights for some of its macs only"
            hint = "its macs at a density are not known; leave `density` out"
            self.problems.add("CC104", message, node.origin, hint)
        elif stated != 1:
            from convcost.model.ratio import fraction

            density = Density.of_weights(fraction(stated), weights.value)
            if density.left:
                return density
            message = f"a density of {stated} leaves none of {weights.value} weights"
            self.problems.add("CC104", message, node.origin)
        return None

    def _output_shape(
        self, node: LayerNode, layer: Kind[Any], inputs: tuple[StepOutput, ...]
    ) -> Shape | None:
        if len(inputs) == 1:
            x = inputs[0].shape
            if x is None:
                return None
            cached_shape = self._outputs.get((layer, x))
            if cached_shape is not None:
                return cached_shape
        shapes = tuple([tensor.shape for tensor in inputs if tensor.shape is not None])
        if len(shapes) < len(inputs):
            return None
        try:
            shape = layer.output(layer.select_inputs(shapes))
            if not is_shape(shape):
                raise invalid_result(layer, "output", shape, "a Shape of integers above 0")
            if any(n > MAX_SIDE for n in (shape.channels, *shape.size)):
                raise ConstraintError("CC305", f"an output of {shape.text} is too large")  # noqa: TRY301
        except ConstraintError as error:
            notes = self._input_notes(inputs)
            self.problems.add(error.code, error.message, node.origin, error.help, *notes)
            return None
        if len(inputs) == 1:
            self._outputs[layer, shapes[0]] = shape
        return shape

    def _input_notes(self, inputs: tuple[StepOutput, ...]) -> Iterator[Note]:
        """Notes on the layers or inputs that a layer reads: one for each shape, at most
        MAX_INPUT_NOTES."""
        shape_sources = [(tensor.shape, tensor.source) for tensor in reversed(inputs)]
        sources = {shape.text: source for shape, source in shape_sources if shape is not None}
        for text, source in list(reversed(sources.items()))[:MAX_INPUT_NOTES]:
            if source is not None:
                origin = self.steps[source].origin if source >= 0 else self.origins[-1 - source]
                yield Note(f"this has shape {text}", origin.span)

    def _owner_of_weights(
        self, node: LayerNode, layer: Kind[Any], scope: Scope, inputs: tuple[StepOutput, ...]
    ) -> int | None:
        """The index of the step whose weights a layer uses again."""
        from convcost.language.shared_weights import weights_difference

        assert node.weights is not None
        tensor = self.find(scope, node.weights)
        if tensor is None or tensor.source is None or tensor.shape is None:
            return None
        index = tensor.source
        owner = self.steps[index] if index >= 0 else None
        if owner is not None and owner.shared is not None:
            index = owner.shared
            owner = self.steps[index]
        shapes = tuple([x.shape for x in inputs if x.shape is not None])
        owner_shapes = tuple(map(self._shape, owner.inputs)) if owner is not None else ()
        other = owner.layer if owner is not None else None
        key = (id(layer), shapes, id(other), owner_shapes)  # equal layers are one object
        if key not in self._differences:
            self._differences[key] = weights_difference(layer, shapes, other, owner_shapes)
        difference = self._differences[key]
        if difference is None:
            self._check_copies(node, (index,), "the weights of ")
            return index
        needs, owner_text = difference
        message = f"{node.label} needs {needs}, but `{node.weights.text}` {owner_text}"
        self.problems.add("CC306", message, node.weights)
        return None

    def _shape(self, source: int) -> Shape:
        return self.steps[source].shape if source >= 0 else self.inputs[-1 - source][1]

    def _limit(self, message: str, more: int, most: int) -> None:
        """Counts more of what a message is about, and raises it above `most`."""
        self._counted[message] += more
        if self._counted[message] > most:
            raise NetworkTooLargeError(message.format(most))

    def count_options(self, options: int) -> None:
        """Limits the memory for the values of the options of block calls."""
        message = "the calls of blocks have more than {:,} option values"
        self._limit(message, options, MAX_OPTION_VALUES)

    def count_evaluated(self, node: Node) -> None:
        """Limits the time for expressions."""
        if type(node) is Scalar:
            length = len(node.text)
        elif id(node) in self._lengths:
            length = self._lengths[id(node)]
        else:
            length = self._lengths[id(node)] = sum(len(text) for text in texts_of(node))
        message = (
            "the expressions of the layers have more than {:,} characters, counted for each time "
            "that their values change"
        )
        self._limit(message, length, MAX_EVALUATED)

    def count_left_out(self) -> None:
        """Limits the time for layers that the network does not have."""
        self._limit("`when` and `repeat: 0` leave out more than {:,} layers", 1, MAX_LEFT_OUT)

    def count_inputs(self, inputs: int) -> None:
        """Limits the time and memory for layers and block calls with many inputs."""
        if inputs > 2:  # noqa: PLR2004  as most joins have
            message = "the layers have more than {:,} inputs after their second"
            self._limit(message, inputs - 2, MAX_FURTHER_INPUTS)

    def _count_path(self, path: str) -> None:
        """Limits the memory for paths: each holds the names of all scopes around it."""
        message = "the paths of the layers have more than {:,} characters"
        self._limit(message, len(printable(path)), MAX_PATH_CHARACTERS)

    # Names

    def find(self, scope: Scope, reference: Scalar) -> StepOutput | None:
        """The tensor of a path; None, and a problem, if there is none."""
        tensor = scope.find(reference, self.problems)
        if tensor is not None and tensor.source is None:
            if reference.text != "input" and len(self.problems):
                return None  # the layer that names no input is already a problem
            several, names = scope.describe_inputs()
            message = f"`input` is not one tensor: {several}"
            self.problems.add("CC108", message, reference, f"write the name of one: {names}")
            return None
        return tensor

    def next_name(self, node: LayerNode, scope: Scope) -> str:
        """The node's name, or its kind and its ordinal in the scope. Dropped layers count too."""
        word = node.label
        count = scope.counts.get(word, 0) + 1
        scope.counts[word] = count
        return node.name or f"{word}_{count}"

    def declare(self, scope: Scope, name: str, entry: ScopeEntry) -> None:
        """Adds a name to a scope. Adds a problem if the name is already used."""
        existing = scope.names.get(name)
        if existing is None or existing.tensor is DROPPED:
            scope.names[name] = entry
        else:
            message = f"the name `{scope.prefix}{name}` is already used"
            hint = "names are unique in a block, branch or sequence"
            note = Note("first used here", existing.origin.span)
            self.problems.add("CC107", message, entry.origin, hint, note)

    def declare_unknown(
        self, node: LayerNode, name: str, scope: Scope, x: StepOutput
    ) -> StepOutput:
        """Adds the name of a layer that has a problem, so that other layers can use the name."""
        self.complete = False
        tensor = StepOutput(x.source, None)
        self.declare(scope, name, ScopeEntry(node.origin, tensor))
        return tensor


def _frozen_text(parts: Parts) -> str:
    return f"frozen ({' and '.join(parts)})" if parts else "not frozen"
