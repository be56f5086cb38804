"""Padding, also negative padding."""

from convcost.importing.frontends.torch.registry import TorchCall, operator
from convcost.importing.ir.tensor import Tensor

_KINDS = ("reflection", "replication")


@operator("pad", "constant_pad_nd",
          *(f"{kind}_pad{n}d" for kind in _KINDS for n in (1, 2, 3)))  # fmt: skip
def pad(call: TorchCall) -> Tensor:
    """`pad` has the begin and end of the last axis first."""
    x, numbers = call.x, call.given.get("pad", call.given.get("padding"))
    none = [0] * (len(x.dims) - len(numbers) // 2)
    begins, ends = ([*none, *numbers[at::2][::-1]] for at in (0, 1))
    return call.lower("pad", x, begins=begins, ends=ends)
