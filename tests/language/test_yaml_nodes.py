"""YAML: what PyYAML refuses, anchors and merges."""

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from spec_texts import EIGHT, inputs_by_path
from support import cost, messages

from convcost.language.yaml_nodes import parse_documents


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("", ["CC005 net.yaml contains no spec"], id="empty"),
        pytest.param("# nothing\n", ["CC005 net.yaml contains no spec"], id="a comment"),
        pytest.param(
            "- relu\n",
            ["1:1 CC005 a spec must be a mapping with `input` and `layers`"],
            id="a list at the top",
        ),
        pytest.param(
            "relu",
            ["1:1 CC005 a spec must be a mapping with `input` and `layers`"],
            id="a word at the top",
        ),
        pytest.param(
            "{}",
            ["1:1 CC103 a spec needs `input`", "1:1 CC103 a spec needs `layers`"],
            id="an empty mapping",
        ),
        pytest.param(
            EIGHT + "layers: [relu, {conv: 3",
            ["2:24 CC002 not YAML: expected `,` or `}`"],
            id="cut off inside braces",
        ),
        pytest.param(
            EIGHT + 'layers: ["relu',
            ["2:15 CC002 not YAML: found unexpected end of stream"],
            id="cut off inside quotes",
        ),
        pytest.param(
            "input:\n\tchannels: 3\n",
            ["2:1 CC002 not YAML: a tab cannot indent"],
            id="a tab",
        ),
        pytest.param(
            EIGHT + "layers: [re\x07lu]",
            ["2:12 CC002 the character U+0007 is not allowed in YAML"],
            id="a control character",
        ),
        pytest.param(
            "? [a]\n: 1\n",
            ["1:3 CC002 a key must be a word, not a list or mapping"],
            id="a list as a key",
        ),
        pytest.param(
            EIGHT + "layers: [!layer relu]",
            ["2:10 CC004 the tag `!layer` has no meaning here"],
            id="a tag",
        ),
        pytest.param(
            "!!python/object/apply:os.system [ls]",
            [
                "1:1 CC004 the tag `!!python/object/apply:os.system` has no meaning here",
                "1:1 CC005 a spec must be a mapping with `input` and `layers`",
            ],
            id="a tag that means harm elsewhere",
        ),
        pytest.param(
            EIGHT + "layers: [relu]\nlayers: [tanh]",
            ["3:1 CC003 `layers` is written twice"],
            id="a section twice",
        ),
        pytest.param(
            EIGHT + "layers: [{conv: 3, kernel: 1, 'kernel': 3, kernel: 5}]",
            ["2:31 CC003 `kernel` is written twice", "2:44 CC003 `kernel` is written twice"],
            id="an option three times",
        ),
        pytest.param(
            EIGHT + "layers: [{conv: 4, <<: 3, kernel: 1}]",
            ["2:20 CC004 `<<` needs a mapping, or a list of them"],
            id="a merge of a number",
        ),
        pytest.param(
            EIGHT + "layers: [*conv]",
            ["2:10 CC004 the alias `*conv` has no anchor before it"],
            id="an alias of nothing",
        ),
        pytest.param(
            EIGHT + "layers: &all [relu, *all]",
            ["2:21 CC004 the alias `*all` is inside its own anchor"],
            id="an alias in its own list",
        ),
        pytest.param(
            EIGHT + "layers: [&s {sequence: [*s]}]",
            ["2:25 CC004 the alias `*s` is inside its own anchor"],
            id="an alias in its own mapping",
        ),
    ],
)
def test_a_text_that_is_not_a_spec_is_refused(text, expected):
    assert messages(text) == expected


def test_an_alias_is_a_copy_of_its_anchor():
    text = """
        input: {channels: 8, size: 8}
        vars: {w: &width 12}
        layers: [&conv {conv: *width, kernel: 1}, *conv, relu]
        """
    assert [layer.params for layer in cost(text).layers] == [12 * 8, 12 * 12, 0]


def test_a_merge_adds_only_missing_keys():
    text = """
        x-base: &base {kernel: 3, padding: 1, stride: 2}
        input: {channels: 8, size: 8}
        layers:
          - {conv: 4, <<: *base}
          - {<<: *base, conv: 4, stride: 1}
          - {conv: 4, stride: 1, <<: [{padding: 0}, *base]}
        """
    assert [layer.output.size for layer in cost(text).layers] == [(4, 4), (4, 4), (2, 2)]


