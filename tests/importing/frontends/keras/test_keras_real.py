"""Models that Keras itself builds come to what it counts."""

from importlib.util import find_spec

import pytest

from convcost.importing.frontends.keras import read
from convcost.importing.spec import proved_spec
from convcost.model.errors import ConstraintError

HAS_KERAS = pytest.mark.skipif(find_spec("keras") is None, reason="keras is not installed")
# Keras' own, of NumPy and of formats it calls old.
pytestmark = pytest.mark.filterwarnings("ignore")
EXPORTED = "ONNX reads it: model.export('model.onnx', format='onnx'), then convcost import"


@HAS_KERAS
def test_bidirectional_layers_have_the_params_that_keras_counts(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    import keras

    start = keras.Input((10, 8))
    x = keras.layers.Bidirectional(keras.layers.LSTM(16, return_sequences=True))(start)
    model = keras.Model(start, keras.layers.Bidirectional(keras.layers.GRU(5))(x))
    path = tmp_path / "net.keras"
    model.save(path)
    lstm, gru = read(path).layers
    assert (lstm.params, gru.params) == (
        2 * (4 * 16 * (8 + 16) + 4 * 16),
        2 * (3 * 5 * (2 * 16 + 5) + 2 * 3 * 5),
    )
    assert lstm.params + gru.params == model.count_params()


@HAS_KERAS
def test_layers_of_other_classes_declare_the_weights_of_the_file(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    import keras

    class Wave(keras.layers.Layer):
        def call(self, x):
            return x * 2

    class Gain(keras.layers.Layer):
        def build(self, shape):
            self.gain = self.add_weight(shape=(shape[-1],))
            self.table = self.add_weight(shape=(2, 3))

        def call(self, x):
            return x[:, ::2] * self.gain

    start = keras.Input((32, 32, 3))
    x = keras.layers.Conv2D(8, 3)(Wave()(Wave()(start)))
    x = Gain(name="first")(Gain(name="second")(x))
    inner = keras.Sequential([keras.Input((8, 30, 8)), Gain(), keras.layers.Dense(2)])
    x = inner(x)
    model = keras.Model(start, keras.layers.Dense(4)(x))
    path = tmp_path / "net.keras"
    model.save(path)
    layer_graph = read(path)
    found = [(layer.kind, layer.params, layer.output.text) for layer in layer_graph.layers]
    assert found == [
        ("custom", 0, "32×32×3"),
        ("custom", 0, "32×32×3"),
        ("conv", 8 * 3 * 3 * 3 + 8, "30×30×8"),
        ("custom", 8 + 2 * 3, "15×30×8"),
        ("custom", 8 + 2 * 3, "8×30×8"),
        ("custom", 8 + 2 * 3, "4×30×8"),
        ("linear", 2 * 8 + 2, "4×30×2"),
        ("linear", 4 * 2 + 4, "4×30×4"),
    ]
    text = proved_spec(layer_graph)
    assert text.count("macs: uncounted") == 5
    assert "{custom: Wave, params: 0, macs: uncounted" in text
    bare = tmp_path / "net.json"
    bare.write_text(model.to_json())
    with pytest.raises(
        ConstraintError, match="convcost does not know the class `Wave`, and a file without weights"
    ):
        read(bare)
    last = keras.Model(start, Wave(name="last")(start))
    last.save(path)
    with pytest.raises(
        ConstraintError, match="layer `last`: convcost does not know the class `Wave`"
    ) as refused:
        read(path)
    assert refused.value.help == EXPORTED


@HAS_KERAS
def test_a_model_built_by_keras_has_the_params_that_keras_counts(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    import keras

    model = keras.applications.MobileNetV2(weights=None)
    path = tmp_path / "mobilenet.keras"
    model.save(path)
    layer_graph = read(path)
    params = sum(layer.params for layer in layer_graph.layers)
    assert params == sum(weight.numpy().size for weight in model.trainable_weights)
    assert params + sum(layer.buffers for layer in layer_graph.layers) == model.count_params()


@HAS_KERAS
@pytest.mark.parametrize("suffix", [".keras", ".h5", ".json"])
def test_all_file_formats_of_a_model_give_the_same_counts(tmp_path, monkeypatch, suffix):
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    import keras

    layers = keras.layers
    start = keras.Input((4, 12, 10, 3))
    x = layers.TimeDistributed(layers.SpectralNormalization(layers.Conv2D(4, 3)))(start)
    inner = keras.Sequential([keras.Input((4, 10, 8, 4)), layers.Dense(5, name="d")], name="in")
    x = layers.LayerNormalization(axis=(2, 3, 4))(inner(x) * 2.0)
    x = layers.ConvLSTM2D(3, 3, return_sequences=True)(x)
    x = layers.Reshape((4, 8 * 6 * 3))(x)
    x = layers.MultiHeadAttention(2, 3, value_dim=4)(x, x)
    x = layers.RNN([layers.LSTMCell(5), layers.GRUCell(4, reset_after=False)])(x)
    model = keras.Model(start, x)
    path = tmp_path / f"net{suffix}"
    if suffix == ".json":
        path.write_text(model.to_json())
    else:
        model.save(path)
    layer_graph = read(path)
    assert sum(layer.params + layer.buffers for layer in layer_graph.layers) == model.count_params()
    assert not any(layer.uncounted for layer in layer_graph.layers)
    proved_spec(layer_graph)


@HAS_KERAS
def test_a_custom_class_named_dense_is_custom_if_the_file_has_its_weights(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    import keras

    class Dense(keras.layers.Layer):
        def build(self, shape):
            self.table = self.add_weight(shape=(shape[-1], 2))

        def call(self, x):
            return x

    start = keras.Input((8,))
    model = keras.Model(start, keras.layers.Dense(4)(Dense(name="mine")(start)))
    path = tmp_path / "net.keras"
    model.save(path)
    layer_graph = read(path)
    assert [(layer.kind, layer.params, layer.uncounted) for layer in layer_graph.layers] == [
        ("custom", 2 * 8, True),
        ("linear", 4 * 8 + 4, False),
    ]
    (note,) = layer_graph.notes
    said = f"mine: the class `Dense` is not part of Keras: its module is `{__name__}`; it becomes"
    assert note == f"{said} `custom`, and its macs are not counted"
