"""Files and options that the program refuses, and texts that would control a terminal."""

import unicodedata

import pytest
from spec_texts import EIGHT
from support import messages, run


def refusal(*arguments, **options):
    """What standard error says of a run that is refused as it should be."""
    done = run(*arguments, **options)
    message = done.stderr.decode()
    assert (done.returncode, done.stdout) == (2, b"")
    assert message
    assert "Traceback" not in message
    assert "internal error" not in message
    return message


@pytest.mark.parametrize(
    ("data", "message"),
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
            b"", "error[CC005]: net.yaml contains no spec\n --> net.yaml\n", id="an empty file"
        ),
    ],
)
def test_a_file_that_is_not_a_spec_is_refused(tmp_path, data, message):
    (tmp_path / "net.yaml").write_bytes(data)
    assert refusal("analyze", "net.yaml", cwd=tmp_path).startswith(message)


def test_a_byte_order_mark_is_ignored(tmp_path):
    (tmp_path / "net.yaml").write_bytes(b"\xef\xbb\xbf" + f"{EIGHT}layers: [relu]".encode())
    assert run("analyze", "net.yaml", cwd=tmp_path).returncode == 0


def test_a_folder_is_refused(tmp_path):
    (tmp_path / "nets").mkdir()
    assert refusal("analyze", "nets", cwd=tmp_path) == "error: `nets` is a folder, not a spec\n"


def test_the_message_for_a_missing_file_names_the_nearest_file(tmp_path):
    (tmp_path / "resnet.yaml").write_text("", encoding="utf-8")
    assert refusal("analyze", "resnt.yaml", cwd=tmp_path) == (
        "error: there is no file `resnt.yaml`; did you mean `resnet.yaml`?\n"
    )


def test_a_missing_file_without_a_near_name_is_reported(tmp_path):
    assert refusal("analyze", "zzzzzz.yaml", cwd=tmp_path) == (
        "error: there is no file `zzzzzz.yaml`\n"
    )


def test_the_message_for_a_misspelt_shipped_spec_has_the_nearest_name():
    assert refusal("analyze", "googlenett") == (
        "error: there is no file and no shipped spec `googlenett`; did you mean `googlenet`?\n"
        "help: `convcost specs` lists all\n"
    )


def test_the_message_for_an_unknown_shipped_spec_lists_all():
    first, second = refusal("analyze", "nonet").splitlines()
    assert first == "error: there is no file and no shipped spec `nonet`"
    assert second.startswith("shipped specs: alexnet, ")


def test_several_unknown_specs_have_one_list_of_the_shipped_ones():
    for command in ("compare", "analyze", "verify", "memory"):
        first, names, second = refusal(command, "nonet", "nonet2", "nonet").splitlines()
        assert first == "error: there is no file and no shipped spec `nonet`"
        assert names.startswith("shipped specs: alexnet, ")
        assert second == "error: there is no file and no shipped spec `nonet2`"


def test_a_spec_that_is_given_twice_has_its_problems_once(tmp_path):
    (tmp_path / "bad.yaml").write_text("name: bad\n", encoding="utf-8")
    text = refusal("compare", "bad.yaml", "bad.yaml", cwd=tmp_path)
    assert text.count("2 problems in bad.yaml") == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param(["--set", "classes"], "--set needs name=value, not `classes`",
            id="set without a value"),
        pytest.param(["--set", "=3"], "--set needs name=value, not `=3`", id="set of no name"),
        pytest.param(["--set", "classes=many"],
            "--set classes: `many` is neither a number nor true or false", id="set to a word"),
        pytest.param(["--set", "clases=3"],
            "error[CC113]: `GoogLeNet` has no variable `clases` to set", id="set of an unknown"),
        pytest.param(["--size", "0"], "--size must be like 256 or 256x320, not `0`",
            id="size of 0"),
        pytest.param(["--size", "-5"], "--size must be like 256 or 256x320, not `-5`",
            id="size below 0"),
        pytest.param(["--size", "big"], "--size must be like 256 or 256x320, not `big`",
            id="size of a word"),
        pytest.param(["--size", "2.5"], "--size must be like 256 or 256x320, not `2.5`",
            id="size with a fraction"),
        pytest.param(["--size", "8x"], "--size must be like 256 or 256x320, not `8x`",
            id="size without its end"),
        pytest.param(["--size", "1x2x3x4"], "--size must be like 256 or 256x320, not `1x2x3x4`",
            id="size of four axes"),
        pytest.param(["--size", "9" * 30], f"--size must be like 256 or 256x320, not `{'9' * 30}`",
            id="size beyond counting"),
        pytest.param(["--format", "tabel"], "there is no format `tabel`; did you mean `table`?",
            id="format misspelt"),
        pytest.param(["--format", "md"], "there is no format `md`; did you mean `markdown`?",
            id="suffix of a format"),
        pytest.param(["--columns", "layer,parms"],
            "there is no column `parms`; did you mean `params`?", id="column misspelt"),
        pytest.param(["--columns", ","], "--columns needs one of layer, kind, ", id="no column"),
        pytest.param(["--sort", "mac"], "cannot sort by `mac`; did you mean `macs`?",
            id="sort misspelt"),
        pytest.param(["--layout", "nhwc"], "'nhwc' is not one of 'hwc', 'chw'",
            id="layout unknown"),
    ],
)  # fmt: skip
def test_a_wrong_option_of_the_program_is_refused(arguments, message):
    assert message in refusal("analyze", "googlenet", *arguments)


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


def test_the_program_prints_all_problems_of_a_spec():
    text = f"{EIGHT}layers: [cnv, rleu]\n"
    message = refusal("analyze", "-", text=text).splitlines()
    assert [line for line in message if line.startswith("error")] == [
        f"error[{line.split(' ', 1)[1].replace(' ', ']: ', 1)}" for line in messages(text)
    ]


def test_a_layer_without_known_macs_is_named_in_every_report():
    spec = """
name: Net
input: {channels: 3, size: 32}
layers:
  - {conv: 8, kernel: 3}
  - {custom: magic, params: 18, macs: uncounted, name: magic}
"""

    def message(*arguments):
        return run(*arguments, text=spec).stdout.decode()

    assert run("analyze", "-", "--strict", text=spec).returncode == 1
    assert run("analyze", "-", "--strict", "--size", "16,32", text=spec).returncode == 1
    assert run("analyze", "vgg16", "--strict").returncode == 0
    assert run("analyze", "vgg16", "-", "--strict", text=spec).returncode == 1
    assert run("analyze", "vgg16", "-", "--strict", "--depth", "0", text=spec).returncode == 1
    some = f"{spec.rstrip()[:-1]}, when: deep}}\nvars: {{deep: true}}\n"
    for values, code in (("true", 1), ("false", 0), ("false,true", 1)):
        sweep = ("--set", f"deep={values}")
        assert run("analyze", "-", "--strict", *sweep, text=some).returncode == code
    reported = "uncounted: the macs of 1 layer of Net are unknown and not in the total: magic"
    assert reported in message("analyze", "-")
    assert reported in message("compare", "-", "vgg16")
    assert reported in message("analyze", "-", "--size", "16,32")
    assert "custom (uncounted)  30×30×8      18        ?" in message("analyze", "-")
    assert "uncounted: the macs are unknown" in message("explain", "-", "magic")
    assert f"<stdin>: {reported}" in message("check", "-", "--max-macs", "1M")
