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
from convcost.reports.schema.named import named_schema
from convcost.reports.schema.values import Schema

TOP = Path(__file__).resolve().parent.parent
PLAYGROUND = TOP / "playground" / "dist"
# The pages of the site from files of the repository; a file of docs/ has its own name.
FROM_TOP = {
    "README.md": "overview.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "SECURITY.md": "security_policy.md",
}
FOR_CONTRIBUTORS = "For contributors"  # a section of mkdocs.yml, last in the results of a search
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
    if not re.search(r"^##", markdown, re.MULTILINE):
        page.meta["hide"] = ["toc"]  # a wide table has its room
    if page.parent and page.parent.title == FOR_CONTRIBUTORS:
        page.meta["search"] = {"boost": 0.1}
    return markdown if page.file.generated_by else _with_site_links(markdown, "docs")


def on_page_content(html: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """The HTML of a page. The empty corner of a table is not a heading."""
    return re.sub(r"<th[^>]*></th>", "<td></td>", html)


def _with_site_links(markdown: str, folder: str) -> str:
    """The links of a file in a folder of the repository, as links between pages of the site.

    A link to a file that is not a page becomes plain text.
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


def _json_keys() -> Iterator[str]:
    yield "# Keys of the JSON reports\n"
    yield "What each key of `--format json` means, from the [JSON Schemas](schema.md)."
    yield "`[]` is each element of a list, and `NAME` is any name.\n"
    for name, report in named_schema("report")["$defs"].items():
        yield f"## {name}\n\n{report['description']}\n"
        yield "| key | value | meaning |\n|---|---|---|"
        for key, value, meaning in _keys(report, report.get("$defs", {}), "", ()):
            yield f"| `{key}` | {value} | {meaning} |"
        yield ""


def _keys(
    schema: Schema, definitions: Schema, path: str, above: tuple[int, ...]
) -> Iterator[tuple[str, str, str]]:
    """The keys below a schema, each with its values and its meaning.

    `above` identifies the schemas around it: one inside itself is not repeated.
    """
    properties = {**schema.get("properties", {})}
    if isinstance(schema.get("additionalProperties"), dict):
        properties["NAME"] = schema["additionalProperties"]
    for name, value in properties.items():
        key = f"{path}.{name}".lstrip(".")
        forms = list(_forms(value, definitions))
        items = [item for form in forms for item in _forms(form.get("items", {}), definitions)]
        values = dict.fromkeys(filter(None, map(_value, forms)))
        described = (form["description"] for form in (*forms, *items) if "description" in form)
        meaning = next(described, "")
        yield key, " or ".join(values), meaning
        for below, schemas in ((key, forms), (f"{key}[]", items)):
            for one in schemas:
                if id(one) not in above:
                    yield from _keys(one, definitions, below, (*above, id(one)))


def _forms(schema: Schema, definitions: Schema) -> Iterator[Schema]:
    """The alternatives of a schema, and of the definition that it names."""
    yield schema
    if "$ref" in schema:
        yield from _forms(definitions[schema["$ref"].rpartition("/")[2]], definitions)
    for other in schema.get("anyOf", ()):
        yield from _forms(other, definitions)


def _value(schema: Schema) -> str:
    names = {"string": "text", "array": "list", "boolean": "true or false"}
    if "enum" in schema or "const" in schema:
        return ", ".join(f"`{one}`" for one in schema.get("enum", [schema.get("const")]))
    types = schema.get("type", ())
    return " or ".join(
        names.get(one, one) for one in ([types] if isinstance(types, str) else types)
    )


REFERENCE = {
    "json_keys.md": _json_keys,
    "kinds.md": _kinds,
    "counting_rules.md": _rules,
    "commands.md": _commands,
    "api.md": _api,
}
