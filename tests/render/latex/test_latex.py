"""LaTeX as a paper's author gets it: run through pdflatex without a warning, and read back."""

import re
import subprocess
from itertools import product

import pytest
from support import run
from tools import needs_latex, needs_pdftotext

from convcost.render.latex.escape import escape_latex, number

pytestmark = pytest.mark.slow

OPTIONS = [
    [part for given in choice for part in given]
    for choice in product(
        ([], ["--siunitx"]),
        ([], ["--caption", "50 % of it, [a] & b_c", "--label", "LABEL"]),
        ([], ["--units", "M"]),
    )
]
NARROW = "article"  # a line of 345 pt
WIDE = "[a4paper,margin=2cm]{geometry}"  # for tables of many or of long rows
NO_COUNTS = ("verify", "kinds", "explain", "conventions")  # commands without --units
CASES = {
    "analyze googlenet --depth 1": NARROW,
    "analyze googlenet --longtable": NARROW,
    "compare inception_3a": NARROW,
    "compare vgg16 alexnet --layers --longtable": WIDE,
    "verify googlenet": WIDE,
    "verify googlenet --longtable": WIDE,
    "reduce vgg16 --top 5": NARROW,
    "kinds --longtable": WIDE,  # more kinds than a page has lines
    "kinds conv": NARROW,
    "conventions thop": NARROW,  # all columns wrap
    "explain googlenet conv1/conv_1": NARROW,
    "analyze one_by_one --work params": NARROW,
    "analyze mobilenet_v1 --set width=0.5,1 --size 128,160,192,224": NARROW,
}


def latex(*arguments: str) -> str:
    done = run(*arguments, "--format", "latex")
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode()


def compiled(folder, *fragments: str, geometry: str = NARROW, preamble: str = "", runs: int = 1):
    """The log of a document that reads each fragment on a page of its own."""
    packages = {
        line for text in fragments for line in re.findall(r"^% (\\usep.*)", text, re.MULTILINE)
    }
    page = "" if geometry == NARROW else rf"\usepackage{geometry}"
    lines = [r"\documentclass{article}", page, preamble, *sorted(packages), r"\begin{document}"]
    for place, text in enumerate(fragments):
        (folder / f"{place}.tex").write_text(text, "utf-8")
        lines.append(rf"\input{{{place}.tex}}\clearpage")
    (folder / "main.tex").write_text("\n".join([*lines, r"\end{document}", ""]), "utf-8")
    for _ in range(runs):
        subprocess.run(
            ["pdflatex", "-interaction=nonstopmode", "-no-shell-escape", "main.tex"],
            cwd=folder, capture_output=True, check=False, timeout=120,
        )  # fmt: skip
    return (folder / "main.log").read_text("latin-1")


def warnings_in(log: str) -> list[str]:
    return re.findall(
        r"^(?:!|.*(?:Warning|Overfull|Underfull|Missing character)).*", log, flags=re.MULTILINE
    )


def read(folder, *options: str) -> str:
    subprocess.run(["pdftotext", *options, "main.pdf"], cwd=folder, check=True)
    return (folder / "main.txt").read_text("utf-8")


@needs_latex
@pytest.mark.parametrize("geometry", [NARROW, WIDE])
def test_every_table_compiles_without_a_warning_with_all_options(geometry, tmp_path):
    texts = [
        f"\\message{{^^JTable of {command}}}\n{latex(*command.split(), *options)}"
        for command, of in CASES.items()
        if of == geometry
        for options in OPTIONS
        if "--units" not in options or not command.startswith(NO_COUNTS)
    ]
    numbered = [text.replace("LABEL", f"tab:{place}") for place, text in enumerate(texts)]
    # A table over pages knows its widths, and a label its number, at the third run.
    log = compiled(tmp_path, *numbered, geometry=geometry, runs=3)
    tables = log.split("\nTable of ")[1:]
    assert len(tables) == len(texts)
    assert warnings_in(log) == [], [table.split("\n")[0] for table in tables if warnings_in(table)]


