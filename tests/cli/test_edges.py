"""Edge cases: shared weights, nesting limits, closed streams, a deleted folder, interrupts."""

import json
import os
import signal
import subprocess
import sys
from pipes import end_with, start, wait_for_pipe

import pytest
from support import ROOT, at_most, cost, messages, nested_folder, run

H = "input: {channels: 64, size: 8}\n"


def params(text):
    return [layer.params for layer in cost(text).layers]


def test_weights_shared_twice_are_those_of_the_first_layer():
    text = (
        H + "layers: [{conv: 64, kernel: 1, name: a}, {conv: 64, kernel: 1, name: b, weights: a},"
    )
    assert params(text + " {conv: 64, kernel: 1, weights: b}]") == [64 * 64, 0, 0]
    assert messages(text + "\n {conv: 10, kernel: 5, weights: b}]") == [
        "3:33 CC306 conv needs weights 10 × 5 × 5 × 64, but `b` has weights 64 × 1 × 1 × 64"
    ]
    assert messages(text + "\n {conv: 64, kernel: 1, bias: true, weights: b}]") == [
        "3:45 CC306 conv needs biases 64, but `b` has biases 0"
    ]
    assert messages(text + "\n {batch_norm: , weights: b}]") == [
        "3:26 CC306 batch_norm needs weights 64, but `b` is a layer of another kind"
    ]


def test_a_norm_used_twice_has_its_buffers_once():
    text = H + "layers: [{batch_norm: , name: a}, {batch_norm: , weights: a}]"
    assert (cost(text).totals.params, cost(text).totals.buffers) == (2 * 64, 2 * 64)


def test_a_group_whose_output_is_its_input_has_the_input_shape():
    text = H + "layers: [{sequence: [{side: [flatten, {linear: 10}]}], name: s}, relu]"
    done = run("analyze", "-", "--depth", "1", "--format", "csv", text=text)
    assert done.stdout.decode().splitlines()[1].split(",")[:4] == [
        "<stdin>",
        "s",
        "sequence",
        "8x8x64",
    ]


def test_a_layer_with_repeat_0_passes_on_its_from_input():
    text = H + (
        "layers: [{conv: 2, kernel: 1, name: c}, {conv: 5, kernel: 1},"
        " {relu: , repeat: 0, from: c, name: z}, {conv: 3, kernel: 1, from: z}]"
    )
    assert params(text)[-1] == 3 * 2


def test_layers_inside_a_group_choose_their_own_inputs():
    text = "inputs: {i: {channels: 2, size: 8}, j: {channels: 3, size: 8}}\nlayers: "
    joined = cost(text + "[{concat: {a: i, b: [{relu: , from: j}]}}]")
    assert joined.layers[-1].output.channels == 2 + 3
    assert cost(text + "[{sequence: [{conv: 2, kernel: 1, from: i}]}]").totals.params == 2 * 2
    assert messages(text + "[{concat: {a: i, b: []}}]") == [
        "2:26 CC108 branch `b` has no layers, and there is no incoming tensor"
    ]


def test_an_option_of_a_layer_replaces_the_default_of_its_alternative():
    text = H + "defaults: {upsample: {scale: 2}}\nlayers: [{upsample: , size: 5}, upsample]"
    assert [layer.output.size for layer in cost(text).layers] == [(5, 5), (10, 10)]


def nested(levels: int, inner: str) -> str:
    return "{sequence: [" * levels + inner + "]}" * levels


def test_layers_nest_at_most_64_deep_also_through_aliases_and_blocks():
    anchors = "\n".join(
        f"x-{i}: &a{i} {nested(28, f'*a{i - 1}' if i else 'relu')}" for i in range(40)
    )
    assert messages(f"{H}{anchors}\nlayers: [*a1]") == []
    (aliased,) = messages(f"{H}{anchors}\nlayers: [*a39]")
    assert aliased.endswith("CC004 layers are nested more than 64 deep")
    blocks = "\n".join(
        f"  b{i}: {{layers: [{nested(24, f'b{i - 1}' if i else 'relu')}]}}" for i in range(30)
    )
    assert messages(f"{H}blocks:\n{blocks}\nlayers: [b1]") == []
    (called,) = messages(f"{H}blocks:\n{blocks}\nlayers: [b29]")
    assert called.endswith("CC110 layers are nested more than 64 deep")


def test_paths_that_would_fill_the_memory_are_refused_in_time():
    name = "x" * 50_000
    text = f"{H}layers: [{{sequence: [{{relu: , repeat: 200000}}], name: {name}}}]"
    with at_most(lines=250_000):
        (message,) = messages(text)
    assert message.endswith("the paths of the layers have more than 5,000,000 characters")


def test_a_character_of_a_path_that_is_not_visible_counts_as_its_escape():
    def text(sign, copies):
        return f'{H}layers: [{{relu: , repeat: {copies}, name: "{sign * 95}"}}]'

    escape = r"\u202e"  # 6 characters for 1
    assert (messages(text("x", 20_000)), messages(text(escape, 8_000))) == ([], [])
    (message,) = messages(text(escape, 9_000))
    assert message.endswith("the paths of the layers have more than 5,000,000 characters")


