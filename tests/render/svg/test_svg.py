"""Pictures: what they show is exact, what they draw can be read, whatever names a spec has."""

import re
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import SHIPPED, cost, first_costs, shipped

from convcost.render.svg import svg
from convcost.render.svg.graph_layout import lay_out
from convcost.render.svg.primitives import Rect, brief
from convcost.render.svg.text_width import fit, width_of
from convcost.render.svg.treemap import short_names
from convcost.render.svg.treemap_layout import layout_tiles
from convcost.reports.chart_model import (
    Bar,
    Bars,
    Box,
    Curve,
    GraphChart,
    Scatter,
    ScatterPoint,
    Tile,
    Treemap,
)
from convcost.reports.charts import comparison_charts, network_charts
from convcost.reports.charts.bars import MAX_BARS
from convcost.reports.charts.graph import MAX_BOXES, graph

pytestmark = pytest.mark.slow

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
    return [element for element in root.iter() if element.get("class") == name]


def extent(one) -> tuple[float, float, float, float]:
    x, y, width, height = (float(one.get(key)) for key in ("x", "y", "width", "height"))
    return x, y, x + width, y + height


def texts(root, left=0.0, top=0.0) -> list[tuple[float, float, float, float, str]]:
    """Where each text stands, by the widths of DejaVu Sans."""
    found = []
    for element in root:
        if element.tag.endswith("text"):
            words = (element.text or "") + "".join(title.tail or "" for title in element)
            size = float(element.get("font-size"))
            wide = width_of(words, size, bold=element.get("font-weight") == "700")
            x, y = left + float(element.get("x")), top + float(element.get("y"))
            x -= {"middle": wide / 2, "end": wide}.get(element.get("text-anchor"), 0)
            found.append((x, y - 0.75 * size, x + wide, y + 0.2 * size, words))
        else:
            moved = re.fullmatch(r"translate\((\S+) (\S+)\)", element.get("transform", ""))
            x, y = map(float, moved.groups()) if moved else (0.0, 0.0)
            found += texts(element, left + x, top + y)
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
        for picture in network_charts(shipped(name)):
            yield pytest.param(picture, id=f"{name}-{picture.name}")
    for picture in network_charts(cost(FIVE)):
        yield pytest.param(picture, id=f"five-{picture.name}")
    for picture in comparison_charts((shipped("resnet50"), shipped("se_resnet50"))):
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
def test_a_chart_is_one_svg_element_with_a_title_and_a_description(picture, standalone):
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
    assert all(element.get("id", "p7-").startswith("p7-") for element in root.iter())


@pytest.mark.parametrize("picture", PICTURES)
def test_a_chart_is_the_same_every_time(picture):
    assert svg(picture) == svg(picture)


@pytest.mark.parametrize("name", SHIPPED)
def test_the_boxes_of_shipped_networks_sum_to_their_totals_and_are_few(name):
    counted = first_costs(name)
    drawn = graph(counted)
    assert sum(box.macs for box in drawn.boxes) == counted.totals.macs
    assert sum(box.params for box in drawn.boxes) == counted.totals.params
    assert sum(box.layers for box in drawn.boxes) == len(counted.layers)
    assert len(drawn.boxes) <= MAX_BOXES
    for number, box in enumerate(drawn.boxes):
        assert all(0 <= source < number for source in box.inputs)
        assert box.inputs or box.kind == "input"


def test_equal_blocks_after_the_first_one_are_a_single_box_with_their_number():
    boxes = {box.label or box.path: box for box in graph(shipped("resnet152")).boxes}
    folded = boxes["bottleneck × 35"]
    assert folded.layers == 350
    assert folded.params == 35 * (2 * 1024 * 256 + 9 * 256 * 256 + 2 * (2 * 256 + 1024))
    assert boxes["conv4_x/bottleneck_1/main/reduce"].kind == "conv 1×1"
    assert [label for label in boxes if "×" in label] == [
        "bottleneck × 2", "bottleneck × 7", "bottleneck × 35",
    ]  # fmt: skip


