"""The section `budget`."""

import pytest
from spec_texts import EIGHT
from support import cost, messages, problems


def test_a_budget_limits_totals_layers_and_groups():
    text = """
        input: {channels: 8, size: 8}
        layers: [{sequence: [{conv: 4, kernel: 1}], name: stem}]
        budget:
          params: {max: 7M, min: 1k, warn: 6.5M, grow: 2%}
          macs: 1.6G
          layers: [{match: "stem/*", macs: {max: 4_000}}]
          groups: [{match: stem, params: {max: 1Ki}}]
          message: ask first
        """
    budget = cost(text).network.budget
    params, macs = budget.total
    assert (params.max, params.min, params.warn) == (7 * 10**6, 10**3, 65 * 10**5)
    assert params.grow == (2, 100)
    assert macs.max == 16 * 10**8
    assert [(rule.match, rule.limits[0].max) for rule in budget.layers] == [("stem/*", 4000)]
    assert [(rule.match, rule.limits[0].max) for rule in budget.groups] == [("stem", 1024)]
    assert budget.message == "ask first"


@pytest.mark.parametrize(
    ("budget", "expected"),
    [
        pytest.param("{params: {max: 4.3m}}", "3:24 CC112 max of params: there is no unit `m`",
            id="a unit in lower case"),
        pytest.param("{params: 4.3m}", "3:18 CC112 params: there is no unit `m`", id="without max"),
        pytest.param("{params: {max: 1.5}}",
            "3:24 CC112 max of params: `1.5` is not a whole number", id="a fraction"),
        pytest.param("{params: {max: -1}}", "3:24 CC112 max of params: `-1` is below 0",
            id="a limit below 0"),
        pytest.param("{params: {grow: -2%}}", "3:25 CC112 grow of params: `-2` is below 0",
            id="a growth below 0"),
        pytest.param("{params: {max: seven}}", "3:24 CC112 max of params: `seven` is not a number",
            id="a word"),
        pytest.param("{params: {max: }}", "3:24 CC112 max of params has no value", id="nothing"),
        pytest.param("{params: {}}", "3:10 CC112 `params` has no limit", id="no limit"),
        pytest.param("{params: {mx: 3, max: 3}}", "3:19 CC101 the limit of params has no key `mx`",
            id="an unknown limit"),
        pytest.param("{parms: {max: 3}}", "3:10 CC101 a budget has no key `parms`",
            id="an unknown measure"),
        pytest.param("{params: []}", "3:18 CC112 `params` must be a number or {max: n}",
            id="a list"),
        pytest.param("3", "3:9 CC112 `budget` must be a mapping", id="a number"),
        pytest.param("{bytes: {max: 4MB, dtype: f32}}",
            "3:35 CC112 dtype of bytes: there is no dtype `f32`",
            id="a dtype"),
        pytest.param("{bytes: {max: 4MB, dtype: [int8]}}",
            "3:35 CC112 dtype of bytes must be a dtype", id="a list of dtypes"),
        pytest.param("{macs: {max: 4M, count: [thop]}}",
            "3:33 CC112 count of macs must be the name of a convention",
            id="a list of conventions"),
        pytest.param("{layers: [{params: {max: 1}}]}", "3:19 CC103 a rule needs `match`",
            id="a rule for nothing"),
        pytest.param("{params: {grow: x%}}", "3:25 CC112 grow of params: `x` is not a number",
            id="a growth of a word"),
    ],
)  # fmt: skip
def test_a_budget_is_checked(budget, expected):
    text = f"{EIGHT}layers: [{{conv: 4, kernel: 1}}]\nbudget: {budget}"
    assert messages(text) == [expected]


def test_the_help_for_a_unit_in_lower_case_names_the_unit():
    text = f"{EIGHT}layers: [relu]\nbudget: {{params: {{max: 4.3m}}}}"
    assert [problem.help for problem in problems(text)] == ["did you mean `M`?"]


def test_a_limit_can_be_by_a_convention():
    text = EIGHT + (
        "layers: [{conv: 4, kernel: 1}]\n"
        "budget: {macs: {max: 1M, count: thop}, flops: 2M,\n"
        "         activations: {max: 9, count: timm_activations}}"
    )
    limits = cost(text).network.budget.total
    assert [(limit.label, limit.convention) for limit in limits] == [
        ("macs (thop)", "thop"),
        ("activations (timm_activations)", "timm_activations"),
        ("flops", "flops"),
    ]


@pytest.mark.parametrize(
    ("budget", "expected"),
    [
        ("{macs: {max: 1, count: x}}", "CC112 count of macs: there is no convention `x`"),
        (
            "{flops: {max: 1, count: timm_activations}}",
            "CC112 count of flops: `timm_activations` counts activations, not flops",
        ),
        (
            "{activations: {max: 1, count: thop}}",
            "CC112 count of activations: `thop` counts operations, not activations",
        ),
        (
            "{params: {max: 1, count: thop}}",
            "CC112 count of params is for macs, flops, activations only",
        ),
    ],
)
def test_a_wrong_convention_of_a_limit_is_refused(budget, expected):
    (message,) = messages(f"{EIGHT}layers: [relu]\nbudget: {budget}")
    assert expected in message
