"""A network as a person would write it down: what stands in lists, in each other, under names."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, TypeAlias

from convcost.importing.drawing import Path


class Layer(NamedTuple):
    """One layer of the drawing. `refs` are the values it takes by name, by number, −1−k the k-th
    input; without, it takes what the item before it gives."""

    number: int
    kind: str
    options: tuple[tuple[str, Any], ...]
    path: Path
    refs: tuple[int, ...] = ()
    shares: int | None = None
    note: str = ""
    name: str = ""


class Branch(NamedTuple):
    """A list of layers, or (`ref`) a value by name. Without either it is the incoming tensor.

    With `when` its layers stand there only if that option of the block is true.
    """

    items: "tuple[Item, ...]" = ()
    ref: int | None = None
    name: str = ""
    when: str = ""


class Join(NamedTuple):
    """A layer where branches meet; its `refs` are what the branches come from."""

    layer: Layer
    branches: tuple[Branch, ...]


class Sequence(NamedTuple):
    """Layers of one module. `path` is the module's; `name` is empty if it would say nothing."""

    path: Path
    items: "tuple[Item, ...]"
    name: str = ""


class Side(NamedTuple):
    """Layers off the main path."""

    items: "tuple[Item, ...]"
    name: str = ""


class Call(NamedTuple):
    """A block in use: `items` are the layers that it stands for here. `arguments` are all of its
    options, `defaults` what the last of them are if nothing is said."""

    block: str
    arguments: tuple[tuple[str, Any], ...]
    items: "tuple[Item, ...]"
    defaults: tuple[Any, ...] = ()
    path: Path = ()
    refs: tuple[int, ...] = ()
    name: str = ""

    @property
    def required(self) -> tuple[tuple[str, Any], ...]:
        return self.arguments[: len(self.arguments) - len(self.defaults)]

    @property
    def further(self) -> tuple[tuple[str, Any], ...]:
        """Those that are not at their default."""
        told = self.arguments[len(self.arguments) - len(self.defaults) :]
        return tuple(
            (name, value)
            for (name, value), default in zip(told, self.defaults, strict=True)
            if value != default or type(value) is not type(default)
        )


class Repeated(NamedTuple):
    """Copies in series, written as the first of them."""

    copies: "tuple[Item, ...]"


Item: TypeAlias = Layer | Join | Sequence | Side | Call | Repeated


class Block(NamedTuple):
    """Layers under a name, with options: (name, default or None)."""

    name: str
    options: tuple[tuple[str, Any], ...]
    items: tuple[Item, ...]


class Tree(NamedTuple):
    items: tuple[Item, ...]
    blocks: tuple[Block, ...] = ()


def inside(item: Item) -> tuple[tuple[Item, ...], ...]:
    """The lists that an item holds, in the order they are laid out."""
    if isinstance(item, Layer):
        return ()
    if isinstance(item, Join):
        return tuple(branch.items for branch in item.branches)
    if isinstance(item, Repeated):
        return (item.copies,)
    return (item.items,)


def layers(items: tuple[Item, ...]) -> Iterator[Layer]:
    """All layers in the order the language lays them out: a join after its branches."""
    for item in items:
        if isinstance(item, Layer):
            yield item
            continue
        for items_inside in inside(item):
            yield from layers(items_inside)
        if isinstance(item, Join):
            yield item.layer


def output(item: Item) -> int | None:
    """The value an item gives; None for what hands on what it took."""
    if isinstance(item, Layer):
        return item.number
    if isinstance(item, Join):
        return item.layer.number
    if isinstance(item, Side):
        return None
    for inner in reversed(inside(item)[0]):
        given = output(inner)
        if given is not None:
            return given
    return None


def refs(item: Item) -> tuple[int, ...]:
    """What an item itself takes by name."""
    if isinstance(item, Join):
        return item.layer.refs
    return item.refs if isinstance(item, Layer | Call) else ()


def taken(items: tuple[Item, ...]) -> Iterator[int]:
    """All that items take by name, themselves or inside, but for what calls have to themselves."""
    for item in items:
        yield from refs(item)
        if isinstance(item, Join):
            yield from (branch.ref for branch in item.branches if branch.ref is not None)
        if not isinstance(item, Layer | Call):
            for items_inside in inside(item):
                yield from taken(items_inside)


def mapped(items: tuple[Item, ...], change: Callable[[Layer], Layer]) -> tuple[Item, ...]:
    """The same tree with every layer changed."""
    return tuple(_mapped(item, change) for item in items)


def _mapped(item: Item, change: Callable[[Layer], Layer]) -> Item:
    if isinstance(item, Layer):
        return change(item)
    if isinstance(item, Join):
        branches = tuple(b._replace(items=mapped(b.items, change)) for b in item.branches)
        return Join(change(item.layer), branches)
    if isinstance(item, Repeated):
        return Repeated(mapped(item.copies, change))
    return item._replace(items=mapped(item.items, change))


def fed(item: Item, source: int) -> Item:
    """The item, its incoming tensor taken by name, if it takes none by name already."""
    if refs(item):
        return item
    if isinstance(item, Layer | Call):
        return item._replace(refs=(source,))
    if isinstance(item, Join):
        return item._replace(layer=item.layer._replace(refs=(source,)))
    if isinstance(item, Sequence | Side):
        return item._replace(items=(fed(item.items[0], source), *item.items[1:]))
    raise TypeError(item)
