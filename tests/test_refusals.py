"""Bad numbers in every option, who made a shape, further bombs, and refusals by the program."""

import json
import subprocess
import sys
import unicodedata

import pytest
from support import ROOT, messages, problems, run

from convcost.kind import KINDS

EIGHT = "input: {channels: 8, size: 8}\n"
TOO_MANY = "CC110 the network has more than 250,000 layers"

# What may hang or eat all memory is read in a process that cannot.
CHILD = """
import json, sys, time
try:
    import resource
except ImportError:
    pass
else:
    resource.setrlimit(resource.RLIMIT_CPU, (3, 4))
    resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30))
from tests.support import messages
text = sys.stdin.read()
start = time.process_time()
found = messages(text)
print(json.dumps([time.process_time() - start, found]))
"""


@pytest.fixture
def soon():
    """Gives the messages of a text, which must be found within a second."""

    def read(text):
        child = subprocess.run(
            [sys.executable, "-c", CHILD],
            input=text.encode(),
            capture_output=True,
            check=False,
            cwd=ROOT,
            timeout=30,
        )
        assert child.returncode == 0, child.stderr.decode()[-500:] or "stopped after 3 seconds"
        seconds, found = json.loads(child.stdout)
        assert seconds < 1
        return found

    return read


# Every bad value, in every numeric option of every kind

SAMPLES = {
    "Count": "1", "Natural": "0", "Number": "1", "Extent": "1", "Padding": "0", "Border": "0",
    "Factor": "2", "Label": "x",
}  # fmt: skip
NUMERIC = ("Count", "Natural", "Extent", "Padding", "Border", "Factor", "Number")
# The types that take what the others refuse.
TAKE_ZERO = ("Natural", "Padding", "Border", "Number")
TAKE_NEGATIVE = ("Number",)
TAKE_FRACTIONS = ("Factor", "Number")

NUMERIC_OPTIONS = [
    pytest.param(kind, option, id=f"{name} {option.name}")
    for name, kind in KINDS.items()
    if kind.role == "layer"
    for option in kind.options.values()
    if option.type_name in NUMERIC
]


def on_lines_of_their_own(kind, option, value):
    """A spec with a layer whose options each have a line, and the line of `option`."""
    written = {
        other.name: SAMPLES[other.type_name]
        for other in kind.options.values()
        if other.required and other is not option
    }
    written[option.name] = value
    own = written.pop(kind.principal, "")
    lines = [f"- {kind.name}: {own}", *(f"  {name}: {text}" for name, text in written.items())]
    wanted = f"- {kind.name}:" if option.name == kind.principal else f"  {option.name}:"
    line = next(number for number, text in enumerate(lines, 3) if text.startswith(wanted))
    return f"{EIGHT}layers:\n" + "\n".join(lines) + "\n", line


@pytest.mark.parametrize(
    ("value", "taken_by"),
    [
        pytest.param("0", TAKE_ZERO, id="zero"),
        pytest.param("-1", TAKE_NEGATIVE, id="negative"),
        pytest.param("2.5", TAKE_FRACTIONS, id="fractional"),
        pytest.param("true", (), id="boolean"),
        pytest.param('"1e40"', (), id="ten to the fortieth"),
        pytest.param("99999999999999999999", (), id="twenty digits"),
        pytest.param("text", (), id="text"),
        pytest.param("[]", (), id="an empty list"),
        pytest.param("[1, 1, 1, 1, 1, 1, 1, 1, 1]", (), id="nine numbers"),
        pytest.param("{a: 1}", (), id="a mapping"),
    ],
)
@pytest.mark.parametrize(("kind", "option"), NUMERIC_OPTIONS)
def test_a_bad_number_is_refused_once_on_the_line_of_its_option(kind, option, value, taken_by):
    text, line = on_lines_of_their_own(kind, option, value)
    found = problems(text)
    if option.type_name not in taken_by:
        assert [problem.place.line for problem in found] == [line]


# Who made the shape


