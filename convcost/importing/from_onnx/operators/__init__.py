"""What the operators of ONNX are in the spec language: one file a family, found by walking them."""

from collections.abc import Callable
from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

if TYPE_CHECKING:
    from convcost.importing.from_onnx.graph import Node
    from convcost.importing.from_onnx.sheet import Sheet
    from convcost.importing.value import Value

Drawer: TypeAlias = "Callable[[Sheet, Node], Value | tuple[Value, ...]]"
F = TypeVar("F", bound=Callable[..., Any])

_DRAWERS: "dict[str, Drawer]" = {}
_walked: list[bool] = []


def operator(*names: str) -> Callable[[F], F]:
    """Registers what draws the operators of these names. It takes the sheet and the node and gives
    the tensors that come out, in order; it may raise Refusal."""

    def register(draw: F) -> F:
        for name in names:
            if name in _DRAWERS:
                raise ValueError(f"the operator {name} is registered twice")
            _DRAWERS[name] = draw
        return draw

    return register


def drawer(name: str) -> "Drawer | None":
    """What draws an operator; all files here are imported at the first call."""
    if not _walked:
        _walked.append(True)
        for module in iter_modules(__path__):
            import_module(f"{__name__}.{module.name}")
    return _DRAWERS.get(name)
