"""A mistake in the convention of a plug-in is an error with its file, and never a silent zero."""

import pytest
from support import run

from convcost.conventions import (
    CONVENTIONS,
    GROUPS,
    MACS,
    NOT_CONVENTIONS,
    LayerUse,
    X,
    check_definition,
    convention,
)
from convcost.conventions._formula import as_formula
from convcost.design_space.network_function import BYTES, NANOSECONDS
from convcost.model.errors import DefinitionError
from convcost.model.kind import KINDS
from convcost.model.shape import Shape
from convcost.reports.row_order import NAMES
from convcost.reports.sweep.points import NUMBERS

SPEC = """
name: net
input: {channels: 3, size: 8}
layers: [{conv: 16, kernel: 3, bias: true}, relu]
"""
CONVENTION = """
from convcost.conventions import *
convention("ours", word="ops", meaning="Ours.", source="a paper", %s)
"""
UNKNOWN_KIND = "but there is no such kind or operation; did you mean"
NO_COUNT = "which is not a whole number of at least 0"
VERSION = "the version of `ours` must be a text"
MISTAKES = {
    "a misspelt kind": (
        "rules={'conv rellu': MACS}",
        f"`ours` has a rule for `rellu`, {UNKNOWN_KIND} `relu`?",
    ),
    "a misspelt operation": (
        "rules={'conv': MACS, 'activaton': Y}",
        f"`ours` has a rule for `activaton`, {UNKNOWN_KIND} `activation`?",
    ),
    "a kind by its name in a framework": (
        "rules={'conv': MACS, 'BatchNorm2d': 2 * X}",
        f"`ours` has a rule for `BatchNorm2d`, {UNKNOWN_KIND} `batch_norm`?",
    ),
    "a misspelt kind of a variant": (
        "rules={'conv': MACS}, variants={'half': {'rules': {'convv': MACS // 2}}}",
        f"`ours:half` has a rule for `convv`, {UNKNOWN_KIND} `conv`?",
    ),
    "a kind that is no layer": (
        "rules={'sequence': MACS}",
        "`ours` has a rule for `sequence`, which is not a layer",
    ),
    "an empty key": (
        "rules={'': MACS}",
        "a rule has an empty key; the key names kinds or operations",
    ),
    "two rules for a kind": (
        "rules={'conv linear': MACS, 'conv': 2 * MACS}",
        "there are two rules for `conv`",
    ),
    "a change that no variant can make": (
        "rules={'conv': MACS}, variants={'half': {'rulez': {}}}",
        "a variant of `ours` cannot change `rulez`; did you mean `rules`?",
    ),
    "a factor that is no whole number": (
        "rules={'conv': MACS}, variants={'half': {'factor': 0.5}}",
        "the factor of `ours:half` must be a whole number of at least 1, not 0.5",
    ),
    "a factor of 0": (
        "rules={'conv': MACS}, variants={'half': {'factor': 0}}",
        "the factor of `ours:half` must be a whole number of at least 1, not 0",
    ),
    "a float": (
        "rules={'conv': 1.5 * MACS}",
        "1.5 is not a whole number; write `3 * X // 2`, not `1.5 * X`",
    ),
    "a float in a sum": (
        "rules={'conv': MACS + 2.0}",
        "2.0 is not a whole number; write `2 * X`, not `2.0 * X`",
    ),
    "a float for an axis": (
        "rules={'conv': by_axes(1, 2.25)}",
        "2.25 is not a whole number; write `9 * X // 4`, not `2.25 * X`",
    ),
    "a division": (
        "rules={'conv': MACS / 2}",
        "`macs / 2` is not a whole number; `//` rounds down",
    ),
    "a text": (
        "rules={'conv': 'MACS'}",
        "'MACS' is not a whole number, and no formula",
    ),
    "a text with a remark": (
        "rules={'conv': fault('MACS', 'wrong')}",
        "'MACS' is not a whole number, and no formula",
    ),
    "a mode that does not exist": (
        "rules={'resize': by_mode(bilinear=Y)}",
        "there is no mode `bilinear` of a resize; did you mean `linear`?",
    ),
    "a mode of a kind without modes": (
        "rules={'conv': by_mode(linear=Y)}",
        "`ours` cannot count conv; `by mode (linear: Y)` fails: `conv` has no option `mode`",
    ),
    "an option that no kind has": (
        "rules={'conv': quantity('q', 'q', lambda use: use.option('strid', 1))}",
        (
            "`ours` cannot count conv; `q` fails: no kind has the option `strid`; "
            "did you mean `stride`?"
        ),
    ),
    "a quantity that the kind does not have": (
        "rules={'conv': 2 * STATES}",
        "`ours` cannot count conv; `2·H` fails: `conv` has no option `hidden`",
    ),
    "a quantity that fails": (
        "rules={'conv': quantity('q', 'q', lambda use: use.layer.peices)}",
        (
            "`ours` cannot count conv; `q` fails: AttributeError: 'Conv' object has no attribute "
            "'peices'"
        ),
    ),
    "a quantity that is a float": (
        "rules={'conv': MACS + quantity('q', 'q', lambda use: 1.5)}",
        f"`ours` cannot count conv; `macs + q` gives 15553.5, {NO_COUNT}",
    ),
    "a count below 0": (
        "rules={'conv': ZERO - MACS}",
        f"`ours` cannot count conv; `0 − macs` gives -15552, {NO_COUNT}",
    ),
    "a version that is a number": ("rules={'conv': MACS}, version=2", VERSION),
}
assert 16 * 3 * 3 * 3 * 6 * 6 == 15_552  # the macs of the convolution


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_in_a_convention_names_the_file_and_the_fix(mistake, tmp_path):
    rules, message = MISTAKES[mistake]
    file = tmp_path / "conventions" / "mine.py"
    file.parent.mkdir()
    file.write_text(CONVENTION % rules, "utf-8")
    done = run("analyze", "-", "--count", "ours", text=SPEC, CONVCOST_PLUGINS=str(tmp_path))
    assert done.stderr.decode() == f"error: the plug-in `{file}` is not valid: {message}\n"
    assert (done.returncode, done.stdout) == (2, b"")


