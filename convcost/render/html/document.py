"""The whole page: head, contents, chapters. Ids are numbers, never names of a spec."""

from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

from convcost import __version__
from convcost.render.html.cells import breakable, cell_content, escape_html
from convcost.render.html.tables import folded_html, notes_html, region_attributes, table_html
from convcost.reports.chart_model import Bars, Chart, GraphChart, Treemap
from convcost.reports.page_model import Chapter, Fact, Folded, Page, Part, Section
from convcost.reports.table import Column, Table

# Nothing can be loaded and no script can run, even if an escape is missing.
POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; "
    "form-action 'none'"
)
# Without an icon a browser requests one from the server.
ICON = "data:image/gif;base64,R0lGODlhAQABAIAAAB9dqAAAACwAAAAAAQABAAACAkQBADs="
FACT = Column("", "", folds=True)
# Widths of charts in pixels: two beside each other, or one.
HALF, FULL = 460, 1070
CSS = Path(__file__).with_name("page.css")


def document(page: Page) -> Iterator[str]:
    title = escape_html(" - ".join(word for word in (page.title, "convcost", page.report) if word))
    yield (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        '<meta name="referrer" content="no-referrer">\n'
        f'<meta name="generator" content="convcost {__version__}">\n'
        f'<title>{title}</title>\n<link rel="icon" href="{ICON}">\n'
        f"<style>\n{CSS.read_text('utf-8')}</style>\n</head>\n<body>\n"
    )
    yield from _header(page)
    yield "<main>\n"
    several = len(page.chapters) > 1
    for number, chapter in enumerate(page.chapters, 1):
        yield from _chapter(chapter, f"c{number}", several=several)
    yield f"</main>\n<footer><p>convcost {__version__}</p></footer>\n</body>\n</html>\n"


def _header(page: Page) -> Iterator[str]:
    yield f'<header>\n<p class="of"><b>convcost</b> {escape_html(page.report)}</p>\n'
    yield f"<h1>{breakable(page.title)}</h1>\n"
    if len(page.chapters) == 1:
        yield from _source(page.chapters[0])
        yield "</header>\n"
        return
    yield '</header>\n<nav aria-label="Contents">\n<ol>\n'
    for number, chapter in enumerate(page.chapters, 1):
        yield f'<li><a href="#c{number}">{breakable(chapter.title)}</a></li>\n'
    yield "</ol>\n</nav>\n"


def _source(chapter: Chapter) -> Iterator[str]:
    if chapter.source:
        yield f'<p class="source">{escape_html(chapter.source)}</p>\n'


def _chapter(chapter: Chapter, ident: str, *, several: bool) -> Iterator[str]:
    """A chapter. If it is the only one, its heading is that of the page."""
    level = 3 if several else 2
    if several:
        yield f'<article id="{ident}" aria-labelledby="{ident}-h">\n'
        yield f'<h2 id="{ident}-h">{breakable(chapter.title)}</h2>\n'
        yield from _source(chapter)
    if chapter.facts:
        thirds = " thirds" if len(chapter.facts) % 3 == 0 else ""
        yield f'<dl class="facts{thirds}">\n{"".join(map(_fact, chapter.facts))}</dl>\n'
    yield from notes_html(chapter.notes)
    for number, section in enumerate(chapter.sections, 1):
        yield from _section(section, f"{ident}-{number}", level)
    if several:
        yield "</article>\n"


def _fact(fact: Fact) -> str:
    note = f"<small>{escape_html(fact.note)}</small>" if fact.note else ""
    value = cell_content(FACT, fact.value, 0)
    return f"<div><dt>{escape_html(fact.name)}</dt><dd>{value}{note}</dd></div>\n"


def _section(section: Section, ident: str, level: int) -> Iterator[str]:
    heading = f'<h{level} id="{ident}">{breakable(section.title)}</h{level}>'
    # A section without a name is not a landmark. The boxes of its tables are landmarks, named by
    # its title.
    yield "<section>\n"
    if section.title and not section.folded:
        yield f"{heading}\n"
    if section.folded:
        yield f"<details>\n<summary>{heading}</summary>\n"
    for half, parts in groupby(enumerate(section.parts, 1), _is_half):
        yield '<div class="plots">\n' if half else ""
        for number, part in parts:
            yield from _part(part, f"{ident}-{number}")
        yield "</div>\n" if half else ""
    yield "</details>\n</section>\n" if section.folded else "</section>\n"


def _is_half(numbered: tuple[int, Part]) -> bool:
    return isinstance(numbered[1], Bars | Treemap)


def _part(part: Part, ident: str) -> Iterator[str]:
    if isinstance(part, Table):
        return table_html(part)
    if isinstance(part, Folded):
        return folded_html(part)
    return _chart(part, ident)


def _chart(chart: Chart, ident: str) -> Iterator[str]:
    from convcost.render.svg import svg

    kind = "graph" if isinstance(chart, GraphChart) else "plot"
    yield f'<figure class="{kind}">\n<figcaption>{escape_html(chart.title)}</figcaption>\n'
    if kind == "graph":
        yield '<label><input type="checkbox"> Show the whole graph</label>\n'
    yield f'<div class="scroll" {region_attributes(chart.title)}>\n'
    yield svg(chart, width=HALF if _is_half((0, chart)) else FULL, ident=ident)
    yield "\n</div>\n</figure>\n"
