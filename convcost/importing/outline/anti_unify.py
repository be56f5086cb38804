"""Generalizes the uses of a block: one body for all uses."""

from collections.abc import Hashable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple, TypeAlias, TypeVar

from convcost.importing.outline import tree
from convcost.importing.outline.tree import Item, ItemBranch, Items
from convcost.importing.outline.valid_names import stem
from convcost.importing.outline.values import constant_part

T = TypeVar("T", bound=Hashable)
Column: TypeAlias = tuple[T | None, ...]  # one entry for each use; None if the use has none
MAX_LAYERS = 3  # a layer, its norm and a scale


class ItemColumn(NamedTuple):
    """A layer or call of the body, and the item of each use that it generalizes. `entering` is its
    input in each use, as in the text: the value that it references by name, or the output of the
    item before it. `is_first` says whether that is the input of the block."""

    item: Item
    uses: Column[Item]
    entering: Column[int]
    is_first: bool


class BranchColumn(NamedTuple):
    """A branch of the body. `exists` says for each use whether the use has the branch."""

    name: str
    exists: tuple[bool, ...]


class Generalization(NamedTuple):
    """A body for all uses, with its layers and calls, and its branches. The options of the body are
    those of the first use."""

    body: Items
    columns: tuple[ItemColumn, ...]
    branches: tuple[BranchColumn, ...]


class _DifferError(Exception):
    """The uses have no common body."""


def anti_unify(uses: Sequence[Items], inputs: Sequence[tuple[int, ...]]) -> Generalization | None:
    """The generalization of some uses; None if they have no common body. `inputs` has the values
    that are the inputs of each use."""
    try:
        _common(map(len, inputs))
        walk = _ParallelWalk(inputs)
        body = walk.items(tuple(uses))
    except _DifferError:
        return None
    return Generalization(body, tuple(walk.columns), tuple(walk.branches))


class _ParallelWalk:
    """Walks the lists of all uses at the same time, and generalizes them item by item."""

    def __init__(self, inputs: Sequence[tuple[int, ...]]) -> None:
        self.columns: list[ItemColumn] = []
        self.branches: list[BranchColumn] = []
        # By use: the input of the block, and the output of the item before.
        self.block_input = tuple(next(iter(values), None) for values in inputs)
        self.flow: Column[int] = self.block_input
        # By use: the values that it can reference by name, as values of the first use.
        self.first_use: list[dict[int | None, int | None]] = [
            {**dict(zip(values, inputs[0], strict=True)), None: None} for values in inputs
        ]

    def items(self, uses: Column[Items]) -> Items:
        """The items that generalize a list of each use. Raises _DifferError, also if the lists have
        different lengths."""
        length = _common(len(items) for items in uses if items is not None)
        return tuple(
            self._item(tuple(None if items is None else items[n] for items in uses))
            for n in range(length)
        )

    def _item(self, uses: Column[Item]) -> Item:
        """The item that generalizes one item of each use. Raises _DifferError."""
        example = _first(uses)
        present = [item for item in uses if item is not None]
        _common(item.kind for item in present)
        if example.is_side:
            raise _DifferError
        entering = tuple(
            item.refs[0] if item is not None and item.refs else value
            for item, value in zip(uses, self.flow, strict=True)
        )
        branches = []
        for n in range(_common(len(item.branches) for item in present)):
            self.flow = entering
            column = tuple(None if item is None else item.branches[n] for item in uses)
            branches.append(self._branch(column))
        if example.is_sequence:
            item = tree.sequence(_module_path(present, branches[0].items), branches[0].items)
        else:
            item = example if example.is_call else _common_layer(present, branches)
            pairs = zip(uses, entering, self.block_input, strict=True)
            is_first = all(use is None or value == outer for use, value, outer in pairs)
            self.columns.append(ItemColumn(item, uses, entering, is_first and not item.is_join))
        self.flow = tuple(
            value if item is None or (last := tree.output(item)) is None else last
            for item, value in zip(uses, self.flow, strict=True)
        )
        self._compare_references(uses)
        return item

    def _branch(self, uses: Column[ItemBranch]) -> ItemBranch:
        """A branch that generalizes a branch of all uses. Some of them may have no layers."""
        present = [branch for branch in uses if branch is not None]
        _common(branch.ref is None for branch in present)
        filled = [branch for branch in present if branch.items]
        if not filled:
            return ItemBranch((), present[0].ref)
        if len(filled) < len(present) and any(map(_has_references, filled)):
            raise _DifferError
        names = {branch.name for branch in filled}
        name = filled[0].name if len(names) == 1 else ""
        exists = tuple(branch is not None and bool(branch.items) for branch in uses)
        is_optional = len(filled) < len(present)
        self.branches.append(BranchColumn(name, exists if is_optional else ()))
        inner = tuple((branch.items or None) if branch is not None else None for branch in uses)
        return ItemBranch(self.items(inner), present[0].ref, name)

    def _compare_references(self, uses: Column[Item]) -> None:
        """Requires that all uses reference the same values by name, inside or as their input."""
        first_output = tree.output(_first(uses))
        references = set()
        for item, first_use in zip(uses, self.first_use, strict=True):
            if item is not None:
                references.add(
                    tuple(first_use.get(value, value) for value in tree.named_values(item))
                )
                first_use[tree.output(item)] = first_output
        _common(references)


