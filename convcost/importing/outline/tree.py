"""The tree of a network: lists of layers, nested like in a spec."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, TypeAlias

from convcost.importing.ir.layer_graph import Path, is_stored
from convcost.importing.outline.values import ItemOptions, OptionExpression

Items: TypeAlias = "tuple[Item, ...]"


class ItemBranch(NamedTuple):
    """A list of layers inside an item, or a value by name (`ref`). Without both, it is the input of
    the join.

    With `when`, its layers exist only if that option of the block is true. `source` is the path of
    a value by name.
    """

    items: Items = ()
    ref: int | None = None
    name: str = ""
    when: str = ""
    source: str = ""


class Item(NamedTuple):
    """An item of a list: a layer, a join with its branches, a sequence with the layers of one
    module, a side output, or a call of a block. A sequence and a side output have one branch.

    `kind` is its key in a spec: a kind of layer or the name of a block. `options` are all options
    of a layer, or all arguments of a call; the last of them have `defaults`. `number` is the layer
    in the graph. `refs` are the values that it references by name; −1−k is the k-th input. Without
    references, its input is the output of the item before it. `shares` is the layer whose weights
    it uses. `unwritten` are the items that it stands for: those that a call replaces, and the other
    copies of a repeated item. `sources` and `weights` are the references as paths.
    """

    kind: str
    options: ItemOptions = ()
    path: Path = ()
    branches: tuple[ItemBranch, ...] = ()
    number: int | None = None
    refs: tuple[int, ...] = ()
    shares: int | None = None
    note: str = ""
    name: str = ""
    defaults: tuple[Any, ...] = ()
    unwritten: Items = ()
    repeat: int = 1
    sources: tuple[str, ...] = ()
    weights: str = ""

    @property
    def is_layer(self) -> bool:
        """Whether it is a layer without branches."""
        return self.number is not None and not self.branches

    @property
    def is_input_free(self) -> bool:
        """Whether it is a layer that depends on no input, not even on the size of one."""
        follows = any(isinstance(v, OptionExpression) and v.uses_input for _, v in self.options)
        return is_stored(self.kind) and not follows

    @property
    def is_join(self) -> bool:
        return self.number is not None and bool(self.branches)

    @property
    def is_sequence(self) -> bool:
        return self.kind == "sequence"

    @property
    def is_side(self) -> bool:
        return self.kind == "side"

    @property
    def is_call(self) -> bool:
        return self.number is None and not self.branches

    @property
    def items(self) -> Items:
        """The items of a sequence or a side output."""
        return self.branches[0].items

    @property
    def required_arguments(self) -> ItemOptions:
        return self.options[: len(self.options) - len(self.defaults)]

    @property
    def changed_arguments(self) -> ItemOptions:
        """The arguments of a call that differ from their default."""
        optional = self.options[len(self.options) - len(self.defaults) :]
        return tuple(
            (name, value)
            for (name, value), default in zip(optional, self.defaults, strict=True)
            if value != default or type(value) is not type(default)
        )


class OutlineBlock(NamedTuple):
    """A named list of layers with options: (name, default or None). `inputs` are the values that
    are the inputs of its first call; `input_names` are their names, if there are several.
    `outputs` are the paths of the inputs of the next copy, if a call has `repeat`."""

    name: str
    options: tuple[tuple[str, Any], ...]
    items: Items
    inputs: tuple[int, ...] = ()
    input_names: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()


class Tree(NamedTuple):
    items: Items
    blocks: tuple[OutlineBlock, ...] = ()


def sequence(path: Path, items: Items) -> Item:
    return Item("sequence", path=path, branches=(ItemBranch(items),))


def layers(items: Items) -> Iterator[Item]:
    """All layers in the order of the language: a join comes after its branches."""
    for item in items:
        for branch in item.branches:
            yield from layers(branch.items)
        if item.number is not None:
            yield item
        yield from layers(item.unwritten)


def walk(items: Items) -> Iterator[Item]:
    """All items in the text, each before the items inside it."""
    for item in items:
        yield item
        for branch in item.branches:
            yield from walk(branch.items)


def layer_numbers(items: Items) -> Iterator[int]:
    """The layers of the graph in the order of the language."""
    return (layer.number for layer in layers(items) if layer.number is not None)


def output(item: Item) -> int | None:
    """The value that an item outputs; None if it passes its input on."""
    if item.is_side:
        return None
    if item.number is not None and not item.unwritten:
        return item.number
    for inner in reversed(item.unwritten or item.items):
        value = output(inner)
        if value is not None:
            return value
    return None


def takes_input(item: Item) -> bool:
    """Whether an item takes the output of the item before it."""
    if item.refs:
        return False
    if item.is_layer:
        return not item.is_input_free
    if item.is_call:
        return takes_input(item.unwritten[0])
    return any(
        branch.ref is None and (not branch.items or takes_input(branch.items[0]))
        for branch in item.branches
    )


def named_values(item: Item) -> tuple[int | None, ...]:
    """The values that an item references by name, and the layer whose weights it shares."""
    return (*item.refs, *(branch.ref for branch in item.branches), item.shares)


def references(items: Items) -> Iterator[int]:
    """All values that items reference by name, also in their inner lists, except those inside
    calls."""
    for item in walk(items):
        yield from item.refs
        yield from (branch.ref for branch in item.branches if branch.ref is not None)


def named_by_others(items: Items) -> set[int]:
    """The values that items reference by name, and the layers whose weights others share."""
    shared = (layer.shares for layer in layers(items) if layer.shares is not None)
    return {*references(items), *shared}


def rebuild(item: Item, change: Callable[[Items], Items]) -> Item:
    """The item with its inner lists changed; the same object if no list changes."""
    lists = [change(branch.items) if branch.items else () for branch in item.branches]
    if all(new is branch.items for new, branch in zip(lists, item.branches, strict=True)):
        return item
    branches = [b._replace(items=new) for b, new in zip(item.branches, lists, strict=True)]
    return item._replace(branches=tuple(branches))


def with_reference(item: Item, source: int) -> Item:
    """The item with its input as a reference by name, if it has no reference yet."""
    if item.refs:
        return item
    if item.is_sequence or item.is_side:
        return rebuild(item, lambda items: (with_reference(items[0], source), *items[1:]))
    return item._replace(refs=(source,))
