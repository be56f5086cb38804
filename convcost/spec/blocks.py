"""`defaults` and `blocks`: what the layers of a document may lean on."""

from convcost.kind import Option
from convcost.names import did_you_mean
from convcost.spec.common import COMMON
from convcost.spec.document import Mapping, Scalar
from convcost.spec.read import Reader
from convcost.spec.recipes import Block, Bound, Recipe
from convcost.spec.sections import NAMES, Sections, authored, is_name

DEEPEST_BLOCKS = 64


class Blocks:
    """Reads both sections into the vocabulary and the defaults of a reader."""

    def __init__(self, sections: Sections, reader: Reader) -> None:
        self.sections = sections
        self.values = sections.values
        self.reader = reader

    def read(self, names: tuple[str, ...]) -> None:
        self._defaults(self.reader, names)
        self._blocks(self.reader, names)

    def _defaults(self, reader: Reader, names: tuple[str, ...]) -> None:
        for kind_name, (key, node) in authored(self.sections.mapping("defaults")).items():
            kind = reader.vocabulary.get(kind_name)
            if kind is None or isinstance(kind, Block):
                hint = did_you_mean(kind_name, reader.vocabulary)
                self.sections.problem("CC102", f"there is no kind `{kind_name}`", key, hint)
                continue
            if type(node) is not Mapping:
                self.sections.problem("CC104", f"`{kind_name}` must be a mapping of options", node)
                continue
            bound: list[Bound] = []
            for name, (option_key, value) in authored(node.entries).items():
                option = kind.options.get(name)
                if option is None:
                    hint = did_you_mean(name, kind.options)
                    self.sections.problem(
                        "CC101", f"{kind_name} has no option `{name}`", option_key, hint
                    )
                    continue
                made = self.values.bind(option, value, names, kind_name)
                if made is not None:
                    bound.append(made)
            reader.binder.defaults[kind_name] = tuple(bound)

    def _blocks(self, reader: Reader, names: tuple[str, ...]) -> None:
        bodies: list[tuple[Block, Mapping]] = []
        for name, (key, node) in authored(self.sections.mapping("blocks")).items():
            block = Block(name, key)
            if name in reader.vocabulary:
                self.sections.problem("CC107", f"`{name}` is a kind and cannot be a block", key)
                continue
            reader.vocabulary[name] = block
            if type(node) is not Mapping:
                self.sections.problem(
                    "CC104", f"block `{name}` must have `layers`", key, "options: {…}, layers: […]"
                )
                block.broken = True
                continue
            self._options(block, node, names)
            bodies.append((block, node))
        for block, node in bodies:
            layers = node.get("layers")
            if layers is None:
                self.sections.problem("CC103", f"block `{block.name}` needs `layers`", block.origin)
            seen = (*names, *(name for name in block.options if name not in names))
            block.items = reader.layers(layers, f"`layers` of block `{block.name}`", seen)
        self._calls([block for block, _ in bodies])

    def _options(self, block: Block, node: Mapping, names: tuple[str, ...]) -> None:
        for name, (key, _) in node.entries.items():
            if name not in ("options", "layers", "note") and not name.startswith("x-"):
                hint = did_you_mean(name, ("options", "layers", "note"))
                self.sections.problem("CC101", f"a block has no key `{name}`", key, hint)
        options = node.get("options")
        if options is None or (type(options) is Scalar and options.null):
            return
        if type(options) is not Mapping:
            block.broken = True
            self.sections.problem(
                "CC104", "`options` must be a mapping", options, "{width: , stride: 1}"
            )
            return
        seen = list(names)
        for name, (key, value) in options.entries.items():
            if not is_name(name) or name in (*COMMON, "weights"):
                self.sections.problem(
                    "CC107", f"`{name}` cannot be the name of an option", key, NAMES
                )
                block.broken = True
                continue
            meaning = f"an option of block {block.name}"
            option = Option(name, name, "Variable", meaning)
            if not (type(value) is Scalar and value.null):
                bound = self.values.bind(option, value, seen, block.name)
                if bound is None:
                    block.broken = True
                    bound = Bound(option, value, 1)
                block.defaults[name] = bound
                option = option._replace(default=bound.constant)
            block.options[name] = option
            seen.append(name)

    def _calls(self, blocks: list[Block]) -> None:
        """No block may call itself, over however many others."""
        safe: set[str] = set()

        def visit(block: Block, chain: tuple[Block, ...]) -> bool:
            if block.name in safe:
                return True
            if block in chain:
                self._circle((*chain[chain.index(block) :], block))
                return False
            if len(chain) >= DEEPEST_BLOCKS:
                message = f"blocks call each other more than {DEEPEST_BLOCKS} deep"
                self.sections.problem("CC004", message, block.origin)
                return False
            for called in _called(block.items):
                if not visit(called, (*chain, block)):
                    block.items = ()
                    return False
            safe.add(block.name)
            return True

        for block in blocks:
            visit(block, ())

    def _circle(self, chain: tuple[Block, ...]) -> None:
        names = " → ".join(block.name for block in chain)
        self.sections.problem(
            "CC109", f"block `{chain[0].name}` calls itself: {names}", chain[0].origin,
            "write the levels out, or use `repeat`",
        )  # fmt: skip


def _called(items: tuple[Recipe, ...]) -> list[Block]:
    """The blocks that layers call, at whatever depth; what is aliased is looked at once."""
    found: dict[str, Block] = {}
    seen: set[int] = set()
    waiting = list(items)
    while waiting:
        item = waiting.pop()
        if id(item) in seen:
            continue
        seen.add(id(item))
        if item.block is not None:
            found[item.block.name] = item.block
        waiting += item.items
        for branch in item.branches:
            waiting += branch.items
    return list(found.values())
