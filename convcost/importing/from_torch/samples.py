"""Samples where there are many of one: windows and tokens that a model puts beside each other."""

from convcost.importing.value import Value, permuted, reshaped


def together(x: Value) -> Value:
    """[n, c, h, w] with one sample as it is; with many, their axis becomes the outermost of the
    size: [1, c, n, h, w]."""
    if x.dims[0] == 1:
        return x._replace(batch=0)
    swapped = permuted(x._replace(batch=None), (1, 0, *range(2, len(x.dims))))
    return reshaped(swapped, (1, *swapped.dims))._replace(batch=0)


def apart(x: Value, dims: tuple[int, ...]) -> Value:
    """Back to `dims`, which has as many samples as it has."""
    if x.dims == dims:
        return x
    flat = reshaped(x, x.dims[1:])
    return permuted(flat._replace(batch=None), (1, 0, *range(2, len(flat.dims))))
