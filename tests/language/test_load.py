"""Documents, and all problems of a source at once."""

from textwrap import dedent

import pytest
from spec_texts import EIGHT
from support import messages, problems

from convcost.language.load import Documents, load
from convcost.language.network_inputs import Settings
from convcost.language.parser import LayerParser
from convcost.model.errors import Source, SpecError
from convcost.model.shape import Shape

TWO = """
    name: wide
    input: {channels: 3, size: 8}
    layers: [{conv: 8, kernel: 1}]
    ---
    name: narrow
    input: {channels: 3, size: 8}
    layers: [{conv: 4, kernel: 1}]
    """


def networks(text, pick=None, name="net.yaml"):
    return load(Source(name, dedent(text)), Settings(), pick)


def test_one_document_is_one_network():
    assert [network.name for network in networks(TWO)] == ["wide", "narrow"]


def test_a_document_is_picked_by_its_name():
    (network,) = networks(TWO, "narrow")
    assert network.steps[0].shape == Shape(4, (8, 8))


@pytest.mark.parametrize("own", ["", "name:\n", 'name: ""\n'])
@pytest.mark.parametrize(
    ("file", "name"),
    [("dir/tiny.yaml", "tiny"), ("net.v1.yaml", "net"), ("dir/.yaml", ".yaml"), ("a\\.b", ".b")],
)
def test_a_spec_without_a_name_is_called_after_its_file(own, file, name):
    (network,) = networks(f"{own}input: {{channels: 3, size: 8}}\nlayers: [relu]", name=file)
    assert network.name == name


def test_documents_do_not_share_anchors_variables_or_blocks():
    text = """
        vars: {n: 4}
        blocks: {b: {layers: [relu]}}
        input: {channels: 3, size: 8}
        layers: [&conv {conv: n, kernel: 1}, b]
        ---
        input: {channels: 3, size: 8}
        layers: [{conv: n, kernel: 1}, b]
        """
    assert messages(text) == [
        "8:17 CC104 `filters` of conv must be a whole number of at least 1, not `n`",
        "8:32 CC102 there is no kind or block `b`",
    ]


def test_the_layers_of_a_document_are_read_once_for_all_settings_and_variants(monkeypatch):
    read = []
    layers = LayerParser.layers

    def reading(self, node, what, names):
        read.append(what)
        return layers(self, node, what, names)

    monkeypatch.setattr(LayerParser, "layers", reading)
    text = """
        name: net
        input: {channels: 3, size: 8}
        vars: {n: 4}
        blocks: {b: {layers: [{conv: n, kernel: 1, bias: true}]}}
        layers: [b]
        variants: {small: {}, large: {set: {n: 5}}}
        """
    documents = Documents(Source("net.yaml", dedent(text)))

    def channels(*variables):
        found = documents.load(Settings(variables))
        assert all(network.states_bias for network in found)
        return [network.output.channels for network in found]

    assert channels() == [4, 5]
    assert channels(("n", 6)) == [6, 6]
    assert read == ["`layers` of block `b`", "`layers`"]


def test_documents_with_equal_layers_have_variables_of_their_own():
    text = """
        input: {channels: 3, size: 8}
        vars: {n: 4}
        layers: [{conv: n, kernel: 1}]
        ---
        input: {channels: 3, size: 8}
        vars: {n: 5, m: 6}
        layers: [{conv: m, kernel: 1}]
        """
    documents = Documents(Source("net.yaml", dedent(text)))
    for _ in range(2):
        assert [network.output.channels for network in documents.load()] == [4, 6]


def test_a_layer_with_a_problem_is_reported_each_time():
    documents = Documents(Source("net.yaml", EIGHT + "layers: [{conv: 4}]"))
    for _ in range(2):
        with pytest.raises(SpecError) as raised:
            documents.load()
        assert [problem.code for problem in raised.value.problems] == ["CC103"]


def test_two_documents_of_one_name_are_refused():
    text = "name: a\n" + EIGHT + "layers: [relu]\n---\nname: a\n" + EIGHT + "layers: [relu]\n"
    assert messages(text) == ["5:7 CC107 two documents are named `a`"]


def test_all_problems_are_reported_in_the_order_of_their_lines():
    text = """
        nmae: x
        input: {channels: 8, size: 8}
        vars: {in_x: 1}
        blocks: {b: {options: {n: }, layers: [{cnv: n}]}}
        layers:
          - {conv: 8, kernel: 3, strides: 2}
          - b
          - {tanh: , from: nope}
          - {max_pool: 0}
        published: [{params: 3}]
        budget: {params: {max: 4.3m}}
        """
    assert messages(text) == [
        "2:1 CC101 a spec has no section `nmae`",
        "4:8 CC107 `in_x` cannot be the name of a variable",
        "5:40 CC102 there is no kind or block `cnv`",
        "7:26 CC101 conv has no option `strides`",
        "8:5 CC103 b needs `n` (an option of block b)",
        "9:20 CC108 there is no layer `nope` before this one",
        "10:16 CC104 `kernel` of max_pool must be a whole number of at least 1, not 0",
        "11:13 CC103 a published figure needs `source`",
        "12:24 CC112 max of params: there is no unit `m`",
    ]


def test_the_json_of_a_keras_model_is_one_problem_with_the_command_that_reads_it():
    text = '{"class_name": "Sequential", "config": {"name": "net", "layers": []}, "backend": "jax"}'
    assert messages(text) == ["1:2 CC101 a spec has no section `class_name`"]
    (problem,) = problems(text)
    hint = "this is the file of a Keras model: `convcost import FILE` writes a spec of it"
    assert problem.help == hint


def test_the_problems_of_all_documents_are_reported():
    text = f"{EIGHT}layers: [cnv]\n---\n{EIGHT}layers: [rleu]\n"
    assert messages(text) == [
        "2:10 CC102 there is no kind or block `cnv`",
        "5:10 CC102 there is no kind or block `rleu`",
    ]
