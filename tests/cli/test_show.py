"""`convcost specs`, `show` and `init`: specs to choose from, to read and to start from."""

import json

import pytest
from once import shipped_counts
from support import SPECS, answer, run, shipped

from convcost import formatted
from convcost.commands.specs import specs
from convcost.model.errors import UsageError
from convcost.model.measures import CONVENTION
from convcost.model.shape import Shape
from convcost.render import FORMATS, Style
from convcost.reports.specs import NUMBERS, ShippedNetwork, ShippedSpec, ShippedSpecs
from convcost.reports.sweep.selection import parse_filter
from convcost.sources.spec_files import locate

SQUARE = Shape(3, (8, 8))
TWO = ShippedSpecs(
    (
        ShippedSpec("one", ("One",), "a paper", (27,), (1728,)),
        ShippedSpec("two", ("a", "b"), "", (5_000_000, 4_994), (6, 6)),
    ),
    lambda: (
        ShippedNetwork("one", "One", {"i": SQUARE}, 27, 1728, 9, 4, 16, (3, 3), 2015, "a paper"),
        ShippedNetwork("two#b", "b", {"x": SQUARE, "y": Shape(2)}, 5, 6, 7, 8, 32, (), 0, ""),
    ),
)


def test_specs_prints_a_row_for_each_spec():
    assert str(TWO) == (
        "2 specs with 3 networks ship with convcost\n\n"
        "spec  networks              params   macs  source\n"
        "one   One                       27  1,728  a paper\n"
        "two   a, b      4,994 to 5,000,000      6\n\n"
        "`resnet50` and `resnet#50` name one network of a spec, `resnet` all\n"
        "`convcost compare SPEC` prints the costs, `convcost show SPEC` the text\n"
        "the params and macs of several networks are the least and the most\n"
        "`convcost specs --format csv` prints the costs of all networks\n"
        "`convcost specs --where 'macs <= 300M'` prints the networks that meet a condition\n"
        f"{CONVENTION}"
    )


@pytest.mark.parametrize(
    ("conditions", "found"),
    [
        (["macs <= 1728"], ["one", "two#b"]),
        (["macs < 1.728k"], ["two#b"]),
        (["macs <= 2k and params > 5"], ["one"]),
        (["macs <= 2k", "peak_memory_int8 >= 8"], ["two#b"]),
        (["year <= 2015"], ["one"]),
        (["year == 0"], []),
        (["activations > 9"], []),
    ],
)
def test_conditions_select_networks_of_all_specs(conditions, found):
    selected = TWO._replace(where=tuple(parse_filter(text, NUMBERS) for text in conditions))
    (table,) = selected.tables()
    title = f"{len(found)} of 3 networks that ship with convcost: {' and '.join(conditions)}"
    assert table.title == title
    assert [row[0] for row in table.rows] == found
    assert [network.spec for network in selected.tree()["networks"]] == found


@pytest.mark.parametrize(
    ("conditions", "counted"),
    [
        (["macs <= 400k", "params > 1k"], ["lenet5"]),
        (["macs <= 400k and params > 1k and activations < 1"], ["lenet5"]),
        (["activations < 1", "macs <= 400k and params > 1k"], ["lenet5"]),
        (["activations < 1 and macs > 0", "macs/params == 0", "macs > 1e15"], []),
    ],
)
def test_only_networks_whose_params_macs_and_year_meet_the_conditions_are_counted(
    conditions, counted
):
    assert [network.spec for network in specs(conditions).compute()] == counted


def test_a_condition_that_divides_by_zero_is_refused_unless_one_before_it_excludes_that():
    with pytest.raises(UsageError, match=r"^--where macs/params > 1: 0 / 0 divides by 0$"):
        specs(["macs/params > 1", "macs == 0"]).compute()
    (table,) = specs(["activations > 1e9", "macs/params > 1", "macs == 0"]).tables()
    assert table.rows == ()


def test_networks_are_counted_once_for_all_outputs():
    report = specs(["macs <= 400k"])
    assert report.compute() is report.compute()


