"""Einstein summation: letters name axes, the first of each tensor its channels."""

from convcost.model.cost_product import CostProduct, product
from convcost.model.errors import ConstraintError
from convcost.model.kind import Example, Join, kind, option
from convcost.model.number_format import counted
from convcost.model.options import MAX_TENSOR_AXES, Label, Layers
from convcost.model.receptive_field import ANY_POSITION, ReceptiveField
from convcost.model.shape import Shape

HINT = "write one letter for each axis, the channels first: `chw,cij->hwij`"


@kind("einsum", principal="branches")
class Einsum(Join):
    """Multiplies branches and sums over the letters that the output lacks. Of each tensor, the
    first letter is the channels. One multiply-add for each product of two."""

    operation = "contraction"
    mixes_channels = True
    branches: Layers = option("named lists of layers, or names of layers", None)
    equation: Label = option("the letters of each branch and of the output: `chw,cij->hwij`")

    examples = (
        Example(
            '{einsum: {query: [], key: []}, equation: "chq,chk->khq"}',
            Shape(64, (12, 197)),
            Shape(197, (12, 197)),
            macs=197 * 12 * 197 * 64,
        ),
        Example(
            '{einsum: {left: [], right: [{conv: 8, kernel: 1}]}, equation: "chw,dhw->dc"}',
            Shape(16, (10, 12)),
            Shape(8, (16,)),
            params=8 * 16,
            macs=8 * 16 * 10 * 12 + 8 * 16 * 10 * 12,
        ),
    )

    def output(self, x: tuple[Shape, ...]) -> Shape:
        extents, result = self._extents(x), self._letters()[-1]
        channels, *size = [extents[letter] for letter in result] or [1]
        return Shape(channels, tuple(size))

    def macs(self, x: tuple[Shape, ...]) -> CostProduct:
        extents = self._extents(x)
        factors = product(**{letter: extents[letter] for letter in sorted(extents)})
        return factors.times(products=len(x) - 1) if len(x) > 2 else factors  # noqa: PLR2004

    def receptive_field(self, x: tuple[Shape, ...]) -> tuple[ReceptiveField, ...]:
        return ANY_POSITION

    def check(self) -> None:
        *terms, result = self._letters()
        letters = set("".join(terms))
        if not letters.issuperset(result) or any(len(set(t)) < len(t) for t in (*terms, result)):
            message = f"einsum cannot compute `{self.equation}`: a term has a letter twice, or the "
            message += "output has a letter that no branch has"
            raise ConstraintError("CC104", message, HINT)
        if len(result) > MAX_TENSOR_AXES + 1:
            raise ConstraintError(
                "CC104", f"einsum has at most {MAX_TENSOR_AXES} axes and the channels"
            )

    def _letters(self) -> list[str]:
        """The letters of each branch, and then those of the output."""
        left, arrow, result = self.equation.replace(" ", "").partition("->")
        letters = [*left.split(","), result]
        if not arrow or not all(term.isalpha() and term.isascii() for term in letters if term):
            message = f"einsum cannot read `{self.equation}`"
            raise ConstraintError("CC104", message, HINT)
        return letters

    def _extents(self, x: tuple[Shape, ...]) -> dict[str, int]:
        """The extent of each letter. Raises ConstraintError if the branches have other axes."""
        *terms, _ = self._letters()
        if len(terms) != len(x) or len(x) < 2:  # noqa: PLR2004  a product
            branches, count = counted(len(x), "branch"), counted(len(terms), "term")
            message = "einsum needs two branches or more, and a term for each; "
            message += f"it has {branches} and {count} in `{self.equation}`"
            raise ConstraintError("CC303", message)
        extents: dict[str, int] = {}
        for term, shape in zip(terms, x, strict=True):
            axes = (shape.channels, *shape.size)
            if len(term) != len(axes):
                message = (
                    f"einsum has `{term}` for {shape.text}, which has {counted(len(axes), 'axis')}"
                )
                raise ConstraintError("CC303", message, HINT)
            for letter, n in zip(term, axes, strict=True):
                if extents.setdefault(letter, n) != n:
                    message = f"einsum has {extents[letter]} and {n} elements for `{letter}`"
                    raise ConstraintError("CC303", message, "axes of one letter are equal")
        return extents