def test_a_relu_is_in_the_box_of_the_layer_before_it_or_of_a_convolution_after_it():
    boxes = {box.path: box for box in graph(cost(FIVE)).boxes}
    assert list(boxes) == ["input", "conv_1", "max_pool_1", "flatten_1", "linear_1"]
    assert boxes["conv_1"].layers == 2
    dense = {box.path: box for box in graph(shipped("densenet121")).boxes}
    assert (
        dense["block1/dense_1/new/reduce"].layers == 5
    )  # batch_norm, relu, conv, batch_norm, relu


def test_a_box_has_the_kernel_and_the_stride_that_a_pool_takes_from_it():
    layers = "[{max_pool: [2, 3]}, {avg_pool: 3, stride: 1}, {global_avg_pool: }]"
    boxes = graph(cost(f"name: n\ninput: {{channels: 3, size: 32}}\nlayers: {layers}")).boxes
    assert [box.kind for box in boxes] == [
        "input", "max_pool 2×3 /2×3", "avg_pool 3×3", "global_avg_pool",
    ]  # fmt: skip


def test_blocks_with_the_same_layers_are_one_box_though_their_inputs_grow():
    boxes = {box.label: box for box in graph(shipped("densenet121")).boxes if box.label}
    assert list(boxes) == ["dense × 5", "dense × 11", "dense × 23", "dense × 15"]
    assert boxes["dense × 5"].shape == "56×56×256"


def test_a_block_of_elementwise_layers_is_a_box_with_their_number():
    layers = "[{sequence: [relu, sigmoid, tanh], name: a}, {conv: 8, kernel: 1, repeat: 70}]"
    boxes = graph(cost(f"name: n\ninput: {{channels: 8, size: 4}}\nlayers: {layers}")).boxes
    assert [(box.label or box.path, box.kind) for box in boxes] == [
        ("input", "input"), ("a", "3 layers"), ("conv × 70", "70 layers"),
    ]  # fmt: skip


def test_frames_are_around_the_outermost_names_of_at_most_half_of_the_boxes():
    def box(path, *inputs):
        return Box(path, "conv", "1", 0, 0, inputs)

    paths = ["net/a/x", "net/a/y", "net/b/c/x", "net/b/c/y", "net/end"]
    boxes = (box("in"), *(box(path, number) for number, path in enumerate(paths)))
    assert [(name, group) for name, _, group in lay_out(boxes, 720).frames] == [
        ("net/a", (1, 2)), ("net/b", (3, 4)),
    ]  # fmt: skip


def test_a_thousand_layers_without_a_block_are_few_boxes_too():
    layers = ", ".join(f"{{conv: {8 + n % 7}, kernel: 1}}" for n in range(1000))
    counted = cost(f"name: deep\ninput: {{channels: 3, size: 4}}\nlayers: [{layers}]")
    drawn = graph(counted)
    assert len(drawn.boxes) <= MAX_BOXES
    assert sum(box.macs for box in drawn.boxes) == counted.totals.macs
    assert sum(box.layers for box in drawn.boxes) == 1000


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", LOOKED_AT)
def test_boxes_do_not_overlap_and_every_line_ends_at_one(name, width):
    drawn = graph(shipped(name))
    layout = lay_out(drawn.boxes, width)
    assert overlapping([(b.x, b.y, b.right, b.bottom) for b in layout.boxes]) == []
    into = {}
    for edge in layout.edges:
        if edge.target >= 0:
            into.setdefault(edge.target, []).append(edge.source)
            x, y = edge.points[-1]
            rect = layout.boxes[edge.target]
            assert rect.x < x < rect.right
            assert y == rect.y
    for number, node in enumerate(drawn.boxes):
        assert sorted(into.get(number, [])) == sorted(node.inputs)
    assert all(b.x >= 0 and b.right <= layout.width for b in layout.boxes)
    for _, place, group in layout.frames:
        assert place.x >= 0
        assert place.right <= layout.width
        for number, box in enumerate(layout.boxes):
            assert place.overlaps(box) is (number in group)


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("picture", [p for p in PICTURES if isinstance(p.values[0], Bars)])
def test_a_bar_is_as_long_as_its_number(picture, width):
    drawn = named(parsed(picture, width), "bar")
    values = [v for bar in picture.bars if not bar.rest for v in bar.values if v is not None]
    lengths = [float(bar.get("width")) for bar in drawn]
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
    for picture in network_charts(counted):
        if isinstance(picture, Bars) and picture.measure == measure:
            assert sum(bar.values[0] for bar in picture.bars) == total
            assert len(picture.bars) <= MAX_BARS + 1
        if isinstance(picture, Treemap) and picture.measure == measure:
            assert picture.root.value == total
            whole_everywhere(picture.root)


