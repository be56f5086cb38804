"""What layers are called: the modules' own names."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from convcost.importing.drawing import Drawn, Path


class Scope(NamedTuple):
    """The innermost module that a call stands in: its path, and a key for this run of it."""

    path: Path
    run: str
    last: bool  # it has no modules of its own


class Scopes:
    """Paths of calls, and the names of the classes of all modules on the way."""

    def __init__(self, module: Any) -> None:
        self._bottom = {
            name for name, one in module.named_modules() if next(one.children(), None) is None
        }
        self.classes: dict[Path, str] = {}

    def of(self, node: Any) -> Scope:
        stack: Mapping[str, tuple[str, Any]] = node.meta.get("nn_module_stack") or {}
        name, run = "", ""
        for key, (found, kind) in stack.items():
            name, run = found, key
            text = kind if isinstance(kind, str) else kind.__name__
            self.classes.setdefault(parted(found), text.rpartition(".")[2])
        return Scope(parted(name), run, name in self._bottom)


def parted(name: str) -> Path:
    return tuple(part for part in name.split(".") if part)


def named(layers: Sequence[Drawn], scopes: Sequence[Scope | None]) -> list[Drawn]:
    """Layers by their modules: the only one of a module takes its name, one of several has its
    kind behind it. Those without a scope keep their path."""
    alone = Counter(scope.run for scope in scopes if scope is not None)
    found = []
    for layer, scope in zip(layers, scopes, strict=True):
        if scope is None:
            own = layer.kind == "learned" and layer.path[-1] == "learned"
            found.append(layer._replace(path=layer.path[:-1]) if own else layer)
        elif scope.last and scope.path and alone[scope.run] == 1:
            found.append(layer._replace(path=scope.path))
        else:
            found.append(layer._replace(path=(*scope.path, layer.kind)))
    return found