@pytest.mark.parametrize(
    "layers",
    [
        pytest.param(
            "{transposed_conv: 8, kernel: 5, stride: 4093, dilation: 4092}"
            + ", {conv: 8, kernel: 4000, padding: same}" * 3,
            id="a stride of thousands",
        ),
        pytest.param(
            "{adaptive_avg_pool: 4095}" + ", {conv: 4, kernel: 3, padding: 1}" * 200,
            id="a pool with as many windows",
        ),
        pytest.param(
            "{transposed_conv: 1, kernel: 1000000000, stride: 2}", id="a kernel of a billion"
        ),
    ],
)
def test_a_receptive_field_needs_few_steps(layers):
    with at_most(lines=100_000):
        cost(f"input: {{channels: 8, size: [4096]}}\nlayers: [{layers}]")


def test_a_path_below_a_file_is_not_a_spec(tmp_path):
    (tmp_path / "net.yaml").write_text(H)
    done = run("analyze", "net.yaml/x.yaml", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (2, b"error: there is no file `net.yaml/x.yaml`\n")


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        *((name, f"`{name}` is not the name of a spec") for name in ("", "#", "#x")),
        ("net.yaml#", "there is no network name after `#` in `net.yaml#`"),
    ],
)
def test_an_argument_without_a_name_is_refused(argument, message):
    done = run("analyze", argument)
    assert (done.returncode, done.stderr.decode()) == (2, f"error: {message}\n")


def shell(command: str, folder) -> subprocess.CompletedProcess:
    return subprocess.run(
        ["bash", "-c", command.replace("convcost", f"{sys.executable} -m convcost")],
        cwd=folder, capture_output=True, check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize(
    ("command", "code"),
    [
        ("convcost analyze net.yaml >&-", 2),
        ("convcost analyze net.yaml -o out.csv >&-", 0),
        ("convcost analyze net.yaml 2>&-", 0),
        ("convcost analyze nosuch 2>&-", 2),
        ("convcost analyze - <&-", 2),
        ("convcost analyze net.yaml --format csv -o /dev/stdout | cat", 0),
        ("convcost analyze net.yaml#net --format csv -o net.yaml", 2),
        ("convcost analyze - --format csv -o net.yaml < net.yaml", 2),
    ],
)
def test_closed_streams_and_outputs_over_inputs_have_an_exit_code(command, code, tmp_path):
    spec = f"name: net\n{H}layers: [relu]\n"
    (tmp_path / "net.yaml").write_text(spec)
    done = shell(f"set -o pipefail; {command}", tmp_path)
    assert done.returncode == code, done.stderr
    assert b"Traceback" not in done.stderr
    assert (tmp_path / "net.yaml").read_text() == spec
    if "/dev/stdout" in command:
        assert done.stdout.startswith(b"network,path")


FULL = "error: cannot write to standard output: No space left on device\n"
CLOSED = "error: cannot write to standard output: it is closed\n"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("command", "code", "printed"),
    [
        ("convcost check over.yaml | true", 1, ""),
        ("convcost check fine.yaml | true", 0, ""),
        ("convcost check over.yaml -o json:/dev/stdout | true", 1, "wrote /dev/stdout\n"),
        ("convcost check broken.yaml 2>&1 | true", 2, ""),
        ("convcost verify off.yaml | true", 1, ""),
        ("convcost analyze uncounted.yaml --strict | true", 1, ""),
        ("convcost --help | true", 0, ""),
        ("convcost check fine.yaml -o out.json 2>/dev/full", 0, ""),
        ("convcost check over.yaml -o out.json 2>/dev/full", 1, ""),
        ("convcost check broken.yaml 2>/dev/full", 2, ""),
        ("convcost check over.yaml -o out.json 2>&-", 1, ""),
        ("convcost check over.yaml >/dev/full", 2, FULL),
        ("convcost check over.yaml >/dev/full 2>&1", 2, ""),
        ("convcost check over.yaml >&-", 2, CLOSED),
        ("convcost check over.yaml >&- 2>&-", 2, ""),
        ("convcost --help >/dev/full", 2, FULL),
        ("convcost check --help >&-", 2, CLOSED),
        ("convcost --version >/dev/full", 2, FULL),
        ("convcost --show-completion bash >/dev/full", 2, FULL),
        (
            "convcost check over.yaml -o out.json -o json:/dev/full",
            2,
            "wrote out.json\nerror: cannot write `/dev/full`: No space left on device\n",
        ),
    ],
)
def test_the_exit_code_survives_a_closed_pipe_and_an_incomplete_report_is_an_error(
    command, code, printed, tmp_path
):
    head = "input: {channels: 3, size: 8}\nlayers: "
    net = f"{head}[{{conv: 8, kernel: 3, bias: false}}]\n"
    for name, text in {
        "over": f"{net}budget: {{params: 1}}\n",
        "fine": f"{net}budget: {{params: {3 * 3 * 3 * 8}}}\n",
        "off": f"{net}published: [{{params: 1, source: here}}]\n",
        "uncounted": f"{head}[{{custom: fft, params: 0, macs: uncounted}}]\n",
        "broken": "layers: [",
    }.items():
        (tmp_path / f"{name}.yaml").write_text(text)
    done = shell(f"{command}; exit ${{PIPESTATUS[0]}}", tmp_path)
    assert (done.returncode, done.stderr.decode()) == (code, printed)


