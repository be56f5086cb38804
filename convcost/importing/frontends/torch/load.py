"""Loads `package.module:callable` as a module on the meta device, without weights or data."""

import sys
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext, redirect_stdout
from functools import partial
from importlib import import_module
from inspect import signature
from pathlib import Path
from typing import Any

from convcost.importing.frontends.torch.error_text import (
    SCRIPTED,
    error_summary,
    needs_device,
    needs_numbers,
)
from convcost.model.errors import ConstraintError
from convcost.model.suggestions import did_you_mean

NO_ARGUMENTS = "write a function without arguments that returns the module, and name that"


def load(target: str, arguments: Mapping[str, Any]) -> Any:
    """The `nn.Module` that the callable returns, created on the meta device, in evaluation mode.

    `target` may also name an `nn.Module`. Raises ConstraintError.
    """
    name, colon, attribute = target.partition(":")
    if not (name and colon and attribute):
        raise ConstraintError(
            "CC401",
            "it does not name a PyTorch model",
            "write package.module:callable, torchvision.models:resnet50",
        )
    if name.endswith(".py"):
        raise ConstraintError(
            "CC401",
            "use the name of the module, not the name of its file",
            _module_name_hint(name, attribute),
        )
    torch = framework()
    with _current_folder_on_path(), output_to_stderr():
        value = _attribute_of(_import(name), name, attribute)
        module = value if isinstance(value, torch.nn.Module) else _build(value, arguments)
    if not isinstance(module, torch.nn.Module):
        raise ConstraintError(
            "CC401",
            f"it returns {_with_article(type(module).__name__)}, not a torch.nn.Module",
            "name a class of modules, or a function that returns one",
        )
    for path, part in module.named_modules():
        # torch.export can trace a part that torch.jit.trace returned.
        if isinstance(part, torch.jit.RecursiveScriptModule if path else torch.jit.ScriptModule):
            subject = f"its module `{path}`" if path else "it"
            message = f"{subject} is TorchScript, which torch.export cannot trace"
            raise ConstraintError("CC401", message, SCRIPTED)
    return move_tensors(module, lambda tensor: tensor.to("meta")).eval()


def move_tensors(module: Any, move: Callable[[Any], Any]) -> Any:
    """The module with `move(tensor)` in place of each parameter and buffer. A tensor that several
    modules share stays one tensor; `Module.to` makes one for each."""
    torch = framework()
    tensors = [
        *module.named_parameters(remove_duplicate=False),
        *module.named_buffers(remove_duplicate=False),
    ]
    copies: dict[int, Any] = {}
    for name, tensor in tensors:
        if torch.nn.parameter.is_lazy(tensor):
            continue
        owner, _, attribute = name.rpartition(".")
        if id(tensor) not in copies:
            copies[id(tensor)] = new = move(tensor)
            if isinstance(tensor, torch.nn.Parameter) and new is not tensor:
                copies[id(tensor)] = torch.nn.Parameter(new, requires_grad=tensor.requires_grad)
        setattr(module.get_submodule(owner), attribute, copies[id(tensor)])
    return module


def framework() -> Any:
    """The package `torch`. Raises ConstraintError if it is not installed."""
    try:
        return import_module("torch")
    except ImportError as error:
        raise ConstraintError(
            "CC401",
            f"PyTorch is needed to read a PyTorch model: {error_summary(error)}",
            "pip install 'convcost[torch]'",
        ) from None


@contextmanager
def output_to_stderr() -> Iterator[None]:
    """Keeps the output and warnings of the model's own code out of the spec."""
    with redirect_stdout(sys.stderr), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@contextmanager
def _current_folder_on_path() -> Iterator[None]:
    """Allows imports from the working directory, like `python -m`."""
    here = str(Path.cwd())
    sys.path.insert(0, here)
    try:
        yield
    finally:
        sys.path.remove(here)


def _import(name: str) -> Any:
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        missing = error.name or name
        if name == missing or name.startswith(f"{missing}."):
            raise ConstraintError(
                "CC401",
                f"there is no module `{missing}`",
                "convcost looks for modules in this folder and among the installed packages",
            ) from None
        raise ConstraintError(
            "CC401", f"`{name}` needs the module `{missing}`, which is not installed"
        ) from None
    except Exception as error:  # noqa: BLE001  a user's code may raise anything
        raise ConstraintError(
            "CC401", f"`{name}` cannot be imported: {error_summary(error)}"
        ) from None


def _attribute_of(module: Any, name: str, attribute: str) -> Any:
    value = module
    for part in attribute.split("."):
        if not hasattr(value, part):
            public = [member for member in dir(value) if not member.startswith("_")]
            raise ConstraintError(
                "CC401", f"`{name}` has no `{attribute}`", did_you_mean(part, public) or ""
            )
        value = getattr(value, part)
    return value


def _build(value: Any, arguments: Mapping[str, Any]) -> Any:
    if not callable(value):
        raise ConstraintError(
            "CC401", f"it is {_with_article(type(value).__name__)}, which cannot be called"
        )
    # Code that computes widths with tensors needs their values. It needs the values of its weights
    # only if it reads them.
    ways: list[Callable[[], AbstractContextManager[Any]]] = [
        nullcontext, _parameters_on_meta, partial(framework().device, "meta"),
    ]  # fmt: skip
    while True:
        try:
            with ways.pop()():
                return value(**arguments)
        except Exception as error:  # noqa: BLE001  a user's code may raise anything
            if len(ways) > 1 or (ways and (needs_device(error) or needs_numbers(error))):
                continue
            help_ = "" if _accepts(value, arguments) else NO_ARGUMENTS
            raise ConstraintError(
                "CC401", f"it cannot be built: {error_summary(error)}", help_
            ) from None


def _accepts(factory: Any, arguments: Mapping[str, Any]) -> bool:
    """Whether the object can be called with these arguments."""
    try:
        signature(factory).bind(**arguments)
    except TypeError:
        return False
    except ValueError:  # its signature is not known
        return True
    return True


def _module_name_hint(file: str, attribute: str) -> str:
    path = Path(file)
    folder = path.is_absolute() or ".." in path.parts
    if folder and not path.is_relative_to(Path.cwd()):
        return f"in the folder {path.parent}: {path.stem}:{attribute}"
    parts = path.relative_to(Path.cwd()).parts if folder else path.parts
    return f"did you mean {'.'.join((*parts[:-1], path.stem))}:{attribute}?"


@contextmanager
def _parameters_on_meta() -> Iterator[None]:
    """Moves parameters to the meta device when a module registers them, before they are filled."""
    torch = framework()

    def empty(_module: Any, _name: str, parameter: Any) -> Any:
        if parameter is None or parameter.is_meta:
            return parameter
        return torch.nn.Parameter(parameter.to("meta"), requires_grad=parameter.requires_grad)

    hook = torch.nn.modules.module.register_module_parameter_registration_hook(empty)
    try:
        yield
    finally:
        hook.remove()


def _with_article(name: str) -> str:
    return f"an {name}" if name[:1].lower() in "aeiou" else f"a {name}"
