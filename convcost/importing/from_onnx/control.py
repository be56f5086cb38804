"""Graphs within a graph: a model's own functions are put in place of their calls."""

from typing import TYPE_CHECKING

from convcost.errors import Refusal

if TYPE_CHECKING:
    from onnx import ModelProto


def flattened(model: "ModelProto") -> "ModelProto":
    """Raises Refusal CC404 for functions that call each other in a circle."""
    if not model.functions:
        return model
    from onnx import checker, inliner

    try:
        return inliner.inline_local_functions(model)
    except (RuntimeError, ValueError, checker.ValidationError) as error:
        text = str(error).strip().splitlines() or ["no reason given"]
        raise Refusal(
            "CC404", f"the model's functions cannot be put in place: {text[-1][:300]}"
        ) from None
