"""The tree of a network: named lists of layers, nested like in a spec."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, TypeAlias

from convcost.importing.ir.layer_graph import Path


class LayerItem(NamedTuple):
    """One layer of the graph. `refs` are the values that it references by name; −1−k is the k-th
    input. Without references, its input is the output of the item before it."""

    number: int
    kind: str
    options: tuple[tuple[str, Any], ...]
    path: Path
    refs: tuple[int, ...] = ()
    shares: int | None = None
    note: str = ""
    name: str = ""


class BranchItem(NamedTuple):
    """A branch: a list of layers, or a value by name (`ref`). Without both, it is the join's input.

    With `when`, its layers exist only if that option of the block is true.
    """

    items: "tuple[Item, ...]" = ()
    ref: int | None = None
    name: str = ""
    when: str = ""


class JoinItem(NamedTuple):
    """A layer with branches. Its `refs` are the values that the branches start from."""

    layer: LayerItem
    branches: tuple[BranchItem, ...]


class SequenceItem(NamedTuple):
    """The layers of one module. `path` is the module's path; `name` is empty if it would have no
    information."""

    path: Path
    items: "tuple[Item, ...]"
    name: str = ""


class SideItem(NamedTuple):
    """Layers that do not lead to the main output."""

    items: "tuple[Item, ...]"
    name: str = ""


class CallItem(NamedTuple):
    """A use of a block. `items` are the layers that it stands for; `arguments` has all options;
    `defaults` has the defaults of the last options."""

    block: str
    arguments: tuple[tuple[str, Any], ...]
    items: "tuple[Item, ...]"
    defaults: tuple[Any, ...] = ()
    path: Path = ()
    refs: tuple[int, ...] = ()
    name: str = ""

    @property
    def required_arguments(self) -> tuple[tuple[str, Any], ...]:
        return self.arguments[: len(self.arguments) - len(self.defaults)]

    @property
    def changed_arguments(self) -> tuple[tuple[str, Any], ...]:
        """The arguments that differ from their default."""
        optional = self.arguments[len(self.arguments) - len(self.defaults) :]
        return tuple(
            (name, value)
            for (name, value), default in zip(optional, self.defaults, strict=True)
            if value != default or type(value) is not type(default)
        )


class Repeated(NamedTuple):
    """Several copies in series, written as the first copy."""

    copies: "tuple[Item, ...]"


Item: TypeAlias = LayerItem | JoinItem | SequenceItem | SideItem | CallItem | Repeated


class BlockItem(NamedTuple):
    """A named list of layers with options: (name, default or None)."""

    name: str
    options: tuple[tuple[str, Any], ...]
    items: tuple[Item, ...]


class Tree(NamedTuple):
    items: tuple[Item, ...]
    blocks: tuple[BlockItem, ...] = ()


def inside(item: Item) -> tuple[tuple[Item, ...], ...]:
    """The inner lists of an item, in the order of execution."""
    if isinstance(item, LayerItem):
        return ()
    if isinstance(item, JoinItem):
        return tuple(branch.items for branch in item.branches)
    if isinstance(item, Repeated):
        return (item.copies,)
    return (item.items,)


def layers(items: tuple[Item, ...]) -> Iterator[LayerItem]:
    """All layers in the order of the language: a join comes after its branches."""
    for item in items:
        if isinstance(item, LayerItem):
            yield item
            continue
        for items_inside in inside(item):
            yield from layers(items_inside)
        if isinstance(item, JoinItem):
            yield item.layer


def output(item: Item) -> int | None:
    """The value that an item outputs; None if it passes its input on."""
    if isinstance(item, LayerItem):
        return item.number
    if isinstance(item, JoinItem):
        return item.layer.number
    if isinstance(item, SideItem):
        return None
    for inner in reversed(inside(item)[0]):
        given = output(inner)
        if given is not None:
            return given
    return None


def refs(item: Item) -> tuple[int, ...]:
    """The values that an item itself references by name."""
    if isinstance(item, JoinItem):
        return item.layer.refs
    return item.refs if isinstance(item, LayerItem | CallItem) else ()


def references(items: tuple[Item, ...]) -> Iterator[int]:
    """All values that items reference by name, also in their inner lists, except those inside
    calls."""
    for item in items:
        yield from refs(item)
        if isinstance(item, JoinItem):
            yield from (branch.ref for branch in item.branches if branch.ref is not None)
        if not isinstance(item, LayerItem | CallItem):
            for items_inside in inside(item):
                yield from references(items_inside)


def map_layers(
    items: tuple[Item, ...], change: Callable[[LayerItem], LayerItem]
) -> tuple[Item, ...]:
    """The same tree with every layer changed."""
    return tuple(_map_inside(item, change) for item in items)


def _map_inside(item: Item, change: Callable[[LayerItem], LayerItem]) -> Item:
    if isinstance(item, LayerItem):
        return change(item)
    if isinstance(item, JoinItem):
        branches = tuple(b._replace(items=map_layers(b.items, change)) for b in item.branches)
        return JoinItem(change(item.layer), branches)
    if isinstance(item, Repeated):
        return Repeated(map_layers(item.copies, change))
    return item._replace(items=map_layers(item.items, change))


def with_reference(item: Item, source: int) -> Item:
    """The item with its input as a reference by name, if it has no reference yet."""
    if refs(item):
        return item
    if isinstance(item, LayerItem | CallItem):
        return item._replace(refs=(source,))
    if isinstance(item, JoinItem):
        return item._replace(layer=item.layer._replace(refs=(source,)))
    if isinstance(item, SequenceItem | SideItem):
        return item._replace(items=(with_reference(item.items[0], source), *item.items[1:]))
    raise TypeError(item)