def test_a_condition_on_an_unknown_number_is_refused():
    done = run("specs", "--where", "mac <= 300M")
    error = b"error: --where: there is no number `mac`; did you mean `macs`?\n"
    assert (done.returncode, done.stderr) == (2, error)


def test_the_counts_of_specs_have_a_unit_for_each_column():
    text = "".join(FORMATS["plain"].write(TWO, Style(units=(("params", "M"), ("macs", "k")))))
    assert text.splitlines()[2:5] == [
        "spec  networks     params (M)  macs (k)  source",
        "one   One               <0.01      1.73  a paper",
        "two   a, b      <0.01 to 5.00      0.01",
    ]


@pytest.mark.parametrize(
    ("spec", "params", "macs"),
    [
        ("googlenet", "6,998,552", "1,582,671,872"),
        ("resnet", "11,689,512 to 60,192,808", "1,814,073,344 to 11,513,626,624"),
    ],
)
def test_the_list_has_the_counts_of_the_networks_of_a_spec(spec, params, macs):
    lines = run("specs").stdout.decode().splitlines()
    (line,) = (line for line in lines if line.startswith(f"{spec} "))
    assert f"  {params}  " in line
    assert f"  {macs}  " in line
    networks = answer("analyze", spec)["networks"]
    for measure, text in (("params", params), ("macs", macs)):
        numbers = [network["totals"][measure] for network in networks]
        assert text == " to ".join(
            f"{fromkey:,}" for fromkey in dict.fromkeys((min(numbers), max(numbers)))
        )


def test_the_records_of_specs_have_a_row_for_each_network():
    assert formatted(TWO, "csv").splitlines()[1:] == [
        "one,One,8x8x3,27,1728,9,4,16,3x3,2015,a paper",
        'two#b,b,"8×8×3, 2",5,6,7,8,32,,,',
    ]


def test_specs_as_records_has_raw_counts_of_every_network_and_the_argument_that_names_it(
    tmp_path_factory,
):
    records = shipped_counts(tmp_path_factory)
    networks = json.loads((records / "specs.json").read_text("utf-8"))["networks"]
    named = {network["spec"]: network for network in networks}
    assert {locate(spec).path for spec in named} == set(SPECS.glob("*.yaml"))
    assert (named["vgg16"]["params"], named["vgg16"]["macs"]) == (138_357_544, 15_470_264_320)
    for spec in ("googlenet", "inception_3a#reduced", "efficientnet_b4"):
        name, _, document = spec.partition("#")
        totals = shipped(name, document or None).totals
        assert named[spec]["params"] == totals.params
        assert named[spec]["macs"] == totals.macs
        assert run("analyze", spec).returncode == run("show", spec).returncode == 0

    lines = (records / "specs.csv").read_text("utf-8").splitlines()
    assert lines[0] == (
        "spec,name,input,params,macs,activations,peak_memory_int8,peak_memory_float32,"
        "receptive_field,year,source"
    )
    rows = {line.partition(",")[0]: line.split(",")[1:10] for line in lines}
    # 212 is the receptive field of the last pool; the largest pair of tensors is 2 of 224×224×64.
    pair = 2 * 224 * 224 * 64
    assert rows["vgg16"] == [
        *("VGG-16", "224x224x3", "138357544", "15470264320"),
        *(str(shipped("vgg16").totals.activations), str(pair), str(4 * pair), "212x212", "2014"),
    ]


@pytest.mark.parametrize("width", [60, 80, 120])
def test_specs_fits_a_terminal(width):
    lines = run("specs", "--format", "table", "--width", str(width)).stdout.decode().splitlines()
    columns = ["spec", "networks", "params", "macs", "source"][: {60: 3, 80: 4, 120: 5}[width]]
    assert lines[2].split() == columns
    assert max(map(len, lines)) <= width
    row = next(line for line in lines if line.startswith("fcn "))
    assert " 32,957,013 to" in row  # no number is broken into lines
    assert "142,725,772,800 to" in row or width < 80


