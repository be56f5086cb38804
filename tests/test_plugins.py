"""A kind, a format or a command is one file: in a plugin folder it works, with no other edit."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from support import ROOT, plugin_example, run

from convcost.model.kind import COMMON_KEYS, KINDS, check_definition

FORMAT = """
from convcost.render import FormatOption, format

MARK = FormatOption("loud_mark", "What ends each line.", default="!", metavar="SIGN",
              check=lambda mark: len(mark) == 1, expected="one character")


@format("loud", "capital letters", ".loud", options=(MARK,))
def render(report, style):
    for table in report.tables():
        yield f"{table.name.upper()}{style.option(MARK)}\\n"
"""

COMMAND = """
import typer


def command(name: str) -> None:
    "Greets a network."
    typer.echo(f"hello {name}")
    raise SystemExit(1)
"""


@pytest.fixture
def plugins(tmp_path):
    """The kind of docs/plugins.md, a format and a command."""
    (tmp_path / "layers").mkdir()
    (tmp_path / "render").mkdir()
    kind = plugin_example("layers/maxout.py")
    (tmp_path / "layers" / "maxout.py").write_text(kind, "utf-8")
    (tmp_path / "render" / "loud.py").write_text(FORMAT, "utf-8")
    (tmp_path / "cli").mkdir()
    (tmp_path / "cli" / "greet.py").write_text(COMMAND, "utf-8")
    return str(tmp_path)


SPEC = "name: drop\ninput: {channels: 64, size: 8}\nlayers: [{maxout: 2}]\n"
PLAIN = SPEC.replace("{maxout: 2}", "relu")


def test_a_kind_in_a_plugin_folder_works_in_a_spec(plugins):
    done = run("analyze", "-", "--format", "json", text=SPEC, CONVCOST_PLUGINS=plugins)
    (network,) = json.loads(done.stdout)["networks"]
    assert network["totals"]["macs"] == 2 * 64 * 64 * 8 * 8
    assert network["layers"][0]["kind"] == "maxout"


def test_a_kind_in_a_plugin_folder_is_unknown_without_the_folder():
    done = run("analyze", "-", text=SPEC)
    assert done.returncode == 2
    assert b"there is no kind or block `maxout`" in done.stderr


def test_a_kind_in_a_plugin_folder_is_listed(plugins):
    assert b"\nmaxout " in run("kinds", CONVCOST_PLUGINS=plugins).stdout
    reported = run("kinds", "maxout", CONVCOST_PLUGINS=plugins).stdout.decode()
    assert "number of 1x1 convolutions" in reported
    assert "2 × 64 × 64 × 8 × 8 = 524,288" in reported


def test_a_misspelt_option_of_a_plugin_kind_is_refused(plugins):
    spec = SPEC.replace("maxout: 2", "maxout: 2, peices: 3")
    done = run("analyze", "-", text=spec, CONVCOST_PLUGINS=plugins)
    assert b"maxout has no option `peices`" in done.stderr
    assert b"did you mean `pieces`?" in done.stderr


def suite_of_kinds(plugins) -> subprocess.CompletedProcess:
    """The suite's own test of kinds, run with the folder."""
    return subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-p",
            "no:cacheprovider",
            "-k",
            "maxout",
            "tests/layers/test_kinds.py",
        ],
        cwd=ROOT,
        env={
            **os.environ,
            "CONVCOST_PLUGINS": plugins,
            "PYTHONPATH": str(ROOT),
            # A file that changes within a second and keeps its size would be read from its
            # compiled module of before.
            "PYTHONDONTWRITEBYTECODE": "1",
        },
        capture_output=True,
        check=False,
    )


@pytest.mark.slow
def test_the_examples_of_a_plugin_kind_are_tested(plugins, tmp_path):
    assert suite_of_kinds(plugins).returncode == 0
    file = tmp_path / "layers" / "maxout.py"
    file.write_text(file.read_text("utf-8").replace("params=2 * 64", "params=3 * 64"), "utf-8")
    failed = suite_of_kinds(plugins)
    assert failed.returncode == 1
    assert b"maxout" in failed.stdout


