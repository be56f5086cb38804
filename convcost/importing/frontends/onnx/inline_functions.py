"""Inlines a model's own functions: each call is replaced by the function's nodes."""

from collections.abc import Iterable

from onnx import ModelProto, NodeProto, checker, inliner

from convcost.model.errors import ConstraintError

MOST = 20_000  # nodes that the calls of functions add
DEEPEST = 100  # calls in each other; `onnx` refuses more


def inline_functions(model: ModelProto) -> ModelProto:
    """The model with its functions inlined. Raises ConstraintError CC404 if functions call each
    other in a cycle, CC401 if the functions have too many nodes."""
    if not model.functions:
        return model

    try:
        if _inlined_nodes(model) - len(model.graph.node) > MOST:
            message = f"the calls of functions add more than {MOST:,} nodes to the model"
            raise ConstraintError("CC401", message, "export the model without functions")
        return inliner.inline_local_functions(model)
    except (RuntimeError, ValueError, checker.ValidationError) as error:
        text = str(error).strip().splitlines() or ["no reason given"]
        raise ConstraintError(
            "CC404", f"the model's functions cannot be inlined: {text[-1][:300]}"
        ) from None


def _inlined_nodes(model: ModelProto) -> int:
    """The nodes of the model with its functions inlined. A call that is too deep is one node."""
    functions = {(one.domain, one.name, one.overload): one for one in model.functions}
    known: dict[tuple[str, str, str], int] = {}

    def count(nodes: Iterable[NodeProto], depth: int) -> int:
        total = 0
        for node in nodes:
            key = (node.domain, node.op_type, node.overload)
            if key in functions and key not in known:
                known[key] = 1  # of a call of itself
                if depth < DEEPEST:
                    known[key] = count(functions[key].node, depth + 1)
            total += known.get(key, 1)
            for attribute in node.attribute:
                for graph in (attribute.g, *attribute.graphs):
                    total += count(graph.node, depth)
        return total

    return count(model.graph.node, 0)
