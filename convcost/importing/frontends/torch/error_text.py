"""Errors of the user's or PyTorch's code as one line of plain text."""

LONGEST = 160

ROUTE = (
    "the ONNX route may work: torch.onnx.export(model, example, 'model.onnx'), then "
    "`convcost import model.onnx`"
)

BACKBONE = (
    "name a function that returns the part before that, such as a detector's backbone and heads; "
    "or use the ONNX route: torch.onnx.export(model, example, 'model.onnx'); a mixture of experts "
    "is the kind `experts` of a spec: `convcost kinds experts`"
)
# Parts of PyTorch's messages when code needs the values of tensors that have only shapes.
NUMBERS = ("data-dependent", "data-independent", "Dynamic output shape", "meta tensors")
DEVICES = ("expected device", "same device", "two devices", "only supported on")


def needs_numbers(error: BaseException) -> bool:
    """Whether code stopped because its control flow depends on the values of tensors."""
    return any(words in str(error) for words in NUMBERS)


def needs_device(error: BaseException) -> bool:
    """Whether code stopped because its input is on another device than it needs."""
    return any(words in str(error) for words in DEVICES)


def first_line(error: BaseException) -> str:
    """The type of an error and the first line of its message."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    message = lines[0] if lines else ""
    if len(message) > LONGEST:
        message = f"{message[:LONGEST]}…"
    name = type(error).__name__
    return f"{name}: {message}" if message else name
