"""Joins and their branches."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from spec_texts import EIGHT, inputs_by_path, paths
from support import cost, messages, problems


@pytest.mark.parametrize("join", ["concat", "add", "multiply"])
@pytest.mark.parametrize(
    ("branches", "fed"),
    [
        pytest.param("{a: [elu], b: [gelu]}", ["a/elu_1", "b/gelu_1"], id="named lists"),
        pytest.param("{a: [elu], b: []}", ["a/elu_1", "tanh_1"], id="an empty branch"),
        pytest.param("{a: r, b: [elu]}", ["r", "b/elu_1"], id="a name among lists"),
        pytest.param("[r, input, tanh_1]", ["r", "input", "tanh_1"], id="names of layers"),
        pytest.param("{a: [elu], b: a}", ["a/elu_1", "a/elu_1"], id="the branch before"),
    ],
)
def test_a_join_accepts_branches(join, branches, fed):
    text = f"{EIGHT}layers: [{{relu: , name: r}}, tanh, {{{join}: {branches}}}]"
    assert inputs_by_path(text)[f"{join}_1"] == fed


def test_a_join_accepts_a_list_of_from_in_place_of_branches():
    text = EIGHT + "layers: [{relu: , name: r}, tanh, {concat: , from: [r, tanh_1]}]"
    assert inputs_by_path(text)["concat_1"] == ["r", "tanh_1"]


def test_the_branches_of_a_join_use_its_from():
    text = EIGHT + "layers: [{relu: , name: r}, tanh, {add: {a: [], b: [elu]}, from: r}]"
    assert inputs_by_path(text) == {
        "r": ["input"], "tanh_1": ["r"], "b/elu_1": ["r"], "add_1": ["r", "b/elu_1"]
    }  # fmt: skip


def test_the_branches_of_a_join_accept_only_one_from():
    text = EIGHT + "layers: [{relu: , name: r}, tanh, {add: {a: [], b: [elu]}, from: [r, tanh_1]}]"
    assert messages(text) == ["2:67 CC108 the branches of add accept one input, not 2"]


@pytest.mark.parametrize("branches", ["", "{}", "[]"])
def test_a_join_without_branches_is_refused(branches):
    text = f"{EIGHT}layers: [relu, {{concat: {branches}}}]"
    assert messages(text) == ["2:17 CC103 concat has no branches"]


@pytest.mark.parametrize(
    ("layers", "expected"),
    [
        pytest.param(
            "relu, {add: {a: [relu], b: []}}, relu",
            ["relu_1", "a/relu_1", "add_1", "relu_2"],
            id="a join alone in its list adds no level",
        ),
        pytest.param(
            "{add: {a: [relu], b: []}}, {add: {a: [relu], b: []}}",
            ["add_1/a/relu_1", "add_1", "add_2/a/relu_1", "add_2"],
            id="of two each is a level",
        ),
        pytest.param(
            "{add: {a: [relu], b: []}}, {concat: {a: [relu], b: []}}",
            ["add_1/a/relu_1", "add_1", "concat_1/a/relu_1", "concat_1"],
            id="of two kinds each is a level",
        ),
        pytest.param(
            "{add: {a: [relu], b: []}, name: j}",
            ["j/a/relu_1", "j"],
            id="a named join is a level",
        ),
        pytest.param(
            "{add: {a: [relu], b: []}}, {add: {a: [relu], b: []}, name: j}",
            ["a/relu_1", "add_1", "j/a/relu_1", "j"],
            id="a named join beside it does not matter",
        ),
        pytest.param(
            "{add: {a: [relu], b: []}, repeat: 2}",
            ["add_1/a/relu_1", "add_1", "add_2/a/relu_1", "add_2"],
            id="a repeated join is a level",
        ),
        pytest.param(
            "{add: {a: [{add: {c: [relu], d: []}}], b: []}}",
            ["a/c/relu_1", "a/add_1", "add_1"],
            id="a join in a branch of another is alone in its list",
        ),
        pytest.param(
            "relu, {add: [relu_1, input]}, {add: {a: [relu], b: []}}",
            ["relu_1", "add_1", "add_2/a/relu_1", "add_2"],
            id="a join of names counts as one of two",
        ),
        pytest.param(
            "{relu: , name: a}, {add: {a: [relu], b: []}}",
            ["a", "add_1/a/relu_1", "add_1"],
            id="a join is a level if a layer before it has the name of a branch",
        ),
        pytest.param(
            "{add: {a: [relu], b: []}}, {relu: , name: a}",
            ["add_1/a/relu_1", "add_1", "a"],
            id="a join is a level if a layer after it has the name of a branch",
        ),
        pytest.param(
            "relu, {add: {relu_1: [relu], b: []}}",
            ["relu_1", "add_1/relu_1/relu_1", "add_1"],
            id="a join is a level if a branch has the name of a layer without a name",
        ),
        pytest.param(
            "{relu: , name: a, when: false}, {add: {a: [relu], b: []}}",
            ["a/relu_1", "add_1"],
            id="a layer that is left out does not matter",
        ),
    ],
)
def test_the_paths_of_joins(layers, expected):
    assert paths(f"{EIGHT}layers: [{layers}]") == expected


@pytest.mark.parametrize(
    ("layers", "joined"),
    [
        pytest.param(
            "{concat: {x: [elu], y: r}}, {concat: {x: [elu], y: t}}",
            {"concat_1": ["concat_1/x/elu_1", "r"], "concat_2": ["concat_2/x/elu_1", "t"]},
            id="joins without names",
        ),
        pytest.param(
            "{concat: {x: [], y: r}}, {concat: {x: [], y: t}}",
            {"concat_1": ["t", "r"], "concat_2": ["concat_1", "t"]},
            id="branches without layers",
        ),
        pytest.param(
            "{concat: {x: [], y: r}, name: one}, {concat: {x: [elu], y: t}}",
            {"one": ["t", "r"], "concat_2": ["x/elu_1", "t"]},
            id="one has a name",
        ),
        pytest.param(
            "{concat: {x: [], y: r}, repeat: 2}",
            {"concat_1": ["t", "r"], "concat_2": ["concat_1", "r"]},
            id="a join in series",
        ),
        pytest.param("{concat: {r: r, t: []}}", {"concat_1": ["r", "t"]}, id="names of layers"),
        pytest.param(
            "{concat: {r: [{elu: , from: r}], t: [{elu: , from: t}]}}",
            {"concat_1": ["concat_1/r/elu_1", "concat_1/t/elu_1"]},
            id="layers that use the layers with the names of their branches",
        ),
        pytest.param(
            "{concat: {x: [], y: r}, name: j}, {concat: {x: [], y: r}}, "
            "{concat: [j/x, concat_2/y]}",
            {"j": ["t", "r"], "concat_2": ["j", "r"], "concat_3": ["t", "r"]},
            id="a path names a branch without layers",
        ),
    ],
)
def test_the_names_of_branches_belong_to_their_join(layers, joined):
    found = inputs_by_path(f"{EIGHT}layers: [{{relu: , name: r}}, {{tanh: , name: t}}, {layers}]")
    assert {path: found[path] for path in joined} == joined


def test_a_decoder_has_the_same_names_of_branches_at_each_level():
    costs = cost(
        """
        input: {channels: 3, size: 32}
        layers:
          - {conv: 8, kernel: 3, padding: 1, name: e1}
          - {conv: 16, kernel: 3, padding: 1, stride: 2, name: e2}
          - {conv: 16, kernel: 3, padding: 1, stride: 2}
          - {upsample: 2}
          - {concat: {up: [], skip: e2}, name: join2}
          - {conv: 16, kernel: 3, padding: 1}
          - {upsample: 2}
          - {concat: {up: [], skip: e1}, name: join1}
        """
    )
    assert costs.network.output.text == "32×32×24"
    assert [group.path for group in costs.network.groups] == ["join2/up", "join1/up"]


def test_a_branch_without_its_join_has_a_suggestion():
    text = f"{EIGHT}layers: [{{add: {{a: [relu], b: []}}, name: j}}, {{relu: , from: a}}]"
    (problem,) = problems(text)
    assert problem.message == "there is no layer `a` before this one"
    assert problem.help == "did you mean `j/a`?"


NAME = st.sampled_from(("a", "b", "relu_1", "add_1", "add_2"))
ITEM = st.one_of(
    st.just("relu"),
    NAME.map("{{relu: , name: {}}}".format),
    NAME.map("{{sequence: [relu], name: {}}}".format),
    st.tuples(NAME, NAME, st.sampled_from(("", ", name: a", ", repeat: 2")), st.booleans())
    .filter(lambda of: of[0] != of[1])
    .map(lambda of: f"{{add: {{{of[0]}: [elu], {of[1]}: {['input', '[]'][of[3]]}}}{of[2]}}}"),
)


@given(st.lists(ITEM, min_size=1, max_size=5))
def test_paths_are_unique_for_all_names(items):
    text = f"{EIGHT}layers: [{', '.join(items)}]"
    if found := messages(text):
        assert all(" CC107 the name " in message for message in found)
        return
    network = cost(text).network
    steps = [step.path for step in network.steps]
    joins = [step.path for step in network.steps if step.layer.role == "join"]
    groups = [group.path for group in network.groups]
    assert len({*steps}) == len(steps)
    assert len({*groups}) == len(groups)
    assert {*steps} & {*groups} <= {*joins}


def test_a_network_has_the_paths_of_its_blocks_and_branches_as_groups():
    text = """
        input: {channels: 8, size: 8}
        blocks: {b: {layers: [{add: {main: [relu], shortcut: []}}]}}
        layers: [{b: , name: one}]
        """
    groups = {group.path: group.kind for group in cost(text).network.groups}
    assert groups == {"one": "b", "one/main": "branch", "one/shortcut": "branch"}
