"""Fourier transforms. A complex number is one element here, so they become `custom` layers with the
macs of the kind `fft`."""

from typing import Any

from convcost.importing.frontends.torch.registry import TorchCall, operator
from convcost.importing.passes.fourier import complex_macs, real_macs


@operator(*(f"fft_{inverse}{real}fft{axes}"
            for inverse in ("", "i") for real in ("", "r") for axes in ("", "2", "n")),
          op="fourier")  # fmt: skip
def fourier(call: TorchCall) -> Any:
    """`dim` is an axis or several; `n` and `s` are the lengths along them."""
    name = call.own_name.removeprefix("fft_")
    dims, out = call.x.dims, call.dims
    lengths = call.given.get("s")
    axes = call.given.get("dim")
    if axes is None:
        axes = range(len(dims) - len(lengths or dims), len(dims))
    axes = [axis % len(dims) for axis in ([axes] if isinstance(axes, int) else axes)]
    last = axes[-1]
    if "r" in name:
        inverse = name.startswith("i")
        half = [*out[:last], dims[last], *out[last + 1 :]] if inverse else out
        length = call.given.get("n") or (lengths[-1] if lengths else None)
        macs = real_macs(half, axes, out[last] if inverse else length or dims[last])
    elif name in ("fft", "ifft") and not call.is_complex:  # PyTorch computes half and mirrors it
        macs = real_macs(out, axes, out[last])
    else:
        macs = complex_macs(out, axes)
    return call.custom(name, macs)
