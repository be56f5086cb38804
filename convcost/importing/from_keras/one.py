"""What a configuration of a layer says of itself: its name, and how it is drawn."""

from typing import Any

from convcost.errors import Refusal
from convcost.importing.from_keras.call import LAYERS, Call, Draw
from convcost.importing.from_keras.classes import is_operation
from convcost.importing.from_keras.names import automatic

DAMAGED = (KeyError, TypeError, ValueError, AttributeError, IndexError, OverflowError)


def drawer(one: dict[str, Any]) -> Draw | None:
    """How a layer is drawn. Functions of keras.ops have names of layers and mean something else;
    an `.h5` does not tell their module."""
    kind, bare = str(one["class_name"]), "module" not in one and "trainable" not in one["config"]
    function = LAYERS.get(f"ops.{kind}")
    if is_operation(one):
        return function
    return LAYERS.get(kind) or (function if bare else None)


def plain(call: Call) -> None:
    """Holds that a layer has no weights besides its own. Raises Refusal."""
    if call.config.get("lora_rank"):
        raise Refusal("CC401", f"{call.kind} with LoRA is not read")


def damaged(error: Exception) -> str:
    return f"is not as Keras writes it ({type(error).__name__}: {error})"


def name_of(one: dict[str, Any]) -> str:
    return str(one.get("name") or one["config"]["name"])


def made_up(one: dict[str, Any]) -> bool:
    return automatic(name_of(one), str(one["class_name"]))
