"""What went wrong in code that is not ours, in one plain line."""

LONGEST = 160

ROUTE = (
    "the ONNX route may work: torch.onnx.export(model, example, 'model.onnx'), then "
    "`convcost import model.onnx`"
)

BACKBONE = (
    "name a function that returns the part before that, as a detector's backbone and heads; or go "
    "by the ONNX route: torch.onnx.export(model, example, 'model.onnx')"
)
# What PyTorch says where it would need the numbers that flow, and has only their shapes.
NUMBERS = ("data-dependent", "data-independent", "Dynamic output shape", "meta tensors")
DEVICES = ("expected device", "same device", "two devices")


def needs_numbers(error: BaseException) -> bool:
    """Whether code stopped because its way depends on the numbers that flow."""
    return any(words in str(error) for words in NUMBERS)


def mixes_devices(error: BaseException) -> bool:
    """Whether code stopped because it makes tensors elsewhere than where its input is."""
    return any(words in str(error) for words in DEVICES)


def told(error: BaseException) -> str:
    """The kind of an error and the first line of what it says."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    said = lines[0] if lines else ""
    if len(said) > LONGEST:
        said = f"{said[:LONGEST]}…"
    name = type(error).__name__
    return f"{name}: {said}" if said else name
