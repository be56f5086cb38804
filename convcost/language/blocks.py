"""The sections `defaults` and `blocks`."""

from convcost.language.common_keys import FROZEN, RESERVED
from convcost.language.fields import NAMES, Sections, is_name
from convcost.language.parser import LayerParser
from convcost.language.syntax_tree import Block, OptionValue
from convcost.language.values import read_value
from convcost.language.yaml_nodes import Mapping
from convcost.model.kind import KINDS, Option
from convcost.model.suggestions import did_you_mean


def parse_blocks(sections: Sections, parser: LayerParser, names: tuple[str, ...]) -> None:
    """Reads both sections, and gives the defaults and the blocks to a layer parser."""
    _parse_defaults(sections, parser, names)
    problems = sections.problems
    bodies: list[tuple[Block, Mapping]] = []
    for name, (key, node) in sections.mapping("blocks").items():
        block = Block(name, key)
        if parser.known(name):
            problems.add("CC107", f"`{name}` is a kind and cannot be a block", key)
            continue
        parser.blocks[name] = block
        if type(node) is not Mapping:
            hint = "options: {…}, layers: […]"
            problems.add("CC104", f"block `{name}` must have `layers`", key, hint)
            continue
        _parse_options(block, node, sections, names)
        bodies.append((block, node))
    for block, node in bodies:
        layers = node.get("layers")
        if layers is None:
            problems.add("CC103", f"block `{block.name}` needs `layers`", block.origin)
        seen = (*names, *(name for name in block.options if name not in names))
        block.items = parser.layers(layers, f"`layers` of block `{block.name}`", seen)


def _parse_defaults(sections: Sections, parser: LayerParser, names: tuple[str, ...]) -> None:
    for kind_name, (key, node) in sections.mapping("defaults").items():
        kind = KINDS.get(kind_name)
        if kind is None:
            hint = did_you_mean(kind_name, KINDS.names())
            sections.problems.add("CC102", f"there is no kind `{kind_name}`", key, hint)
        elif type(node) is not Mapping:
            sections.problems.add("CC104", f"`{kind_name}` must be a mapping of options", node)
        else:
            sections.check_keys(kind_name, node.entries, (*kind.options, FROZEN.name), "option")
            parser.binder.defaults[kind_name] = parser.binder.read(kind, node.entries, names)
            frozen = parser.common.frozen(node.entries, names)
            if frozen is not None:
                parser.binder.frozen[kind_name] = frozen


def _parse_options(block: Block, node: Mapping, sections: Sections, names: tuple[str, ...]) -> None:
    sections.check_keys("a block", node.entries, ("options", "layers", "note"))
    options = node.get("options")
    if type(options) is not Mapping:
        if options is not None:
            message = "`options` must be a mapping"
            sections.problems.add("CC104", message, options, "{width: , stride: 1}")
        return
    seen = list(names)
    for name, (key, value) in options.entries.items():
        if not is_name(name) or name in RESERVED:
            message = f"`{name}` cannot be the name of an option"
            sections.problems.add("CC107", message, key, NAMES)
            continue
        option = Option(name, name, "Variable", f"an option of block {block.name}")
        if options.get(name) is not None:
            bound = read_value(sections.problems, option, value, seen, block.name)
            if bound is None:  # a problem is added; callers may leave the option out
                bound = OptionValue(option, value, 1)
            block.defaults[name] = bound
            option = option._replace(default=bound.constant)
        block.options[name] = option
        seen.append(name)
