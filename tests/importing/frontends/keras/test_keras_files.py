"""The files of Keras models: what they hold is read, what is wrong with them is said."""

import json
import sys
import zipfile
from contextlib import suppress

import pytest
from keras_models import conv, entry, graph, imported_graph, one, sequential, tensor

from convcost.importing.frontends.keras import read
from convcost.model.errors import ConstraintError

DAMAGED = {
    "not JSON": ("{", "CC404", "the configuration is not JSON: line 1: Expecting property name"),
    "no model": ("[]", "CC404", "the JSON is not a Keras model"),
    "a subclassed model": (
        json.dumps({"class_name": "MyNet", "config": {"depth": 3}}),
        "CC401",
        "`MyNet` is a subclassed model: its configuration has no layers",
    ),
    "an unknown layer": (
        json.dumps(sequential(one("Wavelet", "w"))),
        "CC401",
        "layer `w`: convcost does not know the class `Wavelet`, and a file without weights does",
    ),
    "a layer without its options": (
        json.dumps(sequential(one("Conv2D", "c"))),
        "CC404",
        "layer `c` does not have the format of Keras (KeyError: 'filters')",
    ),
    "a kernel of three axes on two": (
        json.dumps(sequential(one("Conv2D", "c", filters=8, kernel_size=[3, 3, 3]))),
        "CC404",
        "layer `c`: `kernel_size` of Conv2D must have 2 integers, not [3, 3, 3]",
    ),
    "a permutation with an axis twice": (
        json.dumps(sequential(one("Permute", "p", dims=[1, 1, 2]))),
        "CC404",
        "layer `p`: its permutation [0, 1, 1, 2] must have each of the 4 axes once",
    ),
    "a kernel that does not fit": (
        json.dumps(sequential(conv("c", 8, 33))),
        "CC301",
        "layer `c`: kernel 33 is larger than the input 32",
    ),
}


@pytest.mark.parametrize("case", DAMAGED)
def test_a_damaged_configuration_is_refused_with_its_reason(tmp_path, case):
    text, code, message = DAMAGED[case]
    path = tmp_path / "net.json"
    path.write_text(text)
    with pytest.raises(ConstraintError) as refused:
        read(path)
    assert (refused.value.code, refused.value.message[: len(message)]) == (code, message)


@pytest.mark.parametrize(
    ("kind", "options", "older"),
    [
        ("MaxPooling2D", {"pool_size": [3, 3], "border_mode": "same"}, "border_mode"),
        ("ZeroPadding2D", {"padding": [1, 1], "dim_ordering": "th"}, "dim_ordering"),
        ("Convolution2D", {"nb_filter": 4, "nb_row": 3, "nb_col": 3}, "nb_filter"),
        ("MaxPooling1D", {"pool_length": 2, "stride": 2}, "pool_length"),
        ("Dense", {"output_dim": 4, "W_regularizer": None}, "W_regularizer"),
    ],
)
def test_a_layer_with_options_of_keras_1_is_refused(tmp_path, kind, options, older):
    """Without them, the layer would be another one: a pool without padding, for example."""
    path = tmp_path / "net.json"
    path.write_text(json.dumps(sequential(one(kind, "k", **options))))
    with pytest.raises(ConstraintError) as refused:
        read(path)
    assert (refused.value.code, refused.value.message, refused.value.help) == (
        "CC404",
        f"layer `k`: the option `{older}` is of Keras 1, which convcost does not read",
        "load the model with Keras 2, and save it again",
    )


NUMBERS = {
    "Infinity": "the input `image` must have sizes from 1 or None, not [None, inf, 3]",
    "2.5": "the input `image` must have sizes from 1 or None, not [None, 2.5, 3]",
    "0": "the input `image` must have sizes from 1 or None, not [None, 0, 3]",
    "1" * 5000: "the configuration has a number of too many digits",
}


