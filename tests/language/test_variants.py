"""The section `variants`: one document, several networks."""

from textwrap import dedent

import pytest
from spec_texts import EIGHT
from support import messages

from convcost.language import variants
from convcost.language.load import load
from convcost.language.network_inputs import Settings
from convcost.language.variant_text import as_document
from convcost.model.costs import costs
from convcost.model.errors import Source, SpecError

FAMILY = """
    name: Net
    source: a paper
    input: {channels: 3, size: 8}
    vars: {width: 4, half: width/2}
    layers: [{conv: width, kernel: 1}, {conv: half, kernel: 1}]
    budget: {params: {max: 100}}
    variants:
      small:
      large:
        set: {width: 10}
        size: [6, 4]
        source: another paper
        published:
          - {params: 80, source: text}
          - {params: 20, set: {half: 1}, source: text, off: true}
        budget: {macs: {max: 2000}}
    """


def networks(text, pick=None, settings=Settings()):  # noqa: B008
    return load(Source("net.yaml", dedent(text)), settings, pick)


def totals(network):
    found = costs(network).totals
    return found.params, found.macs


def test_each_variant_is_a_network_with_its_own_values():
    small, large = networks(FAMILY)
    assert [small.name, large.name] == ["Net-small", "Net-large"]
    assert totals(small) == (3 * 4 + 4 * 2, 8 * 8 * (3 * 4 + 4 * 2))
    assert totals(large) == (3 * 10 + 10 * 5, 6 * 4 * (3 * 10 + 10 * 5))


def test_a_variant_has_its_own_figures_and_budget_or_the_budget_of_the_document():
    small, large = networks(FAMILY)
    assert [small.source, large.source] == ["a paper", "another paper"]
    assert [len(small.published), len(large.published)] == [0, 2]
    assert [limit.measure for limit in small.budget.total] == ["params"]
    assert [limit.measure for limit in large.budget.total] == ["macs"]


@pytest.mark.parametrize("pick", ["large", "Net-large"])
def test_a_variant_is_picked_by_its_own_name_or_by_the_name_of_its_network(pick):
    (network,) = networks(FAMILY, pick)
    assert network.name == "Net-large"


def test_a_document_is_picked_before_a_variant_of_the_same_name():
    text = f"name: b\n{EIGHT}layers: [relu]\n---\nname: a\n{EIGHT}layers: [relu]\nvariants: {{b: }}"
    (network,) = networks(text, "b")
    assert network.name == "b"


def test_settings_change_the_values_of_a_variant():
    settings = Settings((("width", 2),), (2, 2))
    (network,) = networks(FAMILY, "large", settings)
    assert totals(network) == (3 * 2 + 2 * 1, 2 * 2 * (3 * 2 + 2 * 1))
    assert network.changed == (("width", 2),)


def test_the_values_of_a_variant_are_not_changes():
    (network,) = networks(FAMILY, "large", Settings((("width", 10),)))
    assert network.changed == ()
    assert network.resized is None
    assert network.published[1].settings == (("half", 1),)


def test_the_error_for_an_unknown_name_has_the_names_of_the_variants():
    with pytest.raises(SpecError) as caught:
        networks(FAMILY, "smal")
    (problem,) = caught.value.problems
    assert problem.message == "there is no document `smal` in this file"
    assert problem.help == "did you mean `small`?"


def test_a_problem_of_the_layers_is_reported_once_for_all_variants():
    text = f"{EIGHT}layers: [rleu]\nvariants: {{a: , b: , c: }}"
    assert messages(text) == ["2:10 CC102 there is no kind or block `rleu`"]


@pytest.mark.parametrize(
    ("variants", "message"),
    [
        ("{a: {sizes: 3}}", "3:16 CC101 a variant has no key `sizes`"),
        ("{a: {set: {m: 3}}}", "3:22 CC113 there is no variable `m`"),
        ("{a: {set: [3]}}", "3:21 CC104 `set` must be a mapping of variables"),
        ("{a: {set: {n: x}}}", "3:25 CC104 `n` of vars must be a number"),
        ("{a: 3}", "3:15 CC104 variant `a` must be a mapping"),
        ("{a/b: {}}", "3:12 CC107 `a/b` cannot be the name of a variant"),
        ("[a]", "3:11 CC104 `variants` must be a mapping"),
        ("{}", "3:11 CC103 `variants` is empty"),
    ],
)
def test_a_wrong_variant_is_refused(variants, message):
    text = f"vars: {{n: 1}}\n{{}}variants: {variants}\nlayers: [relu]"
    (found,) = messages(text.replace("{}variants", EIGHT + "variants", 1))
    assert found.startswith(message)


