"""Orders chains as one list: each item comes after all values that it references. The next item
takes the output of the one before it where possible."""

from collections.abc import Container, Iterator, Sequence
from graphlib import CycleError, TopologicalSorter
from typing import NamedTuple

from convcost.importing.outline import tree
from convcost.importing.outline.chains import Chain
from convcost.importing.outline.tree import Item
from convcost.model.errors import ConstraintError


class _Link(NamedTuple):
    """An item of a chain, with the value before it and its position in that chain. `first` is the
    first layer of the chain."""

    item: Item
    source: int | None
    number: int
    chain: Chain
    first: int


def linearize(
    chains: Sequence[Chain], main: int, flow: int | None, tables: Container[int | None]
) -> list[Item]:
    """All items of the chains in order: those that compute `tables` as early as possible, and the
    item that outputs `main` as late as possible. The value `flow` is the input of the list."""
    links = [link for chain in chains for link in _links(chain)]
    sorter = TopologicalSorter(_links_before(links))
    try:
        sorter.prepare()
    except CycleError:
        raise ConstraintError("CC401", "the layers of the model have a cycle") from None
    items: list[Item] = []
    ready: list[int] = []
    last = None

    def rank(n: int) -> tuple[bool, bool, bool, bool, int]:
        link = links[n]
        follows = link.number > 0 and n - 1 == last
        at_flow = link.source == flow
        order = link.chain.first if at_flow else link.first
        value = tree.output(link.item)
        return value == main, not follows, value not in tables, not at_flow, order

    while sorter.is_active():
        ready += sorter.get_ready()
        last = min(ready, key=rank)
        ready.remove(last)
        sorter.done(last)
        item, source, *_ = links[last]
        if source is not None and source != flow and tree.takes_input(item):
            item = tree.with_reference(item, source)
        items.append(item)
        value = tree.output(item)
        flow = flow if value is None else value
    return items


def _links(chain: Chain) -> Iterator[_Link]:
    source = chain.start
    first = next(tree.layer_numbers(tuple(chain.items[:1])))
    for number, item in enumerate(chain.items):
        yield _Link(item, source, number, chain, first)
        value = tree.output(item)
        source = source if value is None else value


def _links_before(links: Sequence[_Link]) -> dict[int, set[int]]:
    """For each link, the links that must come before it."""
    maker = {value: n for n, link in enumerate(links) for value in tree.layer_numbers((link.item,))}
    before: dict[int, set[int]] = {}
    for n, link in enumerate(links):
        needed = {link.source, *tree.references((link.item,))}
        before[n] = {maker[value] for value in needed if value in maker} - {n}
        if link.number:
            before[n].add(n - 1)
    return before
