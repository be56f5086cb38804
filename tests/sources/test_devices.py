"""Devices: those that ship, files of the user, and checks of a network against them."""

import json
from typing import Any

import pytest
from report_forms import validator
from repository import BODY, STEM, checked, net
from support import ROOT, run

import convcost
from convcost.language.device import parse_device
from convcost.model.errors import Source, SpecError, UsageError
from convcost.sources.devices import read_device

SHIPPED = sorted(path.stem for path in (ROOT / "devices").glob("*.yaml"))
PEAK = 2 * 8 * 6 * 6


def test_eight_devices_ship():
    assert SHIPPED == [
        "a100", "h100", "jetson_orin_nano", "nrf52840", "raspberry_pi_5", "stm32f746", "stm32h743",
        "t4",
    ]  # fmt: skip


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_device_has_a_source_and_all_figures(name):
    device = read_device(name)
    assert device.source
    assert device.bandwidth
    assert {"int8", "float32"} <= dict(device.macs).keys()
    # A wider type is never faster.
    rates = dict(device.macs)
    assert rates["int8"] >= rates.get("float16", 0) >= 0
    assert rates["int8"] >= rates["float32"]


MHZ, GB = 10**6, 10**9
PRINTED_DIGIT = 10**12 // 10 // 2  # NVIDIA prints tenths of 10^12 operations, two a multiply-add
INTEGERS = {"int8": 2, "uint8": 2, "int16": 2, "int32": 1}


def rates(clock, units):
    return {dtype: clock * products for dtype, products in units.items()}


