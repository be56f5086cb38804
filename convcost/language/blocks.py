"""The sections `defaults` and `blocks`."""

from convcost.language.common_keys import FROZEN
from convcost.language.fields import NAMES, Sections, is_name
from convcost.language.parser import LayerParser
from convcost.language.syntax_tree import Block, OptionValue
from convcost.language.values import Names, read_value
from convcost.language.yaml_nodes import Mapping, Node, Scalar, Sequence
from convcost.model.kind import KINDS, RESERVED, Option
from convcost.model.number_format import counted
from convcost.model.suggestions import did_you_mean

MAX_LISTED = 8  # names in a hint


def parse_blocks(sections: Sections, parser: LayerParser, names: Names) -> None:
    """Reads both sections, and gives the defaults and the blocks to a layer parser."""
    _parse_defaults(sections, parser, names)
    problems = sections.problems
    bodies: list[tuple[Block, Mapping]] = []
    seen: dict[tuple[str, ...], Names] = {(): names}  # the keys are options of blocks
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
        _parse_inputs(block, node, parser)
        bodies.append((block, node))
    for block, node in bodies:
        layers = node.get("layers")
        if layers is None:
            problems.add("CC103", f"block `{block.name}` needs `layers`", block.origin)
        inner_names = seen.setdefault(tuple(block.options), names.new_child(block.options))
        block.items = parser.layers(layers, f"`layers` of block `{block.name}`", inner_names)


def _parse_inputs(block: Block, node: Mapping, parser: LayerParser) -> None:
    problems, before = parser.problems, len(parser.problems)
    block.inputs = inputs = _names(node.get("inputs"), "inputs", parser)
    block.outputs = outputs = _names(node.get("outputs"), "outputs", parser)
    first: dict[str, Scalar] = {}
    for name in inputs:
        if parser.common.check_name(name) and first.setdefault(name.text, name) is not name:
            problems.add("CC107", f"block `{block.name}` has two inputs `{name.text}`", name)
    if outputs and len(outputs) != len(inputs) and len(problems) == before:
        counts = f"{counted(len(inputs), 'input')} and {counted(len(outputs), 'output')}"
        hint = "`outputs` names a layer for each of the `inputs`, in their order"
        problems.add("CC104", f"block `{block.name}` has {counts}", outputs[0], hint)


def _names(node: Node | None, key: str, parser: LayerParser) -> tuple[Scalar, ...]:
    if type(node) is Sequence and node.items:
        parser.problems.count_read(node)
        names = [parser.common.reference(item) for item in node.items]
        return tuple([name for name in names if name is not None])
    if node is not None:
        message = f"`{key}` must be a list of names"
        parser.problems.add("CC104", message, node, f"write {key}: [low, high]")
    return ()


def _parse_defaults(sections: Sections, parser: LayerParser, names: Names) -> None:
    for kind_name, (key, node) in sections.mapping("defaults").items():
        kind = KINDS.get(kind_name)
        if kind is None:
            hint = did_you_mean(kind_name, KINDS.names())
            sections.problems.add("CC102", f"there is no kind `{kind_name}`", key, hint)
        elif type(node) is not Mapping:
            sections.problems.add("CC104", f"`{kind_name}` must be a mapping of options", node)
        else:
            sections.problems.count_read(node)
            sections.check_keys(kind_name, node.entries, (*kind.options, FROZEN.name), "option")
            parser.binder.defaults[kind_name] = parser.binder.read(kind, node.entries, names)
            frozen = parser.common.frozen(node.entries, names)
            if frozen is not None:
                parser.binder.frozen[kind_name] = frozen


def _parse_options(block: Block, node: Mapping, sections: Sections, names: Names) -> None:
    sections.check_keys("a block", node.entries, ("options", "inputs", "layers", "outputs", "note"))
    options = node.get("options")
    if options is None:
        return
    if type(options) is not Mapping:
        # If they are a list of names, their uses are no further problems.
        items = options.items if type(options) is Sequence else []
        listed = [item.text for item in items if type(item) is Scalar and is_name(item.text)]
        block.options.update((name, _option(block, name)) for name in listed)
        example = ", ".join(f"{name}: " for name in listed[:MAX_LISTED]) or "width: , stride: 1"
        hint = f"write options: {{{example}}}"
        sections.problems.add("CC104", "`options` must be a mapping", options, hint)
        return
    sections.problems.count_read(options)
    seen = names.new_child(block.options)
    for name, (key, value) in options.entries.items():
        if not is_name(name) or name in RESERVED:
            message = f"`{name}` cannot be the name of an option"
            sections.problems.add("CC107", message, key, NAMES)
            continue
        option = _option(block, name)
        if options.get(name) is not None:
            bound = read_value(sections.problems, option, value, seen, block.name)
            if bound is None:  # a problem is added; callers may leave the option out
                bound = OptionValue(option, value, 1)
            block.defaults[name] = bound
            option = option._replace(default=bound.constant)
        block.options[name] = option


def _option(block: Block, name: str) -> Option:
    return Option(name, name, "Variable", f"an option of block {block.name}")
