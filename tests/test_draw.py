"""Pictures: what they show is exact, what they draw can be read, whatever names a spec has."""

import re
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import SPECS, cost, shipped

from convcost.costs import costs
from convcost.draw import svg
from convcost.draw.areas import laid_out
from convcost.draw.ink import brief
from convcost.draw.names import apart, telling
from convcost.draw.plan import plan
from convcost.draw.widths import fitted, width_of
from convcost.errors import Source
from convcost.pictures import Bar, Bars, Box, Curve, Graph, Tile, Treemap
from convcost.questions.pictures import of_comparison, of_network
from convcost.questions.pictures.bars import MOST as MOST_BARS
from convcost.questions.pictures.boxes import MOST as MOST_BOXES
from convcost.questions.pictures.boxes import graph
from convcost.spec.entry import Settings
from convcost.spec.load import load

NETWORKS = [
    pytest.param(network, id=f"{path.stem}#{network.name}")
    for path in sorted(SPECS.glob("*.yaml"))
    for network in load(Source(path.name, path.read_text("utf-8")), Settings())
]
LOOKED_AT = ["googlenet", "resnet152", "unet", "mobilenet_v1", "densenet121", "inception_v3"]
WIDTHS = [360, 720, 1200]
HOSTILE = "</title><script>alert(1)</script>&\"'\x1b]52;c;x\x07\u202e" + "name" * 60
SVG = "{http://www.w3.org/2000/svg}"
FIVE = """
name: five
input: {channels: 3, size: 32}
layers: [{conv: 8, kernel: 3}, relu, {max_pool: 2, stride: 2}, flatten, {linear: 10}]
"""


def parsed(picture, width=720, **how) -> ET.Element:
    return ET.fromstring(svg(picture, width=width, **how))


def named(root, name):
    return [one for one in root.iter() if one.get("class") == name]


def extent(one) -> tuple[float, float, float, float]:
    x, y, width, height = (float(one.get(key)) for key in ("x", "y", "width", "height"))
    return x, y, x + width, y + height


def texts(root, left=0.0, top=0.0) -> list[tuple[float, float, float, float, str]]:
    """Where each text stands, by the widths of DejaVu Sans."""
    found = []
    for one in root:
        if one.tag.endswith("text"):
            words = (one.text or "") + "".join(title.tail or "" for title in one)
            size = float(one.get("font-size"))
            wide = width_of(words, size, bold=one.get("font-weight") == "700")
            x, y = left + float(one.get("x")), top + float(one.get("y"))
            x -= {"middle": wide / 2, "end": wide}.get(one.get("text-anchor"), 0)
            found.append((x, y - 0.75 * size, x + wide, y + 0.2 * size, words))
        else:
            moved = re.fullmatch(r"translate\((\S+) (\S+)\)", one.get("transform", ""))
            x, y = map(float, moved.groups()) if moved else (0.0, 0.0)
            found += texts(one, left + x, top + y)
    return found


def overlapping(boxes) -> list:
    return [
        (a, b)
        for n, a in enumerate(boxes)
        for b in boxes[n + 1 :]
        if a[0] < b[2] - 0.1 and b[0] < a[2] - 0.1 and a[1] < b[3] - 0.1 and b[1] < a[3] - 0.1
    ]


def _pictures():
    for name in LOOKED_AT:
        for picture in of_network(shipped(name)):
            yield pytest.param(picture, id=f"{name}-{picture.name}")
    for picture in of_network(cost(FIVE)):
        yield pytest.param(picture, id=f"five-{picture.name}")
    for picture in of_comparison((shipped("resnet50"), shipped("se_resnet50"))):
        yield pytest.param(picture, id=f"compare-{picture.name}")


