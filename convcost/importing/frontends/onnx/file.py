"""Opens a file and checks that it is an ONNX model. Files outside the model's folder are never
opened."""

from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath, PureWindowsPath

from onnx import GraphProto, ModelProto, TensorProto

from convcost.importing.frontends.onnx.graph import nested_graphs
from convcost.model.errors import ConstraintError, UsageError

MAX_BYTES = 2**31 - 1  # bytes of the largest protocol buffer

OTHERS = {
    b"PK\x03\x04": ("a zip archive, as PyTorch and Keras write", "export the model to ONNX first"),
    b"\x89HDF": ("an HDF5 file, as Keras writes", "export the model to ONNX first"),
    b"\x80\x02": ("a pickle, as PyTorch writes", "export the model to ONNX first"),
    b"version https://git-lfs": ("a pointer of Git LFS", "`git lfs pull` downloads the file"),
    b"<": ("a web page or XML", "was the file downloaded completely?"),
    b"{": ("JSON", ""),
}


def read_model(path: Path) -> ModelProto:
    """The model in a file. Weights in other files are not loaded, because only their dims are
    needed.

    Raises UsageError if the file cannot be read, and ConstraintError CC404 if it is not a valid
    ONNX model.
    """
    from google.protobuf.message import DecodeError  # type: ignore[import-untyped]

    try:
        if path.stat().st_size > MAX_BYTES:
            raise ConstraintError(
                "CC404",
                f"the file has {path.stat().st_size:,} bytes, an ONNX file has at most "
                f"{MAX_BYTES:,}",
                "store the weights of a larger model in a separate file: "
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
        raise ConstraintError(
            "CC404",
            "the file cannot be read as ONNX: it is truncated, damaged or in another format",
            "run onnx.checker.check_model for details",
        ) from None
    _require_sound(model)
    return model


def _of_onnx(content: bytes) -> None:
    if not content:
        raise ConstraintError("CC404", "the file is empty")
    for start, (file_type, fix) in OTHERS.items():
        if content.startswith(start):
            raise ConstraintError("CC404", f"the file is {file_type}, not an ONNX model", fix)


def _require_sound(model: ModelProto) -> None:
    """Raises ConstraintError CC404 for a file without a graph, or with names that are no text."""
    if not model.HasField("graph") or not (model.graph.node or model.graph.output):
        raise ConstraintError(
            "CC404", "the file has no graph: it is not an ONNX model, or an empty one"
        )
    for graph in nested_graphs(model.graph):
        _require_readable_names(graph)


def require_valid_tensors(model: ModelProto) -> None:
    """Raises ConstraintError CC404 for tensors that no exporter writes: with a negative dim, or
    with numbers outside of the model's folder. Functions must be inlined."""
    for graph in nested_graphs(model.graph):
        for tensor, extents in _tensors(graph):
            location = {entry.key: entry.value for entry in tensor.external_data}.get(
                "location", ""
            )
            if tensor.data_location == tensor.EXTERNAL and _escapes(location):
                raise ConstraintError(
                    "CC404",
                    f"the tensor `{tensor.name}` stores its numbers in `{location}`, "
                    "outside of the model's folder",
                    "convcost did not open that file; a correct exporter writes a plain file name",
                )
            if any(extent < 0 for extent in extents):
                dims = ", ".join(map(str, extents))
                raise ConstraintError(
                    "CC404", f"the tensor `{tensor.name}` has a negative dim: [{dims}]"
                )


def _require_readable_names(graph: GraphProto) -> None:
    """Raises ConstraintError for names that are not UTF-8 text: protobuf returns them as bytes."""
    texts: list[object] = [entry.name for entry in (*graph.input, *graph.output, *graph.value_info)]
    for tensor in graph.initializer:
        texts.append(tensor.name)
        texts += [text for entry in tensor.external_data for text in (entry.key, entry.value)]
    for node in graph.node:
        texts += (node.name, node.op_type, node.domain, *node.input, *node.output)
        texts += [text for prop in node.metadata_props for text in (prop.key, prop.value)]
        texts += [attribute.name for attribute in node.attribute]
    for text in texts:
        if not isinstance(text, str):
            raise ConstraintError(
                "CC404", f"the name {text!r} is not UTF-8 text", "is the file damaged?"
            )


def _escapes(location: str) -> bool:
    posix, windows = PurePosixPath(location), PureWindowsPath(location)
    absolute = posix.is_absolute() or windows.is_absolute() or bool(windows.drive)
    return not location or absolute or ".." in windows.parts  # splits at both slashes


def _tensors(graph: GraphProto) -> Iterator[tuple[TensorProto, Sequence[int]]]:
    """The stored tensors of a graph, each with its dims. Of a sparse one, they are its numbers."""
    yield from ((tensor, tensor.dims) for tensor in graph.initializer)
    sparse_tensors = [*graph.sparse_initializer]
    for attribute in (attribute for node in graph.node for attribute in node.attribute):
        if attribute.HasField("t"):
            yield attribute.t, attribute.t.dims
        if attribute.HasField("sparse_tensor"):
            sparse_tensors.append(attribute.sparse_tensor)
    yield from ((sparse.values, sparse.dims) for sparse in sparse_tensors)
