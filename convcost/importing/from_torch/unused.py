"""Parameters that the model registers and no layer takes: an optimizer would update them still."""

from typing import Any

from convcost.errors import Refusal
from convcost.importing.easel import Easel
from convcost.importing.from_torch.names import parted
from convcost.shapes import Shape

NOTE = "registered, and never used on the way from the inputs to the outputs"


def draw(easel: Easel, module: Any, beside: int) -> None:
    """One `learned` layer for every module of which nothing is used, the outermost such."""
    groups: dict[str, dict[str, int]] = {}
    idle = {
        name: int(parameter.numel())
        for name, parameter in module.named_parameters()
        if name not in easel.used
    }
    busy = {name for key in easel.used for name in _above(key)}
    for name, elements in idle.items():
        home = next((one for one in _above(name) if one not in busy), name)
        groups.setdefault(home, {})[name] = elements
    for home, tensors in groups.items():
        total = sum(tensors.values())
        if not total:
            continue
        easel.emit(
            "learned", (*parted(home), "unused") if home not in tensors else parted(home),
            [beside], {"shape": Shape(total)}, tensors=tensors, note=NOTE,
        )  # fmt: skip
        easel.notes.append(f"{home}: {total:,} params are {NOTE}")


def agree(easel: Easel, module: Any) -> None:
    """Raises Refusal unless all layers together hold what the model does."""
    drawn = sum(layer.params for layer in easel.layers)
    held = sum(int(parameter.numel()) for parameter in module.parameters())
    if drawn != held:
        raise Refusal("CC403", f"the layers have {drawn:,} params, the model holds {held:,}")


def _above(name: str) -> list[str]:
    """The modules that a name stands in, outermost first."""
    parts = name.split(".")[:-1]
    return [".".join(parts[: n + 1]) for n in range(len(parts))]
