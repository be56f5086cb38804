"""Lowers canonical operators to layers, with one rule for each operator in `passes/lower`."""

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from convcost.importing.ir.builder import GraphBuilder
from convcost.importing.ir.layer_graph import Path
from convcost.importing.ir.ops import Node
from convcost.importing.ir.tensor import Tensor
from convcost.model.registry import Registry

Lowering: TypeAlias = Callable[[GraphBuilder, Node], Tensor]

LOWERINGS: Registry[Lowering] = Registry("convcost.importing.passes.lower", quoted=False)


def lowering(*ops: str) -> Callable[[Lowering], Lowering]:
    """Registers the rule for some operators."""

    def register(rule: Lowering) -> Lowering:
        for op in ops:
            LOWERINGS.add(op, rule)
        return rule

    return register


def lower(
    builder: GraphBuilder,
    op: str,
    path: Path,
    *inputs: Tensor,
    weights: Mapping[str, int] | None = None,
    buffers: Mapping[str, int] | None = None,
    **attributes: Any,
) -> Tensor:
    """Adds the layers of a canonical operator and returns its output. Raises ConstraintError."""
    return LOWERINGS[op](builder, Node(op, path, inputs, attributes, weights or {}, buffers))
