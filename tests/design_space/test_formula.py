"""Formulas: the right ones, in three notations, with the range in which they are valid."""

import operator
import random
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import ROOT, run

import convcost
from convcost.commands.formula import formula
from convcost.design_space import trace
from convcost.design_space.conditions import conditions
from convcost.design_space.notation import LATEX, PYTHON, TEXT
from convcost.design_space.polynomial import constant
from convcost.design_space.trace import Guard, Trace
from convcost.language.network_inputs import Settings
from convcost.model.errors import SpecError, UsageError
from design_space.spaces import shipped_functions

SPEC = """\
name: net
input: {channels: 16, size: 32}
vars: {filters: 8, kernel: 3, depth: 2, bias: true}
layers:
  - {conv: filters, kernel: kernel, stride: 2, padding: kernel // 2, bias: bias, name: stem}
  - {conv: filters, kernel: 1, repeat: depth, name: body}
"""


def formulas(tmp_path, *arguments, text=SPEC, **options):
    (tmp_path / "net.yaml").write_text(text, "utf-8")
    (network,) = formula(str(tmp_path / "net.yaml"), *arguments, **options).networks
    return {formula.measure: formula.formula for formula in network.formulas}, network


def test_a_convolution_has_the_formula_of_the_literature(tmp_path):
    found, network = formulas(tmp_path, "stem", ["filters", "size", "batch"])
    assert found == {
        "params": f"{9 * 16 + 1}·filters",
        "macs": f"{9 * 16}·batch·filters·⌈size/2⌉²",
        "activations": "batch·filters·⌈size/2⌉²",
        "output channels": "filters",
        "output height": "⌈size/2⌉",
        "output width": "⌈size/2⌉",
    }
    assert network.conditions == ["filters ≥ 1", "filters is whole"]
    assert network.at == {"size": "32", "batch": "1", "filters": "8"}


def test_the_output_of_a_group_is_not_that_of_its_last_side_branch(tmp_path):
    layers = "[{conv: n, kernel: 3}, {side: [{conv: 5, kernel: 1}]}]"
    text = "input: {channels: 3, size: 9}\nvars: {n: 4}\nlayers: [{sequence: LAYERS, name: a}]\n"
    found, _ = formulas(tmp_path, "a", ["n"], text=text.replace("LAYERS", layers))
    assert found["output channels"] == "n"
    assert found["params"] == f"{3 * 9 + 5}·n"


def test_a_number_of_copies_is_a_condition(tmp_path):
    found, network = formulas(tmp_path, vary=["filters", "depth"])
    assert found["params"] == f"2·filters² + {9 * 16 + 1}·filters"
    assert "depth = 2" in network.conditions


def test_active_params_of_weights_that_experts_share_have_a_formula(tmp_path):
    text = """\
input: {channels: 8, size: [5]}
vars: {k: 3}
layers:
  - {experts: {gate: [{conv: 8, kernel: 1}], each: [{conv: 8, kernel: 1, name: a}]}, of: 8, take: 2,
     name: x}
  - {experts: {gate: [{conv: 8, kernel: 1}], each: [{conv: 8, kernel: 1, weights: x/each/a}]},
     of: 8, take: k}
"""
    found, network = formulas(tmp_path, vary=["k"], measures=["active"], text=text)
    assert found["active"] == f"{8 * 8}·k + {2 * 8 * 8 + 2 * 8 * 8}"
    assert network.conditions == ["k ≥ 1", "k ≤ 5", "k is whole"]


@pytest.mark.parametrize(
    ("condition", "expected"),
    [("k > 2", "k ≥ 3"), ("k >= 2", "k ≥ 2"), ("k > 2.5", "k ≥ 3"), ("k < 4", "k ≤ 3"),
     ("k <= 4", "k ≤ 4"), ("k < 3.5", "k ≤ 3")],
)  # fmt: skip
def test_a_limit_that_is_excluded_stays_so_for_an_integer(condition, expected, tmp_path):
    text = f"""\
input: {{channels: 3, size: 9}}
vars: {{k: 3}}
layers: [{{conv: 8 if {condition} else 4, kernel: k}}]
"""
    _, network = formulas(tmp_path, vary=["k"], text=text)
    assert expected in network.conditions
    assert "k is whole" in network.conditions