def test_a_format_in_a_plugin_folder_works_by_name_and_by_suffix(plugins, tmp_path):
    done = run("analyze", "-", "--format", "loud", text=PLAIN, CONVCOST_PLUGINS=plugins)
    assert done.stderr == b""
    assert done.stdout == b"DROP!\n"
    run("analyze", "-", "-o", str(tmp_path / "x.loud"), text=PLAIN, CONVCOST_PLUGINS=plugins)
    assert (tmp_path / "x.loud").read_text() == "DROP!\n"


def test_a_command_in_a_plugin_folder_runs_and_is_listed(plugins):
    done = run("greet", "vgg16", CONVCOST_PLUGINS=plugins)
    assert (done.returncode, done.stdout, done.stderr) == (1, b"hello vgg16\n", b"")
    listed = run("--help", CONVCOST_PLUGINS=plugins).stdout
    assert re.search(rb"\n  greet +Greets a network\.\n", listed)
    assert b"Greets a network." in run("greet", "--help", CONVCOST_PLUGINS=plugins).stdout


def test_a_command_in_a_plugin_folder_is_unknown_without_the_folder():
    done = run("greet", "vgg16")
    assert done.returncode == 2
    assert b"No such command 'greet'" in done.stderr


def test_an_option_of_a_plugin_format_is_in_the_help_and_works(plugins):
    text = run("explain", "--help", CONVCOST_PLUGINS=plugins).stdout.decode()
    assert "--loud-mark SIGN            loud: What ends each line.\n" in text
    ask = ["analyze", "-", "--format", "loud", "--loud-mark"]
    assert run(*ask, "?", text=PLAIN, CONVCOST_PLUGINS=plugins).stdout == b"DROP?\n"
    done = run(*ask, "??", text=PLAIN, CONVCOST_PLUGINS=plugins)
    assert done.stderr == b"error: --loud-mark must be one character, not `??`\n"