@needs_latex
@needs_pdftotext
def test_the_cells_of_a_network_are_read_back_from_the_page(tmp_path):
    text = latex("analyze", "googlenet", "--depth", "1")
    assert warnings_in(compiled(tmp_path, text, preamble=READABLE)) == []
    page = re.sub(r"[\s,]", "", read(tmp_path, "-raw"))
    rows = run("analyze", "googlenet", "--depth", "1").stdout.decode().splitlines()[3:22]
    for row in rows:
        assert re.sub(r"[\s,]", "", row) in page
    assert "biases,norms,activations,poolingandjoinscount0".replace(",", "") in page
    compiled(tmp_path, latex("compare", "inception_3a", "--layers"), preamble=READABLE)
    assert "\nLayers: naive to reduced\n" in read(tmp_path, "-raw")  # the L is not in `1fil`


READABLE = r"\usepackage[T1]{fontenc}\usepackage{lmodern}"


@needs_latex
@needs_pdftotext
def test_siunitx_gets_raw_numbers_and_shows_the_same_page(tmp_path):
    text = latex("analyze", "vgg16", "--siunitx", "--top", "1")
    assert "S[table-format=9]S[table-format=11]" in text
    assert " & 1792 & 86704128 & " in text
    compiled(tmp_path, text, preamble=READABLE)
    with_package = read(tmp_path, "-raw")
    compiled(tmp_path, latex("analyze", "vgg16", "--top", "1"), preamble=READABLE)
    assert re.sub(r"\s", "", read(tmp_path, "-raw")) == re.sub(r"\s", "", with_package)


@needs_latex
@needs_pdftotext
def test_a_table_is_a_float_only_on_request_and_its_label_has_a_number(tmp_path):
    alone = latex("analyze", "vgg16", "--top", "1")
    assert r"\begin{table}" not in alone
    labelled = latex("analyze", "vgg16", "--top", "1", "--label", "tab:v")
    assert r"\caption{VGG-16 (" in labelled
    assert r"\label{tab:v}" in labelled
    compiled(tmp_path, labelled + r"See \ref{tab:v}.", preamble=READABLE, runs=2)
    assert "See 1." in read(tmp_path)
    long = latex("analyze", "vgg16", "--longtable", "--caption", "All of 100 %")
    assert r"\begin{table}" not in long
    assert re.search(r"\\begin\{longtable\}\{.*\}\n\\caption\{All of 100 \\%\}\\\\\n", long)


@needs_latex
@needs_pdftotext
def test_a_name_is_not_an_option_of_the_row_before_it(tmp_path):
    layers = ", ".join(f"{{conv: 1, kernel: 1, name: '{name}'}}" for name in ("a", "*b", "[2cm]c"))
    spec = f"name: n\ninput: {{channels: 1, size: 1}}\nlayers: [{layers}]\n"
    done = run("analyze", "-", "--columns", "layer,macs", "--format", "latex", text=spec)
    log = compiled(tmp_path, done.stdout.decode(), preamble=READABLE)
    assert warnings_in(log) == []
    assert "a 1 *b 1 [2cm]c 1 total 3" in " ".join(read(tmp_path, "-raw").split())


def test_a_second_table_has_a_caption_and_a_label_of_its_own():
    text = latex("compare", "inception_3a", "--layers", "--caption", "Cost", "--label", "tab:c")
    assert re.findall(r"\\caption\{(.*?)\}\\label\{(.*?)\}", text) == [
        ("Cost", "tab:c"), ("Cost: Layers: naive to reduced", "tab:c-2"),
    ]  # fmt: skip


@pytest.mark.parametrize("options", [(), ("--longtable",)])
def test_of_several_tables_without_a_caption_each_has_its_title(options):
    def lines(*arguments):
        text = latex(*arguments, *options)
        return [line for line in text.splitlines() if line[:1] != "%" and "Figure 2" in line]

    titles = lines("analyze", "inception_3a")
    assert ["naive (Szegedy" in line or "reduced (Szegedy" in line for line in titles] == 2 * [True]
    assert lines("analyze", "inception_3a#naive") == []
    captions = lines("analyze", "inception_3a", "--caption", "Cost", "--label", "a")
    assert [line.startswith("\\caption{Cost: reduced (") for line in captions] == [True]