def _first(column: Column[T]) -> T:
    return next(value for value in column if value is not None)


def _common(values: Iterable[T]) -> T:
    """The value that all uses have. Raises _DifferError."""
    distinct = set(values)
    if len(distinct) > 1:
        raise _DifferError
    return distinct.pop()


def _has_references(branch: ItemBranch) -> bool:
    return any(
        value is not None
        for layer in tree.layers(branch.items)
        for value in tree.named_values(layer)
    )


def _module_path(modules: Sequence[Item], items: Items) -> tuple[str, ...]:
    """The path of the same module in all uses. The names of the same module differ only in numbers.
    The name of a single layer with its norm does not matter."""
    path = modules[0].path
    names = {module.path[-1] for module in modules}
    if len(names) == 1:
        return path
    stems = {stem(name) for name in names}
    if len(stems) == 1 and "" not in stems:
        return (*path[:-1], *stems)
    is_one_layer = len(tuple(tree.layers(items))) <= MAX_LAYERS and not any(
        i.is_join for i in items
    )
    if not is_one_layer and not all(map(str.isdigit, names)):
        raise _DifferError
    return (*path[:-1], "0")


def _common_layer(uses: Sequence[Item], branches: Iterable[ItemBranch]) -> Item:
    """The layer that generalizes layers with other values of options. It has a name only if all of
    them have it. Raises _DifferError."""
    example = uses[0]
    _common((item.note, len(item.refs), item.shares is None) for item in uses)
    _common(
        tuple((key, constant_part(value)) for key, value in options)
        for options in {item.options for item in uses}
    )
    is_same = len({item.path[-1:] for item in uses}) == 1
    return example._replace(path=example.path if is_same else (), branches=tuple(branches))


def substitute_values(body: Items, values: Iterator[Any], flags: Iterator[str | None]) -> Items:
    """The body with a value for each place and a condition for each branch, in the order of a
    `Generalization`."""
    return tuple(_with_values(item, values, flags) for item in body)


def _with_values(item: Item, values: Iterator[Any], flags: Iterator[str | None]) -> Item:
    branches = []
    for branch in item.branches:
        if branch.items:
            when = next(flags) or branch.when
            inner = substitute_values(branch.items, values, flags)
            branch = branch._replace(items=inner, when=when)  # noqa: PLW2901
        branches.append(branch)
    options = tuple((key, next(values)) for key, _ in item.options)
    return item._replace(options=options, branches=tuple(branches))