def test_the_size_of_a_variant_needs_one_input():
    text = "inputs: {a: {channels: 3, size: 8}}\nlayers: [relu]\nvariants: {b: {size: 4}}"
    message = "3:16 CC104 `size` of a variant needs `input: {channels: …, size: …}`"
    assert messages(text) == [message]


def test_figures_of_a_document_with_variants_name_no_network():
    text = f"{EIGHT}layers: [relu]\nvariants: {{a: }}\npublished: [{{params: 0, source: s}}]"
    assert messages(text) == ["4:12 CC104 a spec with variants cannot have `published` of its own"]


def test_two_variants_of_one_name_are_refused():
    document = f"{EIGHT}layers: [relu]\nvariants: {{a: }}\n"
    text = f"name: x\n{document}---\nname: y\n{document}"
    assert messages(text) == ["9:12 CC107 two variants are named `a`"]


def test_a_variant_is_written_as_a_document_of_its_own():
    source, name = as_document(Source("net.yaml", dedent(FAMILY)), "large")
    assert name == "Net-large"
    assert source.text == dedent(
        """
        name: "Net-large"
        source: a paper
        input: {channels: 3, size: [6, 4]}
        vars: {width: 10, half: width/2}
        layers: [{conv: width, kernel: 1}, {conv: half, kernel: 1}]
        budget: {macs: {max: 2000}}
        """
    )


def test_a_document_without_variants_is_written_as_it_is():
    source = Source("net.yaml", f"name: a\n{EIGHT}layers: [relu]")
    assert as_document(source, "a") == (source, "a")


def test_a_variant_without_a_name_or_a_budget_of_its_document_gets_both():
    text = f"{EIGHT}vars: {{n: 1}}\nlayers: [{{conv: n, kernel: 1}}]\nvariants:\n"
    text += "  x: {set: &x {n: 2}}\n  y: {set: {<<: *x}, budget: {macs: {max: 2000}}}\n"
    source, name = as_document(Source("net.yaml", text), "y")
    assert name == "net-y"
    assert source.text == (
        f"{EIGHT}vars: {{n: 2}}\nlayers: [{{conv: n, kernel: 1}}]\n"
        'name: "net-y"\nbudget: {macs: {max: 2000}}\n'
    )


def test_the_networks_of_a_file_have_a_limit_of_layers_in_all(monkeypatch):
    monkeypatch.setattr("convcost.language.load.MAX_LAYERS_IN_ALL", 20)
    text = EIGHT + "layers: [{relu: , repeat: 9}]\nvariants: {a: , b: , c: , d: }\n"
    assert messages(text) == ["2:1 CC110 the networks have more than 20 layers in all"]
    (one,) = load(Source("net.yaml", text), pick="c")
    assert len(one.steps) == 9


def test_a_document_has_a_limit_of_variants():
    text = EIGHT + "layers: [relu]\nvariants: {" + ", ".join(f"v{i}: " for i in range(1_001)) + "}"
    assert messages(text) == ["3:11 CC110 a document has at most 1,000 variants, not 1,001"]


def test_the_variants_of_a_document_read_values_up_to_a_limit(monkeypatch):
    monkeypatch.setattr(variants, "MAX_VALUES", 50_000)

    def text(variables):
        listed = ", ".join(f"v{n}: 1" for n in range(variables))
        names = ", ".join(f"n{n}: " for n in range(100))
        return f"vars: {{{listed}}}\n{EIGHT}layers: [relu]\nvariants: {{{names}}}"

    # Each reads the variables, their mapping, the input with 2 numbers, and a list with a word.
    assert messages(text(500 - 1 - 3 - 2)) == []
    (message,) = messages(text(500 - 1 - 3 - 2 + 1))
    assert message.endswith(
        "CC110 the variants of a document have more than 50,000 values in total"
    )
