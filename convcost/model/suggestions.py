"""Suggestions for unknown names in messages."""

from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

# The name here, and its names in other tools.
_OTHER_NAMES = {
    "kernel": "kernel_size kernel_shape ksize k filter_size pool_size",
    "filters": "out_channels channels_out num_output num_filters n_filters",
    "stride": "strides s",
    "padding": "pad pads p",
    "same": "same_upper",
    "dilation": "dilations rate",
    "bias": "use_bias bias_term",
    "ceil": "ceil_mode",
    "features": "out_features units",
    "scale": "scale_factor affine",
    "shift": "center",
    "conv": "conv1d conv2d conv3d convolution",
    "transposed_conv": "conv_transpose conv_transpose2d convtranspose2d deconv deconvolution",
    "linear": "dense fc fully_connected inner_product",
    "max_pool": "maxpool maxpool2d max_pooling",
    "avg_pool": "avgpool avgpool2d average_pool",
    "global_avg_pool": "gap global_average_pool",
    "adaptive_avg_pool": "adaptive_average_pool",
    "batch_norm": "bn batchnorm batchnorm2d batch_normalization",
    "layer_norm": "layernorm",
    "group_norm": "groupnorm",
    "instance_norm": "instancenorm",
    "local_response_norm": "lrn",
    "silu": "swish",
    "hard_swish": "hardswish hswish",
    "hard_sigmoid": "hardsigmoid",
    "leaky_relu": "leakyrelu",
    "concat": "concatenate cat",
    "add": "eltwise residual",
    "multiply": "mul",
    "reshape": "view permute",
    "matmul": "bmm dot",
    "attention": "self_attention multi_head_attention",
    "learned": "parameter",
    "rms_norm": "rmsnorm",
    "projection": "proj_size",
    "rows": "num_embeddings",
    "along": "axis dim",
    "keep": "keepdim keepdims",
    "subtract": "sub",
    "divide": "div",
    "upsample": "interpolate resize",
    "pixel_shuffle": "depth_to_space",
    "pixel_unshuffle": "space_to_depth",
    "pad": "zero_pad",
    "slice": "split",
    "sequence": "sequential",
    "from": "inputs_from",
    "frozen": "freeze trainable requires_grad",
    "params": "parameters",
    "macs": "madds mult_adds multiply_adds gmacs mmacs flops flop gflops mflops ops",
    "input": "input_shape input_size",
}
FLOPS = ("flops", "flop", "gflops", "mflops", "ops")  # a mac is two of them
SYNONYMS = {other: name for name, others in _OTHER_NAMES.items() for other in others.split()}
MAX_COMPARED = 5_000  # names that the unknown names of one source are compared with, in all
MAX_COMPARED_IN_CALL = 50_000  # the same for all sources of a call of convcost
SHORT_NAME = 4  # letters; in a short name, one letter makes a larger difference

_left: ContextVar[list[int] | None] = ContextVar("left", default=None)


@contextmanager
def limited_suggestions(most: int = MAX_COMPARED) -> Iterator[None]:
    """Inside this context, names are compared at most that often; after that, nothing is suggested.
    A context inside another one takes its comparisons from that.

    Otherwise n unknown names among n names take n² comparisons.
    """
    outer = _left.get() or [most]
    comparisons = [min(most, outer[0])]
    outer[0] -= comparisons[0]
    token = _left.set(comparisons)
    try:
        yield
    finally:
        outer[0] += comparisons[0]
        _left.reset(token)


def nearest(name: str, names: Iterable[str]) -> str | None:
    """The one of `names` that `name` most likely means: a synonym, a path that ends in it, or
    similar letters; or None."""
    left = _left.get() or [MAX_COMPARED]
    if left[0] <= 0:
        return None
    others = list(dict.fromkeys(names))
    match = other_name(name, others)
    if match is not None:
        return match
    from difflib import get_close_matches

    folded = _fold(name)
    del others[left[0] :]
    left[0] -= len(others)
    for other in others:
        if other.endswith(f"/{name}"):
            return other
    cutoff = 0.6 if len(folded) < SHORT_NAME else 0.7
    close = get_close_matches(folded[:60], [other.lower() for other in others], n=1, cutoff=cutoff)
    return next((other for other in others if close and other.lower() == close[0]), None)


def other_name(name: str, names: Collection[str]) -> str | None:
    """The one of `names` that has this name in other tools, or in other letters: MaxPool2d."""
    folded = _fold(name)
    # `rate` is an option of dropout, and elsewhere another word for the dilation.
    for match in (name, folded, SYNONYMS.get(folded)):
        if match in names:
            return match
    return None


def _fold(name: str) -> str:
    return name.lower().replace("-", "_").strip()


def did_you_mean(name: str, names: Iterable[str], listed: int = 12) -> str:
    """Help for an unknown name: the nearest one, or all of them if there are at most `listed`."""
    left = _left.get()
    if left is not None and left[0] <= 0:
        return ""
    unique_names = list(dict.fromkeys(names))
    word, colon, value = name.partition(":")
    match = nearest(word, unique_names)
    if match is not None and colon and value:
        return f"write `{match}: {value}`, with a space after the colon"
    if match == "macs" and _fold(name) in FLOPS:
        return "did you mean `macs`? One mac is a multiply and an add, so 2 FLOPs"
    if match is not None:
        return f"did you mean `{match}`?"
    if unique_names and len(unique_names) <= listed:
        return "known here: " + ", ".join(f"`{other}`" for other in unique_names)
    return ""
