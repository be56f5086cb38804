"""What limits are compared with: the edges of growth, sides, depth, bytes and unknown counts."""

import json

import pytest
from support import run

from convcost.reports.check.finding import Growth

HEAD = "input: {channels: 2, size: 12}\n"
WINDOW = "layers: [{conv: 3, kernel: [9, 3]}, relu, {conv: 1, kernel: 1}]\n"
TENSORS = 2 * 12 * 12 + 3 * 4 * 10
PARAMS = 2 * 9 * 3 * 3 + 3


@pytest.mark.parametrize(("after", "allowed"), [(200, True), (201, False)])
def test_a_share_of_growth_is_not_rounded(after, allowed):
    assert Growth(1, 100, 0, "1 %").allows(199, after) is allowed is (100 * (after - 199) <= 199)


@pytest.mark.parametrize(
    ("layers", "limit", "code"),
    [
        (WINDOW, "receptive_field: {min: 3}", 0),
        (WINDOW, "receptive_field: {min: 4}", 1),
        (WINDOW, "receptive_field: {max: 9}", 0),
        (WINDOW, "receptive_field: {max: 8}", 1),
        (WINDOW, "depth: {max: 2}", 0),
        (WINDOW, "depth: {max: 1}", 1),
        (WINDOW, f"memory: {{max: {TENSORS + PARAMS}, dtype: int8}}", 0),
        (WINDOW, f"memory: {{max: {TENSORS + PARAMS - 1}, dtype: int8}}", 1),
        (WINDOW, f"flash: {{max: {4 * PARAMS}}}", 0),
        (WINDOW, f"flash: {{max: {4 * PARAMS - 1}}}", 1),
    ],
)
def test_a_limit_is_kept_up_to_its_exact_count(layers, limit, code):
    text = f"{HEAD}{layers}budget: {{{limit}}}\n"
    assert run("check", "-", text=text).returncode == code


def test_known_macs_below_a_min_are_not_checked_if_others_are_unknown():
    layers = "layers: [{custom: x, params: 0, macs: uncounted}]\n"
    text = f"{HEAD}{layers}budget: {{macs: {{min: 7}}}}\n"
    done = run("check", "-", "--format", "json", text=text)
    assert done.returncode == 0
    (found,) = json.loads(done.stdout)["findings"]
    assert found["level"] == "skipped"