@pytest.mark.parametrize(
    ("name", "bandwidth", "expected"),
    [
        (
            "nrf52840",
            64 * MHZ * 4,
            {**rates(64 * MHZ, INTEGERS), "float32": 64 * MHZ // 2},
        ),
        ("stm32f746", 216 * MHZ * 8, rates(216 * MHZ, {**INTEGERS, "float32": 1})),
        ("stm32h743", 480 * MHZ * 8, rates(480 * MHZ, {**INTEGERS, "float32": 1})),
        (
            "raspberry_pi_5",
            4267 * MHZ * 4,
            rates(
                4 * 2 * 2400 * MHZ,
                {"int8": 16, "uint8": 16, "float16": 8, "float32": 4, "float64": 2},
            ),
        ),
        (
            "jetson_orin_nano",
            128 // 8 * 2 * 2133 * MHZ,
            rates(
                625 * MHZ,
                {
                    "int8": 32 * 512,
                    "uint8": 32 * 512,
                    "float16": 32 * 256,
                    "bfloat16": 32 * 256,
                    "float32": 1024,
                },
            ),
        ),
        (
            "t4",
            256 // 8 * 2 * 5001 * MHZ,
            rates(
                1590 * MHZ,
                {
                    "int4": 320 * 256,
                    "int8": 320 * 128,
                    "uint8": 320 * 128,
                    "float16": 320 * 64,
                    "float32": 2560,
                },
            ),
        ),
        (
            "a100",
            2039 * GB,
            rates(
                PRINTED_DIGIT,
                {
                    "int4": 12480,
                    "int8": 6240,
                    "uint8": 6240,
                    "float16": 3120,
                    "bfloat16": 3120,
                    "float32": 195,
                    "float64": 195,
                },
            ),
        ),
        (
            "h100",
            3350 * GB,
            rates(
                PRINTED_DIGIT,
                {
                    "float8": 19789,
                    "int8": 19789,
                    "uint8": 19789,
                    "float16": 9894,
                    "bfloat16": 9894,
                    "float32": 669,
                    "float64": 669,
                },
            ),
        ),
    ],
)
def test_rates_are_those_of_clock_and_units_or_half_of_the_printed_operations(
    name, bandwidth, expected
):
    device = read_device(name)
    assert (device.bandwidth, dict(device.macs)) == (bandwidth, expected)


@pytest.mark.parametrize(
    ("text", "problems"),
    [
        ("ram: 1MiB", ["a device needs `source`"]),
        ("{source: s, ram: 0}", ["ram must be above 0"]),
        ("{source: s, ram: 1MiB, rom: 2}", ["a device has no key `rom`"]),
        ("{source: s, ram: 1.5}", ["ram: `1.5` is not a whole number"]),
        ("{source: s, ram: 1MiB, macs: 5}", ["`macs` must be a mapping of dtypes"]),
        ("{source: s, ram: 1MiB, macs: {int9: 5}}", ["`macs` has no dtype `int9`"]),
        ("- 1", ["a device is one mapping"]),
        ("{source: s, ram: 1MiB}\n---\n{}", ["a device is one mapping"]),
    ],
)
def test_a_wrong_device_is_an_error_with_a_place(text, problems):
    with pytest.raises(SpecError) as error:
        parse_device(Source("d.yaml", text))
    assert [problem.message for problem in error.value.problems] == problems


def test_an_empty_document_after_a_device_is_ignored():
    assert parse_device(Source("d.yaml", "{source: s, ram: 1KiB}\n---\n")).ram == 1024


def test_an_unknown_device_lists_the_known_ones():
    done = run("memory", "-", "--device", "stm32h74", text=net())
    assert (done.returncode, done.stdout) == (2, b"")
    lines = done.stderr.decode().splitlines()
    assert lines[0] == "error: there is no device `stm32h74`"
    assert "did you mean `stm32h743`?" in lines[1]
    assert "raspberry_pi_5" in lines[1]


def test_check_compares_flash_and_ram_with_those_of_a_device(tmp_path):
    flash = STEM + BODY
    (tmp_path / "small.yaml").write_text(f"{{ram: {PEAK}, flash: {flash - 1}, source: s}}", "utf-8")
    (tmp_path / "net.yaml").write_text(net(), "utf-8")
    command = ("net.yaml", "--device", "small.yaml", "--dtype", "int8")
    returned, answer = checked(*command, cwd=tmp_path)
    assert returned == 1
    assert [(f["measure"], f["limit"], f["found"]) for f in answer["findings"]] == [
        ("flash", flash - 1, flash)
    ]
    assert answer["findings"][0]["file"] == "small.yaml"


def test_without_flash_weights_and_tensors_share_the_ram(tmp_path):
    need = PEAK + STEM + BODY
    (tmp_path / "net.yaml").write_text(net(), "utf-8")
    for ram, expected in ((need, 0), (need - 1, 1)):
        (tmp_path / "gpu.yaml").write_text(f"{{ram: {ram}, source: s}}", "utf-8")
        returned, _ = checked("net.yaml", "--device", "gpu.yaml", "--dtype", "int8", cwd=tmp_path)
        assert returned == expected
    done = run("memory", "net.yaml", "--device", "gpu.yaml", "--dtype", "int8", cwd=tmp_path)
    assert f"RAM {need} of {need - 1} bytes (too much)" in done.stdout.decode()


def test_a_dtype_without_a_device_is_an_error():
    done = run("check", "-", "--dtype", "int8", text=net())
    assert done.returncode == 2
    assert done.stderr.decode().startswith("error: the dtype of a check needs a device\n")


def test_json_has_the_bound_of_each_layer_and_their_sum():
    done = run("memory", "resnet50", "--dtype", "float16", "--device", "h100", "--format", "json")
    report = json.loads(done.stdout)
    validator("convcost.memory/1").validate(report)
    network = report["networks"][0]
    device = network["device"]
    assert device["fits"]
    assert device["picoseconds"] == sum(limit["picoseconds"] for limit in device["limits"])
    stem = network["layers"][0]
    macs, moved = 112 * 112 * 64 * 49 * 3, 2 * (224 * 224 * 3 + 64 * 49 * 3 + 112 * 112 * 64)
    assert (stem["macs"], stem["read"] + stem["written"]) == (macs, moved)
    assert device["limits"][0] == {
        "limit": "memory",
        "picoseconds": moved * 10**12 // (3350 * 10**9),
    }


def test_batch_norms_that_are_folded_move_no_bytes():
    reports = [
        json.loads(run("memory", "resnet50", *options, "--format", "json").stdout)
        for options in ((), ("--deploy",))
    ]
    trained, deployed = (
        sum(layer["read"] + layer["written"] for layer in report["networks"][0]["layers"])
        for report in reports
    )
    assert deployed < trained
    assert reports[1]["networks"][0]["buffers"]["elements"] == 0


def test_csv_of_an_uncounted_layer_has_all_cells_under_their_columns():
    layers = "layers: [{custom: what, params: 5, macs: uncounted}]"
    text = f"name: net\ninput: {{channels: 3, size: 8}}\n{layers}\n"
    done = run("memory", "-", "--device", "h100", "--format", "csv", text=text)
    head, row = [line.split(",") for line in done.stdout.decode().splitlines()]
    cells = dict(zip(head, row, strict=True))
    assert (cells["kind"], cells["macs"], cells["limit"]) == ("custom", "?", "?")


def test_csv_has_one_row_for_each_layer_with_exact_numbers():
    done = run(
        "memory", "-", "--dtype", "float16", "--device", "h100", "--format", "csv", text=net()
    )
    head, first, *others = [line.split(",") for line in done.stdout.decode().splitlines()]
    row = dict(zip(head, first, strict=True))
    read, written = 2 * (8 * 8 * 3 + STEM), 2 * 6 * 6 * 8
    assert len(others) == 2
    assert (row["network"], row["path"]) == ("net", "stem")
    assert (int(row["read"]), int(row["written"])) == (read, written)
    assert int(row["macs"]) == 6 * 6 * STEM
    assert row["limit"] == "memory"
    assert int(row["picoseconds"]) == (read + written) * 10**12 // (3350 * 10**9)


def test_the_api_accepts_one_dtype_or_several_and_refuses_other_types():
    one = convcost.memory("vgg16", dtype="int8", device="t4").tree()["networks"][0]
    several = convcost.memory("vgg16", dtype=["int8", "fc*:int8"]).tree()["networks"][0]
    assert one.peak == several.peak
    assert one.device.fits
    mistakes: tuple[Any, ...] = (5, [5], {"weights": "int8"})
    for wrong in mistakes:
        with pytest.raises(UsageError, match=r"dtype must be a str or pathlib\.Path, not"):
            convcost.memory("vgg16", dtype=wrong)
    assert not convcost.check("vgg16", device="nrf52840", dtype="int8").ok
