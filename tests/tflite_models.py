"""Small models of TensorFlow Lite for tests, built operator by operator."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import flatbuffers  # type: ignore[import-not-found,import-untyped,unused-ignore]
import numpy as np
import tflite

from convcost.importing.frontends.tflite import read
from convcost.importing.ir.layer_graph import LayerGraph

SAME, VALID = 0, 1
RELU, RELU6, TANH = 1, 3, 4
Dims = tuple[int, ...]


class Node(NamedTuple):
    op: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    kind: str
    options: Mapping[str, Any]
    custom: bytes = b""


def array(*dims: int, dtype: str = "float32") -> np.ndarray:
    """A weight in which no two numbers are the same."""
    return (np.arange(int(np.prod(dims))).reshape(dims) % 120 + 1).astype(dtype)


def ints(*numbers: int) -> np.ndarray:
    return np.array(numbers, np.int32)


def node(op: str, *names: str, kind: Any = "", custom: Any = b"", **options: Any) -> Node:
    """`node("CONV_2D", "x", "w", "", "-> y", kind="Conv2DOptions", Padding=SAME)`: inputs, "" if
    absent, then outputs. An `op` that the schema does not have is a custom operator, with options
    as bytes in `custom`."""
    at = next(at for at, name in enumerate(names) if name.startswith("->"))
    outputs = (name.removeprefix("->").strip() for name in names[at:])
    return Node(op, names[:at], tuple(filter(None, outputs)), kind, options, custom)


def conv(*names: str, kind: Any = "Conv2DOptions", op: Any = "CONV_2D", **options: Any) -> Node:
    return node(op, *names, kind=kind, **{"StrideH": 1, "StrideW": 1, **options})


def model(
    nodes: Sequence[Node],
    tensors: Mapping[str, Any],
    *,
    inputs: Sequence[str] = ("x",),
    outputs: Sequence[str] = ("y",),
    open_: Mapping[str, Dims] = {},
    types: Mapping[str, str] = {},
    shapes: Mapping[str, Dims] = {},
    same: Mapping[str, str] = {},
    variable: Sequence[str] = (),
    sparse: Sequence[str] = (),
    others: Sequence[str] = (),
    once: Sequence[Node] = (),
) -> bytes:
    """The file. `tensors` are dims, or arrays that the file stores. `open_` are signatures of
    shapes; `types` and `shapes` state what the array of a tensor does not have; `same` are tensors
    that share the buffer of another; `others` are the names of empty subgraphs. `once` are the
    operators of the subgraph 1, which has all tensors too."""
    file = flatbuffers.Builder(1024)
    names = list(tensors)
    stored = [name for name, array in tensors.items() if isinstance(array, np.ndarray)]
    stored = [name for name in stored if name not in same]
    buffers = [table(file, "Buffer")]
    for name in stored:
        data = file.CreateNumpyVector(np.frombuffer(tensors[name].tobytes(), np.uint8))
        buffers.append(table(file, "Buffer", Data=data))

    def tensor(name: str) -> int:
        one, owner = tensors[name], same.get(name, name)
        dims = one.shape if isinstance(one, np.ndarray) else one
        dtype = one.dtype.name.upper() if isinstance(one, np.ndarray) else "FLOAT32"
        given = {
            "Name": file.CreateString(name),
            "Shape": _numbers(file, shapes.get(name, dims)),
            "Type": getattr(tflite.TensorType, types.get(name, dtype)),
            "Buffer": 1 + stored.index(owner) if owner in stored else 0,
            "IsVariable": name in variable,
        }
        if name in open_:
            given["ShapeSignature"] = _numbers(file, open_[name])
        if name in sparse:
            given["Sparsity"] = table(file, "SparsityParameters")
        return table(file, "Tensor", **given)

    codes = list(dict.fromkeys(node.op for node in (*nodes, *once)))
    graphs = [_graph(file, "main", list(map(tensor, names)),
                     [_operator(file, node, codes, names) for node in nodes],
                     [names.index(input_name) for input_name in inputs],
                     [names.index(output) for output in outputs])]  # fmt: skip
    if once:
        operators = [_operator(file, node, codes, names) for node in once]
        graphs.append(_graph(file, "once", list(map(tensor, names)), operators, [], []))
    graphs += [_graph(file, name, [], [], [], []) for name in others]
    made = {
        "Version": 3,
        "OperatorCodes": tables(file, [_code(file, op) for op in codes]),
        "Subgraphs": tables(file, graphs),
        "Buffers": tables(file, buffers),
    }
    file.Finish(table(file, "Model", **made), b"TFL3")
    return bytes(file.Output())


def _graph(file: Any, name: str, tensors: Any, nodes: Any, inputs: Any, outputs: Any) -> int:
    made = {"Name": file.CreateString(name), "Tensors": tables(file, tensors),
            "Operators": tables(file, nodes), "Inputs": _numbers(file, inputs),
            "Outputs": _numbers(file, outputs)}  # fmt: skip
    return table(file, "SubGraph", **made)


def _code(file: Any, op: str) -> int:
    number = getattr(tflite.BuiltinOperator, op, None)
    if number is None:
        custom = {"BuiltinCode": 32, "DeprecatedBuiltinCode": 32}
        return table(file, "OperatorCode", CustomCode=file.CreateString(op), **custom)
    return table(file, "OperatorCode", BuiltinCode=number, DeprecatedBuiltinCode=min(number, 127))


def _operator(file: Any, one: Node, codes: list[str], names: list[str]) -> int:
    made = {
        "OpcodeIndex": codes.index(one.op),
        "Inputs": _numbers(file, [names.index(name) if name else -1 for name in one.inputs]),
        "Outputs": _numbers(file, [names.index(name) for name in one.outputs]),
    }
    if one.kind:
        options = {name: _numbers(file, n) if isinstance(n, tuple)
                   else file.CreateString(n) if isinstance(n, str) else n
                   for name, n in one.options.items()}  # fmt: skip
        made["BuiltinOptions"] = table(file, one.kind, **options)
        made["BuiltinOptionsType"] = getattr(tflite.BuiltinOptions, one.kind)
    if one.custom:
        made["CustomOptions"] = file.CreateByteVector(one.custom)
    return table(file, "Operator", **made)


def table(file: Any, name: str, **fields: Any) -> int:
    getattr(tflite, f"{name}Start")(file)
    for field, value in fields.items():
        getattr(tflite, f"{name}Add{field}")(file, value)
    return getattr(tflite, f"{name}End")(file)


def tables(file: Any, tables: Sequence[int]) -> int:
    file.StartVector(4, len(tables), 4)
    for table in reversed(tables):
        file.PrependUOffsetTRelative(table)
    return file.EndVector()


def _numbers(file: Any, numbers: Sequence[int]) -> int:
    return file.CreateNumpyVector(np.array(numbers, np.int32))


def imported_graph(folder: Path, made: bytes, **options: Any) -> LayerGraph:
    path = folder / "model.tflite"
    path.write_bytes(made)
    layer_graph = read(path, **options)
    assert not [note for note in layer_graph.notes if note.startswith("counts differ")]
    return layer_graph
