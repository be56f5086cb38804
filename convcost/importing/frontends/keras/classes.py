"""Whether a class is part of Keras. A class of another package can have the same name and do
something else."""

from typing import Any, TypeAlias

from convcost.model.errors import ConstraintError

# A layer in a configuration: `class_name`, `config`, and in newer files `module` and more.
LayerConfig: TypeAlias = dict[str, Any]
PACKAGES = ("keras", "tf_keras", "tensorflow")
REGISTERED = ("Custom>CustomScaleLayer",)  # keras.applications registers this class of its own


def is_of_keras(layer: LayerConfig) -> bool:
    """Whether the module and the registered name in a configuration are those of Keras. Keras 2
    wrote neither for its own classes, and `package>Class` for other registered classes."""
    kind, registered = str(layer["class_name"]), layer.get("registered_name")
    if ">" in kind:
        return kind in REGISTERED
    if "module" not in layer:
        return registered in (None, kind)
    module = layer["module"]
    is_keras_module = isinstance(module, str) and module.split(".")[0] in PACKAGES
    return is_keras_module and registered in (None, kind, f"Custom>{kind}")


def stated_origin(layer: LayerConfig) -> str:
    """The origin of a class that is not from Keras, according to the configuration."""
    kind, module = str(layer["class_name"]), layer.get("module")
    registered = layer.get("registered_name")
    if isinstance(registered, str) and registered not in (kind, f"Custom>{kind}"):
        return f"it is registered as `{registered}`"
    if isinstance(module, str):
        return f"its module is `{module}`"
    if ">" in kind:
        return f"it is registered as `{kind}`"
    return "the file does not name its module"


def is_operation(layer: LayerConfig) -> bool:
    """Whether the configuration is of a function of keras.ops, not of a layer. Some functions have
    the names of layers."""
    module = layer.get("module")
    return isinstance(module, str) and ".ops" in module


def require_own(layer: LayerConfig, wrapper: str) -> None:
    """Raises ConstraintError unless a layer inside the layer `wrapper` is part of Keras."""
    if not is_of_keras(layer):
        kind = layer["class_name"]
        raise ConstraintError(
            "CC401",
            f"{wrapper} has a layer of the class `{kind}`, which is not part of Keras: "
            f"{stated_origin(layer)}",
        )