def test_the_table_of_a_paper_has_units_in_its_cells_and_the_ratios():
    text = latex("compare", "vgg16", "googlenet", "--units", "params=M,macs=G")
    rows = [line for line in text.splitlines() if " & " in line]
    size = r"$224{\times}224{\times}3$"
    ratios = r"19.77$\times$ fewer", r"9.77$\times$ fewer"
    assert rows == [
        r"network & input & params & params ratio & macs & macs ratio \\",
        rf"VGG-16 & {size} & 138.36\,M & baseline & 15.47\,G & baseline \\",
        rf"GoogLeNet & {size} & 7.00\,M & {ratios[0]} & 1.58\,G & {ratios[1]} \\",
    ]
    units = ("--units", "params=M,macs=G", "--columns", "network,params,params_change", "--siunitx")
    rows = latex("compare", "vgg16", "googlenet", *units).splitlines()
    assert r"network & {params (M)} & params change (M) \\" in rows
    assert r"GoogLeNet & 7.00 & $-$131.36 ($-$94.9 \%) \\" in rows


@needs_latex
def test_a_table_in_running_text_is_on_lines_of_its_own(tmp_path):
    words = "words " * 9
    for columns in ((), ("--columns", "network,macs")):
        text = latex("compare", "vgg16", "googlenet", "alexnet", *columns)
        log = compiled(tmp_path, f"{words}{text}{words}", preamble=r"\parindent0pt")
        assert warnings_in(log) == []


@needs_latex
@needs_pdftotext
def test_notes_of_many_pages_are_printed_on_them(tmp_path):
    """TeX has no box that is higher than 16,383 pt, which is 1,365 lines."""
    figures = [f"  - {{params: 7, source: {'n' * 4_000}{number}}}\n" for number in range(30)]
    layers = "input: {channels: 1, size: 1}\nlayers: [{conv: 1, kernel: 1}]\n"
    spec = f"{layers}published:\n{''.join(figures)}"
    done = run("compare", "-", "vgg16", "--format", "latex", text=spec)
    log = compiled(tmp_path, done.stdout.decode(), preamble=READABLE)
    assert not re.search(r"^!|Overfull .vbox", log, re.MULTILINE)
    assert read(tmp_path).count(" 7 published") == len(figures)


@needs_latex
@needs_pdftotext
@pytest.mark.parametrize(
    ("options", "before", "after"),
    [
        pytest.param((), "", "", id="left"),
        pytest.param(("--caption", "Cost"), "", "", id="a float"),
        pytest.param((), r"\begin{table}\centering", r"\end{table}", id="a float of the author"),
    ],
)
def test_notes_are_below_their_table_with_its_width(options, before, after, tmp_path):
    text = latex("compare", "vgg16", "googlenet", "--columns", "network,macs", *options)
    assert warnings_in(compiled(tmp_path, f"{before}\n{text}{after}", preamble=READABLE)) == []
    subprocess.run(["pdftotext", "-bbox", "main.pdf", "main.html"], cwd=tmp_path, check=True)
    pattern = r'xMin="([\d.]+)" .* xMax="([\d.]+)" .*>(.*?)</word>'
    words = re.findall(pattern, (tmp_path / "main.html").read_text("utf-8"))
    head = [word for *_, word in words].index("network")
    left = words[head][0]
    right = next(end for _, end, word in words if word == "macs")
    notes = [word for word in words[head:] if word[2] != "1"]  # without the number of the page
    assert min(float(start) for start, *_ in notes) == pytest.approx(float(left), abs=1)
    assert max(float(end) for _, end, _ in notes) == pytest.approx(float(right), abs=1)
    middle = (float(left) + float(right)) / 2
    assert (middle == pytest.approx(612 / 2, abs=1)) == bool(options or before)


@needs_latex
@needs_pdftotext
@pytest.mark.parametrize("options", [(), ("--longtable",)])
def test_a_table_has_space_above_and_below_and_two_tables_have_it_once(options, tmp_path):
    one = latex("compare", "vgg16", "googlenet", *options)
    two = latex("analyze", "inception_3a", *options)
    log = compiled(tmp_path, f"above\n{one}below\n\nlast", f"{two}", runs=3)
    assert warnings_in(log) == []
    lines = tops_and_bottoms(tmp_path)
    (above, _), (head, _), (_, note), (below, _), (last, _) = (
        next(line for line in lines if line[0] == word)[1:]
        for word in ("above", "network", "products;", "below", "last")
    )
    baseline = last - below  # one line of text
    assert head - above > 1.3 * baseline
    assert below - note > 0.3 * baseline
    assert two.count(r"\addvspace{\medskipamount}") == 4


