"""What went wrong in code that is not ours, in one plain line."""

LONGEST = 160

ROUTE = (
    "the ONNX route may work: torch.onnx.export(model, example, 'model.onnx'), then "
    "`convcost import model.onnx`"
)


def told(error: BaseException) -> str:
    """The kind of an error and the first line of what it says."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    said = lines[0] if lines else ""
    if len(said) > LONGEST:
        said = f"{said[:LONGEST]}…"
    name = type(error).__name__
    return f"{name}: {said}" if said else name
