"""The dimensions that a model leaves open: the batch becomes 1, the user gives the others."""

import shlex
from collections.abc import Mapping, Sequence
from typing import NamedTuple, TypeAlias

from onnx import ModelProto, ValueInfoProto

from convcost.importing.frontends.onnx.graph import OnnxGraph
from convcost.importing.frontends.onnx.input_axes import (
    InputReaders,
    axis_readers,
    batch_axes,
    input_channel,
    inputs_without_batch,
    summed_inputs,
)
from convcost.importing.ir.constant import Constant
from convcost.importing.passes.channel_axis import has_one_channel
from convcost.importing.passes.model_inputs import MIN_SIZED_RANK, dims_text, fill_size
from convcost.model.errors import ConstraintError

Dims: TypeAlias = tuple[int, ...]

HINT = "--dim name=n gives each dimension by its name"


class ModelInput(NamedTuple):
    """An input of the model; `dims` have a batch of 1. If the model adds the batch itself,
    `batched` is the tensor that has it."""

    name: str
    dims: Dims
    batched: str = ""


class ModelInputs(NamedTuple):
    """The inputs that a model is read with. `file_dims` lists the dims in the file of those that
    have other dims now. `notes` say which were exported for several samples, `samples`."""

    inputs: tuple[ModelInput, ...]
    notes: tuple[str, ...]
    file_dims: tuple[str, ...]
    samples: frozenset[int]


class DeclaredInput(NamedTuple):
    """An input in the file: for each axis the extent, None if it is open, and the name for
    `--dim`."""

    name: str
    extents: list[int | None]
    dim_names: list[str]


def close_dims(
    model: ModelProto,
    graph: OnnxGraph,
    constants: Mapping[str, Constant],
    size: Dims | None,
    dims: Mapping[str, int],
) -> ModelInputs:
    """The inputs with all dimensions known; `constants` are those that the file stores.

    The batch is 1. Other open dimensions get their number from `dims` by name, otherwise from
    `size`. If the model leaves no dimension open, `size` replaces the dimensions of the file.
    Raises ConstraintError CC405 with the dimensions that are still open, or with names in `dims`
    that the model does not have.
    """
    weights = {tensor.name for tensor in model.graph.initializer}
    # Files of IR version 3 also list their weights as inputs.
    declared = [_declared_input(entry) for entry in model.graph.input if entry.name not in weights]
    inputs = {entry.name: entry.extents for entry in declared}
    along, summed = batch_axes(graph.nodes, inputs), summed_inputs(graph.nodes, inputs)
    added = inputs_without_batch(graph.nodes, inputs, constants)
    axes = {
        name: min(along.get(name, 0), max(len(extents) - 1, 0)) for name, extents in inputs.items()
    }
    samples = {
        extents[axes[name]]
        for name, extents in inputs.items()
        if len(extents) > 1 and name not in added
    } - {None}
    readers = InputReaders(graph.nodes)
    model_inputs, notes = [], list[str]()
    file_dims, exported, numbers = list[str](), set[int](), {**dims}
    rows = set[str]() if size is None else _inputs_of_rows(declared, readers)
    unsized = any(None in extents[1:] for extents in inputs.values())
    for name, extents, names in declared:
        batch, is_combined = axes[name], name in {*summed, *added}
        if not is_combined and _is_batch_axis(
            extents, len(samples), batch, is_recurrent=name in along
        ):
            _require_batch_of_one(name, names[batch], dims)
            if (extent := extents[batch]) not in (None, 1):
                exported.add(extent)
                notes.append(f"`{name}` was exported for {extent} samples and is imported for one")
            extents[batch] = 1
        for axis, dimension in enumerate(names):
            if extents[axis] is None and dimension in numbers:
                extents[axis] = numbers[dimension]
        sized = len(extents) >= MIN_SIZED_RANK or name in rows
        if size is not None and sized and (None in extents or not unsized):
            before = tuple(extents)
            last = name in rows or input_channel(readers, name, before, {}) == len(before) - 1
            all_extents = [*extents, 1] if name in rows else extents
            fill_size(name, all_extents, size, HINT, last=last)
            extents[:] = all_extents[: len(extents)]
            # Later inputs have the dimensions of the same names, as the mask of tokens does.
            filled_axes = [axis for axis, old in enumerate(before) if old is None]
            numbers |= {names[axis]: n for axis in filled_axes if (n := extents[axis]) is not None}
            if any(old not in (None, new) for old, new in zip(before, extents, strict=True)):
                file_dims.append(f"`{name}` is {dims_text(before)} in the file")
        filled = tuple(extent or 0 for extent in extents)
        model_inputs.append(ModelInput(name, filled, added.get(name, "")))
    _require_closed(declared, dims)
    return ModelInputs(tuple(model_inputs), tuple(notes), tuple(file_dims), frozenset(exported))