PICTURES = list(_pictures())


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("picture", PICTURES)
def test_no_text_overlaps_another_or_is_clipped(picture, width):
    root = parsed(picture, width)
    _, _, right, bottom = map(float, root.get("viewBox").split())
    found = texts(root)
    assert overlapping(found) == []
    for x, y, x2, y2, words in found:
        assert words
        assert x >= -0.1, words
        assert x2 <= right + 0.1, words
        assert y >= -0.1, words
        assert y2 <= bottom, words


@pytest.mark.parametrize("standalone", [True, False])
@pytest.mark.parametrize("picture", PICTURES)
def test_a_picture_is_one_svg_element_that_tells_what_it_is(picture, standalone):
    text = svg(picture, standalone=standalone, ident="p7-")
    root = ET.fromstring(text)
    assert root.tag == (f"{SVG}svg" if standalone else "svg")
    assert root.get("role") == "img"
    title, desc = root[0], root[1]
    assert (
        root.get("aria-labelledby") == f"{title.get('id')} {desc.get('id')}" == "p7-title p7-desc"
    )
    assert title.text == picture.title
    assert desc.text
    assert not re.search(r"<script|href|url\(|@import|http(?!://www.w3.org/2000/svg)", text)
    assert ("var(--" in text) is not standalone
    assert ("<style>" in text) is standalone
    assert "prefers-color-scheme" not in text
    assert all(one.get("id", "p7-").startswith("p7-") for one in root.iter())


@pytest.mark.parametrize("picture", PICTURES)
def test_a_picture_is_drawn_the_same_every_time(picture):
    assert svg(picture) == svg(picture)


@pytest.mark.parametrize("network", NETWORKS)
def test_the_boxes_of_every_shipped_network_sum_to_its_totals_and_are_few(network):
    counted = costs(network)
    drawn = graph(counted)
    assert sum(box.macs for box in drawn.boxes) == counted.totals.macs
    assert sum(box.params for box in drawn.boxes) == counted.totals.params
    assert sum(box.layers for box in drawn.boxes) == len(counted.layers)
    assert len(drawn.boxes) <= MOST_BOXES
    for number, box in enumerate(drawn.boxes):
        assert all(0 <= source < number for source in box.inputs)
        assert box.inputs or box.kind == "input"


def test_thirty_five_equal_blocks_are_one_box_after_one_that_is_open():
    boxes = {box.label or box.path: box for box in graph(shipped("resnet152")).boxes}
    folded = boxes["bottleneck × 35"]
    assert folded.layers == 350
    assert folded.params == 35 * (2 * 1024 * 256 + 9 * 256 * 256 + 2 * (2 * 256 + 1024))
    assert boxes["conv4_x/bottleneck_1/main/reduce"].kind == "conv 1×1"
    assert [label for label in boxes if "×" in label] == [
        "bottleneck × 2", "bottleneck × 7", "bottleneck × 35",
    ]  # fmt: skip


def test_a_relu_stands_in_the_box_of_what_it_follows_and_before_a_convolution_in_that():
    boxes = {box.path: box for box in graph(cost(FIVE)).boxes}
    assert list(boxes) == ["input", "conv_1", "max_pool_1", "flatten_1", "linear_1"]
    assert boxes["conv_1"].layers == 2
    dense = {box.path: box for box in graph(shipped("densenet121")).boxes}
    assert (
        dense["block1/dense_1/new/reduce"].layers == 5
    )  # batch_norm, relu, conv, batch_norm, relu


