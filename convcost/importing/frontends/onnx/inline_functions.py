"""Inlines a model's own functions: each call is replaced by the function's nodes."""

from onnx import ModelProto, checker, inliner

from convcost.model.errors import ConstraintError


def inline_functions(model: ModelProto) -> ModelProto:
    """The model with its functions inlined. Raises ConstraintError CC404 if functions call each
    other in a cycle."""
    if not model.functions:
        return model

    try:
        return inliner.inline_local_functions(model)
    except (RuntimeError, ValueError, checker.ValidationError) as error:
        text = str(error).strip().splitlines() or ["no reason given"]
        raise ConstraintError(
            "CC404", f"the model's functions cannot be inlined: {text[-1][:300]}"
        ) from None
