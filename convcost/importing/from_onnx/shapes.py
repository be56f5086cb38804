"""Dimensions that a model leaves open: the batch is one, others are given."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from convcost.errors import Refusal

if TYPE_CHECKING:
    from onnx import ModelProto, ValueInfoProto

Dims: TypeAlias = tuple[int, ...]

SMALL = 1 << 12  # elements of a tensor whose numbers inference may need
MAPS = 3  # the least rank of what has channels and a size


class Input(NamedTuple):
    """What the model is given: `dims` at a batch of 1, `integer` if it counts or names things."""

    name: str
    dims: Dims
    integer: bool = False


class Open(NamedTuple):
    """A dimension that has no number; `name` is how `--dim` calls it."""

    tensor: str
    axis: int
    name: str


def fixed(
    model: "ModelProto", size: Dims | None, dims: Mapping[str, int]
) -> tuple[tuple[Input, ...], tuple[str, ...]]:
    """The inputs with all dimensions known, and what is to be told about it.

    The batch is 1; other open dimensions are taken from `dims` by name, then from `size`.
    Raises Refusal CC405 that names those still open, or names given that the model has not.
    """
    weights = {tensor.name for tensor in model.graph.initializer}
    # Files of IR version 3 list their weights as inputs too.
    entries = [entry for entry in model.graph.input if entry.name not in weights]
    declared = [_declared(entry) for entry in entries]
    samples = {extents[0] for extents, _ in declared if len(extents) > 1} - {None}
    found, open_, notes = [], list[Open](), list[str]()
    for entry, (extents, names) in zip(entries, declared, strict=True):
        if _batched(extents, len(samples)):
            if dims.get(names[0], 1) != 1:
                raise Refusal(
                    "CC405",
                    f"the dimension `{names[0]}` is the batch of `{entry.name}`, which is 1 here",
                    "`convcost analyze --batch n` counts for more samples",
                )
            if extents[0] not in (None, 1):
                notes.append(f"`{entry.name}` was exported for {extents[0]} samples, read for one")
            extents[0] = 1
        for axis, name in enumerate(names):
            if extents[axis] is None and name in dims:
                extents[axis] = dims[name]
        _sized(entry.name, extents, size)
        left = [axis for axis, extent in enumerate(extents) if extent is None]
        open_ += [Open(entry.name, axis, names[axis]) for axis in left]
        integer = entry.type.tensor_type.elem_type not in _floats()
        found.append(Input(entry.name, tuple(extent or 0 for extent in extents), integer))
    _require(open_, {name for _, names in declared for name in names}, dims)
    return tuple(found), tuple(notes)


def _batched(extents: list[int | None], samples: int) -> bool:
    """Whether the first axis is samples: it is open, or all inputs have the same number of them;
    steps may stand before samples too."""
    if len(extents) < 2:  # noqa: PLR2004
        return False
    steps = len(extents) == MAPS and extents[1] == 1
    return extents[0] is None or (samples == 1 and not steps)


def _declared(entry: "ValueInfoProto") -> tuple[list[int | None], list[str]]:
    """The extents of an input, None where open, and the names of all dimensions."""
    kind = entry.type.WhichOneof("value")
    if kind != "tensor_type" or not entry.type.tensor_type.HasField("shape"):
        raise Refusal(
            "CC401",
            f"the input `{entry.name}` is no tensor of a known rank",
            "export the model with example inputs",
        )
    extents: list[int | None] = []
    names = []
    for axis, dim in enumerate(entry.type.tensor_type.shape.dim):
        extents.append(dim.dim_value if dim.dim_value > 0 else None)
        plain = dim.dim_param if dim.dim_param not in ("", "?") else f"{entry.name}.{axis}"
        names.append(plain)
    return extents, names


def _sized(name: str, extents: list[int | None], size: Dims | None) -> None:
    """Puts `size` into the axes that are open, or holds it against those that are not."""
    if size is None or len(extents) < MAPS:
        return
    places = [axis for axis, extent in enumerate(extents) if extent is None]
    inner = list(range(1, len(extents)))
    if len(places) != len(size):
        for axes in (inner[1:], inner[:-1]):  # channels first, channels last
            if len(axes) == len(size) and set(places) <= set(axes):
                places = axes
                break
    if len(places) != len(size):
        shown = "×".join("?" if extent is None else str(extent) for extent in extents)
        raise Refusal(
            "CC405",
            f"--size gives {len(size)} numbers, the input `{name}` is {shown}",
            "--dim name=n gives each dimension by its name",
        )
    for axis, extent in zip(places, size, strict=True):
        if extents[axis] not in (None, extent):
            raise Refusal(
                "CC405",
                f"--size asks for {extent}, the input `{name}` is fixed at {extents[axis]}",
                "import it without --size; `convcost analyze --size` changes the spec's",
            )
        extents[axis] = extent


def _require(open_: list[Open], known: set[str], dims: Mapping[str, int]) -> None:
    for name, extent in dims.items():
        if name not in known:
            listed = ", ".join(f"`{one}`" for one in sorted(known)) or "none"
            raise Refusal(
                "CC405", f"the model has no dimension `{name}`", f"its dimensions: {listed}"
            )
        if extent < 1:
            raise Refusal("CC405", f"the dimension `{name}` must be at least 1, not {extent}")
    if not open_:
        return
    by_name: dict[str, list[str]] = {}
    for one in open_:
        by_name.setdefault(one.name, []).append(f"axis {one.axis} of `{one.tensor}`")
    listed = ", ".join(f"`{name}` ({places[0]})" for name, places in by_name.items())
    flags = " ".join(f"--dim '{name}=…'" for name in by_name)
    raise Refusal(
        "CC405",
        f"the model leaves {listed} open",
        f"give the size, --size 224 or --size 48x320, or each by its name: {flags}",
    )


def _floats() -> frozenset[int]:
    from onnx import TensorProto

    kinds = TensorProto
    return frozenset((kinds.FLOAT, kinds.FLOAT16, kinds.DOUBLE, kinds.BFLOAT16, kinds.UNDEFINED))