KIND = """
from convcost.model.cost_product import NOTHING, product
from convcost.model.kind import Layer, kind, option
from convcost.model.options import PositiveInt


@kind("{name}", principal="pieces")
class Mine(Layer):
    "A kind."

    pieces: {type} = option("number of 1x1 convolutions")

    def weights(self, x):
        return {weights}
"""
GOOD = {"name": "mine", "type": "PositiveInt", "weights": "NOTHING"}
MINE = SPEC.replace("maxout", "mine")
DEBUG = "\nhelp: CONVCOST_DEBUG=1 prints the traceback"
HALF = "CostProduct(terms=((Factor(name='filters', value=0.5),),))"
NEGATIVE = "CostProduct(terms=((Factor(name='filters', value=-64),),))"
PRODUCT = (
    "it must return a CostProduct of integers that are not negative"
    "\nhelp: product(filters=64, channels=3) is one, and NOTHING is 0"
)
MISTAKES = {
    "an error at import": (
        '1 / 0  # "mine"',
        "the plug-in `FILE` cannot be imported: ZeroDivisionError: division by zero" + DEBUG,
    ),
    "an annotation that is no type of options": (
        KIND.format(**GOOD | {"type": "int"}),
        "the plug-in `FILE` cannot be imported: TypeError: the annotation of the option "
        "mine.pieces is <class 'int'>; it must be a type of convcost.model.options, "
        "like PositiveInt" + DEBUG,
    ),
    "weights as an int": (
        KIND.format(**GOOD | {"weights": "self.pieces * 64"}),
        f"`FILE`: weights of the kind `mine` returns 128; {PRODUCT}",
    ),
    "weights as a fraction": (
        KIND.format(**GOOD | {"weights": "product(filters=self.pieces / 4)"}),
        f"`FILE`: weights of the kind `mine` returns {HALF}; {PRODUCT}",
    ),
    "negative weights": (
        KIND.format(**GOOD | {"weights": "product(filters=-64)"}),
        f"`FILE`: weights of the kind `mine` returns {NEGATIVE}; {PRODUCT}",
    ),
    **{
        f"the output {value}": (
            KIND.format(**GOOD) + f"\n    def output(self, x): return {value}",
            (
                f"`FILE`: output of the kind `mine` returns {shown}; "
                "it must return a Shape of integers above 0"
            ),
        )
        for value, shown in (
            ("x.channels", "64"),
            ("x._replace(channels=-3)", "Shape(channels=-3, size=(8, 8))"),
            ("x._replace(channels=x.channels / 2)", "Shape(channels=32.0, size=(8, 8))"),
            ("x._replace(size=[8, 8])", "Shape(channels=64, size=[8, 8])"),
        )
    },
    "a receptive field that is a number": (
        KIND.format(**GOOD) + "\n    def receptive_field(self, x): return 3",
        (
            "`FILE`: receptive_field of the kind `mine` returns 3; "
            "it must return None or a tuple of ReceptiveField"
        ),
    ),
    "an end of the program at import": (
        "raise SystemExit(0)  # 'mine'",
        "the plug-in `FILE` cannot be imported: SystemExit: 0" + DEBUG,
    ),
    "an error in a method": (
        KIND.format(**GOOD | {"weights": "self.peices"}),
        "the plug-in `FILE:14` failed: AttributeError: 'Mine' object has no attribute 'peices'"
        + DEBUG,
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_in_a_kind_names_the_file_and_breaks_no_other_kind(mistake, tmp_path):
    text, message = MISTAKES[mistake]
    file = tmp_path / "layers" / "own.py"
    file.parent.mkdir()
    file.write_text(text, "utf-8")
    done = run("analyze", "-", text=MINE, CONVCOST_PLUGINS=str(tmp_path))
    assert done.stdout == b""
    assert done.stderr.decode() == f"error: {message.replace('FILE', str(file))}\n"
    assert done.returncode == 2
    assert run("analyze", "vgg16", CONVCOST_PLUGINS=str(tmp_path)).returncode == 0


def test_an_internal_error_can_be_one_of_a_plugin(tmp_path):
    file = tmp_path / "render" / "loud.py"
    file.parent.mkdir()
    file.write_text(FORMAT.replace("yield ", "yield 1 or "), "utf-8")
    done = run("analyze", "vgg16", "--format", "loud", CONVCOST_PLUGINS=str(tmp_path))
    assert done.returncode == 70
    assert b"This is a bug in convcost or a plug-in, not in the spec." in done.stderr


TWICE = {
    "layers": ("relu", KIND.format(**GOOD | {"name": "relu"}), ["analyze", "vgg16"]),
    "render": ("csv", FORMAT.replace('"loud"', '"csv"'), ["analyze", "vgg16", "--format", "csv"]),
    "conventions": (
        "thop",
        (
            "from convcost.conventions import convention\n"
            'convention("th" + "op", word="x", meaning="x", source="x", rules={})'
        ),
        ["analyze", "vgg16", "--count", "thop"],
    ),
}


@pytest.mark.parametrize("folder", TWICE)
def test_a_name_that_convcost_already_uses_is_an_error_where_it_is_used(folder, tmp_path):
    name, text, arguments = TWICE[folder]
    file = tmp_path / folder / "own.py"
    file.parent.mkdir()
    file.write_text(text, "utf-8")
    done = run(*arguments, CONVCOST_PLUGINS=str(tmp_path))
    assert done.stderr.decode() == (
        f"error: the plug-in `{file}` is not valid: the name `{name}` is already used in "
        f"convcost.{folder}; use another\n"
    )
    assert (done.returncode, done.stdout) == (2, b"")


def test_a_name_that_is_already_used_breaks_nothing_that_does_not_use_it(tmp_path):
    file = tmp_path / "layers" / "own.py"
    file.parent.mkdir()
    file.write_text(KIND.format(**GOOD | {"name": "gelu"}), "utf-8")
    assert run("kinds", CONVCOST_PLUGINS=str(tmp_path)).returncode == 2
    assert run("analyze", "vgg16", CONVCOST_PLUGINS=str(tmp_path)).returncode == 0


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (
            'operation = "activaton"',
            (
                "the kind `mine` has the operation `activaton`, which does not exist; "
                "did you mean `activation`?"
            ),
        ),
        (
            'memory = "inptu"',
            "the kind `mine` has the memory `inptu`, which does not exist; did you mean `input`?",
        ),
        (
            "mix_channels = True",
            "the kind `mine` defines `mix_channels`; did you mean `mixes_channels`?",
        ),
        (
            "def mac(self, x): return NOTHING",
            "the kind `mine` defines `mac`; did you mean `macs`?",
        ),
        (
            'repeat: PositiveInt = option("copies", 1)',
            (
                "the option `repeat` of the kind `mine` has the name of a key of every layer; "
                "rename it"
            ),
        ),
        (
            'macs: PositiveInt = option("multiply-adds", 1)',
            "the option `macs` of the kind `mine` replaces `macs` of Kind; call it `macs_`",
        ),
        (
            'number: PositiveInt = option("copies", -1)',
            (
                "the default of the option `number` of the kind `mine` must be a whole number of "
                "at least 1, not -1"
            ),
        ),
        (
            "number: PositiveInt = option(1)",
            (
                "the option `number` of the kind `mine` has no meaning; "
                'write option("what it is", default)'
            ),
        ),
    ],
)
def test_a_line_of_a_kind_that_has_no_effect_is_an_error_and_never_a_zero(line, message, tmp_path):
    refused_kind(f"{KIND.format(**GOOD)}\n    {line}\n", message, tmp_path)


