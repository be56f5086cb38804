"""Laws of the ONNX import: what it draws has the shapes and the macs that running the model has."""

from math import prod
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import shape_inference
from onnx.reference import ReferenceEvaluator
from onnx_models import array, imported_graph, ints, model, node, summed_counts

from convcost.importing.ir.tensor import Tensor, output_tensor, permuted, reshaped
from convcost.model.shape import Shape

SIDES = st.integers(1, 3)


def _drawn(built: onnx.ModelProto):
    with TemporaryDirectory() as folder:
        return imported_graph(Path(folder), built)


def _dims(built: onnx.ModelProto) -> tuple[int, ...]:
    output = shape_inference.infer_shapes(built).graph.output[0]
    return tuple(dim.dim_value for dim in output.type.tensor_type.shape.dim)


@st.composite
def windows(draw):
    """Attributes of a window over two axes."""
    two = st.tuples(SIDES, SIDES)
    found = {
        "strides": draw(two),
        "dilations": draw(two),
        "kernel_shape": draw(st.tuples(st.integers(1, 4), st.integers(1, 4))),
    }
    auto = draw(st.sampled_from(["", "SAME_UPPER", "SAME_LOWER", "VALID"]))
    if auto:
        found["auto_pad"] = auto
    else:
        smaller = min(found["kernel_shape"])
        pads = st.integers(0, smaller - 1)
        found["pads"] = draw(st.tuples(pads, pads, pads, pads))
    return found


