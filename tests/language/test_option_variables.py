"""An option of a layer or block call is a variable, wherever the text writes it."""

import pytest

from convcost.commands.formula import formula
from convcost.commands.search import SearchOptions, search
from convcost.language.load import Documents, load
from convcost.language.network_inputs import Settings
from convcost.language.option_variables import variable_name, with_option_variables
from convcost.model.costs import costs, total_counts
from convcost.model.errors import Source, UsageError

TEXT = """\
name: net
input: {channels: 3, size: 32}
blocks:
  stage:
    options: {filters: , kernel: 3, depth: 1, wide: false}
    layers:
      - {conv: filters, kernel: kernel, padding: kernel//2, repeat: depth}
      - {conv: 64, kernel: 1, name: last, when: wide}
layers:
  - {conv: 8, kernel: 3, name: stem}
  - {stage: [16, 5], name: a}                     # by position
  - {stage: 16, kernel: 3, name: b}               # by name
  - {stage: {filters: 16, depth: 2}, name: c}
"""


def network(text):
    return load(Source("net.yaml", text))[0]


def counts(text):
    return total_counts(costs(network(text)).layers)


@pytest.mark.parametrize(
    ("name", "value", "old", "new"),
    [
        ("stem.filters", 24, "conv: 8,", "conv: 24,"),
        ("stem.kernel", 5, "conv: 8, kernel: 3", "conv: 8, kernel: 5"),
        ("stem.stride", 2, "name: stem", "stride: 2, name: stem"),
        ("a.filters", 7, "[16, 5]", "[7, 5]"),
        ("a.kernel", 1, "[16, 5]", "[16, 1]"),
        ("a.depth", 3, "[16, 5]", "[16, 5, 3]"),
        ("b.filters", 7, "stage: 16, kernel", "stage: 7, kernel"),
        ("b.kernel", 7, "16, kernel: 3", "16, kernel: 7"),
        ("c.depth", 4, "depth: 2", "depth: 4"),
        ("c.kernel", 1, "depth: 2", "depth: 2, kernel: 1"),
    ],
)
@pytest.mark.parametrize("variables", ["", "vars: {width: 1}\n", "vars:\n  width: 1\n"])
def test_a_value_of_an_option_counts_as_if_it_was_written(
    tmp_path, name, value, old, new, variables
):
    assert TEXT.count(old) == 1
    text = TEXT.replace("layers:\n  - {conv: 8", f"{variables}layers:\n  - {{conv: 8")
    path = tmp_path / "net.yaml"
    path.write_text(text, "utf-8")
    options = SearchOptions((f"{name}={value}",), columns=("params", "macs"))
    (record,) = search(str(path), options).best
    written = counts(text.replace(old, new))
    assert record.numbers == {"params": written.params, "macs": written.macs}
    assert record.values == {name.replace(".", "_"): str(value)}


def test_several_options_are_varied_at_once(tmp_path):
    path = tmp_path / "net.yaml"
    path.write_text(TEXT, "utf-8")
    options = SearchOptions(
        ("a.kernel=1,3", "b.kernel=1,3", "c.wide=true,false"),
        ("a_kernel < b_kernel",),
        sort="params",
    )
    result = search(str(path), options)
    assert [one.values for one in result.best] == [
        {"a_kernel": "1", "b_kernel": "3", "c_wide": "true"},
        {"a_kernel": "1", "b_kernel": "3", "c_wide": "false"},
    ]


def test_a_formula_has_the_option_as_a_variable(tmp_path):
    path = tmp_path / "net.yaml"
    path.write_text(TEXT, "utf-8")
    (found,) = formula(str(path), "b", ["b.kernel"], measures=("params",)).networks
    assert found.formulas[0].formula == "256·b_kernel²"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("d.kernel", "--vary d.kernel: there is no layer or block call `d`"),
        ("a.kernl", "--vary a.kernl: `a` has no option `kernl`; did you mean `kernel`?"),
        ("stem.connections", "--vary stem.connections: the option is nothing, not one number"),
        (
            "c/conv_2.kernel",
            "--vary: several layers use the text of this option with different values",
        ),
    ],
)
def test_an_option_that_cannot_vary_is_an_error(name, message):
    with pytest.raises(UsageError) as caught:
        with_option_variables(Source("net.yaml", TEXT), network(TEXT), [name])
    assert str(caught.value).startswith(message)