def refused_kind(text: str, message: str, folder: Path, spec: str = MINE) -> None:
    file = folder / "layers" / "own.py"
    file.parent.mkdir()
    file.write_text(text, "utf-8")
    done = run("analyze", "-", text=spec, CONVCOST_PLUGINS=str(folder))
    assert done.stderr.decode() == f"error: the plug-in `{file}` is not valid: {message}\n"
    assert (done.returncode, done.stdout) == (2, b"")


@pytest.mark.parametrize("name", [*COMMON_KEYS, "weights", "input", "x-mine", "a b", "a/b", ""])
def test_a_kind_cannot_have_a_name_that_no_spec_can_use(name, tmp_path):
    text = KIND.format(**GOOD | {"name": name})
    file = tmp_path / "layers" / "own.py"
    file.parent.mkdir()
    file.write_text(text, "utf-8")
    done = run("kinds", CONVCOST_PLUGINS=str(tmp_path))
    assert done.stderr.decode() == (
        f"error: the plug-in `{file}` is not valid: `{name}` cannot be the name of a kind; use "
        "letters, digits, `_`, `-` and `.`, and none of name, from, repeat, when, note, frozen, "
        "weights, input\n"
    )
    assert (done.returncode, done.stdout) == (2, b"")


def test_a_kind_needs_a_base_with_inputs_and_a_principal_option_that_it_has(tmp_path):
    for part, other, message in (
        ("(Layer)", "(Kind)", "the kind `mine` must be a Layer, a MultiInputLayer or a Join"),
        (
            'principal="pieces"',
            'principal="piece"',
            "the principal option of the kind `mine` is `piece`; did you mean `pieces`?",
        ),
    ):
        folder = tmp_path / other
        folder.mkdir()
        text = (
            KIND.format(**GOOD).replace(part, other).replace("import Layer", "import Kind, Layer")
        )
        refused_kind(text, message, folder)