@settings(max_examples=60, deadline=None)
@given(windows(), st.sampled_from([1, 2, 4]), st.tuples(st.integers(12, 17), st.integers(12, 17)))
def test_a_convolution_has_the_macs_that_onnx_s_shape_implies(window, groups, size):
    weights = {"w": array(8, 4 // groups, *window["kernel_shape"])}
    built = model([node("Conv", "x", "w", "-> y", group=groups, **window)], weights, (1, 4, *size))
    dims = _dims(built)
    per_output = 8 * 4 // groups * prod(window["kernel_shape"])
    assert summed_counts(_drawn(built)) == (per_output, 0, per_output * prod(dims[2:]))


@settings(max_examples=60, deadline=None)
@given(windows(), st.sampled_from(["MaxPool", "AveragePool"]), st.booleans())
def test_a_pool_has_the_shape_that_onnx_infers(window, op, ceil):
    attributes = {**window, "ceil_mode": int(ceil)}
    if "auto_pad" in window:
        attributes["ceil_mode"] = 0
    built = model([node(op, "x", "-> y", **attributes)], {}, (1, 4, 15, 14))
    layer_graph = _drawn(built)
    # A window that starts past the input is dropped; ONNX's inference of old opsets keeps it.
    kept = tuple(
        n - (attributes["ceil_mode"] == 1 and (n - 1) * s >= size + pad)
        for n, s, size, pad in zip(
            _dims(built)[2:],
            window["strides"],
            (15, 14),
            window.get("pads", (0, 0))[:2],
            strict=True,
        )
    )
    assert layer_graph.layers[0].output.size == kept
    assert layer_graph.notes == ()


@settings(max_examples=60, deadline=None)
@given(
    st.tuples(SIDES, SIDES),
    st.tuples(st.integers(1, 4), st.integers(1, 4)),
    st.tuples(*[st.integers(0, 1)] * 4),
    st.sampled_from(["", "SAME_UPPER", "SAME_LOWER"]),
)
def test_a_transposed_convolution_has_the_macs_of_its_input(stride, kernel, pads, auto):
    window = {"strides": stride, **({"auto_pad": auto} if auto else {"pads": pads})}
    built = model(
        [node("ConvTranspose", "x", "w", "-> y", **window)],
        {"w": array(4, 6, *kernel)},
        (1, 4, 7, 6),
    )
    if not auto and min(s * (n - 1) + f - a - b for s, n, f, a, b in zip(
        stride, (7, 6), kernel, pads[:2], pads[2:], strict=True
    )) < 1:  # fmt: skip
        return
    weights = 4 * 6 * prod(kernel)
    assert summed_counts(_drawn(built)) == (weights, 0, weights * 7 * 6)


EQUATIONS = [
    ("ij,jk->ik", ["ij", "jk"]), ("bij,bjk->bik", ["bij", "bjk"]), ("bij,bkj->bik", ["bij", "bkj"]),
    ("bhid,bhjd->bhij", ["bhid", "bhjd"]), ("bi,bj->bij", ["bi", "bj"]), ("bij,jk", ["bij", "jk"]),
    ("bhwc,hkc->bhwk", ["bhwc", "hkc"]), ("...ij,...jk->...ik", ["bij", "bjk"]),
    ("bcij,bcd->bdij", ["bcij", "bcd"]), ("bij,bij->bij", ["bij", "bij"]),
    ("bij,j->bij", ["bij", "j"]), ("bij,j->bi", ["bij", "j"]), ("...A,AB->...B", ["bij", "jk"]),
]  # fmt: skip
EXTENTS = dict(zip("bhijkcdw", (1, 2, 3, 5, 4, 6, 7, 8), strict=True))


@settings(max_examples=30, deadline=None)
@given(st.sampled_from(EQUATIONS))
def test_an_einsum_that_sums_over_a_letter_has_the_product_of_all_letters_as_macs(equation):
    text, terms = equation
    inputs = {f"x{n}": [EXTENTS[name] for name in term] for n, term in enumerate(terms)}
    relus = [node("Relu", name, f"-> r{name}") for name in inputs]
    einsum = node("Einsum", *(f"r{name}" for name in inputs), "-> y", equation=text)
    built = model([*relus, einsum], {}, inputs=inputs)
    letters = set("".join(terms))
    kept = text.partition("->")[2].replace("...", "bi") or "bik"
    macs = (
        prod(EXTENTS[letter] for letter in letters) if letters - set(kept.replace("B", "k")) else 0
    )
    assert summed_counts(_drawn(built)) == (0, 0, macs)


def _laid_out(value: Tensor, data: np.ndarray) -> np.ndarray:
    """The elements of a source in the layout of a value that only follows their roles."""
    assert value.axes is not None
    long = [role for role, n in zip(value.axes, value.dims, strict=True) if n != 1]
    return data.reshape(4, 6, 5).transpose(long).reshape(value.dims)


def _applied(value: Tensor, data: np.ndarray) -> np.ndarray:
    """What the moves of a value do to the elements of its source."""
    assert value.origin is not None
    data = _laid_out(value.origin, data)
    for move in value.moves:
        data = data.reshape(move.dims) if move.dims else data.transpose(move.order)
    return data.reshape(value.dims)


@st.composite
def journeys(draw):
    """Reshapes and permutations, one after the other, of [1, 4, 6, 5]."""
    dims: tuple[int, ...] = (1, 4, 6, 5)
    steps = []
    for _ in range(draw(st.integers(1, 6))):
        if draw(st.booleans()):
            factors = [f for n in dims for f in {4: (2, 2), 6: (2, 3)}.get(n, (n,)) if f != 1]
            new, at = [], 0
            while at < len(factors):
                take = draw(st.integers(1, len(factors) - at))
                new.append(prod(factors[at : at + take]))
                at += take
            for _ in range(draw(st.integers(0, 2))):
                new.insert(draw(st.integers(0, len(new))), 1)
            dims = tuple(new)
            steps.append(("reshape", dims))
        else:
            order = tuple(draw(st.permutations(range(len(dims)))))
            dims = tuple(dims[axis] for axis in order)
            steps.append(("permute", order))
    return steps


@pytest.mark.slow
@settings(max_examples=300, deadline=None)
@given(journeys())
def test_simplified_reshapes_and_transposes_do_what_the_model_does(steps):
    data = np.arange(120)
    value = output_tensor(0, Shape(4, (6, 5)), 4, 1)
    expected = data.reshape(value.dims)
    for kind, numbers in steps:
        if kind == "reshape":
            value, expected = reshaped(value, numbers), expected.reshape(numbers)
        else:
            value, expected = permuted(value, numbers), expected.transpose(numbers)
        assert value.dims == expected.shape
    if value.axes is None:
        assert (_applied(value, data) == expected).all()
    else:  # only axes of 1 came, went and moved, or the layout is followed by roles
        assert (_laid_out(value, data) == expected).all()


@settings(max_examples=40, deadline=None)
@given(st.integers(5, 9), st.integers(5, 9))
def test_folded_constants_have_the_values_that_onnx_computes(height, width):
    nodes = [
        node("Shape", "x", "-> s"), node("Slice", "s", "two", "four", "-> hw"),
        node("Mul", "hw", "twos", "-> big"), node("Cast", "big", "-> cast", to=7),
        node("Div", "cast", "twos", "-> back"), node("Concat", "front", "back", "-> to", axis=0),
        node("Reshape", "x", "to", "-> y"),
    ]  # fmt: skip
    weights = {"two": ints(2), "four": ints(4), "twos": ints(2, 2), "front": ints(1, 2, 4)}
    built = model(nodes, weights, (1, 8, height, width))
    built.graph.output[0].CopyFrom(
        onnx.helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, None)
    )
    ran = ReferenceEvaluator(built).run(None, {"x": np.zeros((1, 8, height, width), np.float32)})[0]
    layer_graph = _drawn(built)
    output = layer_graph.layers[-1].output
    assert sorted((output.channels, *output.size)) == sorted(ran.shape[1:])
