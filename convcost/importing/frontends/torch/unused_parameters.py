"""Parameters that the model registers and no layer uses. An optimizer still updates them."""

from typing import Any

from convcost.importing.frontends.torch.names import split_name
from convcost.importing.ir.builder import GraphBuilder
from convcost.model.errors import ConstraintError
from convcost.model.shape import Shape

NOTE = "registered, but not used to compute the outputs"


def add_unused(builder: GraphBuilder, module: Any, neighbour: int) -> None:
    """Adds one `learned` layer for each module whose parameters are all unused; only the outermost
    such modules count."""
    groups: dict[str, dict[str, int]] = {}
    idle = {
        name: int(parameter.numel())
        for name, parameter in module.named_parameters()
        if name not in builder.used
    }
    busy = {name for key in builder.used for name in _parents(key)}
    for name, elements in idle.items():
        home = next((module for module in _parents(name) if module not in busy), name)
        groups.setdefault(home, {})[name] = elements
    for home, tensors in groups.items():
        total = sum(tensors.values())
        if not total:
            continue
        builder.emit(
            "learned", (*split_name(home), "unused") if home not in tensors else split_name(home),
            [neighbour], {"shape": Shape(total)}, tensors=tensors, note=NOTE,
        )  # fmt: skip
        builder.notes.append(f"{home}: {total:,} params are {NOTE}")


def verify_count(builder: GraphBuilder, module: Any) -> None:
    """Raises ConstraintError unless the layers have as many params as the model."""
    counted = sum(layer.params for layer in builder.layers)
    registered = sum(int(parameter.numel()) for parameter in module.parameters())
    if counted != registered:
        raise ConstraintError(
            "CC403", f"the layers have {counted:,} params, but the model has {registered:,}"
        )


def _parents(name: str) -> list[str]:
    """The paths of the modules around a name, outermost first."""
    parts = name.split(".")[:-1]
    return [".".join(parts[: n + 1]) for n in range(len(parts))]
