"""Whether a class is Keras' own: another's may have the same name and do something else."""

from typing import Any

PACKAGES = ("keras", "tf_keras", "tensorflow")


def is_own(one: dict[str, Any]) -> bool:
    """By the module and registered name of a configuration; Keras 2 wrote neither of its own
    classes, and `package>Class` of others that are registered."""
    kind, registered = str(one["class_name"]), one.get("registered_name")
    if ">" in kind:
        return False
    if "module" not in one:
        return registered in (None, kind)
    module = one["module"]
    own = isinstance(module, str) and module.split(".")[0] in PACKAGES
    return own and registered in (None, kind, f"Custom>{kind}")
