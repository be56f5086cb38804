"""ONNX files become layers: the nine stripped networks that the package `onnx` ships, by number."""

import csv
from pathlib import Path

import onnx
import pytest

from convcost.importing.frontends.onnx import read
from convcost.importing.ir.layer_graph import LayerGraph
from convcost.model.kind import KINDS

LIGHT = Path(onnx.__file__).parent / "backend" / "test" / "data" / "light"

# file: params, conv weights, conv biases, linear weights, linear biases, scale and shift of batch
# norms, their running mean and variance, Caffe's scale layers, macs of convolutions, of linears
TABLE = """
light_bvlc_alexnet.onnx,60965224,2332704,1376,58621952,9192,0,0,0,595938432,58621952
light_densenet121.onnx,8062504,7894208,1000,0,0,83648,83648,83648,2834161664,0
light_inception_v1.onnx,6998552,5966272,7280,1024000,1000,0,0,0,1430532352,1024000
light_inception_v2.onnx,11214888,10150080,0,1024000,1000,19904,19904,19904,2017827840,1024000
light_resnet50.onnx,25557032,23454912,0,2048000,1000,53120,53120,0,4087136256,2048000
light_shufflenet.onnx,1393320,821464,24,544000,1000,26832,26832,0,124120528,544000
light_squeezenet.onnx,1235496,1231552,3944,0,0,0,0,0,349151936,0
light_vgg19.onnx,143667240,20018880,5504,123633664,9192,0,0,0,19508428800,123633664
light_zfnet512.onnx,87250536,6526752,1888,80715776,6120,0,0,0,1401011232,80715776
"""
ROWS = {row[0]: tuple(map(int, row[1:])) for row in csv.reader(TABLE.split())}


def _counted(layer_graph: LayerGraph) -> tuple[int, ...]:
    """The columns of the table, each layer's weights and biases as its kind tells them apart."""
    found: dict[str, int] = dict.fromkeys(
        ("conv_w", "conv_b", "linear_w", "linear_b", "norm", "kept", "scale", "conv", "linear"), 0
    )
    for layer in layer_graph.layers:
        made = KINDS.get(layer.kind)(**dict(layer.options))
        shapes = tuple(
            layer_graph.layers[at].output if at >= 0 else layer_graph.inputs[-1 - at][1]
            for at in layer.inputs
        )
        x = made.select_inputs(shapes)
        weights, biases = made.weights(x).value, made.biases(x).value
        assert weights + biases == layer.params
        group = "conv" if layer.kind in ("conv", "depthwise") else layer.kind
        if group in ("conv", "linear"):
            found[f"{group}_w"] += weights
            found[f"{group}_b"] += biases
            found[group] += layer.macs
        elif group in ("batch_norm", "scale"):
            found["norm" if group == "batch_norm" else "scale"] += layer.params
            found["kept"] += layer.buffers
        else:
            assert (layer.params, layer.buffers, layer.macs) == (0, 0, 0), layer
    return (sum(layer.params for layer in layer_graph.layers), *found.values())


@pytest.mark.parametrize("file", ROWS)
def test_a_network_without_its_weights_has_the_counts_of_the_table(file):
    assert _counted(read(LIGHT / file)) == ROWS[file]


@pytest.mark.parametrize("file", ROWS)
def test_every_layer_of_a_network_without_its_weights_is_counted(file):
    layer_graph = read(LIGHT / file)
    assert [
        layer for layer in layer_graph.layers if layer.uncounted or layer.kind == "custom"
    ] == []
    assert layer_graph.notes == ()
