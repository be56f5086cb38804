"""The names of layers: the paths of their modules."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from convcost.importing.ir.layer_graph import GraphLayer, Path


class ModuleScope(NamedTuple):
    """The innermost module that an operator belongs to. A module can be called several times;
    `call` is the key of one call."""

    path: Path
    call: str
    is_innermost: bool  # the module has no submodules


class Scopes:
    """The modules that calls belong to. `of` finds the innermost module of a call; `classes` has
    the class name of every module on its path."""

    def __init__(self, module: Any) -> None:
        self._bottom = {
            name
            for name, submodule in module.named_modules()
            if next(submodule.children(), None) is None
        }
        self.classes: dict[Path, str] = {}

    def scope_of(self, node: Any) -> ModuleScope:
        stack: Mapping[str, tuple[str, Any]] = node.meta.get("nn_module_stack") or {}
        name, call = "", ""
        for key, (module_name, kind) in stack.items():
            name, call = module_name, key
            text = kind if isinstance(kind, str) else kind.__name__
            self.classes.setdefault(split_name(module_name), text.rpartition(".")[2])
        return ModuleScope(split_name(name), call, name in self._bottom)


def split_name(name: str) -> Path:
    return tuple(part for part in name.split(".") if part)


def name_layers(
    layers: Sequence[GraphLayer], scopes: Sequence[ModuleScope | None]
) -> list[GraphLayer]:
    """Layers with the paths of their modules. The only layer of a module gets the module's path;
    otherwise the kind is appended. Layers without a scope keep their path."""
    layer_counts = Counter(scope.call for scope in scopes if scope is not None)
    named_layers = []
    for layer, scope in zip(layers, scopes, strict=True):
        if scope is None:
            has_kind_suffix = layer.kind == "learned" and layer.path[-1] == "learned"
            named_layers.append(layer._replace(path=layer.path[:-1]) if has_kind_suffix else layer)
        elif scope.is_innermost and scope.path and layer_counts[scope.call] == 1:
            named_layers.append(layer._replace(path=scope.path))
        else:
            named_layers.append(layer._replace(path=(*scope.path, layer.kind)))
    return named_layers
