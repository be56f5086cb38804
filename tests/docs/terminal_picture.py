"""A picture of a terminal: the command and what it prints, in colour, as SVG."""

import html
import io
import os
import pty
import re
import shlex
import subprocess
import sys
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import TerminalTheme
from rich.text import Text

WIDTH = 110
MARGIN = 2  # columns
THEME = TerminalTheme(
    (255, 255, 255),
    (36, 41, 47),
    [
        *((36, 41, 47), (207, 34, 46), (17, 99, 41), (77, 45, 0)),
        *((9, 105, 218), (130, 80, 223), (27, 124, 131), (110, 119, 129)),
    ],
)
# rich's own template loads a font from the network; a picture of the docs refers to nothing.
TEMPLATE = """\
<svg viewBox="0 0 {terminal_width} {terminal_height}" xmlns="http://www.w3.org/2000/svg">
<style>
.{unique_id}-matrix {{ font-family: "DejaVu Sans Mono", Menlo, Consolas, monospace; \
font-size: {char_height}px; line-height: {line_height}px; }}
{styles}
</style>
<rect width="100%" height="100%" rx="8" fill="#ffffff" stroke="#d0d7de"/>
<g transform="translate(8, 8)" clip-path="none">
{backgrounds}
<g class="{unique_id}-matrix">
{matrix}
</g>
</g>
</svg>
"""


def terminal_output(command: str, folder: Path) -> str:
    """What `command` prints to a terminal of WIDTH columns, with its escape sequences."""
    environment = {**os.environ, "COLUMNS": str(WIDTH), "TERM": "xterm-256color"}
    environment.pop("NO_COLOR", None)
    main, side = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "convcost", *shlex.split(command)[1:]],
        cwd=folder,
        env={**environment, "PYTHONPATH": str(folder), "PYTHONUTF8": "1"},
        stdin=subprocess.DEVNULL,
        stdout=side,
        stderr=side,
    )
    os.close(side)
    output = b""
    try:
        while piece := os.read(main, 65536):
            output += piece
    except OSError:  # Linux reports the closed end of a pseudo-terminal as an error
        pass
    os.close(main)
    assert process.wait() == 0
    return output.decode().replace("\r\n", "\n")


def terminal_picture(command: str, output: str) -> str:
    """An SVG of `output` below its prompt."""
    console = Console(record=True, width=WIDTH + MARGIN, file=io.StringIO(), legacy_windows=False)
    console.print(Text(f"$ {command}", style="bold"))
    console.print(Text.from_ansi(output.rstrip("\n")))
    console.print()  # a margin below the last line
    return console.export_svg(theme=THEME, code_format=TEMPLATE, unique_id="terminal")


def text_of(svg: str) -> str:
    """The characters of a picture, without white space."""
    return re.sub(r"\s", "", html.unescape("".join(re.findall(r"<text [^>]*>([^<]*)", svg))))