RELATIONS = {">=": operator.ge, ">": operator.gt, "==": operator.eq, "!=": operator.ne}
SIGNS = {"≥": operator.ge, "≤": operator.le, ">": operator.gt, "<": operator.lt,
         "=": operator.eq, "≠": operator.ne}  # fmt: skip


@given(
    st.lists(st.tuples(st.sampled_from((-3, -1, 1, 2)), st.integers(-4, 4)), max_size=5),
    st.integers(-4, 4), st.sampled_from((1, 4)), st.data(),
)  # fmt: skip
def test_the_conditions_are_true_where_all_guards_are(forms, point, parts, data):
    x = Trace().variable("x", point, (-9, 9), parts)
    rows = []
    for a, b in forms:
        relations = [name for name, holds in RELATIONS.items() if holds(a * point + b, 0)]
        rows += [(a, b, data.draw(st.sampled_from(relations)))] if relations else []
    guards = [Guard(x.scaled(a).plus(constant(b)), relation) for a, b, relation in rows]
    limits = [text.split() for text in conditions(guards)]
    assert all(name == "x" for name, _, _ in limits)
    found = [(sign, Fraction(limit.replace("−", "-"))) for _, sign, limit in limits]
    for n in range(-9 * parts, 9 * parts + 1):
        value = Fraction(n, parts)
        own = all(RELATIONS[relation](a * value + b, 0) for a, b, relation in rows)
        assert own == all(SIGNS[sign](value, limit) for sign, limit in found)
    # Each limit once, and no value is excluded that is outside of the limits.
    assert all([sign for sign, _ in found].count(sign) <= 1 for sign in "≥>≤<=")
    ranges = [(sign, limit) for sign, limit in found if sign != "≠"]
    excluded = [limit for sign, limit in found if sign == "≠"]
    assert all(
        SIGNS[sign](number, limit) or number == limit
        for number in excluded
        for sign, limit in ranges
    )


@pytest.mark.parametrize("turned", [False, True])
def test_of_two_limits_at_one_number_the_one_without_it_counts(turned):
    x = Trace().variable("x", 1, (-9, 9), 10)
    forms = x.plus(constant(-1)), x.scaled(-1).plus(constant(2))
    guards = [Guard(form, relation) for form in forms for relation in (">", ">=")]
    assert conditions(guards[::-1] if turned else guards) == ["x > 1", "x < 2"]


@pytest.mark.parametrize(("relation", "text"), [("==", "x/2 is whole"), ("!=", "x/2 is not whole")])
def test_a_number_that_must_be_whole_or_must_not_is_a_condition(relation, text):
    trace = Trace()
    half = trace.variable("x", 1, (-9, 9), 1).scaled(Fraction(1, 2))
    assert conditions([Guard(half.plus(trace.floor(half), -1), relation)]) == [text]


def test_the_formulas_are_those_at_the_point_of_set_and_size(tmp_path):
    settings = Settings((("depth", 5), ("bias", False)), (9,))
    found, network = formulas(tmp_path, vary=["filters"], settings=settings)
    assert found["params"] == f"5·filters² + {9 * 16}·filters"
    assert found["macs"] == f"{5 * 5 * 5}·filters² + {9 * 16 * 5 * 5:,}·filters"
    assert network.conditions == ["filters ≥ 1", "filters is whole"]


def test_other_measures_are_formulas_too(tmp_path):
    measures = ["receptive_field", "peak_memory", "biases"]
    found, network = formulas(tmp_path, vary=["size", "filters"], measures=measures)
    assert found["receptive field height"] == "3"
    assert found["biases"] == "filters"
    # float32: the input and the output of the stem; where filters are more, other layers decide.
    assert found["peak_memory"] == f"4·filters·⌈size/2⌉² + {4 * 16}·size²"
    assert "filters·⌈size/2⌉² - 16·size² ≤ 0" in network.conditions


