"""The same model by several routes comes to the same spec: as a PyTorch module, as the ONNX file
that PyTorch writes of it, and as a file of TensorFlow Lite. Needs PyTorch, torchvision and
onnxscript."""

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("onnxscript")
pytest.importorskip("tflite")

from route_modules import MODULES, NETWORKS  # noqa: E402
from routes import by_torch, counts, exported, nameless  # noqa: E402
from tflite_models import imported_graph as by_tflite  # noqa: E402
from tflite_modules import FILES  # noqa: E402

from convcost.importing.frontends.onnx import read  # noqa: E402
from convcost.importing.verify.equivalence import Equivalence  # noqa: E402
from convcost.language.load import load  # noqa: E402
from convcost.model.costs import Costs, costs  # noqa: E402
from convcost.model.errors import Source  # noqa: E402

FOLDED = "the optimizer folds batch norms into the layers before them"
WORKED = "the optimizer works out what depends on weights alone, and stores the result"
BORDERS = "the optimizer puts zeros around an input into the convolution"
ASYMMETRIC = "the exporter writes a border of its own where the sides differ"
STEPS = "the exporter writes a layer for each layer of a recurrent module"
PRODUCTS = "the exporter writes two products for the one of three tensors"
KNOWN = {
    ("conv_bn_relu", "optimized"): FOLDED,
    ("bn1d", "optimized"): FOLDED,
    ("weight_norm", "optimized"): WORKED,
    ("gather_learned", "optimized"): WORKED,
    ("relative_positions", "optimized"): WORKED,
    ("pad", "optimized"): BORDERS,
    ("same", "plain"): ASYMMETRIC,
    ("lstm_of_two_layers", "plain"): STEPS,
    ("lstm_of_two_layers", "optimized"): STEPS,
    ("bilinear", "plain"): PRODUCTS,
    ("bilinear", "optimized"): PRODUCTS,
}


@pytest.mark.slow
@pytest.mark.parametrize("name", MODULES)
def test_a_module_has_the_same_spec_from_pytorch_and_from_onnx(name, tmp_path):
    make, dims = MODULES[name]
    module = by_torch(make, dims)
    text = nameless(module)
    for form, path in zip(
        ("plain", "optimized"), exported(make, dims, folder=tmp_path), strict=True
    ):
        file = read(path)
        same = (counts(file), nameless(file)) == (counts(module), text)
        assert same is ((name, form) not in KNOWN), (form, nameless(file), text)
        if same:
            assert Equivalence(counted(text), counted(nameless(file))).is_same


@pytest.mark.slow
@pytest.mark.parametrize("name", FILES)
def test_a_module_has_the_same_spec_from_tensorflow_lite(name, tmp_path):
    module, file = by_torch(*MODULES[name]), by_tflite(tmp_path, FILES[name])
    assert (counts(file), nameless(file)) == (counts(module), nameless(module))


@pytest.mark.slow
@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_has_the_same_spec_from_pytorch_and_from_onnx(name, tmp_path):
    """Without the optimizer, which folds norms."""
    pytest.importorskip("torchvision")
    make, dims = NETWORKS[name]
    module, file = by_torch(make, dims), read(exported(make, dims, folder=tmp_path)[0])
    assert counts(file) == counts(module)
    assert nameless(file) == nameless(module)
    assert not [note for note in file.notes if note.startswith("counts differ")]


def counted(text: str) -> Costs:
    (network,) = load(Source("made.yaml", text))
    return costs(network)


def test_there_is_a_module_of_every_kind_of_operator():
    assert len(MODULES) >= 60
    assert len(NETWORKS) >= 20
    assert {name for name, _ in KNOWN} <= set(MODULES)
