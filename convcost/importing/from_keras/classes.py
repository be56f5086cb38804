"""Whether a class is Keras' own: another's may have the same name and do something else."""

from typing import Any

from convcost.errors import Refusal

PACKAGES = ("keras", "tf_keras", "tensorflow")
REGISTERED = ("Custom>CustomScaleLayer",)  # of keras.applications, which registers it like another


def is_own(one: dict[str, Any]) -> bool:
    """By the module and registered name of a configuration; Keras 2 wrote neither of its own
    classes, and `package>Class` of others that are registered."""
    kind, registered = str(one["class_name"]), one.get("registered_name")
    if ">" in kind:
        return kind in REGISTERED
    if "module" not in one:
        return registered in (None, kind)
    module = one["module"]
    own = isinstance(module, str) and module.split(".")[0] in PACKAGES
    return own and registered in (None, kind, f"Custom>{kind}")


def whose(one: dict[str, Any]) -> str:
    """What a configuration says of a class that is not Keras' own."""
    kind, module, registered = str(one["class_name"]), one.get("module"), one.get("registered_name")
    if isinstance(registered, str) and registered not in (kind, f"Custom>{kind}"):
        return f"it is registered as `{registered}`"
    if isinstance(module, str):
        return f"its module is `{module}`"
    if ">" in kind:
        return f"it is registered as `{kind}`"
    return "its module is not told"


def is_operation(one: dict[str, Any]) -> bool:
    """Whether it is a function of keras.ops, not a layer: some have the names of layers."""
    module = one.get("module")
    return isinstance(module, str) and ".ops" in module


def owned(one: dict[str, Any], around: str) -> None:
    """Holds that a layer within another is Keras' own, too. Raises Refusal."""
    if not is_own(one):
        kind = one["class_name"]
        raise Refusal(
            "CC401", f"{around} of the class `{kind}`, which is not that of keras: {whose(one)}"
        )