@pytest.mark.parametrize(
    ("layers", "notes"),
    [
        pytest.param(
            "{conv: 8, kernel: 9}", ["1:8 this gives 8×8×8"], id="the input, of the first layer"
        ),
        pytest.param(
            "relu, {max_pool: 9}", ["2:10 this gives 8×8×8"], id="the layer before, a word"
        ),
        pytest.param(
            "{conv: 4, kernel: 1}, {conv: 3, kernel: 1, groups: 3}",
            ["2:11 this gives 8×8×4"],
            id="the layer before, a mapping",
        ),
        pytest.param(
            "{conv: 4, kernel: 1, name: c}, tanh, {conv: 3, kernel: 9, from: c}",
            ["2:11 this gives 8×8×4"],
            id="the layer that from names",
        ),
        pytest.param("{pad: 1}, {crop: 5}", ["2:11 this gives 10×10×8"], id="a pad before a crop"),
        pytest.param(
            "{concat: {a: [{conv: 4, kernel: 3}], b: []}}",
            ["2:25 this gives 6×6×4", "1:8 this gives 8×8×8"],
            id="every branch of a concat",
        ),
        pytest.param(
            "{add: {a: [{conv: 4, kernel: 1}], b: []}}",
            ["2:22 this gives 8×8×4", "1:8 this gives 8×8×8"],
            id="every branch of an add",
        ),
    ],
)
def test_a_problem_of_shapes_points_at_what_made_the_shape(layers, notes):
    (problem,) = problems(f"{EIGHT}layers: [{layers}]")
    found = [f"{note.place.line}:{note.place.column} {note.message}" for note in problem.notes]
    assert found == notes


# Further bombs


def chain(length, last):
    """Blocks that each call the next; the last has this layer."""
    lines = [f"  b{i}: {{layers: [b{i + 1}]}}" for i in range(length)]
    return "\n".join(["blocks:", *lines, f"  b{length}: {{layers: [{last}]}}"]) + "\n"


@pytest.mark.parametrize(
    "last",
    [pytest.param("relu", id="that ends"), pytest.param("b0", id="that closes to a circle")],
)
def test_a_chain_of_100_blocks_is_too_deep(soon, last):
    assert soon(f"{EIGHT}{chain(100, last)}layers: [b0]") == [
        "67:3 CC004 blocks call each other more than 64 deep"
    ]


def test_a_chain_of_50_blocks_is_not_too_deep(soon):
    assert soon(f"{EIGHT}{chain(50, 'relu')}layers: [b0]") == []


def nines(first, line):
    """Anchors nested 9 deep, each of which stands for the one before it nine times."""
    lines = [f"x-0: &n0 {first}"]
    for level in range(1, 10):
        before = ", ".join([f"*n{level - 1}"] * 9)
        lines.append(f"x-{level}: &n{level} {line.format(before=before)}")
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize(
    ("text", "layers"),
    [
        pytest.param(nines("{sequence: [relu]}", "{{sequence: [{before}]}}"), "[*n9]",
            id="as layers of sequences"),
        pytest.param(nines("{side: [relu]}", "{{side: [{before}]}}"), "[*n9]",
            id="as layers of sides"),
        pytest.param(nines("{sequence: [relu]}", "{{sequence: [{before}]}}"),
            "[{concat: {a: [*n9], b: [*n9]}}]", id="in branches"),
    ],
)  # fmt: skip
def test_lists_of_aliases_nested_9_deep_are_refused(soon, text, layers):
    assert soon(f"{text}{EIGHT}layers: {layers}") == [f"12:1 {TOO_MANY}"]


# Through the program


def refusal(*arguments, **options):
    """What standard error says of a run that is refused as it should be."""
    done = run(*arguments, **options)
    said = done.stderr.decode()
    assert (done.returncode, done.stdout) == (2, b"")
    assert said
    assert "Traceback" not in said
    assert "internal error" not in said
    return said


@pytest.mark.parametrize(
    ("data", "said"),
    [
        pytest.param(
            b"\x89PNG\r\n\x1a\n\x00\xff",
            "error[CC001]: `net.yaml` is not UTF-8 text: byte 0x89 at offset 0, line 1\n",
            id="a picture",
        ),
        pytest.param(
            b"input: 3\x00\n",
            "error[CC001]: `net.yaml` is not text: a zero byte at offset 8\n",
            id="a zero byte",
        ),
        pytest.param(
            "input: 3".encode("utf-16"),
            "error: `net.yaml` is UTF-16; save it as UTF-8\n",
            id="UTF-16 with its mark",
        ),
        pytest.param(
            "input: 3".encode("utf-16-le"),
            "error[CC001]: `net.yaml` is not text: a zero byte at offset 1\n",
            id="UTF-16 without its mark",
        ),
        pytest.param(
            b"input: 3\nlayers: [caf\xe9]\n",
            "error[CC001]: `net.yaml` is not UTF-8 text: byte 0xe9 at offset 21, line 2\n",
            id="Latin-1",
        ),
        pytest.param(
            b"", "error[CC005]: net.yaml holds no spec\n --> net.yaml\n", id="an empty file"
        ),
    ],
)
def test_a_file_that_is_no_spec_is_refused(tmp_path, data, said):
    (tmp_path / "net.yaml").write_bytes(data)
    assert refusal("analyze", "net.yaml", cwd=tmp_path).startswith(said)