def tops_and_bottoms(folder) -> list[tuple[str, float, float]]:
    """The words of all pages, each with the y of its top and of its bottom."""
    subprocess.run(["pdftotext", "-bbox", "main.pdf", "main.html"], cwd=folder, check=True)
    pattern = r'yMin="([\d.]+)" xMax="[\d.]+" yMax="([\d.]+)">(.*?)</word>'
    words = re.findall(pattern, (folder / "main.html").read_text("utf-8"))
    return [(word, float(top), float(bottom)) for top, bottom, word in words]


@needs_latex
def test_a_table_fits_the_width_of_the_line(tmp_path):
    """Too wide for two columns, it is set smaller there, not over the edge."""
    text = latex("verify", "googlenet")
    assert r"\ifdim\wd0>\linewidth" in text
    assert warnings_in(compiled(tmp_path, text, preamble=r"\hbadness10000")) == []


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        pytest.param(r"\ & % $ # _ { }", r"\textbackslash{} \& \% \$ \# \_ \{ \}", id="specials"),
        pytest.param("a~b^c", r"a\textasciitilde{}b\textasciicircum{}c", id="accents"),
        pytest.param("[x] <y> |", r"{[}x{]} \textless{}y\textgreater{} \textbar{}", id="brackets"),
        pytest.param("-- '' ,,", "-{}- '{}' ,{},", id="signs that fonts join"),
        pytest.param("4 × 3 → ⌊", r"4 $\times$ 3 $\rightarrow$ $\lfloor$", id="signs"),
        pytest.param("r²·√Ω − Φ", r"r\textsuperscript{2}$\cdot$$\surd$$\Omega$ $-$ $\Phi$", id="Φ"),
        pytest.param("é ï ß Å", r"\'{e} \"{\i} \ss{} \r{A}", id="letters"),
        pytest.param("\u0958", r"\textbackslash{}u0958", id="a letter that NFC splits"),
        pytest.param("中 đ ế", r"\textbackslash{}u4e2d \textbackslash{}u0111 \textbackslash{}u1ebf",
                     id="what pdflatex has not"),
        pytest.param("(3,224,224) -1", r"(3,224,224) -1", id="numbers of an author"),
        pytest.param("a1,234 b", "a1,234 b", id="a name with a comma is no number"),
        pytest.param("a\nb\t", r"a\textbackslash{}x0ab\textbackslash{}x09", id="lines"),
    ],
)  # fmt: skip
def test_text_is_printed_unchanged(text, shown):
    assert escape_latex(text) == shown


def test_a_long_word_breaks_only_at_separators_and_a_number_never():
    assert escape_latex("stage/main/conv_1", breaks=True) == (
        r"stage/\allowbreak main/\allowbreak conv\_\allowbreak 1"
    )
    assert escape_latex("4.24M 1,234", breaks=True, numbers=True) == r"4.24M 1\,234"


def test_numbers_of_the_program_are_grouped_with_a_minus():
    assert escape_latex("-229,888 (-59.4 %)", numbers=True) == r"$-$229\,888 ($-$59.4 \%)"
    assert escape_latex("x" * 25, breaks=True) == r"\allowbreak ".join(
        ["x" * 10, "x" * 10, "x" * 5]
    )
    assert number("-1,234") == r"$-$1\,234"


def test_digits_of_other_scripts_are_not_numbers():
    escaped = r"(\textbackslash{}u0661,\textbackslash{}u0662)"
    assert escape_latex("(١,٢)", numbers=True) == escaped


@needs_latex
def test_every_letter_of_europe_and_every_sign_compiles(tmp_path):
    """Under plain pdflatex: what it has no glyph for is an escape, never an error."""
    shown = [
        chr(code) for code in (*range(0x20, 0x250), *range(0x370, 0x400), *range(0x2000, 0x2600))
    ]
    text = "\n".join(f"{escape_latex(character)}\\quad" for character in shown)
    assert warnings_in(compiled(tmp_path, r"\raggedright " + text)) == []


def test_columns_that_all_wrap_use_the_line_and_longer_texts_have_wider_columns():
    text = run("conventions", "thop", "--format", "latex").stdout.decode()
    layers, counts, faults = map(float, re.findall(r"p\{([\d.]+)\\linewidth\}", text))
    assert layers < counts < faults
    assert layers + counts + faults == pytest.approx(0.9, abs=0.02)  # each is rounded
