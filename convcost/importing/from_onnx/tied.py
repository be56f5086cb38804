"""A table of an embedding that a linear layer uses again: exporters write it turned, as a tensor of
its own, and only the numbers tell."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from convcost.importing.from_onnx.constants import Constant
from convcost.importing.from_onnx.graph import Graph

if TYPE_CHECKING:
    from onnx import ModelProto, TensorProto

MATRIX = 2


def tied(model: "ModelProto", graph: Graph, constants: dict[str, Constant]) -> list[str]:
    """Gives such a tensor the root of the table, so that both are counted once; notes of those
    whose numbers lie in another file, which is not opened."""
    held = {tensor.name: tensor for tensor in model.graph.initializer}
    tables = [name for name in dict.fromkeys(_tables(graph)) if name in held and name in constants]
    notes = []
    for node in graph.nodes:
        name = node.input(1)
        if node.op not in ("MatMul", "Gemm") or name not in held or name in tables:
            continue
        for table in tables:
            if not _may_be(constants[table], constants.get(name)):
                continue
            if _outside(held[table]) or _outside(held[name]):
                notes.append(
                    f"whether `{name}` is the table `{table}` turned is not known, as the numbers "
                    "lie in another file: both are counted"
                )
            elif _turned(held[table], held[name]):
                constants[name] = constants[name]._replace(roots=constants[table].roots)
                break
    return list(dict.fromkeys(notes))


def _may_be(table: Constant, other: Constant | None) -> bool:
    if other is None or not all(one.learned and one.real for one in (table, other)):
        return False
    return len(table.dims) == MATRIX and other.dims == table.dims[::-1]


def _outside(tensor: "TensorProto") -> bool:
    return tensor.data_location == type(tensor).EXTERNAL


def _tables(graph: Graph) -> Iterator[str]:
    for node in graph.nodes:
        if node.op == "Gather" and not node.attributes.get("axis", 0):
            yield node.input(0)


def _turned(one: "TensorProto", other: "TensorProto") -> bool:
    """Whether two matrices hold the same numbers, turned, and not all of them alike."""
    from onnx import numpy_helper

    try:
        first, second = numpy_helper.to_array(one), numpy_helper.to_array(other)
    except (TypeError, ValueError):  # a model that was stripped of its numbers
        return False
    if not first.size or bool((first == first.flat[0]).all()):
        return False
    return bool((first == second.T).all())
