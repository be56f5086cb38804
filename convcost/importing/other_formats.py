"""Files of models that convcost cannot read: their format, and how to convert them."""

from pathlib import Path

from convcost.model.errors import ConstraintError

_CODE = "name the callable that builds the model: package.module:callable, with --input"
_TF2ONNX = "run python -m tf2onnx.convert {} --output model.onnx, then import model.onnx"
_ONNX = "convert it to ONNX, or import the model that it was made from"

# By suffix: the content of a file, and a conversion to convert it.
FILE_CONTENTS = {
    **dict.fromkeys(
        (".pt", ".pth", ".ckpt", ".pkl", ".bin"),
        ("weights or pickled objects of PyTorch, and loading these runs code of the file", _CODE),
    ),
    **dict.fromkeys((".torchscript", ".ptl", ".jit"), ("a program of TorchScript", _CODE)),
    ".pt2": ("a program of torch.export", f"{_CODE}; or {_ONNX}"),
    **dict.fromkeys(
        (".safetensors", ".npz", ".msgpack", ".gguf", ".weights", ".params"),
        ("weights by name, without the layers that use them", _CODE),
    ),
    ".pb": ("a graph of TensorFlow", _TF2ONNX.format("--graphdef model.pb --outputs NAMES")),
    ".hdf5": ("a model of Keras under another name", "rename it to end in .h5"),
    **dict.fromkeys(
        (".lite", ".tfl"),
        ("a model of TensorFlow Lite under another name", "rename it to end in .tflite"),
    ),
    **dict.fromkeys(
        (".mlmodel", ".engine", ".plan", ".trt", ".mnn", ".ort", ".rknn", ".dlc"),
        ("a compiled model", _ONNX),
    ),
    **dict.fromkeys(
        (".pdmodel", ".pdiparams", ".caffemodel", ".prototxt"),
        ("a model of another framework", _ONNX),
    ),
    ".xml": ("XML, such as a model of OpenVINO", _ONNX),
}
FOLDER_CONTENTS = {
    "saved_model.pb": ("a SavedModel of TensorFlow", _TF2ONNX.format("--saved-model FOLDER")),
    "coremldata.bin": ("a compiled model", _ONNX),
    "Manifest.json": ("a model of Core ML", _ONNX),
}


def refuse(path: Path) -> None:
    """Raises ConstraintError for a file or folder in a known format that convcost cannot read."""
    if path.is_dir():
        for name, (content, conversion) in FOLDER_CONTENTS.items():
            if (path / name).is_file():
                raise ConstraintError(
                    "CC401", f"convcost cannot read this folder: it contains {content}", conversion
                )
    elif path.suffix.lower() in FILE_CONTENTS:
        content, conversion = FILE_CONTENTS[path.suffix.lower()]
        raise ConstraintError(
            "CC401", f"convcost cannot read this file: it contains {content}", conversion
        )
