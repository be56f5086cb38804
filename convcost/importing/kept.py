"""What stays of a spec that is imported anew: its author's sections, word for word."""

from convcost.errors import Refusal, Source, SpecError
from convcost.spec.document import Mapping, read
from convcost.spec.extents import Extents
from convcost.spec.load import load

SECTIONS = ("published", "budget")


def kept(old: str, new: str) -> tuple[str, tuple[str, ...]]:
    """The new text with the sections of the old one that no import writes, and their names. Raises
    Refusal where they do not fit what is new, or the old text is no YAML or several networks."""
    documents, problems = read(old)
    if problems:
        problem = problems[0]
        raise Refusal(problem.code, f"it cannot be read: {problem.message}", "remove it first")
    if len(documents) > 1:
        raise Refusal("CC004", "it holds several networks", "import into a file of its own")
    if not documents or type(documents[0]) is not Mapping:
        return new, ()
    extents = Extents(old)
    stays, names = "", []
    for name, (key, value) in documents[0].entries.items():
        if name in SECTIONS or name.startswith("x-"):
            end = extents.next_line(extents.end(value))
            stays += old[extents.line(key.start.index) : end].rstrip("\n") + "\n"
            names.append(name)
    if not stays:
        return new, ()
    try:
        load(Source("the imported spec", new + stays))
    except SpecError as error:
        problem = error.problems[0]
        listed = " and ".join(f"`{name}`" for name in names)
        raise Refusal(
            problem.code,
            f"its {listed} would not fit the new layers: {problem.message}",
            "change or remove it there first; limits of a whole network can stand in convcost.yaml",
        ) from None
    return new + stays, tuple(names)
