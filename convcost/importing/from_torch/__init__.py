"""PyTorch models: `package.module:callable`, built on the meta device and traced by torch.export.

callable ─ load ─▶ module ─ trace ─▶ ATen graph ─ walk, operators ─▶ Easel ─▶ Drawing
"""

from collections.abc import Mapping, Sequence
from typing import Any

from convcost.errors import Refusal
from convcost.importing.drawing import Drawing


def read(
    target: str,
    *,
    inputs: Sequence[Sequence[int]],
    dtypes: Sequence[str] = (),
    size: Sequence[int] | None = None,
    arguments: Mapping[str, Any] | None = None,
) -> Drawing:
    """The model that `target` names, drawn for one sample.

    `inputs` are the dims of what it is given, without the batch: (3, 224, 224). `dtypes` are the
    types, `int`, `float` or PyTorch's own names, float where none is given. `size` takes the place
    of all that `inputs` have behind the channels, or of the lengths of int ones: a single number
    for every axis, or one each. `arguments` go to the callable by name. Raises Refusal.
    """
    from convcost.importing.from_torch.asked import sized
    from convcost.importing.from_torch.load import load
    from convcost.importing.from_torch.trace import trace
    from convcost.importing.from_torch.walk import drawn

    if not inputs:
        raise Refusal(
            "CC405",
            "what it takes is not said",
            "--input 3x224x224: channels, height and width",
        )
    inputs = sized(inputs, dtypes, size)
    module = load(target, arguments or {})
    program = trace(module, inputs, dtypes)
    return drawn(module, program, target)