@pytest.mark.parametrize("word", ["on", "no", "1:30", "010", "2026-01-01", "1e3"])
def test_a_name_is_the_text_as_written(word):
    text = f"name: {word}\n{EIGHT}layers: [{{relu: , name: {word}}}, tanh, {{elu: , from: {word}}}]"
    assert cost(text).network.name == word
    assert inputs_by_path(text)["elu_1"] == [word]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("x-a: [1]\n" + EIGHT + "layers: [relu]", id="in a spec"),
        pytest.param(EIGHT + "layers: [{relu: , x-a: {b: c}}]", id="in a layer"),
        pytest.param(EIGHT + "layers: [{sequence: [relu], x-a: 1}]", id="in a sequence"),
        pytest.param(EIGHT + "blocks: {b: {x-a: 1, layers: [relu]}}\nlayers: [b]", id="in a block"),
        pytest.param(
            EIGHT + "blocks: {b: {layers: [relu]}}\nlayers: [{b: , x-a: 1}]", id="in a call"
        ),
        pytest.param("input: {channels: 8, size: 8, x-a: 1}\nlayers: [relu]", id="in an input"),
        pytest.param(EIGHT + "defaults: {x-a: 1}\nlayers: [relu]", id="in defaults"),
        pytest.param(
            EIGHT + "defaults: {relu: {x-a: 1}}\nlayers: [relu]", id="in the defaults of a kind"
        ),
        pytest.param(EIGHT + "vars: {x-a: [1]}\nlayers: [relu]", id="in vars"),
        pytest.param(EIGHT + "blocks: {x-a: 1}\nlayers: [relu]", id="in blocks"),
        pytest.param(
            EIGHT + "layers: [relu]\nbudget: {x-a: 1, params: {max: 1, x-b: 1}}", id="in a budget"
        ),
        pytest.param(
            EIGHT + "layers: [relu]\npublished: [{x-a: 1, macs: 0, source: s}]",
            id="in a published figure",
        ),
    ],
)
def test_keys_that_begin_with_x_are_the_authors_own(text):
    assert messages(text) == []
    assert cost(text).layers[-1].kind == "relu"


BROKEN = [
    pytest.param("[1", "1:3 CC002 not YAML: expected `,` or `]`", id="a list without its end"),
    pytest.param("{a: 1", "1:6 CC002 not YAML: expected `,` or `}`",
        id="a mapping without its end"),
    pytest.param("a: [1, 2}\n", "1:9 CC002 not YAML: expected `,` or `]`", id="the wrong bracket"),
    pytest.param("a: [1,, 2]\n", "1:7 CC002 not YAML: expected node content", id="two commas"),
    pytest.param("a: {b:, c: 1}\n", "1:6 CC002 not YAML: found unexpected `:`",
        id="a colon before a comma"),
    pytest.param("a:\n\tb: 1\n", "2:1 CC002 not YAML: a tab cannot indent",
        id="a tab"),
    pytest.param("a:\n  b: 1\n\tc: 1\n", "3:1 CC002 not YAML: a tab cannot indent",
        id="a tab after spaces"),
    pytest.param("a: @b\n", "1:4 CC002 not YAML: found character that cannot",
        id="an at sign"),
    pytest.param("a: `b`\n", "1:4 CC002 not YAML: found character that cannot",
        id="a backtick"),
    pytest.param("a: b: c\n", "1:5 CC002 not YAML: mapping values are not allowed",
        id="two colons"),
    pytest.param("a: - b\n", "1:4 CC002 not YAML: block sequence entries are not",
        id="a dash"),
    pytest.param("a: ? b\n", "1:4 CC002 not YAML: mapping keys are not allowed in this context",
        id="a question mark"),
    pytest.param("a:\n  b: 1\n c: 2\n", "3:2 CC002 not YAML: expected key", id="an odd column"),
    pytest.param("a: 1\n- b\n", "2:1 CC002 not YAML: expected key", id="an item after a key"),
    pytest.param("- a\nb: 1\n", "2:1 CC002 not YAML: expected `-` indicator",
        id="a key after an item"),
    pytest.param("- a: 1\n b: 2\n", "2:2 CC002 not YAML: expected `-` indicator",
        id="a key too far left"),
    pytest.param("a: 1\nb\nc: 1\n", "2:1 CC002 not YAML: could not find expected `:`",
        id="a key without a colon"),
    pytest.param("a: 'b", "1:6 CC002 not YAML: found unexpected end of stream", id="an open quote"),
    pytest.param('a: "b\n---\nc"\n', "2:1 CC002 not YAML: found unexpected document indicator",
        id="a document inside quotes"),
    pytest.param('a: "\\q"\n', "1:5 CC002 not YAML: found unknown escape character",
        id="an unknown escape"),
    pytest.param('a: "\\x4"\n', "1:7 CC002 not YAML: expected hex",
        id="a short escape"),
    pytest.param('a: "é\\ud800"\n', "1:8 CC002 not YAML: found invalid Unicode",
        id="half a character"),
    pytest.param('a: "\\U00110000"\n', "1:7 CC002 not YAML: found invalid Unicode",
        id="a character beyond Unicode"),
    pytest.param("a: &\n", "1:5 CC002 not YAML: expected alphabetic or numeric character",
        id="an anchor without a name"),
    pytest.param("a: !e!b c\n", "1:4 CC002 not YAML: found undefined tag handle",
        id="a tag handle"),
    pytest.param("a: |b\n c\n", "1:5 CC002 not YAML: expected comment or line break",
        id="a block scalar with a word"),
    pytest.param("%YAML 2.0\n---\na: 1\n", "1:1 CC002 not YAML: found incompatible YAML document",
        id="another version of YAML"),
    pytest.param("%A b\n---\na: 1\n", "1:3 CC002 not YAML: found unknown directive name",
        id="an unknown directive"),
    pytest.param("{a: 1} b\n", "1:8 CC002 not YAML: expected <document start>",
        id="a word after the document"),
    pytest.param("a: 1 \x07\n", "1:6 CC002 the character U+0007 is not allowed in YAML",
        id="a control character"),
    pytest.param("a: \ud800\n", "1:4 CC002 the character U+D800 is not allowed in YAML",
        id="a surrogate"),
    pytest.param("a: *b c\n", "1:4 CC004 the alias `*b` has no anchor before it",
        id="an alias and a word"),
    pytest.param("a: 1\na: 2\n", "2:1 CC003 `a` is written twice", id="a key twice"),
    pytest.param("[" * 3000, "1:65 CC004 more than 64 levels of nesting", id="3,000 brackets"),
    pytest.param("- " * 3000, "1:129 CC004 more than 64 levels of nesting", id="3,000 dashes"),
    pytest.param("{a: }", "1:5 null", id="nothing in a mapping"),
    pytest.param("a:\t1 # b\n", "1:4 1", id="a tab between key and value"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), BROKEN)
