"""Traces a module to its ATen graph on the meta device, without computing anything."""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from copy import deepcopy
from functools import partial
from importlib import import_module
from io import StringIO
from typing import Any

from convcost.importing.frontends.torch.error_text import (
    ROUTE,
    error_summary,
    needs_device,
    not_exported,
)
from convcost.importing.frontends.torch.input_hints import suggest_inputs
from convcost.importing.frontends.torch.load import framework, move_tensors, output_to_stderr
from convcost.importing.frontends.torch.registry import SHAPED, known_row, operator_name
from convcost.importing.ir.ops import UNKNOWN
from convcost.model.errors import ConstraintError
from convcost.model.number_format import counted

WORDS = {"int": "int64", "float": "float32"}  # PyTorch's names of our types
INTEGER_TYPES = ("int", "int64", "int32")  # a vector of these types has a length and no channels


def resize_inputs(
    inputs: Sequence[Sequence[int]], dtypes: Sequence[str], size: Sequence[int] | None
) -> tuple[tuple[int, ...], ...]:
    """The inputs at another size. Vectors of floats have no size and do not change. Raises
    ConstraintError."""
    if size is None:
        return tuple(map(tuple, inputs))
    resized_inputs = []
    for number, dims in enumerate(inputs):
        row = len(dims) == 1 and number < len(dtypes) and dtypes[number] in INTEGER_TYPES
        batch_dims = () if row else tuple(dims[:1])
        axes = len(dims) - len(batch_dims)
        if axes and len(size) not in (1, axes):
            shown, size_text = ("x".join(map(str, numbers)) for numbers in (dims, size))
            raise ConstraintError(
                "CC401",
                f"--size {size_text} has {counted(len(size), 'axis')}, --input {shown} has {axes}",
                "give one number for every axis, or one for each",
            )
        resized_inputs.append((*batch_dims, *(size if len(size) == axes else tuple(size) * axes)))
    return tuple(resized_inputs)


def trace(module: Any, inputs: Sequence[Sequence[int]], dtypes: Sequence[str] = ()) -> Any:
    """The exported program for one sample. Convolutions, norms and attention stay single operators.

    Raises ConstraintError with the reason if the model cannot be exported.
    """
    torch = framework()
    names = [*dtypes, *["float32"] * (len(inputs) - len(dtypes))]
    kinds = [_dtype(torch, name) for name in names]

    def given(device: str) -> tuple[Any, ...]:
        return tuple(
            torch.empty((1, *dims), dtype=kind, device=device)
            for dims, kind in zip(inputs, kinds, strict=True)
        )

    tensors = [*module.parameters(), *module.buffers()]
    with torch.no_grad(), output_to_stderr(), _no_output():
        try:
            with torch.device("meta"):
                return _export(torch, module, given("meta"))
        except Exception as error:  # noqa: BLE001  a user's code may raise anything
            if any(
                tensor.is_floating_point() and tensor.dtype != torch.float32 for tensor in tensors
            ):
                # The inputs are float32, which layers of other types may refuse.
                with suppress(Exception), torch.device("meta"):
                    return _export(torch, deepcopy(module).float(), given("meta"))
            if needs_device(error):
                fake = import_module("torch._subclasses.fake_tensor").FakeTensorMode
                # Fake tensors have a device, but no data either.
                with suppress(Exception):
                    twin = deepcopy(module)
                    with fake(allow_non_fake_inputs=True):
                        move_tensors(twin, partial(torch.empty_like, device="cpu"))
                        return _export(torch, twin, given("cpu"))
            with torch.device("meta"):
                raise _export_error(module, inputs, given("meta"), error) from None


def _export(torch: Any, module: Any, input_tensors: tuple[Any, ...]) -> Any:
    if any(torch.nn.parameter.is_lazy(parameter) for parameter in module.parameters()):
        module(*input_tensors)  # lazy modules infer their widths in the first call
    program = torch.export.export(module, input_tensors, strict=False)
    names = {operator_name(node.target) for node in program.graph.nodes}
    if "_add_batch_dim" in names or _has_observed_writes(program):  # the first is a torch.vmap
        program = program.run_decompositions({})
    return _with_known_operators(torch, program)