def whole_everywhere(tile):
    if tile.tiles:
        assert tile.value == sum(inner.value for inner in tile.tiles)
    for one in tile.tiles:
        whole_everywhere(one)


WHOLE = Rect(0, 0, 700, 400)


def sized(rect) -> float:
    return rect.width * rect.height


def edges_of(rect) -> tuple[float, float, float, float]:
    return rect.x, rect.y, rect.right, rect.bottom


@settings(deadline=None)
@given(st.lists(st.integers(0, 10**15), min_size=1, max_size=40))
def test_an_area_is_in_proportion_to_its_value(values):
    tiles = tuple(Tile(str(n), value) for n, value in enumerate(values))
    areas = layout_tiles(Tile("", sum(values), tiles), WHOLE)
    assert sorted(int(a.tile.label) for a in areas) == [n for n, v in enumerate(values) if v]
    for area in areas:
        share = area.tile.value / sum(values)
        assert sized(area.rect) == pytest.approx(share * 700 * 400, rel=1e-6, abs=1e-3)
        assert area.rect.x >= 0
        assert area.rect.right <= 700.001
        assert area.rect.bottom <= 400.001
    solid = [a.rect for a in areas if a.rect.width > 0.2 and a.rect.height > 0.2]
    assert overlapping(list(map(edges_of, solid))) == []


@st.composite
def graphs(draw):
    boxes = [Box("input", "input", "8×8×3", 0, 0, (), layers=0)]
    for number in range(draw(st.integers(1, 25))):
        fed = draw(st.sets(st.integers(0, number), min_size=1, max_size=3))
        path = draw(st.sampled_from(["a", "b", "c/d", "c/e", "c/d/f"])) + f"/{number}"
        macs = draw(st.integers(0, 10**12))
        boxes.append(Box(path, "conv", "8×8×8", 10, macs, tuple(sorted(fed))))
    return GraphChart("graph", "any", tuple(boxes))


@settings(max_examples=60, deadline=None)
@given(graphs(), st.sampled_from(WIDTHS))
def test_any_graph_is_laid_out_with_all_its_lines_and_no_overlapping_boxes(picture, width):
    layout = lay_out(picture.boxes, width)
    assert overlapping([(b.x, b.y, b.right, b.bottom) for b in layout.boxes]) == []
    into = {}
    for edge in layout.edges:
        if edge.target >= 0:
            into.setdefault(edge.target, []).append(edge.source)
    for number, box in enumerate(picture.boxes):
        assert sorted(into.get(number, [])) == sorted(box.inputs)
    assert overlapping(texts(parsed(picture, width))) == []