def test_a_thousand_layers_without_a_block_are_few_boxes_too():
    layers = ", ".join(f"{{conv: {8 + n % 7}, kernel: 1}}" for n in range(1000))
    counted = cost(f"name: deep\ninput: {{channels: 3, size: 4}}\nlayers: [{layers}]")
    drawn = graph(counted)
    assert len(drawn.boxes) <= MOST_BOXES
    assert sum(box.macs for box in drawn.boxes) == counted.totals.macs
    assert sum(box.layers for box in drawn.boxes) == 1000


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", LOOKED_AT)
def test_boxes_do_not_overlap_and_every_line_ends_at_one(name, width):
    drawn = graph(shipped(name))
    layout = plan(drawn.boxes, width)
    assert overlapping([(b.x, b.y, b.right, b.bottom) for b in layout.boxes]) == []
    into = {}
    for line in layout.lines:
        if line.target >= 0:
            into.setdefault(line.target, []).append(line.source)
            x, y = line.points[-1]
            box = layout.boxes[line.target]
            assert box.x < x < box.right
            assert y == box.y
    for number, box in enumerate(drawn.boxes):
        assert sorted(into.get(number, [])) == sorted(box.inputs)
    assert all(b.x >= 0 and b.right <= layout.width for b in layout.boxes)
    for frame, place in layout.frames:
        assert place.x >= 0
        assert place.right <= layout.width
        for number, box in enumerate(layout.boxes):
            assert place.meets(box) is (number in frame.boxes)


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("picture", [p for p in PICTURES if isinstance(p.values[0], Bars)])
def test_a_bar_is_as_long_as_its_number(picture, width):
    drawn = named(parsed(picture, width), "bar")
    values = [v for bar in picture.bars if not bar.rest for v in bar.values if v is not None]
    lengths = [float(one.get("width")) for one in drawn]
    assert len(lengths) == len(values)
    scale = max(lengths) / max(values)
    assert max(lengths) > width / 5
    assert all(
        abs(length - value * scale) < 1 for length, value in zip(lengths, values, strict=True)
    )


@pytest.mark.parametrize("name", LOOKED_AT)
@pytest.mark.parametrize("measure", ["macs", "params"])
def test_the_bars_and_the_tiles_of_a_network_are_its_total(name, measure):
    counted = shipped(name)
    total = getattr(counted.totals, measure)
    for picture in of_network(counted):
        if isinstance(picture, Bars) and picture.measure == measure:
            assert sum(bar.values[0] for bar in picture.bars) == total
            assert len(picture.bars) <= MOST_BARS + 1
        if isinstance(picture, Treemap) and picture.measure == measure:
            assert picture.root.value == total
            whole_everywhere(picture.root)


def whole_everywhere(tile):
    if tile.tiles:
        assert tile.value == sum(one.value for one in tile.tiles)
    for one in tile.tiles:
        whole_everywhere(one)


@settings(deadline=None)
@given(st.lists(st.integers(0, 10**15), min_size=1, max_size=40))
def test_an_area_is_in_proportion_to_its_number(values):
    tiles = tuple(Tile(str(n), value) for n, value in enumerate(values))
    areas = laid_out(Tile("", sum(values), tiles), 0, 0, 700, 400)
    assert sorted(int(a.tile.label) for a in areas) == [n for n, v in enumerate(values) if v]
    for area in areas:
        share = area.tile.value / sum(values)
        assert area.width * area.height == pytest.approx(share * 700 * 400, rel=1e-6, abs=1e-3)
        assert area.x >= 0
        assert area.x + area.width <= 700.001
        assert area.y + area.height <= 400.001
    solid = [a for a in areas if a.width > 0.2 and a.height > 0.2]
    assert overlapping([(a.x, a.y, a.x + a.width, a.y + a.height) for a in solid]) == []


@st.composite
def graphs(draw):
    boxes = [Box("input", "input", "8×8×3", 0, 0, (), layers=0)]
    for number in range(draw(st.integers(1, 25))):
        fed = draw(st.sets(st.integers(0, number), min_size=1, max_size=3))
        path = draw(st.sampled_from(["a", "b", "c/d", "c/e", "c/d/f"])) + f"/{number}"
        macs = draw(st.integers(0, 10**12))
        boxes.append(Box(path, "conv", "8×8×8", 10, macs, tuple(sorted(fed))))
    return Graph("graph", "any", tuple(boxes))


