"""Hooks of MkDocs: the pages of the site that are not in docs/.

Those are pages of the reference, generated from the code, the Markdown files at the top of the
repository, and the playground if it is built.
"""  # noqa: INP001  a script

import inspect
import io
import logging
import posixpath
import re
from collections.abc import Iterator
from contextlib import redirect_stdout
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

import convcost
from convcost.cli import command_files, run
from convcost.commands.conventions import conventions
from convcost.commands.kinds import kinds
from convcost.model.kind import KINDS

TOP = Path(__file__).resolve().parent.parent
PLAYGROUND = TOP / "playground" / "dist"
# The pages of the site from files of the repository; a file of docs/ has its own name.
FROM_TOP = {
    "README.md": "overview.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "SECURITY.md": "security_policy.md",
}
LINK = re.compile(r"(!?)\[([^\]]*)\]\(([^)\s#:]+)(#[^)]*)?\)")
LOG = logging.getLogger("mkdocs.hooks.convcost")


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    if not PLAYGROUND.is_dir():
        LOG.info("the playground is not built; the site has no link to it")
        config.nav = [item for item in config.nav or [] if "Playground" not in item]
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    for file, page in FROM_TOP.items():
        text = _with_site_links((TOP / file).read_text("utf-8"), "")
        files.append(File.generated(config, page, content=text))
    for page, generate in REFERENCE.items():
        files.append(File.generated(config, page, content="\n".join(generate())))
    for path in sorted(PLAYGROUND.rglob("*")):
        if path.is_file():
            name = f"playground/{path.relative_to(PLAYGROUND).as_posix()}"
            files.append(File.generated(config, name, abs_src_path=str(path)))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    return markdown if page.file.generated_by else _with_site_links(markdown, "docs")


def _with_site_links(markdown: str, folder: str) -> str:
    """The links of a file in a folder of the repository, as links between pages of the site.

    A link to a file that is no page becomes plain text.
    """

    def link(match: re.Match[str]) -> str:
        picture, text, target, fragment = match.groups()
        path = posixpath.normpath(posixpath.join(folder, target))
        page = FROM_TOP.get(path, path.removeprefix("docs/") if path.startswith("docs/") else "")
        return f"{picture}[{text}]({page}{fragment or ''})" if page else text

    return LINK.sub(link, markdown)


# Pages of the reference


def _kinds() -> Iterator[str]:
    yield "# Kinds of layers\n"
    yield "`convcost kinds` prints this list, and `convcost kinds conv` one kind.\n"
    for name in KINDS.names():
        title, _, rest = convcost.formatted(kinds(name), "markdown").partition("\n")
        yield f"## {name}\n\n{title.strip('*').removeprefix(f'{name}: ')}\n{rest}"


def _rules() -> Iterator[str]:
    yield "# Rules of the counting conventions\n"
    yield "[Counting conventions](conventions.md) explains why these numbers differ.\n"
    for one in conventions().conventions:
        yield f"## {one.name}\n\n{one.meaning}\n"
        yield convcost.formatted(conventions(one.name), "markdown")


def _commands() -> Iterator[str]:
    yield "# Commands\n"
    for name in sorted(command_files()):
        if not name.startswith("_"):
            with redirect_stdout(io.StringIO()) as text:
                run([name, "--help"])
            yield f"## {name}\n\n```text\n{text.getvalue().strip()}\n```\n"


def _api() -> Iterator[str]:
    yield "# Python API\n"
    yield "[From Python](python.md) has examples.\n"
    for name in sorted(convcost.__all__):
        value = getattr(convcost, name)
        if inspect.isfunction(value):
            call = _call(name, inspect.signature(value))
            yield f"## {name}\n\n```python\n{call}\n```\n\n{inspect.getdoc(value)}\n"


def _call(name: str, signature: inspect.Signature) -> str:
    """A signature with one parameter a line."""
    return name + re.sub(r", (?![^\[]*\])", ",\n    ", str(signature))


REFERENCE = {
    "kinds.md": _kinds,
    "counting_rules.md": _rules,
    "commands.md": _commands,
    "api.md": _api,
}