def test_a_mistake_in_a_convention_breaks_no_other_convention(tmp_path):
    file = tmp_path / "conventions" / "mine.py"
    file.parent.mkdir()
    file.write_text(CONVENTION % "rules={'rellu': MACS}", "utf-8")
    for arguments in (["--count", "thop"], []):
        done = run("analyze", "-", *arguments, text=SPEC, CONVCOST_PLUGINS=str(tmp_path))
        assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("params", "`params` is the name of a measure or a column; use another"),
        ("a,b", "`a,b` is not a valid name; use letters, digits, `_`, `-` and `.`"),
        ("thop:mine", "`thop:mine` has a colon; write a variant in `variants`"),
    ],
)
def test_a_name_that_no_option_can_name_is_refused(name, message):
    with pytest.raises(DefinitionError) as error:
        convention(name, word="ops", meaning="Ours.", source="a paper", rules={"conv": MACS})
    assert str(error.value) == message


def test_a_name_that_sorts_or_filters_points_is_not_a_name_of_a_convention():
    """The number of that name would be compared instead of the convention."""
    others = {*NAMES, *NUMBERS, *BYTES, NANOSECONDS, "score"}
    assert others - {"macs"} == {*NOT_CONVENTIONS}


def test_the_conventions_of_convcost_are_valid():
    for name, known in CONVENTIONS.items():
        check_definition(name, known)


def test_a_sum_may_begin_with_a_number():
    assert [(1 + X).text, (8 - X).text, as_formula(3).text] == ["1 + X", "8 − X", "3"]


def test_each_channel_of_a_depthwise_convolution_is_a_group():
    shape = Shape(16, (8, 8))
    use = LayerUse(KINDS["depthwise"](kernel=3, padding=1), (shape,), shape)
    assert GROUPS.evaluate(use) == 16
    assert GROUPS.evaluate(use._replace(layer=KINDS["conv"](filters=16, kernel=1, groups=4))) == 4
    assert GROUPS.evaluate(use._replace(layer=KINDS["conv"](filters=16, kernel=1))) == 1