def test_flash_and_memory_are_formulas(tmp_path):
    text = "name: n\ninput: {channels: 3, size: 9}\nvars: {f: 8}\nlayers: [{conv: f, kernel: 1}]\n"
    found, _ = formulas(tmp_path, vary=["f", "size"], text=text, measures=["flash", "memory"])
    # float32: a 1x1 convolution, its input and its output.
    assert found["flash"] == "12·f"
    assert found["memory"] == "4·size²·f + 12·size² + 12·f"


def test_the_three_notations():
    trace = Trace()
    n = trace.variable("n", 7, (1, 99), 1)
    k = trace.variable("in_k", 2, (1, 99), 1)
    up = trace.floor(n.plus(k.scaled(2)).scaled(Fraction(1, 4)))
    down = trace.floor_divide(n, k)
    form = up.times(up).scaled(-3).plus(down).plus(n.scaled(Fraction(1, 2)))
    assert TEXT.formula(form) == "-3·⌊(n + 2·in_k)/4⌋² + n/2 + ⌊n/(in_k)⌋"
    assert LATEX.formula(form) == (
        r"-3\,\left\lfloor{\frac{n + 2\,\mathit{in\_k}}{4}}\right\rfloor^{2} + \frac{n}{2} + "
        r"\left\lfloor{\frac{n}{\mathit{in\_k}}}\right\rfloor"
    )
    assert PYTHON.formula(form) == "((-6*((n + 2*in_k)//4)**2 + n + 2*((n)//(in_k)))//2)"


def test_a_keyword_of_python_ends_in_an_underscore(tmp_path):
    spec = tmp_path / "net.yaml"
    spec.write_text(
        "name: net\ninput: {channels: 3, size: 8}\nvars: {lambda: 4}\n"
        "layers: [{conv: lambda // 2 + 1, kernel: 1}]\n",
        "utf-8",
    )
    for notation, params in (("python", "3*((lambda_)//2) + 3"), ("text", "3·⌊lambda/2⌋ + 3")):
        (network,) = formula(str(spec), "", ("lambda",), notation=notation).networks
        assert network.formulas[0].formula == params


def test_python_computes_what_convcost_counts():
    rng = random.Random(3)
    for name in ("mobilenet_v1", "vgg", "unet", "resnet", "densenet"):
        spec, function = next(shipped_functions(specs=[name]))
        vary = [name for name in ("width", "size", "batch", "classes") if name in function.point()]
        (network,) = formula(spec, "", vary, notation="python").networks
        for _ in range(5):
            size = function.point()["size"] * rng.choice((1, 2, 3))
            found = {"size": size, "batch": rng.randint(1, 9), "classes": rng.randint(1, 2000)}
            values = {name: found.get(name, Fraction(rng.randint(1, 8), 4)) for name in vary}
            try:
                costs = function.costs(values)
            except SpecError:  # not every size fits U-Net
                continue
            for one in network.formulas[:3]:
                assert eval(one.formula or "", {}, values) == getattr(costs.totals, one.measure)


def test_the_bottleneck_of_the_tutorials_breaks_even_above_334_channels():
    path = str(ROOT / "docs" / "bottleneck.yaml")
    naive, reduced = convcost.formula(path, vary="r").networks
    assert [one.formulas[0].formula for one in (naive, reduced)] == ["1,179,648", "9·r² + 512·r"]
    assert 9 * 334**2 + 512 * 334 < 9 * 256 * 256 * 2 < 9 * 335**2 + 512 * 335


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nope"], "there is no layer `nope` in `mobilenet_v1`; `convcost analyze mobilenet_v1`"),
        (["conv1", "--measures", "peak_memory"], "a layer has no `peak_memory`; known here: "),
        (["conv1", "--measures", "flash"], "a layer has no `flash`; known here: "),
        (["--measures", "mac"], "a network has no `mac`; did you mean `macs`?"),
        (["--vary", "widt"], "`mobilenet_v1` has no number `widt` to vary; did you mean `width`?"),
        (["--set", "width=0.3"], "must be a whole number of at least 1, not 9.6"),
    ],
)
def test_a_mistake_is_explained(arguments, message):
    done = run("formula", "mobilenet_v1", *arguments)
    assert done.returncode == 2
    assert message in done.stderr.decode()


