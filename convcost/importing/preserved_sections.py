"""Keeps the sections that a user added to a spec when the model is imported again."""

from collections.abc import Iterator

from convcost.language.load import load
from convcost.language.yaml_nodes import Mapping, parse_documents
from convcost.model.errors import ConstraintError, Source, SpecError

SECTIONS = ("dtype", "published", "budget")


def preserve_sections(old: str, new: str) -> tuple[str, tuple[str, ...]]:
    """The new text with the user's sections of the old text, and the names of these sections.
    Raises ConstraintError if a section does not fit the new layers, or if the old text is not YAML
    or has several networks."""
    sections = dict(_sections(old))
    if not sections:
        return new, ()
    text = new + "".join(sections.values())
    try:
        load(Source("the imported spec", text))
    except SpecError as error:
        problem = error.problems[0]
        listed = " and ".join(f"`{name}`" for name in sections)
        raise ConstraintError(
            problem.code,
            f"its {listed} would not fit the new layers: {problem.message}",
            "change or remove it first; convcost.yaml can have the limits of a whole network",
        ) from None
    return text, tuple(sections)


def _sections(text: str) -> Iterator[tuple[str, str]]:
    """The name and the text of each section that no import writes."""
    documents, problems = parse_documents(text)
    if problems:
        problem = problems[0]
        message = f"it cannot be read: {problem.message}"
        raise ConstraintError(problem.code, message, "remove it first")
    if len(documents) > 1:
        raise ConstraintError("CC004", "it has several networks", "import into another file")
    if not documents or type(documents[0]) is not Mapping:
        return
    document = documents[0]
    starts = [text.rfind("\n", 0, key.start.index) + 1 for key, _ in document.entries.values()]
    ends = [*starts[1:], document.end.index]
    for name, start, end in zip(document.entries, starts, ends, strict=True):
        if name in SECTIONS or name.startswith("x-"):
            if not text[start:end].startswith(name):
                message = f"its `{name}` does not begin a line"
                raise ConstraintError("CC004", message, "write each section on its own lines")
            lines = text[start:end].split("\n")
            # A comment that is not indented belongs to the next section.
            while not lines[-1].strip() or lines[-1].startswith("#"):
                lines.pop()
            yield name, "\n".join(lines) + "\n"