def test_a_variant_is_named_by_its_spec_and_its_own_name():
    networks = {
        json.dumps(answer("analyze", name)["networks"])
        for name in ("efficientnet_b4", "efficientnet-b4", "efficientnetb4", "efficientnet#b4")
    }
    assert len(networks) == 1
    assert run("show", "efficientnet_b4").stdout == (SPECS / "efficientnet.yaml").read_bytes()


def test_signs_of_a_name_may_be_left_out_only_where_it_stays_clear():
    names = ("vit_b_16", "vit_b16", "vit-b16", "vitb16")
    assert {shipped(name).network.name for name in names} == {"ViT-b_16"}
    assert shipped("regnet_x_16gf").network.name == "RegNet-x_16gf"
    assert shipped("regnet_x_1_6gf").network.name == "RegNet-x_1_6gf"
    assert run("analyze", "regnetx16gf").returncode == 2


def test_a_shipped_spec_names_all_its_variants():
    networks = answer("compare", "efficientnet")["networks"]
    assert [network["name"] for network in networks] == [f"EfficientNet-b{n}" for n in range(9)]


def test_the_error_for_an_unknown_network_has_the_nearest_variant():
    done = run("analyze", "efficientnet_b44")
    assert done.returncode == 2
    assert done.stderr.decode().splitlines()[0] == (
        "error: there is no file and no shipped spec `efficientnet_b44`; "
        "did you mean `efficientnet_b4`?"
    )


def test_a_variant_has_no_documents():
    done = run("analyze", "efficientnet_b4#b0")
    assert done.stderr.decode() == (
        "error: `efficientnet_b4` is one network, so `#b0` selects nothing of it\n"
    )


def test_a_file_with_a_shipped_name_before_its_own_is_not_a_variant(tmp_path):
    (tmp_path / "efficientnet_b4").write_text("input: {channels: 1, size: 1}\nlayers: [relu]\n")
    done = run("analyze", "efficientnet_b4", cwd=tmp_path)
    assert b"380" not in done.stdout


def test_the_spec_of_a_variant_is_not_overwritten():
    spec = SPECS / "efficientnet.yaml"
    done = run("analyze", "efficientnet_b4", "-o", f"csv:{spec}")
    assert done.returncode == 2
    assert b"efficientnet.yaml" in done.stderr


def test_show_prints_the_text_of_a_shipped_spec():
    done = run("show", "googlenet")
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout == (SPECS / "googlenet.yaml").read_bytes()


def test_show_prints_no_file_of_the_user(tmp_path):
    (tmp_path / "net.yaml").write_text("\x1b[2J")
    done = run("show", "net.yaml", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr.decode() == (
        "error: `net.yaml` is a file; `convcost show` prints only specs that ship with convcost\n"
    )


def test_show_suggests_the_nearest_name():
    done = run("show", "googlnet")
    assert done.returncode == 2
    assert b"no shipped spec `googlnet`; did you mean `googlenet`?" in done.stderr


def test_init_writes_a_spec_that_is_within_its_budget(tmp_path):
    made = run("init", "net.yaml", cwd=tmp_path)
    assert (made.returncode, made.stderr) == (0, b"wrote net.yaml\n")
    assert run("check", "net.yaml", cwd=tmp_path).returncode == 0


def test_init_overwrites_nothing(tmp_path):
    (tmp_path / "net.yaml").write_text("mine")
    done = run("init", "net.yaml", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (2, b"error: `net.yaml` exists; name a new file\n")
    assert (tmp_path / "net.yaml").read_text() == "mine"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("", "init needs the name of a new file"),
        ("no/net.yaml", "cannot write `no/net.yaml`: No such file or directory"),
    ],
)
def test_init_refuses_a_file_that_cannot_be_written(name, message, tmp_path):
    done = run("init", name, cwd=tmp_path)
    assert (done.returncode, done.stderr.decode()) == (2, f"error: {message}\n")


def test_init_writes_to_standard_output():
    done = run("init", "-")
    assert run("analyze", "-", text=done.stdout).returncode == 0


def test_explain_without_a_layer_lists_the_layers():
    assert run("explain", "vgg16").stdout == run("analyze", "vgg16").stdout
