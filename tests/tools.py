"""Marks for tests that run another program: they are skipped if a part of it is missing.

A program that is only partly installed counts as missing, and the reason names the part.
"""

import shutil
import subprocess
from functools import cache
from pathlib import Path

import pytest

LATEX_FILES = (
    "article.cls",
    *("array.sty", "booktabs.sty", "geometry.sty", "graphicx.sty", "longtable.sty"),
    *("lmodern.sty", "siunitx.sty", "tabularx.sty", "xltabular.sty"),
)


def missing_program(*programs: str) -> str:
    """The first program that is not installed, as the reason of a skip; '' if all are."""
    lost = (program for program in programs if not shutil.which(program))
    return next((f"{program} is not installed" for program in lost), "")


@cache
def missing_latex() -> str:
    """The part of LaTeX that is not installed, as the reason of a skip; '' if nothing is missing.

    Debian has lmodern, siunitx and xltabular in packages of their own.
    """
    reason = missing_program("pdflatex", "kpsewhich")
    if reason:
        return reason
    found = subprocess.run(["kpsewhich", *LATEX_FILES], capture_output=True, text=True, check=False)
    names = {Path(line).name for line in found.stdout.splitlines()}
    lost = [file for file in LATEX_FILES if file not in names]
    return f"pdflatex has no {lost[0]}" if lost else ""


def needs(reason: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(bool(reason), reason=reason)


def require(reason: str) -> None:
    """Skips the running test if there is a reason, for fixtures and helpers."""
    if reason:
        pytest.skip(reason)


MISSING_GIT = missing_program("git")
needs_git = needs(MISSING_GIT)
needs_latex = needs(missing_latex())
needs_pdftotext = needs(missing_program("pdftotext"))
needs_browser = needs(missing_program("chromium", "chromedriver"))
