"""Options to values: those of a kind and those of a block, from every way to write them."""

from collections.abc import Iterable
from typing import Any

from convcost.errors import Note, Problem
from convcost.kind import Kind, Option
from convcost.names import did_you_mean, nearest
from convcost.options import show
from convcost.spec.common import COMMON
from convcost.spec.document import Mapping, Node, Scalar, Sequence
from convcost.spec.recipes import Block, Bound
from convcost.spec.values import Entries, Values

FOLLOWS = "what comes in is never written, it follows from the layer before"
INPUT_WORDS = ("in_channels", "in_features", "input_channels", "channels_in", "in_planes")


class Binder:
    """Binds options; what is wrong with them is kept in `problems`."""

    def __init__(self, values: Values) -> None:
        self.values = values
        self.problems = values.problems
        self.defaults: dict[str, tuple[Bound, ...]] = {}

    def problem(
        self,
        code: str,
        message: str,
        node: Node,
        help: str = "",  # noqa: A002
        *notes: Note,
    ) -> None:
        self.problems.append(Problem(code, message, node.place, notes, help))

    def kind(
        self,
        kind: type[Kind[Any]],
        word: Scalar,
        value: Node,
        options: Entries,
        names: tuple[str, ...],
    ) -> tuple[Bound, ...] | None:
        """The options of a layer: defaults, its own value, further keys. None if one is missing."""
        if type(value) is Mapping and not kind.options.keys().isdisjoint(value.entries):
            # By name, as a block takes them: {conv: {filters: 64, kernel: 3}}.
            for key, (place, _) in options.items():
                if key in value.entries:
                    self.problem("CC003", f"`{key}` of {kind.name} is given twice", place)
            options, value = {**value.entries, **options}, word
        written = {*options, *((kind.principal,) if given(word, value) else ())}
        bound: dict[str, Bound] = {b.option.name: b for b in self.defaults.get(kind.name, ())}
        if not written.isdisjoint(kind.either):
            # One of them is said here: another that is said for all gives way.
            bound = {name: b for name, b in bound.items() if name not in kind.either}
        before = len(self.problems)
        if given(word, value):
            self._principal(bound, kind, value, options, names)
        self.unknown(kind.name, options, kind)
        for key, (_, item) in options.items():
            if key in kind.options:
                self._bind(bound, kind.options[key], item, names, kind.name)
        if any(option.required and option.name not in bound for option in kind.options.values()):
            self._missing(kind.name, kind.options, bound, written, word, kind.principal)
        return tuple(bound.values()) if len(self.problems) == before else None

    def _principal(
        self,
        bound: dict[str, Bound],
        kind: type[Kind[Any]],
        value: Node,
        options: Entries,
        names: tuple[str, ...],
    ) -> None:
        if kind.principal is None:
            further = ", options as further keys" if kind.options else " alone"
            self.problem(
                "CC104",
                f"`{kind.name}` takes no value of its own",
                value,
                f"write `{kind.name}`{further}",
            )
            return
        if kind.principal in options:
            self.problem(
                "CC003",
                f"`{kind.principal}` of {kind.name} is given twice",
                options[kind.principal][0],
                "",
                Note("as its own value here", value.place),
            )
        self._bind(bound, kind.options[kind.principal], value, names, kind.name)

    def block(
        self,
        block: Block,
        word: Scalar,
        value: Node,
        options: Entries,
        names: tuple[str, ...],
    ) -> tuple[Bound, ...]:
        """A block's options: its first from its own value, in order from a list, by name from a
        mapping, and by further keys."""
        if self.values.torn(value):
            return ()
        written: Entries = {}
        order = list(block.options)
        if type(value) is Mapping:
            written.update(value.entries)
        elif given(word, value):
            listed = value.items if type(value) is Sequence else [value]
            if len(listed) > len(order):
                has = f"{len(order) or 'no'} option{'s' * (len(order) != 1)}"
                found = f", not {len(listed)}" if order else ""
                message = f"`{block.name}` has {has}{found}"
                self.problem("CC104", message, value, ", ".join(order))
            written.update({n: (word, item) for n, item in zip(order, listed, strict=False)})
        for key, entry in options.items():
            if key in written:
                self.problem("CC003", f"`{key}` of {block.name} is given twice", entry[0])
            written[key] = entry
        self.unknown(block.name, written, block)
        bound: dict[str, Bound] = {}
        for key, (_, item) in written.items():
            if key in block.options:
                self._bind(bound, block.options[key], item, names, block.name)
        if not block.broken:
            first = order[0] if order else None
            self._missing(block.name, block.options, bound, written, word, first)
        return tuple(bound.values())

    def _bind(
        self,
        bound: dict[str, Bound],
        option: Option,
        node: Node,
        names: tuple[str, ...],
        owner: str,
    ) -> None:
        found = self.values.bind(option, node, names, owner)
        if found is not None:
            bound[option.name] = found

    def _missing(
        self,
        owner: str,
        options: dict[str, Option],
        bound: dict[str, Bound],
        written: Iterable[str],
        word: Scalar,
        principal: str | None,
    ) -> None:
        """Says what is required and was not even misspelt."""
        meant = {nearest(key, options) for key in written}
        for option in options.values():
            if option.required and option.name not in bound and option.name not in meant:
                where = "{" + owner + ": …}" if option.name == principal else f"`{option.name}: …`"
                self.problem(
                    "CC103",
                    f"{owner} needs `{option.name}` ({option.meaning})",
                    word,
                    f"add {where}",
                )

    def unknown(self, owner: str, options: Entries, known: "type[Kind[Any]] | Block") -> None:
        allowed = [*known.options, *COMMON]
        if not isinstance(known, Block) and known.weights is not Kind.weights and not known.stated:
            allowed.append("weights")
        for key, (word, _) in options.items():
            if key not in known.options:
                hint = FOLLOWS if key in INPUT_WORDS else did_you_mean(key, allowed)
                self.problem("CC101", f"{owner} has no option {show(key)}", word, hint)


def given(word: Scalar, value: Node) -> bool:
    """Whether a layer has a value of its own: `conv: 64`, not `relu` nor `relu:`."""
    return value is not word and not (type(value) is Scalar and value.null)
