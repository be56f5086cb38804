"""The branches of a join: named lists of layers, names of layers, or both."""

from collections.abc import Callable

from convcost.spec.binder import given
from convcost.spec.common import Common
from convcost.spec.document import Mapping, Node, Scalar, Sequence
from convcost.spec.recipes import Branch, Recipe


class Branches:
    """Reads branches; `layers` reads the list of one."""

    def __init__(
        self,
        common: Common,
        layers: Callable[[Node | None, str, tuple[str, ...]], tuple[Recipe, ...]],
    ) -> None:
        self.common = common
        self.problem = common.problem
        self.layers = layers

    def read(
        self, owner: str, word: Scalar, value: Node, names: tuple[str, ...], made: Recipe
    ) -> tuple[Branch, ...]:
        """`made` is the join so far, with what it is fed by."""
        if not given(word, value) or _empty(value):
            self._fed_by_names(owner, word, made)
            return ()
        if type(value) is Scalar:
            self.problem(
                "CC104",
                f"{owner} takes named lists of layers or a list of names, not `{value.text}`",
                value,
                f"write {{{owner}: [{value.text}, …]}}",
            )
            return ()
        if len(made.sources) > 1:
            message = f"the branches of {owner} take one input, not {len(made.sources)}"
            self.problem("CC108", message, made.sources[0])
        if type(value) is Sequence:
            return tuple(self._named(item) for item in value.items)
        assert type(value) is Mapping
        found = [self._branch(key, body, names) for key, body in value.entries.values()]
        return tuple(branch for branch in found if branch is not None)

    def _fed_by_names(self, owner: str, word: Scalar, made: Recipe) -> None:
        if len(made.sources) < 2:  # noqa: PLR2004  a join joins
            self.problem(
                "CC103",
                f"{owner} has no branches",
                word,
                f"write {{{owner}: {{a: […], b: […]}}}} or {{{owner}: [name, name]}}",
            )
        elif made.repeat is not None:
            self.problem("CC104", f"{owner} of named layers cannot be repeated in series", word)

    def _branch(self, key: Scalar, body: Node, names: tuple[str, ...]) -> Branch | None:
        self.common.check_name(key)
        if type(body) is Scalar and not body.null:
            return Branch(key.text, key, source=body)
        if type(body) is Sequence:
            return Branch(key.text, key, self.layers(body, f"branch `{key.text}`", names))
        self.problem(
            "CC104",
            f"branch `{key.text}` must be a list of layers or the name of a layer",
            key,
            "an empty list [] is the incoming tensor itself",
        )
        return None

    def _named(self, item: Node) -> Branch:
        source = self.common.reference(item)
        return Branch("", item) if source is None else Branch(source.text, source, source=source)


def _empty(value: Node) -> bool:
    if type(value) is Sequence:
        return not value.items
    return type(value) is Mapping and not value.entries