@pytest.mark.parametrize(
    "picture",
    [
        Bars("b", HOSTILE, HOSTILE, (HOSTILE, HOSTILE), (Bar(HOSTILE, (1, None)),)),
        Curve("c", HOSTILE, HOSTILE, (HOSTILE, HOSTILE), (5, 3)),
        Treemap("t", HOSTILE, HOSTILE, Tile("", 9, (Tile(HOSTILE, 9, (Tile(HOSTILE, 9),)),))),
        GraphChart("g", HOSTILE, (Box(HOSTILE, HOSTILE, "1", 0, 0, ()),
                             Box(f"{HOSTILE}/x", HOSTILE, "1", 1, 1, (0,), HOSTILE))),
    ],
    ids=["bars", "curve", "treemap", "graph"],
)  # fmt: skip
@pytest.mark.parametrize("standalone", [True, False])
def test_a_hostile_name_is_only_text(picture, standalone):
    text = svg(picture, standalone=standalone, ident='"><b>')
    root = ET.fromstring(text)
    assert "<script" not in text
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e]", text)
    assert {element.tag.replace(SVG, "") for element in root.iter()} <= {
        "svg", "title", "desc", "style", "g", "rect", "text", "line", "path", "polyline", "polygon",
        "circle",
    }  # fmt: skip
    _, _, right, _ = map(float, root.get("viewBox").split())
    assert all(x2 <= right for _, _, x2, _, _ in texts(root))
    whole = "</title><script>alert(1)</script>&\"'\\x1b]52;c;x\\x07\\u202e" + "name" * 60
    assert any(
        whole in (element.text or "") for element in root.iter() if element.tag.endswith("title")
    )


def test_a_chart_can_be_empty():
    for picture in network_charts(
        cost("name: free\ninput: {channels: 3, size: 8}\nlayers: [relu]")
    ):
        parsed(picture)
    parsed(GraphChart("g", "t", ()))
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
    shown = fit(text, 11, room)
    assert width_of(shown, 11) <= room
    assert shown == text or "…" in shown or not shown


@pytest.mark.parametrize("name", SHIPPED)
def test_all_groups_have_the_same_scale_and_so_do_the_tiles_of_a_group(name):
    for picture in network_charts(first_costs(name)):
        if isinstance(picture, Treemap):
            for width in WIDTHS:
                assert_same_scale(picture.root, width)


def assert_same_scale(root, width):
    areas = layout_tiles(root, Rect(0, 0, width, 300))
    groups = {area.group: area for area in areas if area.depth == 1}
    for group in groups.values():
        share = group.tile.value / root.value
        assert sized(group.rect) == pytest.approx(width * 300 * share, rel=1e-6)
    leaves = [area for area in areas if not area.open]
    for leaf in leaves:
        group = groups[leaf.group]
        room = sized(group.rect) - group.rect.width * group.strip
        share = leaf.tile.value / group.tile.value
        assert sized(leaf.rect) == pytest.approx(room * share, rel=1e-6)
    assert overlapping([edges_of(leaf.rect) for leaf in leaves]) == []


@settings(deadline=None)
@given(st.lists(st.lists(st.integers(0, 10**9), max_size=6), min_size=1, max_size=12))
def test_groups_fill_the_area_and_contain_their_tiles(groups):
    tiles = tuple(
        Tile(str(n), sum(values), tuple(Tile(str(m), v) for m, v in enumerate(values)))
        for n, values in enumerate(groups)
    )
    areas = layout_tiles(Tile("", sum(tile.value for tile in tiles), tiles), WHOLE)
    outer = {area.group: area for area in areas if area.depth == 1}
    assert len(outer) == sum(1 for tile in tiles if tile.value)
    for area in areas:
        group = outer[area.group]
        strip = group.strip if area.depth > 1 else 0
        assert area.rect.y >= group.rect.y + strip - 0.01
        assert area.rect.bottom <= group.rect.bottom + 0.01 <= 400.02
        assert area.rect.right <= group.rect.right + 0.01 <= 700.02
    used = sum(sized(area.rect) for area in outer.values())
    assert used == pytest.approx(700 * 400 if outer else 0, rel=1e-3)


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", LOOKED_AT)
def test_every_word_of_a_treemap_is_in_one_tile_or_in_one_strip(name, width):
    for picture in network_charts(shipped(name)):
        if isinstance(picture, Treemap):
            root = parsed(picture, width)
            held = [extent(element) for element in named(root, "tile") + named(root, "strip")]
            for x, y, right, bottom, words in texts(root)[1:]:
                inside = [
                    a for a in held
                    if a[0] <= x and a[1] <= y and right <= a[2] and bottom <= a[3] + 0.1
                ]  # fmt: skip
                assert len(inside) == 1, words


