"""Models that Keras itself builds come to what it counts."""

from importlib.util import find_spec

import pytest

from convcost.errors import Refusal
from convcost.importing.from_keras import read
from convcost.importing.spec import specced

HAS_KERAS = pytest.mark.skipif(find_spec("keras") is None, reason="keras is not installed")
# Keras' own, of NumPy and of formats it calls old.
pytestmark = pytest.mark.filterwarnings("ignore")
EXPORTED = "ONNX reads it: model.export('model.onnx', format='onnx'), then convcost import"


@HAS_KERAS
def test_bidirectional_layers_of_keras_count_as_keras_does(tmp_path, monkeypatch):
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
def test_layers_of_other_classes_state_what_the_file_tells_of_them(tmp_path, monkeypatch):
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
    drawing = read(path)
    found = [(one.kind, one.params, one.output.text) for one in drawing.layers]
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
    text = specced(drawing)
    assert text.count("macs: uncounted") == 5
    assert "{custom: Wave, params: 0, macs: uncounted" in text
    bare = tmp_path / "net.json"
    bare.write_text(model.to_json())
    with pytest.raises(Refusal, match="the class `Wave` is not read, and a file without weights"):
        read(bare)
    last = keras.Model(start, Wave(name="last")(start))
    last.save(path)
    with pytest.raises(Refusal, match="layer `last`: the class `Wave` is not read") as refused:
        read(path)
    assert refused.value.help == EXPORTED


@HAS_KERAS
def test_a_model_that_keras_builds_comes_to_what_keras_counts(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    import keras

    model = keras.applications.MobileNetV2(weights=None)
    path = tmp_path / "mobilenet.keras"
    model.save(path)
    drawing = read(path)
    params = sum(layer.params for layer in drawing.layers)
    assert params == sum(weight.numpy().size for weight in model.trainable_weights)
    assert params + sum(layer.buffers for layer in drawing.layers) == model.count_params()


@HAS_KERAS
@pytest.mark.parametrize("suffix", [".keras", ".h5", ".json"])
def test_all_files_of_a_model_come_to_the_same(tmp_path, monkeypatch, suffix):
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
    drawing = read(path)
    assert sum(one.params + one.buffers for one in drawing.layers) == model.count_params()
    assert not any(one.uncounted for one in drawing.layers)
    specced(drawing)


@HAS_KERAS
def test_another_dense_is_custom_where_the_file_has_its_weights(tmp_path, monkeypatch):
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
    drawing = read(path)
    assert [(one.kind, one.params, one.uncounted) for one in drawing.layers] == [
        ("custom", 2 * 8, True),
        ("linear", 4 * 8 + 4, False),
    ]
    (note,) = drawing.notes
    said = f"mine: the class `Dense` is not that of keras: its module is `{__name__}`; taken as"
    assert note == f"{said} custom, its macs uncounted"
