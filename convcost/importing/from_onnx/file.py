"""Opening a file: what is no ONNX model is told apart, what lies outside of it is never opened."""

from collections.abc import Iterator
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import TYPE_CHECKING

from convcost.errors import Refusal, UsageError

if TYPE_CHECKING:
    from onnx import GraphProto, ModelProto, TensorProto

LARGEST = 2**31 - 1  # bytes of a protocol buffer
DEEPEST = 20  # graphs within graphs

OTHERS = {
    b"PK\x03\x04": ("a zip archive, as PyTorch and Keras write", "export the model to ONNX first"),
    b"\x89HDF": ("an HDF5 file, as Keras writes", "export the model to ONNX first"),
    b"\x80\x02": ("a pickle, as PyTorch writes", "export the model to ONNX first"),
    b"version https://git-lfs": ("a pointer of Git LFS", "`git lfs pull` brings the file"),
    b"<": ("a web page or XML", "was the file saved whole?"),
    b"{": ("JSON", ""),
}


def opened(path: Path) -> "ModelProto":
    """The model in a file. Weights that lie in other files stay there: dims are all it takes.

    Raises UsageError where nothing can be read, Refusal CC404 where that is no sound model.
    """
    from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
    from onnx import ModelProto

    try:
        if path.stat().st_size > LARGEST:
            raise Refusal(
                "CC404",
                f"the file has {path.stat().st_size:,} bytes, an ONNX file has at most {LARGEST:,}",
                "weights of larger models lie in a file of their own: "
                "onnx.save(…, save_as_external_data=True)",
            )
        content = path.read_bytes()
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror or error}") from error
    _of_onnx(content)
    model = ModelProto()
    try:
        model.ParseFromString(content)
    except DecodeError:
        raise Refusal(
            "CC404",
            "the file cannot be read as ONNX: it is truncated, damaged or something else",
            "onnx.checker.check_model tells more",
        ) from None
    _sound(model)
    return model


def _of_onnx(content: bytes) -> None:
    if not content:
        raise Refusal("CC404", "the file is empty")
    for start, (what, fix) in OTHERS.items():
        if content.startswith(start):
            raise Refusal("CC404", f"the file is {what}, no ONNX model", fix)


def _sound(model: "ModelProto") -> None:
    if not model.HasField("graph") or not (model.graph.node or model.graph.output):
        raise Refusal("CC404", "the file holds no graph: it is no ONNX model, or an empty one")
    _readable(model.graph)
    for tensor in tensors(model.graph):
        location = {entry.key: entry.value for entry in tensor.external_data}.get("location", "")
        if tensor.data_location == tensor.EXTERNAL and _escapes(location):
            raise Refusal(
                "CC404",
                f"the tensor `{tensor.name}` says that its numbers lie in `{location}`, "
                "outside of the model's folder",
                "nothing there was opened; a sound exporter writes a plain file name",
            )
        if any(extent < 0 for extent in tensor.dims):
            dims = ", ".join(map(str, tensor.dims))
            raise Refusal("CC404", f"the tensor `{tensor.name}` has the dims [{dims}]")


def _readable(graph: "GraphProto", depth: int = 0) -> None:
    """Raises Refusal for names that are no text: what reads them gets bytes."""
    texts: list[object] = [entry.name for entry in (*graph.input, *graph.output, *graph.value_info)]
    for tensor in graph.initializer:
        texts.append(tensor.name)
        texts += [text for entry in tensor.external_data for text in (entry.key, entry.value)]
    for node in graph.node:
        texts += (node.name, node.op_type, node.domain, *node.input, *node.output)
        texts += [text for prop in node.metadata_props for text in (prop.key, prop.value)]
        for attribute in node.attribute:
            texts.append(attribute.name)
            if attribute.HasField("g") and depth < DEEPEST:
                _readable(attribute.g, depth + 1)
    for text in texts:
        if not isinstance(text, str):
            raise Refusal("CC404", f"the name {text!r} is no text in UTF-8", "is the file damaged?")


def _escapes(location: str) -> bool:
    posix, windows = PurePosixPath(location), PureWindowsPath(location)
    absolute = posix.is_absolute() or windows.is_absolute() or bool(windows.drive)
    return not location or absolute or ".." in windows.parts  # which splits at either slash


def tensors(graph: "GraphProto", depth: int = 0) -> Iterator["TensorProto"]:
    """All tensors of a graph and of the graphs in it.

    Raises Refusal where these go deeper than any model's do.
    """
    if depth > DEEPEST:
        raise Refusal("CC404", f"the file has graphs within graphs, more than {DEEPEST} deep")
    yield from graph.initializer
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.HasField("t"):
                yield attribute.t
            if attribute.HasField("g"):
                yield from tensors(attribute.g, depth + 1)