GONE = "error: the current folder does not exist any more; change to one that does\n"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("command", "code", "printed"),
    [
        ("convcost analyze vgg16", 0, ""),
        ("convcost analyze vgg16 -o out.json", 2, GONE),
        ("convcost check vgg16 --base git:HEAD --max-params 1", 1, ""),
        ("convcost check vgg16 --base base.json --update-baseline", 2, GONE),
        ("convcost reduce vgg16 --channels 1/4 --write out.yaml", 2, GONE),
        (
            "convcost schema spec -o out.json",
            2,
            "error: cannot write `out.json`: No such file or directory\n",
        ),
    ],
)
def test_a_deleted_current_folder_is_not_an_internal_error(command, code, printed, tmp_path):
    (tmp_path / "gone").mkdir()
    done = shell(f"cd gone; rmdir ../gone; {command}", tmp_path)
    assert (done.returncode, done.stderr.decode()) == (code, printed)


def test_an_error_of_the_file_system_is_not_an_internal_error(tmp_path):
    done = shell("touch none; HOME=$PWD/none convcost --install-completion bash", tmp_path)
    printed = f"error: `{tmp_path}/none`: File exists\n"
    assert (done.returncode, done.stderr.decode()) == (2, printed)


@pytest.mark.parametrize("variables", ["", "COMP_CWORD=1", "COMP_WORDS=x COMP_CWORD=x"])
def test_completion_without_the_variables_of_bash_is_not_an_internal_error(variables, tmp_path):
    done = shell(f"{variables} _CONVCOST_COMPLETE=complete_bash convcost", tmp_path)
    printed = "error: a completion for bash needs COMP_WORDS, and a number in COMP_CWORD\n"
    assert (done.returncode, done.stderr.decode()) == (2, printed)


@pytest.mark.parametrize(
    ("request_", "printed"),
    [
        ("x", "Invalid completion instruction.\n"),
        ("complete_x", "Shell x not supported.\n"),
    ],
)
def test_an_invalid_request_for_completion_is_no_failed_check(request_, printed, tmp_path):
    done = shell(f"_CONVCOST_COMPLETE={request_} convcost check vgg16", tmp_path)
    assert (done.returncode, done.stderr.decode()) == (2, printed)


def test_an_empty_request_for_completion_keeps_the_verdict(tmp_path):
    done = shell("_CONVCOST_COMPLETE= convcost check vgg16 --max-params 1", tmp_path)
    assert (done.returncode, done.stderr.decode()) == (1, "")


FULL_PIPE = 1 << 15


def piped(write: int) -> subprocess.Popen:
    """A page that is larger than a pipe holds, written into one."""
    process = start("analyze", "resnet50", "--format", "html", stdout=write)
    wait_for_pipe(write, lambda unread: unread >= FULL_PIPE)
    os.close(write)
    return process


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
def test_a_signal_ends_a_run_with_a_blocked_reader(number, code):
    read, write = os.pipe()
    process = piped(write)
    printed = end_with(process, number)
    os.close(read)
    assert (process.returncode, printed) == (code, b"")


def test_a_non_blocking_pipe_gets_the_whole_report():
    read, write = os.pipe()
    os.set_blocking(write, False)
    process = piped(write)
    with os.fdopen(read, "rb") as reader:
        page = reader.read()
    _, printed = process.communicate(timeout=60)
    assert (process.returncode, printed) == (0, b"")
    assert page.endswith(b"</html>\n")


def test_specs_in_folders_deeper_than_pythons_recursion_are_found(tmp_path):
    (tmp_path / "specs").mkdir()
    (tmp_path / "convcost.yaml").write_text("budgets: [{specs: b.yaml, params: 1}]", "utf-8")
    command = ("check", "specs", "--max-params", "0", "--format", "json")
    with nested_folder(tmp_path / "specs", 1_500):
        ran = run(*command, cwd=tmp_path)
    assert ran.returncode == 0, ran.stderr.decode()
    (network,) = json.loads(ran.stdout)["networks"]
    assert network["spec"] == "specs/" + "a/" * 1_500 + "net.yaml"


@pytest.mark.skipif(os.name == "nt" or os.getuid() == 0, reason="root reads every folder")
def test_an_unreadable_folder_of_specs_is_an_error(tmp_path):
    (tmp_path / "specs/secret").mkdir(parents=True, mode=0)
    ran = run("check", "specs", "--max-params", "0", cwd=tmp_path)
    assert ran.returncode == 2
    assert ran.stderr.decode() == "error: cannot read `specs/secret`: Permission denied\n"