def words_of(picture, width=720) -> list[str]:
    return [words for *_, words in texts(parsed(picture, width))]


def picture_of(name, kind):
    return next(picture for picture in network_charts(shipped(name)) if picture.name == kind)


def test_a_tile_is_called_by_what_distinguishes_it_from_the_others_of_its_group():
    words = words_of(picture_of("googlenet", "treemap"))
    assert words[:8] == [
        "6,998,552 params, by area", "inception_5b", "1.44 M · 20.6 %", "3x3/conv_2",
        "664 k · 9.5 %", "160 k", "1x1", "320 k · 4.6 %",
    ]  # fmt: skip
    assert "conv_1" not in words


def test_a_block_of_one_layer_is_called_as_the_block():
    picture = Treemap("t", "t", "params", Tile("n", 9, (Tile("conv1/conv_1", 9),)))
    assert words_of(picture) == ["9 params, by area", "conv1", "9 · 100.0 %"]


def test_a_label_is_the_shortest_prefix_that_no_other_path_has():
    paths = ["1x1/conv_1", "3x3/reduce", "3x3/conv_2", "pool/p"]
    assert short_names(paths) == ["1x1", "3x3/reduce", "3x3/conv_2", "pool"]
    assert short_names(["a/main/x", "a/main/y", "b/main/x"]) == ["a/main/x", "a/main/y", "b"]
    assert short_names([]) == []


PATHS = st.lists(st.sampled_from(["a", "b", "conv_1", "conv_2", "main"]), min_size=1, max_size=4)


@given(st.lists(PATHS.map("/".join), unique=True, min_size=2, max_size=12))
def test_no_two_tiles_have_the_same_label(paths):
    leaves = [p for p in paths if not any(other.startswith(f"{p}/") for other in paths)]
    names = short_names(leaves)
    assert len(set(names)) == len(names)


def test_unlike_networks_are_not_compared_by_block():
    vgg, google, res, se = map(shipped, ("vgg16", "googlenet", "resnet50", "se_resnet50"))
    by_block = ["params", "macs", "params_by_block", "macs_by_block"]
    assert [picture.name for picture in comparison_charts((vgg, google))] == by_block[:2]
    assert [picture.name for picture in comparison_charts((res, se))] == by_block
    assert [picture.name for picture in comparison_charts((res, se, vgg))] == by_block[:2]


def test_a_network_has_no_bar_for_a_block_that_it_lacks():
    bars = Bars("b", "t", "macs", ("one", "two"), (Bar("x", (1, None)), Bar("y", (2, 3))))
    assert words_of(bars) == ["macs", "one", "two", "x", "1", "y", "2", "3"]


def test_a_box_leaves_out_a_kind_that_its_name_has_and_costs_of_0():
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
def test_the_depth_names_each_block_once(name, width):
    picture = picture_of(name, "memory")
    blocks = {label.partition("/")[0] for label in picture.labels}
    words = words_of(picture, width)
    ticks = [word for word in words if word in blocks]
    assert len(ticks) == len(set(ticks)) > 1


@pytest.mark.parametrize("width", WIDTHS)
def test_a_scatter_has_every_point_inside_and_the_front_as_a_line(width):
    points = tuple(
        ScatterPoint(f"{HOSTILE} {n}", n * n * 10**7, (50 - n) * 999, front=n % 5 == 0)
        for n in range(50)
    )
    root = parsed(Scatter("front", HOSTILE, "macs", "params", points), width)
    circles = [element for element in root.iter("circle") if len(element)]
    assert len(circles) == 50
    _, _, right, bottom = map(float, root.get("viewBox").split())
    for one in circles:
        assert 0 <= float(one.get("cx", "nan")) <= right
        assert 44 <= float(one.get("cy", "nan")) <= bottom
    (front,) = root.iter("polyline")
    assert len(front.get("points").split()) == 10
    assert "50 points, of which 10 in the front" in root.find("desc").text


def test_a_scatter_without_points_says_so():
    assert "no points" in svg(Scatter("front", "net", "macs", "params", ()))
