"""Diagrams for Markdown: every box, every edge, and no name that is more than a name."""

import pytest
from support import run

TEXT = """\
input: {channels: 4, size: 8}
layers:
  - {conv: 4, kernel: 1, name: a}
  - relu
  - {add: [relu_1, input], name: sum}
"""
DIAGRAM = """\
flowchart TB
  n0(["input<br/>8×8×4"])
  n1["a<br/>conv 1×1<br/>8×8×4<br/>1,024 macs<br/>16 params"]
  n2["sum<br/>add<br/>8×8×4"]
  n0 --> n1
  n1 --> n2
  n0 --> n2
"""


def test_a_network_is_a_flowchart_of_boxes_and_edges():
    done = run("analyze", "-", "--format", "mermaid", text=TEXT)
    assert (done.returncode, done.stdout.decode()) == (0, DIAGRAM)


def test_macs_that_are_not_known_are_a_question_mark():
    layers = "[{conv: 4, kernel: 1}, {custom: magic, params: 5, macs: uncounted}]"
    repeated = f"{{sequence: {layers}, repeat: 40}}"
    for text, macs in ((layers, "? macs<br/>5 params"), (f"[{repeated}]", "+ ? macs<br/>")):
        spec = f"input: {{channels: 4, size: 8}}\nlayers: {text}\n"
        assert macs in run("analyze", "-", "--format", "mermaid", text=spec).stdout.decode()


def test_a_code_block_can_be_pasted_into_markdown():
    done = run("analyze", "-", "--format", "mermaid", "--fence", text=TEXT)
    assert done.stdout.decode() == f"```mermaid\n{DIAGRAM}```\n"


def test_the_suffix_of_a_file_asks_for_it(tmp_path):
    (tmp_path / "net.yaml").write_text(TEXT, "utf-8")
    assert run("analyze", "net.yaml", "-o", "net.mmd", cwd=tmp_path).returncode == 0
    assert (tmp_path / "net.mmd").read_text("utf-8") == DIAGRAM


def test_two_networks_need_two_code_blocks():
    done = run("analyze", "inception_3a", "--format", "mermaid")
    message = "a file of Mermaid has one diagram, not 2; choose one network, or write code blocks"
    assert (done.returncode, done.stderr.decode()) == (2, f"error: {message} with --fence\n")
    done = run("analyze", "inception_3a", "--format", "mermaid", "--fence")
    assert done.stdout.decode().count("```mermaid\n") == 2


def test_a_report_without_a_graph_is_refused():
    done = run("explain", "googlenet", "conv1", "--format", "mermaid")
    assert (done.returncode, done.stderr.decode()) == (
        2,
        "error: the format `mermaid` writes a graph, and this report has none\n",
    )


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ('say "hi"', "say #34;hi#34;"),
        ("<img src=x>", "#60;img src=x#62;"),
        ("#35; & `code` **bold**", "#35;35; #38; #96;code#96; #42;#42;bold#42;#42;"),
        ("$$x^2$$ fa:fa-car", "#36;#36;x^2#36;#36; fa#58;fa-car"),
        ("a\\nb", "a#92;nb"),
    ],
)
def test_a_name_is_printed_unchanged(name, shown):
    text = f"input: {{channels: 3, size: 8}}\nlayers: [{{conv: 4, kernel: 3, name: '{name}'}}]\n"
    done = run("analyze", "-", "--format", "mermaid", text=text)
    assert f'n1["{shown}<br/>conv 3×3<br/>' in done.stdout.decode()