def test_an_unknown_notation_is_refused():
    with pytest.raises(UsageError, match="there is no notation `tex`; did you mean `text`"):
        convcost.formula("vgg16", notation="tex")


def test_operations_in_expressions_have_a_limit(tmp_path):
    def text(copies):
        filters = f"in_channels + 1 + 0*({'+'.join(['w'] * 180)})"
        layers = f"[{{conv: w, kernel: 1}}, {{conv: {filters}, kernel: 1, repeat: {copies}}}]"
        return f"input: {{channels: 3, size: 8}}\nvars: {{w: 4}}\nlayers: {layers}\n"

    assert formulas(tmp_path, measures=["params"], text=text(50))
    with pytest.raises(UsageError, match="the formulas of `net` are too large to print"):
        formulas(tmp_path, measures=["params"], text=text(150))


def test_comparisons_in_expressions_have_a_limit(tmp_path, monkeypatch):
    monkeypatch.setattr(trace, "MAX_DEGREES", 100_000)

    def text(copies):
        less = "".join(f" - v{n}" for n in range(9))
        layers = f"{{conv: in_channels{less}, kernel: 1}}, {{falling: , repeat: {copies}}}"
        falling = f"{{conv: n - v0, kernel: 1, when: {'>1<'.join('n' * 90)}}}"
        return (
            "input: {channels: 4000, size: 8}\n"
            f"vars: {{{', '.join(f'v{n}: 1' for n in range(9))}}}\n"
            f"blocks: {{falling: {{options: {{n: in_channels}}, layers: [{falling}]}}}}\n"
            f"layers: [{layers}]\n"
        )

    assert formulas(tmp_path, measures=["params"], text=text(5))
    with pytest.raises(UsageError, match="the formulas of `net` are too large to print"):
        formulas(tmp_path, measures=["params"], text=text(30))


LARGE = (
    "vars: {{n: 1}}\ninput: {{channels: 3, size: 8}}\nlayers: [{{conv: {}, kernel: 1, repeat: {}}}]"
)


@pytest.mark.parametrize(
    ("width", "copies"),
    [
        ("in_channels*n + 1", 320),  # a polynomial of degree 320
        ('"divisible(in_channels*n + 7, 8)"', 800),  # 800 nested floors
        ("in_channels//2 + in_channels//3 + 1000*n", 60),  # each layer doubles the text
        ("in_channels//2 + in_channels//3 + 1000*n", 9000),
    ],
)
def test_a_formula_that_is_too_large_is_refused(tmp_path, width, copies):
    with pytest.raises(UsageError) as raised:
        formulas(tmp_path, text=LARGE.format(width, copies))
    assert raised.value.args == (
        "the formulas of `net` are too large to print",
        "help: give fewer variables to --vary, or name a layer; `convcost search` has numbers",
    )


def test_a_formula_of_a_shipped_network_is_refused_and_not_written_for_ever():
    with pytest.raises(UsageError, match="the formulas of `MaxViT` are too large to print"):
        formula("maxvit")


def test_macs_of_which_nothing_is_known_have_no_formula_and_no_value(tmp_path):
    text = SPEC + "  - {custom: magic, params: filters, macs: uncounted, name: magic}\n"
    found, network = formulas(tmp_path, "magic", ["filters"], text=text)
    assert (found["params"], found["macs"]) == ("filters", None)
    assert network.formulas[1].value is None
    (table,) = formula(str(tmp_path / "net.yaml"), "magic", ["filters"]).tables()
    assert table.rows[1] == ("macs", "?", "?")
    # The macs of the other layers are known.
    found, network = formulas(tmp_path, "", ["filters"], text=text)
    stem, body = 9 * 16 * 16 * 16, 2 * 16 * 16
    assert found["macs"] == f"{body}·filters² + {stem:,}·filters"
    assert network.formulas[1].value == body * 8 * 8 + stem * 8
    assert network.conditions == ["filters ≥ 1", "filters is whole"]
