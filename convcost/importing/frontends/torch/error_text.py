"""Errors of the user's or PyTorch's code as one line of plain text, and what to do about them."""

from convcost.model.errors import ConstraintError

MAX_CHARACTERS = 160  # of PyTorch's message

ROUTE = (
    "the ONNX route may work: torch.onnx.export(model, example, 'model.onnx'), then "
    "`convcost import model.onnx`"
)

BACKBONE = (
    "name a function that returns the part before that, such as a detector's backbone and heads; "
    "or use the ONNX route: torch.onnx.export(model, example, 'model.onnx'); a mixture of experts "
    "is the kind `experts` of a spec: `convcost kinds experts`"
)
SHAPELESS = (
    "name a function that returns the model without that operator, with dense tensors instead of "
    f"sparse ones; or {ROUTE}"
)
SCRIPTED = f"name a function that returns the Python module, before torch.jit; or {ROUTE}"
PADDED = (
    "name a function that returns the model without pack_padded_sequence; it counts the padding too"
)

# Parts of PyTorch's messages when code needs the values of tensors that have only shapes.
NUMBERS = (
    "data-dependent", "data-independent", "Dynamic output shape", "meta tensor",
    "cond must be a bool",
)  # fmt: skip
DEVICES = ("expected device", "same device", "two devices", "only supported on", "is_cpu()")
PACKED = "'lengths' argument"


def needs_numbers(error: BaseException) -> bool:
    """Whether code stopped because its control flow depends on the values of tensors."""
    return any(words in str(error) for words in NUMBERS)


def needs_device(error: BaseException) -> bool:
    """Whether code stopped because its input is on another device than it needs."""
    return any(words in str(error) for words in DEVICES)


def not_exported(error: BaseException) -> ConstraintError | None:
    """The reason why a model cannot be exported, if it is one of the known ones."""
    if needs_numbers(error):
        reason, help_ = "its control flow depends on the values of tensors", BACKBONE
    elif needs_device(error):
        reason, help_ = "it needs tensors on certain devices", ROUTE
    elif PACKED in str(error):
        reason, help_ = "it packs sequences of different lengths", PADDED
    elif isinstance(error, NotImplementedError):
        reason, help_ = "PyTorch does not know the shapes of one of its operators", SHAPELESS
    else:
        return None
    message = f"it cannot be exported, because {reason}: {error_summary(error)}"
    return ConstraintError("CC401", message, help_)


def error_summary(error: BaseException) -> str:
    """The type of an error and the first line of its message, as one line."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    message = lines[0] if lines else ""
    if len(message) > MAX_CHARACTERS:
        message = f"{message[:MAX_CHARACTERS]}…"
    name = type(error).__name__
    return f"{name}: {message}" if message else name