@settings(max_examples=60, deadline=None)
@given(graphs(), st.sampled_from(WIDTHS))
def test_any_graph_is_laid_out_with_no_box_upon_another_and_all_its_lines(picture, width):
    layout = plan(picture.boxes, width)
    assert overlapping([(b.x, b.y, b.right, b.bottom) for b in layout.boxes]) == []
    into = {}
    for line in layout.lines:
        if line.target >= 0:
            into.setdefault(line.target, []).append(line.source)
    for number, box in enumerate(picture.boxes):
        assert sorted(into.get(number, [])) == sorted(box.inputs)
    assert overlapping(texts(parsed(picture, width))) == []


@pytest.mark.parametrize(
    "picture",
    [
        Bars("b", HOSTILE, HOSTILE, (HOSTILE, HOSTILE), (Bar(HOSTILE, (1, None)),)),
        Curve("c", HOSTILE, HOSTILE, (HOSTILE, HOSTILE), (5, 3)),
        Treemap("t", HOSTILE, HOSTILE, Tile("", 9, (Tile(HOSTILE, 9, (Tile(HOSTILE, 9),)),))),
        Graph("g", HOSTILE, (Box(HOSTILE, HOSTILE, "1", 0, 0, ()),
                             Box(f"{HOSTILE}/x", HOSTILE, "1", 1, 1, (0,), HOSTILE))),
    ],
    ids=["bars", "curve", "treemap", "graph"],
)  # fmt: skip
@pytest.mark.parametrize("standalone", [True, False])
def test_a_hostile_name_is_text_and_nothing_else(picture, standalone):
    text = svg(picture, standalone=standalone, ident='"><b>')
    root = ET.fromstring(text)
    assert "<script" not in text
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e]", text)
    assert {one.tag.replace(SVG, "") for one in root.iter()} <= {
        "svg", "title", "desc", "style", "g", "rect", "text", "line", "path", "polyline", "polygon",
        "circle",
    }  # fmt: skip
    _, _, right, _ = map(float, root.get("viewBox").split())
    assert all(x2 <= right for _, _, x2, _, _ in texts(root))
    whole = "</title><script>alert(1)</script>&\"'\\x1b]52;c;x\\x07\\u202e" + "name" * 60
    assert any(whole in (one.text or "") for one in root.iter() if one.tag.endswith("title"))


def test_a_picture_of_nothing_is_drawn_too():
    for picture in of_network(cost("name: free\ninput: {channels: 3, size: 8}\nlayers: [relu]")):
        parsed(picture)
    parsed(Graph("g", "t", ()))
    parsed(Bars("b", "t", "macs", ("a",), ()))
    parsed(Curve("c", "t", "activations", (), ()))


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, "0"), (64, "64"), (999, "999"), (1000, "1.00 k"), (9408, "9.41 k"), (9994, "9.99 k"),
        (9995, "10.0 k"), (99_950, "100 k"), (999_499, "999 k"), (999_500, "1.00 M"),
        (1_582_671_872, "1.58 G"), (10**24, "1000000 E"), (-1500, "-1.50 k"),
    ],
)  # fmt: skip
def test_a_count_in_brief_has_three_digits(number, text):
    assert brief(number) == text


@settings(deadline=None)
@given(st.text(max_size=80), st.floats(0, 200))
def test_a_text_never_is_wider_than_its_room(text, room):
    shown = fitted(text, 11, room)
    assert width_of(shown, 11) <= room
    assert shown == text or "…" in shown or not shown


@pytest.mark.parametrize("width", [360, 720, 1200])
@pytest.mark.parametrize("network", NETWORKS)
def test_all_tiles_have_one_scale_whatever_strips_are_above_them(network, width):
    for picture in of_network(costs(network)):
        if isinstance(picture, Treemap):
            areas = laid_out(picture.root, 0, 0, width, 300)
            tiles = [area for area in areas if not area.open]
            drawn = sum(area.width * area.height for area in tiles)
            for area in tiles:
                share = area.tile.value / picture.root.value
                assert area.width * area.height == pytest.approx(drawn * share, rel=1e-6)
            strips = sum(area.width * area.strip for area in areas)
            assert drawn + strips == pytest.approx(width * 300, rel=1e-6)
            assert overlapping([(a.x, a.y, a.x + a.width, a.y + a.height) for a in tiles]) == []
            assert all(a.x + a.width <= width + 0.01 and a.y + a.height <= 300.01 for a in areas)


