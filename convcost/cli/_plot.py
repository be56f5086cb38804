"""Pictures of a report into files: which one, and as what."""

from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from convcost.errors import UsageError
from convcost.names import did_you_mean
from convcost.pictures import Graph, Picture
from convcost.report import Report, printable

SUFFIXES = (".svg", ".png", ".pdf")
WIDTH, WIDTH_OF_GRAPHS = 720, 1200
SCALE = 2  # pixels of a PNG for each of the drawing's
MOST_NAMES = 12


class Plot(NamedTuple):
    """One picture asked for; `asked` is what was written, for the kinds are known later."""

    asked: str
    path: Path

    @property
    def option(self) -> str:
        return "--plot"

    def drawn(self, report: Report) -> bytes:
        """The whole file. Raises UsageError."""
        from convcost.draw import svg

        pictures = {picture.name: picture for picture in getattr(report, "pictures", tuple)()}
        picture = _chosen(self.asked, pictures)
        width = WIDTH_OF_GRAPHS if isinstance(picture, Graph) else WIDTH
        text = svg(picture, width=width, standalone=True)
        if self.path.suffix.lower() == ".svg":
            return text.encode()
        return _converted(text, self.path.suffix.lower())


def asked_for(text: str) -> Plot:
    """`net.svg`, `graph:net.pdf`. Raises UsageError."""
    kind, file = _split(text)
    if not file:
        raise UsageError("--plot names no file")
    path = Path(file)
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise UsageError(
            f"`{printable(path.name)}` tells no kind of picture: end it in {', '.join(SUFFIXES)}"
        )
    if suffix != ".svg" and find_spec("cairosvg") is None:
        raise UsageError(f"{suffix[1:]} needs the extra: pip install 'convcost[plot]'")
    return Plot(kind, path)


def _split(text: str) -> tuple[str, str]:
    """Kind and file. What stands before a colon is a kind, unless it looks like part of a path; the
    name of a network in a kind, after #, may hold anything."""
    if "#" in text.partition(":")[0]:
        kind, colon, file = text.rpartition(":")
    else:
        kind, colon, file = text.partition(":")
    drive = len(kind) == 1 and file[:1] in ("/", "\\")
    if not colon or drive or "/" in kind.partition("#")[0] or "." in kind.partition("#")[0]:
        return "", text
    return kind, file


def _chosen(kind: str, pictures: dict[str, Picture]) -> Picture:
    if not pictures:
        raise UsageError("this report has no pictures to --plot")
    if not kind:
        return next(iter(pictures.values()))
    if kind in pictures:
        return pictures[kind]
    several = [name for name in pictures if name.startswith(f"{kind}#")]
    if several:
        listed = ", ".join(f"`{printable(name)}`" for name in several[:MOST_NAMES])
        raise UsageError(f"several networks have a picture `{printable(kind)}`: {listed}")
    hint = printable(did_you_mean(kind, pictures))
    raise UsageError(f"there is no picture `{printable(kind)}`" + (f"; {hint}" if hint else ""))


def _converted(text: str, suffix: str) -> bytes:
    try:
        cairosvg = import_module("cairosvg")
    except (ImportError, OSError) as error:  # the library of the system is not there
        raise UsageError(
            f"{suffix[1:]} needs the library cairo of the system: {printable(str(error).strip())}"
        ) from None
    data = text.encode()
    if suffix == ".png":
        return bytes(cairosvg.svg2png(bytestring=data, scale=SCALE))
    return bytes(cairosvg.svg2pdf(bytestring=data))
