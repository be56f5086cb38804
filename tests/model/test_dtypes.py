"""Dtypes: bytes of tensors, texts, and the rule that applies to a layer."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from convcost.model.dtypes import (
    BITS,
    PARTS,
    DtypeRule,
    Dtypes,
    parse_dtype,
    parse_dtypes,
    parse_parts,
)
from convcost.model.errors import ConstraintError


@pytest.mark.parametrize(
    ("dtype", "elements", "size"),
    [
        ("float32", 10, 40),
        ("int8", 10, 10),
        ("int4", 7, 4),
        ("int1", 9, 2),
        ("int1", 0, 0),
        ("int4/32", 64, 64 // 2 + 2 * 2),  # the blocks of 18 bytes of GGUF's Q4_0
        ("int4/32", 33, (33 * 4 + 2 * 16 + 7) // 8),
        ("int8/32", 32, 34),  # Q8_0
        ("int4/128/float32", 256, 128 + 2 * 4),
    ],
)
def test_bytes_are_those_of_all_bits_and_scales_rounded_up(dtype, elements, size):
    assert parse_dtype(dtype).bytes(elements) == size


DTYPES = st.builds(
    lambda name, scale: name + scale,
    st.sampled_from(list(BITS)),
    st.sampled_from(["", "/32", "/8/int8"]),
)


@given(st.dictionaries(st.sampled_from(PARTS), DTYPES, min_size=1))
def test_the_text_of_dtypes_reads_as_the_same_dtypes(parts):
    found = parse_dtypes(",".join(f"{part}={name}" for part, name in parts.items()))
    assert parse_dtypes(found.text) == found


@given(DTYPES, st.integers(0, 10**12), st.integers(0, 10**12))
def test_more_numbers_never_need_fewer_bytes(name, one, more):
    dtype = parse_dtype(name)
    assert dtype.bytes(one) <= dtype.bytes(one + more) <= dtype.bytes(one) + dtype.bytes(more)


def test_the_first_rule_that_matches_a_layer_or_a_group_around_it_applies():
    rules = tuple(
        DtypeRule(match, parse_parts(parts))
        for match, parts in (("a/b", "weights=int4"), ("a", "int8"), ("*", "activations=float16"))
    )
    dtypes = Dtypes(parse_dtypes("float32").default, rules)
    assert [
        layer_dtypes.text for layer_dtypes in dtypes.for_paths(["a/b/c", "a/x", "b", "a/b"])
    ] == [
        "float32,weights=int4",
        "int8",
        "float32,activations=float16",
        "float32,weights=int4",
    ]


def test_the_dtype_of_all_parts_can_come_after_that_of_one_part():
    assert parse_dtypes("biases=int32,int8") == parse_dtypes("int8,biases=int32")
    assert parse_dtypes("all=int8,biases=int32").text == "int8,biases=int32"


@pytest.mark.parametrize("text", ["int8,int4", "int8,all=int4", "weights=int8,weights=int4"])
def test_a_part_has_one_dtype(text):
    with pytest.raises(ConstraintError, match="has two dtypes for"):
        parse_parts(text)