def test_a_variable_of_the_same_name_is_an_error():
    text = TEXT.replace("layers:\n  - {conv: 8", "vars: {a_kernel: 1}\nlayers:\n  - {conv: 8")
    with pytest.raises(UsageError) as caught:
        with_option_variables(Source("net.yaml", text), network(text), ["a.kernel"])
    assert str(caught.value) == "--vary a.kernel needs the name `a_kernel`, which is a variable"


ODD_NAMES = """\
input: {channels: 3, size: 32}
blocks:
  pair:
    options: {n: 8, filters: 8, pair: 8}
    layers:
      - {conv: n, kernel: 3, padding: 1}
      - {conv: filters, kernel: 1}
      - {conv: pair, kernel: 1}
layers:
  - {pair: 8, name: a}
  - {conv: 8, kernel: 3, padding: 1, name: 3x3}
  - {max_pool: [3, 3], stride: 1}
"""


@pytest.mark.parametrize(
    ("name", "value", "old", "new"),
    [
        ("a.n", 5, "pair: 8, name", "pair: 5, name"),
        ("a.filters", 5, "name: a", "filters: 5, name: a"),  # not that of a convolution
        ("3x3.kernel", 1, "conv: 8, kernel: 3", "conv: 8, kernel: 1"),
        ("max_pool_1.kernel", 2, "[3, 3]", "2"),  # both axes
    ],
)
def test_an_option_is_found_whatever_its_name_and_form(name, value, old, new):
    before = Source("net.yaml", ODD_NAMES)
    (own,) = load(before)
    varied = with_option_variables(before, own, [name])
    variables = ((variable_name(name), value),)
    (found,) = Documents(varied).load(Settings(variables=variables))
    written = ODD_NAMES.replace(old, new)
    assert written != ODD_NAMES
    assert costs(found).layers == costs(network(written)).layers


def test_an_option_of_a_block_does_not_hide_the_variable():
    text = TEXT.replace("wide: false", "c_conv_2_stride: 1, wide: false")
    text = text.replace("name: last, when", "stride: 1, name: last, when")
    with pytest.raises(UsageError) as caught:
        with_option_variables(Source("net.yaml", text), network(text), ["c/conv_2.stride"])
    message = (
        "--vary c/conv_2.stride needs the name `c_conv_2_stride`, which is an option of a block"
    )
    assert str(caught.value) == message


def test_the_help_for_a_name_that_is_not_a_variable_says_how_an_option_varies(tmp_path):
    path = tmp_path / "net.yaml"
    path.write_text(TEXT, "utf-8")
    how = "known here: `size`, `batch`; write an option of a layer as LAYER.OPTION, such as "
    with pytest.raises(UsageError, match="no variable `kernel`; " + how):
        search(str(path), SearchOptions(("kernel=3",)))
    with pytest.raises(UsageError, match="; write an option of a layer as LAYER"):
        formula(str(path), "", ["kernel"])


def test_an_option_is_refused_too_if_the_other_layers_of_its_text_do_not_fit_its_value():
    text = """\
input: {channels: 4, size: 8}
blocks:
  res:
    options: {k: 3, p: 1}
    layers: [{add: {a: [{conv: 4, kernel: k, padding: p}], b: [identity]}}]
layers: [res, {res: {k: 5, p: 2}}]
"""
    with pytest.raises(UsageError, match="several layers use the text of this option"):
        with_option_variables(Source("net.yaml", text), network(text), ["res_1/a/conv_1.kernel"])