@settings(deadline=None)
@given(st.lists(st.lists(st.integers(0, 10**9), max_size=6), min_size=1, max_size=12))
def test_any_groups_fill_the_whole_and_hold_their_tiles(groups):
    tiles = tuple(
        Tile(str(n), sum(values), tuple(Tile(str(m), v) for m, v in enumerate(values)))
        for n, values in enumerate(groups)
    )
    root = Tile("", sum(tile.value for tile in tiles), tiles)
    areas = laid_out(root, 0, 0, 700, 400)
    outer = {area.group: area for area in areas if area.depth == 1}
    assert len(outer) == sum(1 for tile in tiles if tile.value)
    for area in areas:
        group = outer[area.group]
        head = group.strip if area.depth > 1 else 0
        assert area.y >= group.y + head - 0.01
        assert area.y + area.height <= group.y + group.height + 0.01 <= 400.02
        assert area.x + area.width <= group.x + group.width + 0.01 <= 700.02
    used = sum(area.width * area.height for area in outer.values())
    assert used == pytest.approx(700 * 400 if root.value else 0, rel=1e-3)


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", LOOKED_AT)
def test_every_word_of_a_treemap_stands_in_one_tile_or_in_one_strip(name, width):
    for picture in of_network(shipped(name)):
        if isinstance(picture, Treemap):
            root = parsed(picture, width)
            held = [extent(one) for one in named(root, "tile") + named(root, "strip")]
            for x, y, right, bottom, words in texts(root)[1:]:
                inside = [
                    a for a in held
                    if a[0] <= x and a[1] <= y and right <= a[2] and bottom <= a[3] + 0.1
                ]  # fmt: skip
                assert len(inside) == 1, words


def words_of(picture, width=720) -> list[str]:
    return [words for *_, words in texts(parsed(picture, width))]


def picture_of(name, kind):
    return next(picture for picture in of_network(shipped(name)) if picture.name == kind)


def test_a_tile_is_called_by_what_tells_it_from_the_others_of_its_group():
    words = words_of(picture_of("googlenet", "treemap"))
    assert words[:9] == [
        "6,998,552 params, by area", "inception_5b", "1.44 M · 20.6 %", "3x3/conv_2",
        "664 k · 9.5 %", "3x3/reduce", "160 k · 2.3 %", "1x1", "320 k · 4.6 %",
    ]  # fmt: skip
    assert "conv_1" not in words


def test_a_block_of_one_layer_is_called_as_the_block():
    picture = Treemap("t", "t", "params", Tile("n", 9, (Tile("conv1/conv_1", 9),)))
    assert words_of(picture) == ["9 params, by area", "conv1", "9 · 100.0 %"]


def test_names_that_all_share_are_left_out():
    assert [told[0] for told in telling(["1x1/conv_1", "3x3/reduce", "3x3/conv_2", "pool/p"])] == [
        "1x1", "3x3/reduce", "3x3/conv_2", "pool",
    ]  # fmt: skip
    assert [told[0] for told in telling(["a/main/x", "a/main/y", "b/main/x"])] == [
        "a/x",
        "a/y",
        "b",
    ]
    assert telling(["a/b"]) == [("a",)]
    assert telling([]) == []


PATHS = st.lists(st.sampled_from(["a", "b", "conv_1", "conv_2", "main"]), min_size=1, max_size=4)