@contextmanager
def _no_output() -> Iterator[None]:
    """Suppresses PyTorch's logs about a model that it cannot trace; the error is shorter."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        with redirect_stdout(StringIO()), redirect_stderr(StringIO()):
            yield
    finally:
        logging.disable(before)


def _with_known_operators(torch: Any, program: Any) -> Any:
    """The program with each operator that has no row, such as tensordot, as the operators that
    PyTorch makes it of. Operators that depend only on numbers in the code stay."""
    tried: set[Any] = set()
    while unknown := _unknown_operators(program) - tried:
        tried |= unknown
        table = torch.export.default_decompositions()
        for target in sorted(unknown & table.keys(), key=str):
            with suppress(Exception):  # PyTorch cannot decompose all of its operators
                program = program.run_decompositions({target: table[target]})
    return program


def _unknown_operators(program: Any) -> set[Any]:
    """The operators that depend on an input of the model and have no row."""
    dependent: set[Any] = set()
    for node in program.graph.nodes:
        if node.op == "placeholder" or not dependent.isdisjoint(node.all_input_nodes):
            dependent.add(node)
    operators = {node.target for node in dependent if node.op == "call_function"}
    names = {target: operator_name(target) for target in operators}
    return {
        target
        for target, name in names.items()
        if name not in SHAPED and known_row(name) is UNKNOWN
    }


def _dtype(torch: Any, name: str) -> Any:
    dtype = getattr(torch, WORDS.get(name, name), None)
    if not isinstance(dtype, torch.dtype):
        raise ConstraintError(
            "CC401",
            f"PyTorch has no numbers of type `{name}`",
            "use a type such as float32 or int64",
        )
    return dtype


def _export_error(
    module: Any, inputs: Sequence[Sequence[int]], input_tensors: Any, error: Exception
) -> ConstraintError:
    """The error for a model that cannot be exported: it does not run on this input, or it runs and
    cannot be traced."""
    sizes = " and ".join("×".join(map(str, dims)) for dims in inputs)
    try:
        module(*input_tensors)
    except Exception as own:  # noqa: BLE001  a user's code may raise anything
        # Code that needs values fails only in tracing; the model itself is valid.
        refusal = not_exported(own)
        if refusal is not None:
            return refusal
        help_ = suggest_inputs(module, input_tensors)
        return ConstraintError("CC401", f"it cannot be run on {sizes}: {error_summary(own)}", help_)
    message = f"it cannot be exported: {error_summary(error)}"
    return not_exported(error) or ConstraintError("CC401", message, ROUTE)


def _has_observed_writes(program: Any) -> bool:
    """Whether an operator writes to a part of a tensor, and another operator then reads the whole
    tensor."""
    flows = set(program.graph_signature.user_inputs)
    for node in program.graph.nodes:
        if node.op != "call_function" or operator_name(node.target) in SHAPED:
            continue
        if any(source.name in flows for source in node.all_input_nodes):
            flows.add(node.name)
            if _writes(node.target) and _is_write_observed(node):
                return True
    return False


def _is_write_observed(node: Any) -> bool:
    """Whether an operator after `node`, which writes to a view, reads a tensor that the view shares
    memory with."""
    part = node.args[0]
    while part.op == "call_function" and _shares_memory(part.target):
        source = part.args[0]
        if any(node < user for user in source.users if user is not part):
            return True
        part = source
    return False


def _writes(target: Any) -> bool:
    """Whether an operator writes to one of its inputs."""
    schema = getattr(target, "_schema", None)
    return schema is not None and bool(schema.is_mutable)


def _shares_memory(target: Any) -> bool:
    """Whether the output of an operator is a view of its input."""
    schema = getattr(target, "_schema", None)
    if schema is None or schema.is_mutable:
        return False
    return any(output.alias_info is not None for output in schema.returns)
