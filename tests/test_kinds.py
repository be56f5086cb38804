"""Every kind says what it is, and its examples hold."""

import pytest
from support import cost

from convcost.kind import KINDS
from convcost.options import TYPES
from convcost.shapes import Shape

EXAMPLES = [
    pytest.param(example, id=f"{name} {number}")
    for name, kind in KINDS.items()
    for number, example in enumerate(kind.examples, 1)
]
OPTIONS = [
    pytest.param(option, id=f"{name}.{option.name}")
    for name, kind in KINDS.items()
    for option in kind.options.values()
]


def whole_spec(example):
    """The example alone in a network, and behind it a layer that shows what it hands on."""
    return "\n".join(
        [
            f"input: {{channels: {example.input.channels}, size: {list(example.input.size)}}}",
            getattr(example, "extra", ""),
            "layers:",
            f"  - {example.spec}",
            "  - {identity: , name: handed_on}",
        ]
    )


@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example_comes_to_what_it_says(example):
    counted = cost(whole_spec(example))
    found = (counted.layers[-1].output, counted.totals.params, counted.totals.macs)
    assert found == (example.output, example.params, example.macs)
    assert counted.totals.buffers == example.buffers


@pytest.mark.parametrize("example", EXAMPLES)
def test_the_printed_work_of_an_example_is_the_number(example):
    counted = cost(whole_spec(example))
    for layer, step in zip(counted.layers, counted.network.steps, strict=True):
        inputs = tuple(
            counted.network.steps[i].shape if i >= 0 else example.input for i in step.inputs
        )
        x = step.layer.take(inputs)
        for work, number in (
            (step.layer.weights(x), layer.weights),
            (step.layer.biases(x), layer.biases),
            (step.layer.buffers(x), layer.buffers),
            (step.layer.macs(x), layer.macs),
        ):
            assert type(number) is int
            assert number >= 0
            assert eval(work.text.replace("×", "*")) == number
            assert work.formula.count("×") == work.text.count("×")


@pytest.mark.parametrize("name", KINDS.names())
def test_a_kind_has_a_docstring_that_ends_in_a_full_stop(name):
    text = KINDS.get(name).__doc__
    assert text
    assert text.strip().endswith(".")


@pytest.mark.parametrize("name", KINDS.names())
def test_a_kind_has_an_example_that_uses_it(name):
    examples = KINDS.get(name).examples
    assert examples
    assert all(name in example.spec for example in examples)


@pytest.mark.parametrize("option", OPTIONS)
def test_an_option_has_a_meaning_and_a_type(option):
    assert option.meaning.strip()
    assert option.type is TYPES[option.type_name]
    assert option.type.meaning


@pytest.mark.parametrize("name", KINDS.names())
def test_a_principal_option_is_an_option(name):
    kind = KINDS.get(name)
    assert kind.principal is None or kind.principal in kind.options


@pytest.mark.parametrize("name", KINDS.names())
def test_a_kind_says_where_it_is_registered(name):
    assert KINDS.get(name).name == name


@pytest.mark.parametrize("option", [item for item in OPTIONS if not item.values[0].required])
def test_a_default_is_a_value_that_its_type_takes(option):
    if option.default is not None:
        assert option.type.check(option.default) == option.default


def test_a_layer_of_a_flat_input_shows_its_shape():
    assert cost("input: {channels: 7, size: []}\nlayers: [relu]").layers[0].output == Shape(7)