def test_a_text_that_is_not_yaml_is_refused_at_its_place(text, expected):
    documents, found = parse_documents(text)
    lines = [f"{p.span.line}:{p.span.column} {p.code} {p.message}" for p in found]
    if not found:
        (value,) = [value for _, value in documents[0].entries.values()]
        lines = [f"{value.span.line}:{value.span.column} {value.text or 'null'}"]
    assert len(lines) == 1
    assert lines[0].startswith(expected)  # the end differs between versions of libyaml


PYTHON_ALSO_TAKES = ("a: {b:, c: 1}\n", "%A b\n---\na: 1\n")


@pytest.mark.parametrize(("text", "expected"), BROKEN)
def test_without_libyaml_a_problem_has_the_same_code(monkeypatch, text, expected):
    monkeypatch.delattr(yaml, "CSafeLoader", raising=False)
    codes = [problem.code for problem in parse_documents(text)[1]]
    if text not in PYTHON_ALSO_TAKES and " CC" in expected:
        assert codes == [expected.split()[1]]


@pytest.mark.parametrize("loader", ["CSafeLoader", "SafeLoader"])
def test_a_list_without_its_end_has_a_note_at_its_beginning(monkeypatch, loader):
    if loader == "SafeLoader":
        monkeypatch.delattr(yaml, "CSafeLoader", raising=False)
    (problem,) = parse_documents("a: [1,\n2\n")[1]
    assert [(note.message, note.span[:2]) for note in problem.notes] == [("it begins here", (1, 4))]
    assert problem.help == "a `{` or `[` is not closed, or a comma is missing"


@pytest.mark.parametrize("loader", ["CSafeLoader", "SafeLoader"])
@pytest.mark.parametrize("escape", [r"\q", r"\u12", r"\ud83d\ude00", r"\U00110000"])
def test_an_escape_that_yaml_does_not_have_has_a_help_about_escapes(monkeypatch, loader, escape):
    if loader == "SafeLoader":
        monkeypatch.delattr(yaml, "CSafeLoader", raising=False)
    (problem,) = parse_documents(f'a: "{escape}"\n')[1]
    assert problem.help == (
        "write the character itself, or an escape of YAML, such as `\\x41`, `\\u00e9` or "
        "`\\U0001f600`; write `\\\\` for a backslash, or use single quotes"
    )


def test_an_unknown_syntax_error_of_pyyaml_is_a_problem(monkeypatch):
    mark = yaml.Mark("", 3, 0, 3, None, 0)

    def refuse(self):
        raise yaml.scanner.ScannerError(None, None, "found 'moon' in the text", mark)

    monkeypatch.setattr(yaml.SafeLoader, "get_event", refuse)
    monkeypatch.delattr(yaml, "CSafeLoader", raising=False)
    (problem,) = parse_documents("a: b\n")[1]
    assert (problem.code, problem.message) == ("CC002", "not YAML: found `moon` in the text")
    assert problem.span[:2] == (1, 4)


VALID = "a: {b: [1, \"x\"], c: 'y'} # z\nd:\n  - &e f\n  - *e\nf: g\n"
CHARACTERS = st.sampled_from("\n :-[]{},#&*'\"%@`\\aé")


@given(st.integers(0, len(VALID) - 1), CHARACTERS, st.integers(0, 3))
def test_a_text_with_a_typo_has_at_most_one_syntax_problem_in_both_loaders(place, typo, dropped):
    text = VALID[:place] + typo + VALID[place + dropped :]
    for loader in ("CSafeLoader", "SafeLoader"):
        with pytest.MonkeyPatch.context() as patch:
            if loader == "SafeLoader":
                patch.delattr(yaml, "CSafeLoader", raising=False)
            found = [problem for problem in parse_documents(text)[1] if problem.code == "CC002"]
        assert len(found) <= 1
        assert all(problem.span is not None for problem in found)
