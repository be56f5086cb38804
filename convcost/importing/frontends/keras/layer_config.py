"""Reads the configuration of one layer: its name, its lowering rule and whether it is frozen."""

from convcost.importing.frontends.keras.call import LAYERS, LayerCall, Rule
from convcost.importing.frontends.keras.classes import LayerConfig, is_operation
from convcost.importing.frontends.keras.names import automatic
from convcost.importing.ir.refusals import unsupported
from convcost.model.errors import ConstraintError

READ_ERRORS = (KeyError, TypeError, ValueError, AttributeError, IndexError, OverflowError)
# Options that only layers of Keras 1 have. Keras 2 renamed them.
KERAS_1 = ("border_mode", "dim_ordering", "nb_filter", "pool_length", "W_regularizer")


def lowering_rule(layer: LayerConfig) -> Rule | None:
    """The rule that lowers a layer. Functions of keras.ops can have the names of layers with
    another meaning, and an `.h5` file does not name their module."""
    kind = str(layer["class_name"])
    bare = "module" not in layer and "trainable" not in layer["config"]
    function = LAYERS.row_of(f"ops.{kind}").rule
    if is_operation(layer):
        return function
    return LAYERS.row_of(kind).rule or (function if bare else None)


def refuse_options(call: LayerCall) -> None:
    """Raises ConstraintError if a layer has options of Keras 1, or weights of LoRA."""
    if older := next((option for option in KERAS_1 if option in call.config), None):
        raise ConstraintError(
            "CC404",
            f"the option `{older}` is of Keras 1, which convcost does not read",
            "load the model with Keras 2, and save it again",
        )
    if call.config.get("lora_rank"):
        raise unsupported(f"{call.kind} with LoRA")


def format_error(error: Exception) -> str:
    return f"does not have the format of Keras ({type(error).__name__}: {error})"


def name_of(layer: LayerConfig) -> str:
    return str(layer.get("name") or layer["config"]["name"])


def is_frozen(layer: LayerConfig) -> bool:
    """Whether the weights of a layer are not trainable, or those of the layer that it wraps."""
    config = layer.get("config")
    if not isinstance(config, dict):
        return False
    wrapped = [config[key] for key in ("layer", "backward_layer") if config.get(key)]
    inside = [is_frozen(inner) for inner in wrapped if isinstance(inner, dict)]
    return config.get("trainable") is False or (bool(inside) and all(inside))


def made_up(layer: LayerConfig) -> bool:
    return automatic(name_of(layer), str(layer["class_name"]))
