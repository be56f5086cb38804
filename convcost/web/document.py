"""The whole page: head, contents, chapters. What is referred to is numbered, never named."""

from collections.abc import Iterator
from itertools import groupby

from convcost import __version__
from convcost.pages import Chapter, Fact, Page, Part, Section, Staged
from convcost.pictures import Bars, Graph, Picture, Treemap
from convcost.report import Column, Table
from convcost.web.cells import inner, name, text
from convcost.web.staged import staged_html
from convcost.web.style import CSS
from convcost.web.tables import notes, region, table_html

# Nothing may be fetched and nothing may run, so that a flaw in the escaping could do no harm.
POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; "
    "form-action 'none'"
)
# Without one a browser asks the server for it.
ICON = "data:image/gif;base64,R0lGODlhAQABAIAAAB9dqAAAACwAAAAAAQABAAACAkQBADs="
FACT = Column("", "", folds=True)
# The widths, in pixels, that pictures are drawn for: two beside each other, or one alone.
HALF, FULL = 520, 1070


def document(page: Page) -> Iterator[str]:
    title = text(" - ".join(word for word in (page.title, "convcost", page.question) if word))
    yield (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        '<meta name="referrer" content="no-referrer">\n'
        f'<meta name="generator" content="convcost {__version__}">\n'
        f'<title>{title}</title>\n<link rel="icon" href="{ICON}">\n'
        f"<style>\n{CSS}</style>\n</head>\n<body>\n"
    )
    yield from _header(page)
    yield "<main>\n"
    several = len(page.chapters) > 1
    for number, chapter in enumerate(page.chapters, 1):
        yield from _chapter(chapter, f"c{number}", several=several)
    yield f"</main>\n<footer><p>convcost {__version__}</p></footer>\n</body>\n</html>\n"


def _header(page: Page) -> Iterator[str]:
    yield f'<header>\n<p class="of"><b>convcost</b> {text(page.question)}</p>\n'
    yield f"<h1>{name(page.title)}</h1>\n"
    if len(page.chapters) == 1:
        yield from _source(page.chapters[0])
        yield "</header>\n"
        return
    yield '</header>\n<nav aria-label="Contents">\n<ol>\n'
    for number, chapter in enumerate(page.chapters, 1):
        yield f'<li><a href="#c{number}">{name(chapter.title)}</a></li>\n'
    yield "</ol>\n</nav>\n"


def _source(chapter: Chapter) -> Iterator[str]:
    if chapter.source:
        yield f'<p class="source">{text(chapter.source)}</p>\n'


def _chapter(chapter: Chapter, ident: str, *, several: bool) -> Iterator[str]:
    """Of several chapters each has its own head; that of a single one is the page's."""
    level = 3 if several else 2
    if several:
        yield f'<article id="{ident}" aria-labelledby="{ident}-h">\n'
        yield f'<h2 id="{ident}-h">{name(chapter.title)}</h2>\n'
        yield from _source(chapter)
    if chapter.facts:
        thirds = " thirds" * (len(chapter.facts) % 3 == 0)
        yield f'<dl class="facts{thirds}">\n{"".join(map(_fact, chapter.facts))}</dl>\n'
    yield from notes(chapter.notes)
    for number, section in enumerate(chapter.sections, 1):
        yield from _section(section, f"{ident}-{number}", level)
    if several:
        yield "</article>\n"


def _fact(fact: Fact) -> str:
    note = f"<small>{text(fact.note)}</small>" if fact.note else ""
    return f"<div><dt>{text(fact.name)}</dt><dd>{inner(FACT, fact.value, 0)}{note}</dd></div>\n"


def _section(section: Section, ident: str, level: int) -> Iterator[str]:
    heading = f'<h{level} id="{ident}">{name(section.title)}</h{level}>'
    if not section.title:
        yield "<section>\n"
    else:
        yield f'<section aria-labelledby="{ident}">\n'
        if not section.folded:
            yield f"{heading}\n"
    if section.folded:
        yield f'<details class="fold">\n<summary>{heading}</summary>\n'
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
    if isinstance(part, Staged):
        return staged_html(part)
    return _picture(part, ident)


def _picture(picture: Picture, ident: str) -> Iterator[str]:
    from convcost.draw import svg

    kind = "graph" if isinstance(picture, Graph) else "plot"
    yield f'<figure class="{kind}">\n<figcaption>{text(picture.title)}</figcaption>\n'
    yield f'<div class="scroll" {region(picture.title)}>\n'
    yield svg(picture, width=HALF if _is_half((0, picture)) else FULL, ident=ident)
    yield "\n</div>\n</figure>\n"
