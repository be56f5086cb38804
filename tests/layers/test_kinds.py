"""Every kind says what it is, and its examples hold."""

import inspect
from pathlib import Path

import pytest
from support import cost

from convcost.model.kind import KINDS
from convcost.model.measures import Measure
from convcost.model.options import TYPES
from convcost.model.shape import Shape

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
    """The example alone in a network, and after it a layer that shows its output."""
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
def test_an_example_has_the_counts_that_it_states(example):
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
        x = step.layer.select_inputs(inputs)
        for measure in Measure:
            if measure is Measure.ACTIVATIONS or measure.part_of:
                continue
            work, number = step.product(measure, x), layer.counts.count_of(measure).known
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
def test_a_kind_has_the_name_under_which_it_is_registered(name):
    assert KINDS.get(name).name == name


@pytest.mark.parametrize("option", [item for item in OPTIONS if not item.values[0].required])
def test_the_type_of_an_option_accepts_its_default(option):
    if option.default is not None:
        assert option.type.check(option.default) == option.default


def test_a_layer_of_a_flat_input_shows_its_shape():
    assert cost("input: {channels: 7, size: []}\nlayers: [relu]").layers[0].output == Shape(7)


@pytest.mark.parametrize("name", KINDS.names())
def test_a_kind_is_free_if_and_only_if_its_examples_have_no_costs(name):
    kind = KINDS.get(name)
    alone = [example for example in kind.examples if kind.role == "layer"]
    cost_of = [example.params + example.buffers + example.macs for example in alone]
    if alone:
        assert kind.is_free == (not any(cost_of))


def test_the_traits_of_a_kind_are_known():
    assert KINDS.get("conv").learns
    assert not KINDS.get("custom").learns
    assert not KINDS.get("relu").learns
    assert {name for name, kind in KINDS.items() if kind.is_norm} >= {"batch_norm", "layer_norm"}
    assert KINDS.get("softmax").mixes_channels
    assert not KINDS.get("relu").mixes_channels


@pytest.mark.parametrize("name", KINDS.names())
def test_a_module_has_the_names_of_its_kinds_in_quotes(name):
    """A kind is found by its name in the source of its module."""
    text = Path(inspect.getfile(KINDS[name])).read_text()
    assert text.count(f'"{name}"')


def test_no_two_kinds_are_options_of_each_other():
    """So that `{conv: 64, kernel: 3}` is a conv, whatever else `kernel` may be."""
    named = {(name, option) for name, kind in KINDS.items() for option in kind.options}
    assert not [pair for pair in named if pair[0] != pair[1] and pair[::-1] in named]