def test_a_kind_without_examples_is_printed_with_its_options_only(tmp_path):
    file = tmp_path / "layers" / "own.py"
    file.parent.mkdir()
    file.write_text(KIND.format(**GOOD), "utf-8")
    done = run("kinds", "mine", CONVCOST_PLUGINS=str(tmp_path))
    assert done.stdout.decode() == (
        "mine: A kind.\n\n"
        "option            accepts                       default   meaning\n"
        "pieces (mine: …)  a whole number of at least 1  required  number of 1x1 convolutions\n"
    )
    assert (done.returncode, done.stderr) == (0, b"")


def test_the_kinds_of_convcost_define_no_trait_that_looks_misspelt():
    for name, kind in KINDS.items():
        check_definition(name, kind)


@pytest.mark.parametrize("folder", ["layers", "render", "cli"])
def test_a_file_with_the_name_of_a_file_of_convcost_is_refused(folder, tmp_path):
    name = {"layers": "conv", "render": "latex", "cli": "analyze"}[folder]
    file = tmp_path / folder / f"{name}.py"
    file.parent.mkdir()
    file.write_text("", "utf-8")
    done = run("analyze", "vgg16", "--format", "latex", CONVCOST_PLUGINS=str(tmp_path))
    assert done.returncode == 2
    assert done.stderr.decode().startswith(f"error: `{file}` has the name of `")


def test_a_broken_format_is_an_error_where_it_is_written(tmp_path):
    file = tmp_path / "render" / "loud.py"
    file.parent.mkdir()
    file.write_text("raise RuntimeError('\\x1b[31mboom')\n", "utf-8")
    done = run("analyze", "vgg16", "--format", "loud", CONVCOST_PLUGINS=str(tmp_path))
    message = f"the plug-in `{file}` cannot be imported: RuntimeError: \\x1b[31mboom{DEBUG}"
    assert (done.returncode, done.stderr.decode()) == (2, f"error: {message}\n")
    others = run("analyze", "vgg16", "--csv-raw", "--format", "tsv", CONVCOST_PLUGINS=str(tmp_path))
    assert (others.returncode, others.stderr) == (0, b"")
    asked = run(
        "analyze", "vgg16", "--format", "loud", CONVCOST_PLUGINS=str(tmp_path), CONVCOST_DEBUG="1"
    )
    assert b"Traceback" in asked.stderr
    assert asked.returncode == 70  # 1 is a failed check


BAD_FORMATS = {
    '"a b"': "the format `a b` needs a name of letters, digits, `_`, `-` and `.`",
    '"loud:x"': "the format `loud:x` needs a name of letters, digits, `_`, `-` and `.`",
    'needs="finding"': "the format `loud` needs `finding`; did you mean `findings`?",
    '"LOUD"': (
        "the format `loud` has the suffix `LOUD`; write a dot and small letters, like `.csv`"
    ),
    '"a-b"': "the format `loud` has the option `a-b`; write a word like `max_bytes`",
    "default=0.5": (
        "the option `loud_mark` of the format `loud` must be of type str, int or bool, like its "
        "default"
    ),
}


@pytest.mark.parametrize("wrong", BAD_FORMATS)
def test_a_format_that_no_command_line_can_offer_is_an_error(wrong, tmp_path):
    right = {
        '"LOUD"': '".loud"',
        '"a-b"': '"loud_mark"',
        "default=0.5": 'default="!"',
        'needs="finding"': 'needs=""',
    }.get(wrong, '"loud"')
    text = FORMAT.replace("options=(MARK,)", 'options=(MARK,), needs=""')
    assert right in text
    file = tmp_path / "render" / "loud.py"
    file.parent.mkdir()
    file.write_text(text.replace(right, wrong), "utf-8")
    done = run("analyze", "vgg16", "--format", "loud", CONVCOST_PLUGINS=str(tmp_path))
    assert done.stderr.decode() == (
        f"error: the plug-in `{file}` is not valid: {BAD_FORMATS[wrong]}\n"
    )
    assert (done.returncode, done.stdout) == (2, b"")
    assert run("analyze", "--help", CONVCOST_PLUGINS=str(tmp_path)).returncode == 0


