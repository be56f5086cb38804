"""Recipes to steps: blocks laid out, layers repeated, names resolved, every shape worked out.

Shapes are walked here and not later, because expressions see them: `groups: in_channels`. The
costs then only count.
"""

from collections.abc import Callable
from typing import Any

from convcost.errors import Note, Place, Problem, Refusal
from convcost.kind import Kind
from convcost.network import Group, Placed, Step
from convcost.shapes import Shape
from convcost.spec.bounds import counted
from convcost.spec.document import DEEPEST, Scalar
from convcost.spec.recipes import DEFERRED, Block, Bound, Branch, Recipe
from convcost.spec.scope import Entry, Scope, Tensor, Unknown
from convcost.spec.values import Values

MOST_LAYERS = 250_000
LARGEST_SIDE = 10**15
MOST_CHARACTERS = 100_000_000


class TooMany(Exception):  # noqa: N818  stops the layout; it becomes a Problem
    def __init__(self, message: str = f"the network has more than {MOST_LAYERS:,} layers") -> None:
        super().__init__(message)
        self.message = message


class Layout:
    """Lays out the recipes of one network into `steps` and `groups`."""

    def __init__(
        self,
        values: Values,
        variables: dict[str, Any],
        inputs: tuple[tuple[str, Shape], ...],
        places: list[Placed],
    ) -> None:
        self.values = values
        self.variables = variables
        self.problems = values.problems
        self.inputs = inputs
        self.input_places = places
        self.steps: list[Step] = []
        self.groups: list[Group] = []
        self.calls: list[Placed] = []
        self._characters = 0
        self._made: dict[tuple[object, ...], Kind[Any]] = {}
        self._outputs: dict[tuple[Kind[Any], Shape], Shape] = {}

    # Flow

    def all(self, scope: Scope, flow: Tensor) -> Tensor:
        """Lays out a network; what it hands on in the end.

        Raises TooMany, at once where that can be told from the recipes.
        """
        least, most, height = counted(scope.items, {})
        if height > DEEPEST:
            raise TooMany(f"layers stand in each other more than {DEEPEST} deep")
        if least > MOST_LAYERS or most > 20 * MOST_LAYERS:
            raise TooMany
        return self.run(scope, flow)

    def run(self, scope: Scope, flow: Tensor) -> Tensor:
        """Lays out the layers of a scope in series; what the last one hands on."""
        for recipe in scope.items:
            if recipe.plain and flow.source is not None:
                flow = self.step(recipe, recipe.layer, self._name(recipe, scope), scope, (flow,))
            elif recipe.plain or self._kept(recipe, scope, flow):
                flow = self._series(recipe, scope, flow)
        return flow

    def step(
        self,
        recipe: Recipe,
        layer: Kind[Any] | None,
        name: str,
        scope: Scope,
        inputs: tuple[Tensor, ...],
    ) -> Tensor:
        """One layer becomes one step; without a shape if it, or what feeds it, has a problem."""
        index = len(self.steps)
        shape = self._output(recipe, layer, inputs) if layer is not None else None
        if shape is None:
            tensor = Tensor(inputs[0].source if inputs else -1, None)
        else:
            if index >= MOST_LAYERS:
                raise TooMany
            assert layer is not None
            path = scope.prefix + name
            self._room(path)
            sources = tuple([tensor.source or 0 for tensor in inputs])
            shared = self._shares(recipe, layer, scope, inputs) if recipe.weights else None
            self.steps.append(Step(path, layer, sources, shape, recipe.origin, shared, recipe.note))
            tensor = Tensor(index, shape)
        begun = scope.names.get(name)
        if begun is not None and begun.tensor is None and begun.origin is recipe.origin:
            begun.tensor = tensor
            return tensor
        entry = Entry(recipe.origin, tensor)
        if scope.names.setdefault(name, entry) is not entry:
            self._take(scope, name, entry)
        return tensor

    def _room(self, path: str) -> None:
        """Long names inside many layers multiply: a path holds all names above it."""
        self._characters += len(path)
        if self._characters > MOST_CHARACTERS:
            raise TooMany(f"the paths of the layers take more than {MOST_CHARACTERS:,} characters")

    def _output(self, recipe: Recipe, layer: Kind[Any], inputs: tuple[Tensor, ...]) -> Shape | None:
        if len(inputs) == 1:
            x = inputs[0].shape
            if x is None:
                return None
            known = self._outputs.get((layer, x))
            if known is not None:
                return known
            shapes: tuple[Shape, ...] = (x,)
        else:
            shapes = tuple(tensor.shape for tensor in inputs if tensor.shape is not None)
            if len(shapes) < len(inputs):
                return None
        try:
            shape = layer.output(layer.take(shapes))
            if max(shape.channels, *shape.size, 0) > LARGEST_SIDE:
                raise Refusal("CC305", f"an output of {shape.text} is beyond what is counted")  # noqa: TRY301
        except Refusal as refusal:
            self._refuse(recipe, refusal, inputs)
            return None
        if len(inputs) == 1:
            self._outputs[layer, shapes[0]] = shape
        return shape

    def _series(self, recipe: Recipe, scope: Scope, flow: Tensor) -> Tensor:
        """A layer that is not plain: repeated, fed by name, made of others, or yet to be valued."""
        copies = self._copies(recipe, scope, flow)
        if copies is None:
            return self._once(recipe, self._name(recipe, scope), scope, flow)
        if copies == 0 and recipe.sources:
            found = self._inputs(recipe, scope, flow)
            flow = found[0] if found else Tensor(flow.source, None)
        before, entering = len(self.steps) + len(self.groups), flow
        for copy in range(1, copies + 1):
            name = f"{recipe.name}_{copy}" if recipe.name else self._name(recipe, scope)
            flow = self._once(recipe, name, scope, flow)
            # In series: only the first copy takes what `from` names, the next takes the first's.
            if copy == 1 and recipe.sources:
                recipe = recipe._replace(sources=())
            made = len(self.steps) + len(self.groups) - before
            if copy == 1 and before + made * copies > 2 * MOST_LAYERS:
                raise TooMany
            # Further copies of what has a problem, or does nothing, would only do the same.
            if flow.shape is None or (copy == 1 and flow == entering):
                break
        if recipe.name:
            self._take(scope, recipe.name, Entry(recipe.origin, flow))
        return flow

    def _once(self, recipe: Recipe, name: str, scope: Scope, flow: Tensor) -> Tensor:
        inputs = self._inputs(recipe, scope, flow)
        if inputs is None:
            self._take(scope, name, Entry(recipe.origin, Tensor(flow.source, None)))
            return Tensor(flow.source, None)
        if recipe.block is not None:
            return self._call(recipe, recipe.block, name, scope, inputs[0])
        if recipe.kind is None:
            return self.step(recipe, None, name, scope, inputs)
        if recipe.kind.role == "join":
            return self._join(recipe, name, scope, inputs)
        if recipe.kind.role != "layer":
            inner = scope.inner(name, recipe.items, inputs[0])
            output = self._grouped(recipe.origin, recipe.kind.name, name, scope, inner)
            return inputs[0] if recipe.kind.role == "side" else output
        layer = recipe.layer or self._valued(recipe, recipe.kind, scope, inputs[0])
        return self.step(recipe, layer, name, scope, inputs)

    def _inputs(self, recipe: Recipe, scope: Scope, flow: Tensor) -> tuple[Tensor, ...] | None:
        if not recipe.sources:
            # What only holds other layers leaves it to them what they take.
            holds = recipe.kind is not None and recipe.kind.role != "layer"
            if flow.source is None and not holds:
                names = ", ".join(f"`{name}`" for name, _ in self.inputs)
                self._problem(
                    "CC108",
                    f"the network has {len(self.inputs)} inputs, and this layer takes none of them",
                    recipe.origin.place,
                    help=f"add `from:` with one of {names}",
                )
                return None
            return (flow,)
        many = recipe.kind is not None and recipe.kind.many
        if len(recipe.sources) > 1 and not many and (recipe.kind or recipe.block):
            self._problem(
                "CC108",
                f"{recipe.word} takes one input, not {len(recipe.sources)}",
                recipe.sources[1].place,
                help="`concat`, `add` and `multiply` join several",
            )
            return None
        found = [self._find(scope, source) for source in recipe.sources]
        tensors = tuple(tensor for tensor in found if tensor is not None)
        return tensors if len(tensors) == len(found) else None

    def _find(self, scope: Scope, reference: Scalar) -> Tensor | None:
        found = scope.find(reference)
        if isinstance(found, Problem):
            self.problems.append(found)
            return None
        return found

    # Structure

    def _grouped(self, origin: Placed, kind: str, name: str, scope: Scope, inner: Scope) -> Tensor:
        """The layers of `inner`, run under a name of `scope`."""
        entry = Entry(origin, None, inner)
        self._take(scope, name, entry)
        index = len(self.groups)
        if index >= MOST_LAYERS:
            raise TooMany
        self._room(inner.prefix)
        self.groups.append(Group(scope.prefix + name, kind, -1, origin))
        output = self.run(inner, inner.entering)
        if output.source is not None:
            self.groups[index] = self.groups[index]._replace(output=output.source)
        entry.tensor = output
        return output

    def _call(self, recipe: Recipe, block: Block, name: str, scope: Scope, flow: Tensor) -> Tensor:
        variables = self._options(recipe, block, scope, flow)
        if variables is None:
            self._take(scope, name, Entry(recipe.origin, Tensor(flow.source, None)))
            return Tensor(flow.source, None)
        inner = Scope(f"{scope.prefix}{name}/", variables, None, block.items, flow)
        self.calls.append(recipe.origin)
        index = len(self.groups)
        output = self._grouped(recipe.origin, block.name, name, scope, inner)
        self.calls.pop()
        options = tuple([(option, variables[option]) for option in block.options])
        self.groups[index] = self.groups[index]._replace(options=options)
        return output

    def _options(
        self, recipe: Recipe, block: Block, scope: Scope, flow: Tensor
    ) -> dict[str, Any] | None:
        """The names a block's layers see: variables of the document and the block's own options."""
        given: dict[str, Any] = {}
        for bound in recipe.bound:
            settled = self._settled(bound, recipe, scope, flow)
            if settled is None:
                return None
            given[bound.option.name] = settled[0]
        variables = dict(self.variables)
        inner = Scope("", variables, None, (), flow)
        for name in block.options:
            if name in given:
                variables[name] = given[name]
            else:
                settled = self._settled(block.defaults[name], recipe, inner, flow)
                if settled is None:
                    return None
                variables[name] = settled[0]
        return variables

    def _join(self, recipe: Recipe, name: str, scope: Scope, inputs: tuple[Tensor, ...]) -> Tensor:
        assert recipe.kind is not None
        layer = recipe.layer or self._valued(recipe, recipe.kind, scope, inputs[0])
        if not recipe.branches:
            return self.step(recipe, layer, name, scope, inputs)
        holder = scope
        if recipe.name:
            self._take(scope, name, Entry(recipe.origin))
        if not recipe.lone and any(branch.items for branch in recipe.branches):
            # Paths of branches begin with the join's name, which its own step takes too.
            holder = scope.inner(name, (), inputs[0])
        tensors = [self._branch(branch, holder, inputs[0]) for branch in recipe.branches]
        if any(tensor is None for tensor in tensors):
            tensors = []
        known = tuple(tensor for tensor in tensors if tensor is not None)
        output = self.step(recipe, layer if known else None, name, scope, known or inputs)
        if holder is not scope:
            scope.names[name].scope = holder
            if output.source is not None:
                path = scope.prefix + name
                self.groups.append(Group(path, recipe.word, output.source, recipe.origin))
        return output

    def _branch(self, branch: Branch, holder: Scope, flow: Tensor) -> Tensor | None:
        if branch.source is not None:
            tensor = self._find(holder, branch.source)
            if tensor is not None and branch.origin is not branch.source:
                self._take(holder, branch.name, Entry(branch.origin, tensor))
            return tensor
        inner = holder.inner(branch.name, branch.items, flow)
        if flow.source is None and not branch.items:
            message = f"branch `{branch.name}` is the incoming tensor, and none comes in"
            self._problem("CC108", message, branch.origin.place, help="write the name of an input")
        return self._grouped(branch.origin, "branch", branch.name, holder, inner)

    # Values

    def _kept(self, recipe: Recipe, scope: Scope, flow: Tensor) -> bool:
        if recipe.when is None:
            return True
        settled = self._settled(recipe.when, recipe, scope, flow)
        if settled is not None and settled[0]:
            return True
        name = self._name(recipe, scope)
        if settled is not None and recipe.name and recipe.name not in scope.names:
            self._take(scope, name, Entry(recipe.origin, dropped=True))
        return False

    def _copies(self, recipe: Recipe, scope: Scope, flow: Tensor) -> int | None:
        if recipe.repeat is None:
            return None
        settled = self._settled(recipe.repeat, recipe, scope, flow)
        if settled is None:
            return 0
        copies: int = settled[0]
        if copies > MOST_LAYERS:
            raise TooMany
        return copies

    def _valued(
        self, recipe: Recipe, kind: type[Kind[Any]], scope: Scope, flow: Tensor
    ) -> Kind[Any] | None:
        """The layer, its expressions evaluated; equal ones are one object, so that what is known of
        its shape is known of all."""
        options = {}
        for bound in recipe.bound:
            settled = self._settled(bound, recipe, scope, flow)
            if settled is None:
                return None
            options[bound.option.name] = settled[0]
        key = (kind, *options.items())
        made = self._made.get(key)
        if made is None:
            try:
                made = self._made[key] = kind(**options)
            except Refusal as refusal:
                self._refuse(recipe, refusal, ())
        return made

    def _settled(
        self, bound: Bound, recipe: Recipe, scope: Scope, flow: Tensor
    ) -> tuple[Any] | None:
        if bound.constant is not DEFERRED:
            return (bound.constant,)
        lookup: Callable[[str], Any] = lambda name: scope.value(name, flow)  # noqa: E731
        try:
            return (self.values.settle(bound, lookup),)
        except Unknown:
            return None
        except Refusal as refusal:
            what = "" if refusal.code == "CC106" else f"`{bound.option.name}` of {recipe.word} "
            self._problem(refusal.code, what + refusal.message, bound.node.place, help=refusal.help)
            return None

    # Names

    def declare(self, scope: Scope, name: str, origin: Placed, tensor: Tensor) -> None:
        """A name that is there before the first layer: an input."""
        self._take(scope, name, Entry(origin, tensor))

    def _name(self, recipe: Recipe, scope: Scope) -> str:
        """The name given, or the kind and its ordinal in the scope; dropped layers count too."""
        word = recipe.label or recipe.word
        count = scope.counts.get(word, 0) + 1
        scope.counts[word] = count
        return recipe.name or f"{word}_{count}"

    def _take(self, scope: Scope, name: str, entry: Entry) -> None:
        taken = scope.names.get(name)
        if taken is not None and not taken.dropped and not entry.dropped:
            self._problem(
                "CC107",
                f"the name `{scope.prefix}{name}` is taken",
                entry.origin.place,
                (Note("by this", taken.origin.place),),
                help="names are unique in a block, branch or sequence",
            )
            return
        if taken is None or taken.dropped:
            scope.names[name] = entry

    # Shared weights

    def _shares(
        self, recipe: Recipe, layer: Kind[Any], scope: Scope, inputs: tuple[Tensor, ...]
    ) -> int | None:
        """The step whose weights are used again: of the same kind, its weights of the same form; or
        of another kind, its weights the same but for their order, as an embedding's table may be a
        linear layer's matrix."""
        assert recipe.weights is not None
        tensor = self._find(scope, recipe.weights)
        if tensor is None or tensor.source is None or tensor.shape is None:
            return None
        root = tensor.source
        if root >= 0 and self.steps[root].shared is not None:
            root = self.steps[root].shared or 0
        mine = layer.take(tuple(t.shape for t in inputs if t.shape is not None))
        found = "is no layer of this kind"
        needs = f"weights {layer.weights(mine).text}"
        if root >= 0:
            other = self.steps[root]
            theirs = other.layer.take(tuple(map(self._shape, other.inputs)))
            if type(other.layer) is not type(layer):
                if _turned(layer, mine) == _turned(other.layer, theirs) is not None:
                    return root
            else:
                for what in ("weights", "biases"):
                    own, others = getattr(layer, what)(mine), getattr(other.layer, what)(theirs)
                    if own != others:
                        needs, found = f"{what} {own.text}", f"has {what} {others.text}"
                        break
                else:
                    return root
        message = f"{recipe.word} needs {needs}, `{recipe.weights.text}` {found}"
        self._problem("CC306", message, recipe.weights.place)
        return None

    def _shape(self, source: int) -> Shape:
        return self.steps[source].shape if source >= 0 else self.inputs[-1 - source][1]

    # Problems

    def _refuse(self, recipe: Recipe, refusal: Refusal, inputs: tuple[Tensor, ...]) -> None:
        """A shape problem shows both places: who cannot take it, and who made it."""
        notes = []
        for tensor in inputs:
            if tensor.shape is not None and tensor.source is not None:
                maker = (
                    self.steps[tensor.source].origin
                    if tensor.source >= 0
                    else self.input_places[-1 - tensor.source]
                )
                notes.append(Note(f"this gives {tensor.shape.text}", maker.place))
        origin = recipe.origin
        self._problem(refusal.code, refusal.message, origin.place, tuple(notes), help=refusal.help)

    def _problem(
        self,
        code: str,
        message: str,
        place: Place,
        notes: tuple[Note, ...] = (),
        help: str = "",  # noqa: A002
    ) -> None:
        called = tuple(Note("in this call", call.place) for call in reversed(self.calls))
        self.problems.append(Problem(code, message, place, (*notes, *called[:3]), help))


def _turned(layer: Kind[Any], x: Any) -> list[int] | None:
    """The extents of a matrix, whichever is its rows; None if it is none, or has biases beside."""
    terms = layer.weights(x).terms
    extents = sorted(factor.value for factor in terms[0]) if len(terms) == 1 else []
    return extents if len(extents) == 2 and not layer.biases(x).value else None  # noqa: PLR2004
