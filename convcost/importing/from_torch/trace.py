"""From a module to its ATen graph, traced on the meta device: nothing is computed."""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from io import StringIO
from typing import Any

from convcost.errors import Refusal
from convcost.importing.from_torch.asked import WORDS
from convcost.importing.from_torch.instead import instead
from convcost.importing.from_torch.load import framework, quiet
from convcost.importing.from_torch.reasons import (
    BACKBONE,
    ROUTE,
    mixes_devices,
    needs_numbers,
    told,
)
from convcost.importing.from_torch.registry import SHAPED


def trace(module: Any, inputs: Sequence[Sequence[int]], dtypes: Sequence[str] = ()) -> Any:
    """The exported program of one sample; convolutions, norms and attention stay whole.

    Raises Refusal with the reason if the model cannot be exported.
    """
    torch = framework()
    names = [*dtypes, *["float32"] * (len(inputs) - len(dtypes))]
    kinds = [_dtype(torch, name) for name in names]
    with torch.device("meta"), torch.no_grad(), quiet(), _silent():
        given = tuple(
            torch.empty((1, *dims), dtype=kind, device="meta")
            for dims, kind in zip(inputs, kinds, strict=True)
        )
        try:
            if any(torch.nn.parameter.is_lazy(one) for one in module.parameters()):
                module(*given)  # so that it knows its widths
            program = torch.export.export(module, given, strict=False)
            if _rewrites(program):
                program = program.run_decompositions({})
        except Exception as error:  # noqa: BLE001  a user's code may raise anything
            raise _refused(module, inputs, given, error) from None
    return program


@contextmanager
def _silent() -> Iterator[None]:
    """What PyTorch logs and prints of a model that it cannot trace: the error says it shorter."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        with redirect_stdout(StringIO()), redirect_stderr(StringIO()):
            yield
    finally:
        logging.disable(before)


def _dtype(torch: Any, name: str) -> Any:
    dtype = getattr(torch, WORDS.get(name, name), None)
    if not isinstance(dtype, torch.dtype):
        raise Refusal("CC401", f"PyTorch has no numbers of type `{name}`", "float32, int64 …")
    return dtype


def _refused(module: Any, inputs: Sequence[Sequence[int]], given: Any, error: Exception) -> Refusal:
    """Why: the model cannot be run on this input, or what it does cannot be traced."""
    sizes = " and ".join("×".join(map(str, dims)) for dims in inputs)
    try:
        module(*given)
    except Exception as own:  # noqa: BLE001  a user's code may raise anything
        # That a number is asked for is the trouble of tracing, not of the model.
        if needs_numbers(own):
            message = f"it does not export, as its way depends on what flows: {told(own)}"
            return Refusal("CC401", message, BACKBONE)
        if mixes_devices(own):
            message = f"it does not export, as it makes tensors on other devices: {told(own)}"
            return Refusal("CC401", message, ROUTE)
        help_ = instead(module, given)
        return Refusal("CC401", f"it cannot be run on {sizes}: {told(own)}", help_)
    if needs_numbers(error):
        message = f"it does not export, as its way depends on what flows: {told(error)}"
        return Refusal("CC401", message, BACKBONE)
    return Refusal("CC401", f"it does not export: {told(error)}", ROUTE)


def _rewrites(program: Any) -> bool:
    """Whether a part of a tensor that flows is written to, and the whole is read again."""
    flows = set(program.graph_signature.user_inputs)
    for node in program.graph.nodes:
        if node.op != "call_function" or str(node.target).rpartition(".")[0] in SHAPED:
            continue
        if any(one.name in flows for one in node.all_input_nodes):
            flows.add(node.name)
            if writes(node.target) and _read_again(node):
                return True
    return False


def _read_again(node: Any) -> bool:
    part = node.args[0]
    while part.op == "call_function" and _views(part.target):
        whole = part.args[0]
        if any(node < user for user in whole.users if user is not part):
            return True
        part = whole
    return False


def writes(target: Any) -> bool:
    schema = getattr(target, "_schema", None)
    return schema is not None and bool(schema.is_mutable)


def _views(target: Any) -> bool:
    """Whether what a node gives shares memory with what it takes."""
    schema = getattr(target, "_schema", None)
    if schema is None or schema.is_mutable:
        return False
    return any(given.alias_info is not None for given in schema.returns)