@pytest.mark.parametrize("name", ["columns", "set", "width", "help", "csv_raw"])
def test_an_option_of_a_format_cannot_be_one_of_the_command(name, tmp_path):
    file = tmp_path / "render" / "a.py"
    file.parent.mkdir()
    file.write_text(FORMAT.replace("loud_mark", name), "utf-8")
    done = run("analyze", "--help", CONVCOST_PLUGINS=str(tmp_path))
    flag = f"--{name.replace('_', '-')}"
    assert done.stderr.decode() == (
        f"error: the plug-in `{file}` is not valid: the command has an option {flag} already; "
        "rename that of the format\n"
    )
    assert (done.returncode, done.stdout) == (2, b"")
    assert run("analyze", "vgg16", CONVCOST_PLUGINS=str(tmp_path)).returncode == 0


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "`FILE` has no function `command`; the file of a command needs one"),
        (
            "def command(x: Net): pass",
            f"the plug-in `FILE` cannot be imported: NameError: name 'Net' is not defined{DEBUG}",
        ),
        (
            "def command(x: dict): pass",
            (
                "the plug-in `FILE` cannot be imported: RuntimeError: Type not yet supported: "
                f"<class 'dict'>{DEBUG}"
            ),
        ),
    ],
)
def test_a_broken_command_is_an_error_where_it_is_called_and_a_line_in_the_help(
    text, message, tmp_path
):
    file = tmp_path / "cli" / "greet.py"
    file.parent.mkdir()
    file.write_text(text, "utf-8")
    shown = f"error: {message.replace('FILE', str(file))}\n"
    done = run("greet", CONVCOST_PLUGINS=str(tmp_path))
    assert (done.returncode, done.stdout, done.stderr.decode()) == (2, b"", shown)
    listed = run("--help", CONVCOST_PLUGINS=str(tmp_path))
    assert (listed.returncode, listed.stderr.decode()) == (0, shown)
    assert b"\n  analyze " in listed.stdout
    assert run("analyze", "vgg16", CONVCOST_PLUGINS=str(tmp_path)).stderr == b""


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        (None, "CONVCOST_PLUGINS names the folder `FOLDER`, which does not exist"),
        (
            ["ours.py", "layers/notes.txt"],
            (
                "the folder `FOLDER` in CONVCOST_PLUGINS has no plug-ins\n"
                "help: put each file into one of these folders: layers/ for kinds, render/ for "
                "formats, conventions/ for counting conventions, cli/ for commands"
            ),
        ),
        (
            ["layers/own.py", "convention/ours.py"],
            "no plug-in is read from `FOLDER/convention`; rename it to `conventions`",
        ),
    ],
)
def test_a_folder_whose_plugins_would_be_ignored_is_an_error(entries, message, tmp_path):
    folder = tmp_path / "plugins"
    for entry in entries or ():
        (folder / entry).parent.mkdir(parents=True, exist_ok=True)
        (folder / entry).write_text("", "utf-8")
    done = run("analyze", "vgg16", CONVCOST_PLUGINS=str(folder))
    assert done.stderr.decode() == f"error: {message.replace('FOLDER', str(folder))}\n"
    assert (done.returncode, done.stdout) == (2, b"")


def test_an_empty_part_of_the_variable_and_other_folders_are_not_plugins(plugins, tmp_path):
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_maxout.py").write_text("", "utf-8")
    done = run("analyze", "-", text=SPEC, CONVCOST_PLUGINS=f"{os.pathsep}{plugins}{os.pathsep}")
    assert (done.returncode, done.stderr) == (0, b"")


def test_every_diagnostic_code_is_listed_and_used():
    sources = {path: path.read_text("utf-8") for path in (ROOT / "convcost").rglob("*.py")}
    listed = sources.pop(ROOT / "convcost" / "model" / "errors.py")
    used = {code for text in sources.values() for code in re.findall(r"CC\d{3}", text)}
    assert used == set(re.findall(r'"(CC\d{3})":', listed))
