"""Front ends map their operators to canonical ones, and each of those has one lowering."""

import pytest
from keras_models import imported_graph as by_keras
from keras_models import one, sequential
from onnx_models import imported_graph as by_onnx
from onnx_models import layer_texts, model, node

from convcost.importing.frontends.keras import call as keras_table
from convcost.importing.frontends.onnx import registry as onnx_table
from convcost.importing.frontends.tflite import operators as tflite_table
from convcost.importing.frontends.torch import registry as torch_table
from convcost.importing.ir.builder import GraphBuilder
from convcost.importing.ir.ops import OPS, Op, Trait
from convcost.importing.passes.lower.pointwise import pointwise
from convcost.importing.passes.lowering import LOWERINGS, lowering

TABLES = (
    onnx_table.OPERATORS, torch_table.OPERATORS, tflite_table.OPERATORS, keras_table.LAYERS
)  # fmt: skip


def test_lowerings_and_rows_are_of_canonical_operators():
    rows = {row.op for table in TABLES for _, row in table.items()} - {""}
    assert set(LOWERINGS.names()) | rows <= set(OPS)


def test_each_canonical_operator_has_a_lowering_or_is_read_by_a_rule_of_a_front_end():
    rows = {row.op for table in TABLES for _, row in table.items()}
    assert set(OPS) - set(LOWERINGS.names()) <= rows


@pytest.fixture
def cube(monkeypatch):
    """A new operator: one definition, one row for each framework, one lowering."""
    for table in (LOWERINGS, *TABLES):
        table.names()  # all modules are imported
        monkeypatch.setattr(table, "_things", dict(table._things))
    monkeypatch.setitem(OPS, "cube", Op("cube", Trait.ELEMENTWISE))
    onnx_table.row("cube", "Cube", number="alpha")
    torch_table.row("cube", number="scale")
    keras_table.row("cube", "Cube", number="factor")

    @lowering("cube")
    def cubed(builder, node):
        function = "power" if node.attributes["number"] is None else "affine"
        return pointwise(builder, "elementwise", node.x, node.path, {"function": function})


def test_an_operator_is_added_by_a_definition_a_row_a_framework_and_a_lowering(cube, tmp_path):
    file = model([node("Relu", "x", "-> a"), node("Cube", "a", "-> y", domain="com.microsoft")])
    file.opset_import.add(domain="com.microsoft", version=1)
    assert layer_texts(by_onnx(tmp_path, file))[1] == "elementwise function=power → 12×10×8"
    layers = by_keras(tmp_path, sequential(one("Cube", "c", factor=2)))
    assert layer_texts(layers) == ["elementwise function=affine → 32×32×3"]
    builder = GraphBuilder("test", "")
    x = builder.input("x", (1, 4, 8), channel=1)
    call = torch_table.TorchCall(builder, ("c",), "aten.cube", {"self": x, "scale": None}, x.dims)
    y = torch_table.known_row("aten.cube_").rule(call)
    assert layer_texts(builder.graph([y])) == ["elementwise function=power → 8×4"]