def test_a_mark_before_utf_8_is_no_problem(tmp_path):
    (tmp_path / "net.yaml").write_bytes(b"\xef\xbb\xbf" + f"{EIGHT}layers: [relu]".encode())
    assert run("analyze", "net.yaml", cwd=tmp_path).returncode == 0


def test_a_folder_is_no_spec(tmp_path):
    (tmp_path / "nets").mkdir()
    assert refusal("analyze", "nets", cwd=tmp_path) == "error: `nets` is a folder, not a spec\n"


def test_a_file_that_is_missing_comes_with_the_one_beside_it(tmp_path):
    (tmp_path / "resnet.yaml").write_text("", encoding="utf-8")
    assert refusal("analyze", "resnt.yaml", cwd=tmp_path) == (
        "error: there is no file `resnt.yaml`; did you mean `resnet.yaml`?\n"
    )


def test_a_file_that_is_missing_where_nothing_is_near_is_just_missing(tmp_path):
    assert refusal("analyze", "zzzzzz.yaml", cwd=tmp_path) == (
        "error: there is no file `zzzzzz.yaml`\n"
    )


def test_an_unknown_shipped_name_comes_with_the_nearest_and_all_of_them():
    first, second = refusal("analyze", "googlenett").splitlines()
    assert first == (
        "error: there is no file and no shipped spec `googlenett`; did you mean `googlenet`?"
    )
    assert second.startswith("shipped specs: alexnet, ")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        pytest.param(["--set", "classes"], "--set takes name=value, not `classes`",
            id="set without a value"),
        pytest.param(["--set", "=3"], "--set takes name=value, not `=3`", id="set of no name"),
        pytest.param(["--set", "classes=many"],
            "--set classes: `many` is neither a number nor true or false", id="set to a word"),
        pytest.param(["--set", "clases=3"],
            "error[CC113]: `GoogLeNet` has no variable `clases` to set", id="set of an unknown"),
        pytest.param(["--size", "0"], "--size is like 256 or 256x320, not `0`", id="size of 0"),
        pytest.param(["--size", "-5"], "--size is like 256 or 256x320, not `-5`",
            id="size below 0"),
        pytest.param(["--size", "big"], "--size is like 256 or 256x320, not `big`",
            id="size of a word"),
        pytest.param(["--size", "2.5"], "--size is like 256 or 256x320, not `2.5`",
            id="size with a fraction"),
        pytest.param(["--size", "8x"], "--size is like 256 or 256x320, not `8x`",
            id="size without its end"),
        pytest.param(["--size", "1x2x3x4"], "--size is like 256 or 256x320, not `1x2x3x4`",
            id="size of four axes"),
        pytest.param(["--size", "9" * 30], f"--size is like 256 or 256x320, not `{'9' * 30}`",
            id="size beyond counting"),
        pytest.param(["--format", "tabel"], "there is no format `tabel`; did you mean `table`?",
            id="format misspelt"),
        pytest.param(["--columns", "layer,parms"],
            "there is no column `parms`; did you mean `params`?", id="column misspelt"),
        pytest.param(["--columns", ","], "--columns names none of layer, kind, ", id="no column"),
        pytest.param(["--sort", "mac"], "cannot sort by `mac`; did you mean `macs`?",
            id="sort misspelt"),
        pytest.param(["--layout", "nhwc"], "--layout is hwc or chw, not `nhwc`",
            id="layout unknown"),
    ],
)  # fmt: skip
def test_an_option_of_the_program_that_cannot_be_is_refused(arguments, said):
    assert said in refusal("analyze", "googlenet", *arguments)