@given(st.lists(PATHS.map("/".join), unique=True, min_size=2, max_size=12))
def test_no_two_tiles_are_called_alike(paths):
    leaves = [p for p in paths if not any(other.startswith(f"{p}/") for other in paths)]
    first = [told[0] for told in telling(leaves)]
    assert len(set(first)) == len(first)


@given(st.lists(st.text("ab/_1", min_size=1, max_size=40), max_size=12), st.floats(20, 300))
def test_labels_fit_their_room_and_those_with_room_are_whole(labels, room):
    for label, shown in zip(labels, apart(labels, 11, room), strict=True):
        assert width_of(shown, 11) <= room
        assert (shown == label) is (width_of(label, 11) <= room)


def test_a_label_is_cut_where_it_is_like_the_others():
    labels = [f"conv4_x/bottleneck_{n}/main/conv_bn_2/conv_1" for n in (1, 2, 11)]
    assert apart(labels, 11, 160) == [
        "conv4_x/bottleneck_1/…", "conv4_x/bottleneck_2/…", "conv4_x/bottleneck_11/…",
    ]  # fmt: skip
    for room in (60, 80, 100, 130, 200):
        assert len(set(apart(labels, 11, room))) == 3, room
    nets = [f"conv{m}_x/bottleneck_{n}/main/reduce" for m in (2, 3) for n in (1, 2)]
    assert apart(nets, 11, 130) == [
        "conv2_x/bott…_1/…", "conv2_x/bott…_2/…", "conv3_x/bott…_1/…", "conv3_x/bott…_2/…",
    ]  # fmt: skip
    long = [f"{'stage' * 30}{n}{'tail' * 30}" for n in range(3)]
    assert len(set(apart(long, 11, 100))) == 3


@pytest.mark.parametrize("width", [360, 390, 520])
@pytest.mark.parametrize("name", LOOKED_AT)
def test_on_a_phone_every_number_of_the_bars_is_seen(name, width):
    """A picture made 520 wide is 416 wide there, of which 328 are seen at once."""
    for picture in of_network(shipped(name)):
        if isinstance(picture, Bars):
            seen = width if width < 416 else width * 328 / 416
            assert max(right for _, _, right, _, _ in texts(parsed(picture, width))) <= seen


def test_unlike_networks_are_not_compared_by_block():
    vgg, google, res, se = map(shipped, ("vgg16", "googlenet", "resnet50", "se_resnet50"))
    by_block = ["params", "macs", "params_by_block", "macs_by_block"]
    assert [picture.name for picture in of_comparison((vgg, google))] == by_block[:2]
    assert [picture.name for picture in of_comparison((res, se))] == by_block
    assert [picture.name for picture in of_comparison((res, se, vgg))] == by_block[:2]


def test_a_block_that_is_not_there_has_no_line():
    bars = Bars("b", "t", "macs", ("one", "two"), (Bar("x", (1, None)), Bar("y", (2, 3))))
    assert words_of(bars) == ["macs", "one", "two", "x", "1", "y", "2", "3"]


def test_a_box_tells_no_kind_that_its_name_is_and_no_cost_that_is_none():
    words = words_of(picture_of("googlenet", "graph"), 1200)
    assert not {"0 · 0", "concat", "flatten"} & set(words)
    assert words.count("linear") == 1
    assert words.count("input") == 1
    assert "global_avg_pool_1" in words
    at = words.index("max_pool_1")
    assert words[at : at + 3] == ["max_pool_1", "3×3 /2", "56×56×64"]
    at = words.index("conv1")
    assert words[at : at + 4] == ["conv1", "conv 7×7 /2", "112×112×64", "118 M · 9.47 k"]


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", LOOKED_AT)
def test_the_depth_is_told_by_blocks_each_once(name, width):
    picture = picture_of(name, "memory")
    blocks = {label.partition("/")[0] for label in picture.labels}
    words = words_of(picture, width)
    ticks = [one for one in words if one in blocks]
    assert len(ticks) == len(set(ticks)) > 1
