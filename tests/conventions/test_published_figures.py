"""The readings of figures that are quoted often, as docs/conventions.md shows them."""

import runpy

import pytest
from support import ROOT

SCRIPT = runpy.run_path(str(ROOT / "benchmarks" / "match_published_figures.py"))
QUOTED, published_figures, result = (
    SCRIPT[name] for name in ("QUOTED", "published_figures", "result")
)
PAGE = (ROOT / "docs" / "conventions.md").read_text(encoding="utf-8")
FIGURES = {(figure.network, figure.figure): figure for figure in published_figures()}


@pytest.mark.slow
@pytest.mark.parametrize("name", QUOTED, ids=" ".join)
def test_the_page_shows_the_reading_of_a_quoted_figure(name):
    assert result(FIGURES[name]).row in PAGE


def test_every_published_figure_has_a_source_and_is_in_the_file_once():
    rows = published_figures()
    assert all(row.source for row in rows)
    assert len(set(rows)) == len(rows)
    assert f"{len(rows)} figures" in PAGE