# Each as YAML writes it between double quotes.
HARM = [
    pytest.param(r"\e]52;c;aGFybQ==\a", id="a clipboard write"),
    pytest.param(r"\e[31mred\e[0m", id="a colour"),
    pytest.param(r"\e[2J\e[H", id="a cleared screen"),
    pytest.param(r"\x9b31m\x9d52;c;aGk=\x9c", id="C1 controls"),
    pytest.param(r"a\u202eb\u2066c\u200fd", id="bidi marks"),
    pytest.param(r"a\nerror: b\rc\u2028d\u2029e\x85f", id="newlines"),
    pytest.param(r"a\u200bb\ufeffc\tz\bd", id="what is not seen"),
    pytest.param(r"[red]a[bold]", id="markup"),
]


def raw(text):
    """The characters of an output that a terminal obeys or hides, but the ends of its lines."""
    return {
        character
        for character in text.replace("\n", "")
        if unicodedata.category(character) in ("Cc", "Cf", "Cs", "Co", "Zl", "Zp")
    }


@pytest.mark.parametrize("name", HARM)
@pytest.mark.parametrize("output", ["plain", "table", "csv", "json"])
def test_a_name_never_reaches_a_terminal_as_a_command(name, output):
    text = """
        name: "{0}"
        source: "{0}"
        note: "{0}"
        input: {{channels: 8, size: 8}}
        layers: [{{relu: , name: "{0}", note: "{0}"}}]
        """
    harmless = run("analyze", "-", "--format", output, text=text.format("r"))
    done = run("analyze", "-", "--format", output, text=text.format(name))
    assert (done.returncode, done.stderr) == (0, b"")
    assert raw(done.stdout.decode()) == set()
    # A name begins no line of its own.
    assert done.stdout.count(b"\n") == harmless.stdout.count(b"\n")


@pytest.mark.parametrize("output", ["plain", "table", "csv", "json"])
def test_markup_in_the_name_of_a_network_is_printed_as_it_is(output):
    text = f'name: "[/red] [bold]x"\n{EIGHT}layers: [relu]\n'
    done = run("analyze", "-", "--format", output, text=text)
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"[/red] [bold]x" in done.stdout


@pytest.mark.parametrize(
    "layers",
    [
        pytest.param('["{0}"]', id="as a kind"),
        pytest.param('[{{"{0}": 3, kernel: 1}}]', id="as a kind with options"),
        pytest.param('[{{relu: , "{0}": 3}}]', id="as an option"),
        pytest.param('[{{relu: , from: "{0}"}}]', id="as a reference"),
        pytest.param('[{{conv: "{0}", kernel: 1}}]', id="as a value"),
        pytest.param('[{{relu: , name: "{0}"}}, {{tanh: , name: "{0}"}}]', id="as a name twice"),
    ],
)
@pytest.mark.parametrize("name", [*HARM, pytest.param("[/red]", id="markup that closes")])
def test_a_problem_never_reaches_a_terminal_as_a_command(name, layers):
    text = f"{EIGHT}layers: {layers.format(name)}\n"
    assert raw(refusal("analyze", "-", text=text)) == set()


@pytest.mark.parametrize(
    "argument",
    [
        pytest.param("\x1b]52;c;aGk=\x07", id="a clipboard write"),
        pytest.param("\x9b31m", id="C1 controls"),
        pytest.param("a\u202eb", id="bidi marks"),
        pytest.param("a\r\x08b", id="a line written over"),
        pytest.param("[/red]", id="markup"),
    ],
)
@pytest.mark.parametrize(
    "before",
    [
        pytest.param([], id="as a file"),
        *(
            pytest.param(["googlenet", option], id=f"as {option[2:]}")
            for option in ("--set", "--size", "--format", "--columns", "--sort", "--layout")
        ),
    ],
)
def test_an_argument_never_reaches_a_terminal_as_a_command(before, argument):
    assert raw(refusal("analyze", *before, argument)) == set()


def test_the_name_of_a_file_never_reaches_a_terminal_as_a_command(tmp_path):
    name = "a\x1b[31m\u202e.yaml"
    try:
        (tmp_path / name).write_text("layers: [cnv]\n", encoding="utf-8")
    except OSError:
        pytest.skip("this file system takes no such name")
    assert raw(refusal("analyze", name, cwd=tmp_path)) == set()


def test_the_program_tells_all_problems_of_a_spec_at_once():
    text = f"{EIGHT}layers: [cnv, rleu]\n"
    said = refusal("analyze", "-", text=text).splitlines()
    assert [line for line in said if line.startswith("error")] == [
        f"error[{line.split(' ', 1)[1].replace(' ', ']: ', 1)}" for line in messages(text)
    ]