def _require_batch_of_one(name: str, dimension: str, dims: Mapping[str, int]) -> None:
    """Raises ConstraintError CC405 if `dims` gives the batch of an input another number."""
    if dims.get(dimension, 1) != 1:
        raise ConstraintError(
            "CC405",
            f"the dimension `{dimension}` is the batch of `{name}`, always 1",
            "`convcost analyze --batch n` counts for more samples",
        )


def _inputs_of_rows(declared: Sequence[DeclaredInput], readers: InputReaders) -> set[str]:
    """The inputs whose axes after the batch are all the size. Without one, raises ConstraintError
    CC405 if no input has a size."""
    read = axis_readers(readers, {})
    rows = {
        entry.name for entry in declared if has_one_channel(entry.name, len(entry.extents), read)
    }
    if not rows:
        _require_sized_input(declared)
    return rows


def _is_batch_axis(
    extents: list[int | None], samples: int, axis: int, *, is_recurrent: bool
) -> bool:
    """Whether an axis is the batch: its dimension is open, or all inputs have the same number
    there. The first axis may be steps instead if no recurrent operator determines the batch
    (`is_recurrent`)."""
    if len(extents) < 2:  # noqa: PLR2004
        return False
    steps = not is_recurrent and len(extents) == MIN_SIZED_RANK and extents[1] == 1
    return extents[axis] is None or (samples == 1 and not steps)


def _declared_input(entry: ValueInfoProto) -> DeclaredInput:
    kind = entry.type.WhichOneof("value")
    if kind != "tensor_type" or not entry.type.tensor_type.HasField("shape"):
        raise ConstraintError(
            "CC401",
            f"the input `{entry.name}` is not a tensor of known rank",
            "export the model with example inputs",
        )
    extents: list[int | None] = []
    names = []
    for axis, dim in enumerate(entry.type.tensor_type.shape.dim):
        extents.append(dim.dim_value if dim.dim_value > 0 else None)
        has_name = dim.dim_param not in ("", "?")
        names.append(dim.dim_param if has_name else f"{entry.name}.{axis}")
    return DeclaredInput(entry.name, extents, names)


def _require_sized_input(declared: Sequence[DeclaredInput]) -> None:
    """Raises ConstraintError CC405 if `--size` is given and no input has a size."""
    if any(len(entry.extents) >= MIN_SIZED_RANK for entry in declared):
        return
    listed = ", ".join(f"`{entry.name}` is {dims_text(entry.extents)}" for entry in declared)
    raise ConstraintError(
        "CC405",
        f"--size needs an input with channels and a size, but the model has none: {listed}",
        "--dim name=n gives a dimension by its name",
    )


def _require_closed(declared: list[DeclaredInput], dims: Mapping[str, int]) -> None:
    """Raises ConstraintError CC405 if dimensions are still open, or if `dims` has a name that the
    model does not have or an extent below 1."""
    dim_names = {name for entry in declared for name in entry.dim_names}
    open_: dict[str, str] = {}  # the first place of each name
    for name, extents, names in declared:
        for axis in (axis for axis, extent in enumerate(extents) if extent is None):
            open_.setdefault(names[axis], f"axis {axis} of `{name}`")
    for name, extent in dims.items():
        if name not in dim_names:
            listed = ", ".join(f"`{other}`" for other in sorted(dim_names)) or "none"
            raise ConstraintError(
                "CC405", f"the model has no dimension `{name}`", f"its dimensions: {listed}"
            )
        if extent < 1:
            raise ConstraintError(
                "CC405", f"the dimension `{name}` must be at least 1, not {extent}"
            )
    if not open_:
        return
    listed = ", ".join(f"`{name}` ({place})" for name, place in open_.items())
    flags = " ".join(f"--dim {shlex.quote(f'{name}=…')}" for name in open_)
    raise ConstraintError(
        "CC405",
        f"the model leaves {listed} open",
        f"give the size, --size 224 or --size 48x320, or each by its name: {flags}",
    )
