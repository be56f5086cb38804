"""The front end for PyTorch models: `package.module:callable`, built on the meta device and traced
by torch.export.

  callable ─ load ─▶ module ─ trace ─▶ ATen graph ─ lower_graph ─▶ GraphBuilder ─▶ LayerGraph
"""

from collections.abc import Mapping, Sequence
from typing import Any

from convcost.importing.ir.layer_graph import LayerGraph
from convcost.model.errors import ConstraintError


def read(
    target: str,
    *,
    inputs: Sequence[Sequence[int]],
    dtypes: Sequence[str] = (),
    size: Sequence[int] | None = None,
    arguments: Mapping[str, Any] | None = None,
) -> LayerGraph:
    """The layers of the model that `target` names, for one sample.

    `inputs` are the dims of the inputs without the batch, such as (3, 224, 224). `dtypes` are their
    types: `int`, `float` or PyTorch's own names; the default is float. `size` replaces all dims of
    `inputs` after the channels, or the lengths of int inputs: one number for all axes, or one for
    each axis. `arguments` are keyword arguments for the callable. Raises ConstraintError.
    """
    from convcost.importing.frontends.torch.load import load
    from convcost.importing.frontends.torch.lower_graph import lower_program
    from convcost.importing.frontends.torch.quantized import with_float_weights
    from convcost.importing.frontends.torch.trace import resize_inputs, trace

    if not inputs:
        raise ConstraintError(
            "CC405",
            "the shape of its input is missing",
            "--input 3x224x224: channels, height and width",
        )
    inputs = resize_inputs(inputs, dtypes, size)
    module, replaced = with_float_weights(load(target, arguments or {}))
    program = trace(module, inputs, dtypes)
    graph = lower_program(module, program, target)
    if not replaced:
        return graph
    modules = "1 module is" if replaced == 1 else f"{replaced} modules are"
    note = f"{modules} quantized: packed integers count as the weights that they represent"
    return graph._replace(notes=(*graph.notes, note))
