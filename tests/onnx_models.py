"""Small ONNX models for tests, built node by node."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

from convcost.importing.frontends.onnx import read
from convcost.importing.ir.layer_graph import LayerGraph

X = (1, 8, 12, 10)
FLOAT = TensorProto.FLOAT


def array(*dims: int) -> np.ndarray:
    """A weight in which no two numbers are the same."""
    return ((np.arange(int(np.prod(dims))).reshape(dims) + 0.5) / 7).astype(np.float32)


def ints(*numbers: int) -> np.ndarray:
    return np.array(numbers, np.int64)


def node(op: str, *names: str, **attributes: Any) -> NodeProto:
    """`node("Conv", "x", "w", "-> y")`: inputs, then outputs."""
    at = next(at for at, name in enumerate(names) if name.startswith("->"))
    outputs = [name.removeprefix("->").strip() for name in names[at:]]
    return helper.make_node(op, list(names[:at]), outputs, **attributes)


def model(
    nodes: Sequence[NodeProto],
    weights: Mapping[str, np.ndarray] | None = None,
    dims: Sequence[int | str | None] = X,
    outputs: Sequence[str] = ("y",),
    opset: int = 20,
    inputs: Mapping[str, Sequence[int | str | None]] | None = None,
) -> ModelProto:
    given = {"x": dims} if inputs is None else inputs
    graph = helper.make_graph(
        nodes,
        "test",
        [helper.make_tensor_value_info(name, FLOAT, array) for name, array in given.items()],
        [helper.make_empty_tensor_value_info(name) for name in outputs],
        [numpy_helper.from_array(array, name) for name, array in (weights or {}).items()],
    )
    domains = {node.domain for node in nodes} - {""}
    imports = [
        helper.make_opsetid("", opset),
        *(helper.make_opsetid(domain, 1) for domain in domains),
    ]
    return helper.make_model(graph, opset_imports=imports, ir_version=10)


def imported_graph(folder: Path, made: ModelProto, **options: Any) -> LayerGraph:
    path = folder / "model.onnx"
    path.write_bytes(made.SerializeToString())
    layer_graph = read(path, **options)
    assert not [note for note in layer_graph.notes if note.startswith("counts differ")]
    return layer_graph


def layer_texts(layer_graph: LayerGraph) -> list[str]:
    """Every layer as one would write it: `conv filters=4 kernel=3 → 10×8×4`."""
    lines = []
    for layer in layer_graph.layers:
        options = "".join(f" {name}={value}" for name, value in layer.options)
        lines.append(f"{layer.kind}{options} → {layer.output.text}")
    return lines


def summed_counts(layer_graph: LayerGraph) -> tuple[int, int, int]:
    """Params, buffers, macs."""
    return (
        sum(layer.params for layer in layer_graph.layers),
        sum(layer.buffers for layer in layer_graph.layers),
        sum(layer.macs for layer in layer_graph.layers),
    )