@pytest.mark.parametrize("number", NUMBERS)
def test_numbers_that_are_not_valid_in_a_shape_are_refused(tmp_path, number):
    path = tmp_path / "net.json"
    text = json.dumps(sequential(one("ReLU", "r"), shape=[None, "N", 3]))
    path.write_text(text.replace('"N"', number))
    with pytest.raises(ConstraintError) as refused:
        read(path)
    assert (refused.value.code, refused.value.message) == ("CC404", NUMBERS[number])


def weighted(tmp_path, fill, method=zipfile.ZIP_STORED, **options):
    """A file with a dense layer, 8·4 + 4, and the weights that `fill` writes."""
    h5py = pytest.importorskip("h5py")
    with h5py.File(tmp_path / "w.h5", "w") as file:
        fill(h5py, file)
    path = tmp_path / "net.keras"
    config = sequential(one("Dense", "d", units=4, **options), shape=[None, 8])
    with zipfile.ZipFile(path, "w", method) as archive:
        archive.writestr("config.json", json.dumps(config))
        archive.writestr("model.weights.h5", (tmp_path / "w.h5").read_bytes())
    return path


def whole(h5py, file):
    file.create_dataset("layers/dense/vars/0", shape=(8, 4), dtype="f4")
    file.create_dataset("layers/dense/vars/1", shape=(4,), dtype="f4")


@pytest.mark.parametrize(
    ("policy", "stored"),
    [
        ("QuantizedDTypePolicy", "i1"),
        ("Int4DTypePolicy", "i1"),
        ("QuantizedFloat8DTypePolicy", "f4"),
        ("DTypePolicy", "i1"),
    ],
)
def test_quantized_weights_are_those_of_the_configuration(tmp_path, policy, stored):
    """A layer inside of another may have the policy of a float layer in the configuration."""

    def fill(h5py, file):
        file.create_dataset("layers/dense/vars/0", shape=(4, 4), dtype=stored)
        file.create_dataset("layers/dense/vars/1", shape=(4,), dtype="f4")
        file.create_dataset("layers/dense/vars/2", shape=(4,), dtype="f4")

    dtype = {"class_name": policy, "config": {"mode": "int4", "source_name": "float32"}}
    layer_graph = read(weighted(tmp_path, fill, dtype=dtype))
    assert [layer.params for layer in layer_graph.layers] == [8 * 4 + 4]
    assert layer_graph.notes == (
        "the stored weights were not compared with the layers: they are quantized",
    )


def test_weights_linked_twice_or_in_a_circle_are_counted_once(tmp_path):
    def fill(h5py, file):
        whole(h5py, file)
        file["layers/itself"] = file["layers"]
        file["layers/again"] = file["layers/dense/vars/0"]

    assert read(weighted(tmp_path, fill)).layers[0].params == 8 * 4 + 4


@pytest.mark.parametrize("link", ["SoftLink", "ExternalLink"])
def test_links_to_other_files_are_not_followed(tmp_path, link):
    def fill(h5py, file):
        whole(h5py, file)
        to = ("/layers",) if link == "SoftLink" else (str(tmp_path / "w.h5"), "/layers")
        file["more"] = getattr(h5py, link)(*to)

    with pytest.raises(ConstraintError) as refused:
        read(weighted(tmp_path, fill))
    assert refused.value.code == "CC404"
    assert (
        refused.value.message
        == "its weights are links to other places, which convcost does not follow"
    )


def test_unreadable_weights_are_refused(tmp_path, monkeypatch):
    path = weighted(tmp_path, whole)
    data = path.read_bytes()
    begun = data.index(b"HDF") + 100
    path.write_bytes(data[:begun] + b"????" + data[begun + 4 :])
    with pytest.raises(ConstraintError, match="its weights cannot be read: Bad CRC-32") as refused:
        read(path)
    assert refused.value.code == "CC404"
    path.write_bytes(data)
    monkeypatch.setattr("convcost.importing.frontends.keras.stored_weights.MAX_BYTES", 100)
    with pytest.raises(ConstraintError, match="its weights are larger than"):
        read(path)


