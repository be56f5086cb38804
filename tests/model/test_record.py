"""Values are like those of `typing.NamedTuple`, of which they take the place."""

import pickle
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from convcost.model import record


class Own(record.NamedTuple):
    x: int
    y: tuple[int, ...] = ()
    z: str = "z"

    @property
    def double(self) -> int:
        return 2 * self.x


class Other(Own):
    """A subclass has no fields of its own."""

    name: str


class Standard(NamedTuple):
    x: int
    y: tuple[int, ...] = ()
    z: str = "z"


FIELDS = st.fixed_dictionaries(
    {}, optional={"x": st.integers(), "y": st.tuples(st.integers()), "z": st.text(), "w": st.none()}
)


@given(st.lists(st.integers(), max_size=4), FIELDS)
def test_a_named_tuple_accepts_the_arguments_of_the_standard_one(values, named):
    try:
        expected = Standard(*values, **named)
    except TypeError:
        with pytest.raises(TypeError, match="Own has the fields x, y, z"):
            Own(*values, **named)
        return
    own = Own(*values, **named)
    assert tuple(own) == tuple(expected)
    assert (own.x, own.y, own.z) == expected
    assert own._asdict() == expected._asdict()
    assert hash(own) == hash(expected)
    assert repr(own) == repr(expected).replace("Standard", "Own")


def test_a_value_is_frozen_and_small():
    own = Own(1)
    with pytest.raises(AttributeError):
        own.x = 2
    with pytest.raises(AttributeError):
        own.w = 2  # type: ignore[attr-defined]
    assert not hasattr(own, "__dict__")


def test_replace_changes_fields_and_no_other_names():
    assert Own(1)._replace(z="w") == (1, (), "w")
    assert type(Other(1)._replace(x=2)) is Other
    with pytest.raises(TypeError, match="Own has no field w"):
        Own(1)._replace(w=2)  # type: ignore[call-arg]


def test_subclasses_methods_patterns_and_pickles_work():
    assert (Other(3).double, Other._fields) == (6, ("x", "y", "z"))
    match Own(3):
        case Own(x, y):
            assert (x, y) == (3, ())
    assert pickle.loads(pickle.dumps(Own(1, (2,)))) == Own(1, (2,))
    assert Own._make([1, (), "w"]) == Own(1, z="w")