def test_a_keras_file_is_a_zip_archive_with_its_configuration(tmp_path):
    path = tmp_path / "net.keras"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("config.json", json.dumps(sequential(conv("c", 8, 3))))
    assert read(path).layers[0].params == 8 * 3 * 3 * 3 + 8
    path.write_bytes(b"PK\x03\x04 truncated")
    with pytest.raises(
        ConstraintError, match=r"is not a \.keras file: it is not a zip archive, or damaged"
    ):
        read(path)


METHODS = [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA]


def packed(path, method):
    """A model and where the bytes of its configuration lie in the archive."""
    config = json.dumps(sequential(*(conv(f"c{n}", 8, 3) for n in range(8))))
    with zipfile.ZipFile(path, "w", method) as archive:
        archive.writestr("config.json", config)
        info = archive.getinfo("config.json")
    begin = info.header_offset + 30 + len("config.json")
    return range(begin, begin + info.compress_size)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("to", [0, 255])
def test_a_damaged_member_of_any_compression_is_refused(tmp_path, method, to):
    path = tmp_path / "net.keras"
    places = packed(path, method)
    sound = path.read_bytes()
    for place in (*places[:24], *places[24 :: len(places) // 40 or 1]):
        if sound[place] == to:
            continue
        path.write_bytes(sound[:place] + bytes([to]) + sound[place + 1 :])
        with suppress(ConstraintError):  # the end of a stream may hold what nobody reads
            assert len(read(path).layers) == 8


def test_a_damaged_lzma_member_is_refused_with_a_message(tmp_path):
    path = tmp_path / "net.keras"
    places = packed(path, zipfile.ZIP_LZMA)
    sound = path.read_bytes()
    path.write_bytes(sound[: places[9]] + bytes(20) + sound[places[29] :])
    with pytest.raises(ConstraintError) as refused:
        read(path)
    assert refused.value.code == "CC404"
    assert refused.value.message == "cannot be unpacked: Corrupt input data"


def test_damaged_weights_packed_as_lzma_are_refused(tmp_path):
    path = weighted(tmp_path, whole, zipfile.ZIP_LZMA)
    sound = path.read_bytes()
    begun = sound.index(b"model.weights.h5") + len("model.weights.h5") + 9
    path.write_bytes(sound[:begun] + bytes(20) + sound[begun + 20 :])
    with pytest.raises(ConstraintError, match="its weights cannot be read: Corrupt input data"):
        read(path)


def older(path, *layers, config=None, fill=None):
    """A model in the older HDF5 format; layers as (layer, {tensor: shape})."""
    h5py = pytest.importorskip("h5py")
    with h5py.File(path, "w") as file:
        kept = file.create_group("model_weights")
        for layer, tensors in layers:
            name = layer["config"]["name"]
            group = kept.create_group(name)
            for tensor, shape in tensors.items():
                group.create_dataset(f"{name}/{tensor}", shape=shape, dtype="f4")
        file.create_dataset("optimizer_weights/adam/m", shape=(8, 4), dtype="f4")
        if config is None:
            config = sequential(*(layer for layer, _ in layers), shape=[None, 8])
        file.attrs["model_config"] = json.dumps(config).encode()
        if fill is not None:
            fill(file)
    return path


DENSE = one("Dense", "d", units=4), {"kernel:0": (8, 4), "bias:0": (4,)}


def test_the_h5_format_has_its_configuration_in_an_attribute_and_its_weights_by_name(tmp_path):
    path = tmp_path / "net.h5"
    assert read(older(path, DENSE)).layers[0].params == 8 * 4 + 4
    short = one("Dense", "d", units=4), {"kernel:0": (8, 4)}
    with pytest.raises(ConstraintError) as refused:
        read(older(path, short))
    assert refused.value.code == "CC403"
    assert refused.value.message == "the layers have 36 params and buffers, but the file stores 32"


def test_the_first_layer_of_keras_2_declares_the_input(tmp_path):
    layer = one("Dense", "d", units=4, batch_input_shape=[None, 8])
    config = {"class_name": "Sequential", "config": {"name": "net", "layers": [layer]}}
    path = older(tmp_path / "net.h5", (layer, DENSE[1]), config=config)
    assert read(path).layers[0].params == 8 * 4 + 4
    bare = {"class_name": "Sequential", "config": [layer]}
    path = older(tmp_path / "net.h5", (layer, DENSE[1]), config=bare)
    assert read(path).layers[0].params == 8 * 4 + 4


@pytest.mark.parametrize("listed", [False, True])
def test_the_first_layer_of_a_first_model_declares_the_input(tmp_path, listed):
    """Before version 2.2.3, Keras wrote the layers of a model as a list, without its name."""
    first = one("Dense", "d", units=4, batch_input_shape=[None, 8])

    def model(name, *layers):
        config = list(layers) if listed else {"name": name, "layers": list(layers)}
        return {"class_name": "Sequential", "config": config}

    inner = model("inner", model("core", first), one("Dense", "e", units=3))
    graph = imported_graph(tmp_path, model("net", inner, one("Dense", "f", units=2)))
    assert [layer.params for layer in graph.layers] == [8 * 4 + 4, 4 * 3 + 3, 3 * 2 + 2]


def test_the_mean_and_variance_of_a_normalization_layer_are_constants_under_any_name(tmp_path):
    norm = one("Normalization", "by_data"), {"mean:0": (8,), "variance:0": (8,)}
    assert read(older(tmp_path / "net.h5", norm, DENSE)).layers[0].params == 8 * 4 + 4


def test_a_custom_class_in_the_h5_format_declares_its_stored_weights(tmp_path):
    own = one("Gain", "g"), {"gain:0": (8,)}
    config = graph(
        (entry("x", 8),),
        (own[0], ([tensor("x", shape=[None, 8])], {})),
        (DENSE[0], ([tensor("g", shape=[None, 8])], {})),
        inputs=["x", 0, 0],
        outputs=["d", 0, 0],
    )
    layer_graph = read(older(tmp_path / "net.h5", own, DENSE, config=config))
    assert [(layer.kind, layer.params, layer.uncounted) for layer in layer_graph.layers] == [
        ("custom", 8, True),
        ("linear", 8 * 4 + 4, False),
    ]


def test_a_custom_class_in_a_nested_model_has_the_weights_under_its_name(tmp_path):
    inner = graph(
        (entry("y", 8),),
        (one("Gain", "g"), ([tensor("y", shape=[None, 8])], {})),
        (DENSE[0], ([tensor("g", shape=[None, 8])], {})),
        inputs=["y", 0, 0],
        outputs=["d", 0, 0],
        name="inner",
    )
    config = graph(
        (entry("x", 8),),
        (inner, ([tensor("x")], {})),
        inputs=["x", 0, 0],
        outputs=["inner", 1, 0],
    )
    stored = {"g/gain:0": (8,), "d/kernel:0": (8, 4), "d/bias:0": (4,)}
    layer_graph = read(older(tmp_path / "net.h5", (inner, stored), config=config))
    assert [(layer.path, layer.params) for layer in layer_graph.layers] == [
        (("inner", "g"), 8),
        (("inner", "d"), 8 * 4 + 4),
    ]


def attribute(value):
    def fill(file):
        del file.attrs["model_config"]
        if value is not None:
            file.attrs["model_config"] = value

    return fill


def only_weights(file):
    attribute(None)(file)
    file.attrs["layer_names"] = [b"d"]


def elsewhere(file):
    h5py = pytest.importorskip("h5py")
    del file["model_weights/d"]
    file["model_weights/d"] = h5py.ExternalLink("/etc/other.h5", "/d")


def unweighted(file):
    del file["model_weights"]


HOSTILE = {
    "no configuration": (
        attribute(None),
        "the file is not a Keras model: it has no `model_config`",
    ),
    "weights only": (only_weights, "the file has only weights, without the layers that use them"),
    "a number": (attribute(3), "its `model_config` is not text"),
    "several texts": (attribute([b"{", b"}"]), "its `model_config` is not text"),
    "no JSON": (attribute(b"{"), "the configuration is not JSON: line 1: Expecting property name"),
    "no UTF-8": (attribute(b"\xff"), "the configuration is not UTF-8 text"),
    "a list": (attribute(b"[]"), "the JSON is not a Keras model"),
    "an external link": (
        elsewhere,
        "its weights are links to other places, which convcost does not follow",
    ),
    "no weights": (unweighted, "the file has no `model_weights`"),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_a_hostile_h5_file_is_refused_with_its_reason(tmp_path, case):
    fill, message = HOSTILE[case]
    with pytest.raises(ConstraintError) as refused:
        read(older(tmp_path / "net.h5", DENSE, fill=fill))
    assert refused.value.code == "CC404"
    assert refused.value.message[: len(message)] == message
    if "weights only" in message:
        assert refused.value.help == (
            "save the whole model: model.save('model.keras'), or write model.to_json()"
        )


def test_a_configuration_that_is_too_large_is_not_read(tmp_path, monkeypatch):
    path = older(tmp_path / "net.h5", DENSE)
    monkeypatch.setattr("convcost.importing.frontends.keras.archive.MAX_BYTES", 50)
    with pytest.raises(ConstraintError, match="the configuration is larger than"):
        read(path)
    np = pytest.importorskip("numpy")
    path = older(tmp_path / "net.h5", DENSE, fill=attribute(np.bytes_(b" " * 60)))
    with pytest.raises(ConstraintError, match="its `model_config` is larger than"):
        read(path)


def test_a_configuration_of_more_than_a_million_values_is_refused(tmp_path):
    path = tmp_path / "net.json"
    path.write_text("[" * 500_000 + "]" * 500_000 + "," * 500_001, "utf-8")
    with pytest.raises(ConstraintError) as refused:
        read(path)
    assert refused.value.message == "the configuration has more than 1,000,000 values"


def test_a_damaged_h5_file_is_refused(tmp_path):
    path = older(tmp_path / "net.h5", DENSE)
    data = path.read_bytes()
    heap = data.index(b"GCOL")
    # Space left of no bytes: HDF5's own walk never comes to its end.
    endless = data[: heap + 16] + bytes(16) + data[heap + 32 :]
    wrong = data[: heap + 24] + b"\xff" * 8 + data[heap + 32 :]
    for damaged in (
        b"",
        b"{}",
        data[:1000],
        data[: len(data) // 2],
        data[: heap + 9],
        wrong,
        endless,
    ):
        path.write_bytes(damaged)
        with pytest.raises(ConstraintError) as refused:
            read(path)
        assert refused.value.code == "CC404"
        assert refused.value.message == "is not an HDF5 file, or damaged"


def test_the_h5_format_needs_h5py(tmp_path, monkeypatch):
    path = older(tmp_path / "net.h5", DENSE)
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(ConstraintError) as refused:
        read(path)
    assert (refused.value.code, refused.value.message, refused.value.help) == (
        "CC401",
        "h5py is needed to read this file",
        "pip install 'convcost[keras]'",
    )


def test_a_configuration_nested_deeper_than_any_model_is_refused(tmp_path):
    value = json.loads('{"class_name": ' * 300 + "0" + "}" * 300)
    path = tmp_path / "net.json"
    path.write_text(json.dumps(sequential(one("Flatten", "f", data_format=value))))
    with pytest.raises(ConstraintError) as refused:
        read(path)
    message = "the configuration is nested more than 200 levels deep"
    assert (refused.value.code, refused.value.message) == ("CC404", message)
