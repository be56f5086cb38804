"""`import`: a model of a framework as a spec, and whether a spec still describes a model."""

from pathlib import Path

from convcost.importing.check import Checked, check_spec
from convcost.importing.driver import Imported, ImportRequest, read
from convcost.importing.preserved_sections import preserve_sections
from convcost.language.load import load
from convcost.language.network_inputs import Settings
from convcost.model.costs import costs
from convcost.model.errors import UsageError
from convcost.sources.models import model_errors
from convcost.sources.spec_files import open_source


def import_model(request: ImportRequest) -> Imported:
    """The model as the text of a spec, with its costs. Raises UsageError if it cannot be read."""
    with model_errors(request.model):
        return read(request)


def check_model(request: ImportRequest, spec: str) -> Checked:
    """The model, imported again, compared with a spec at several sizes.

    Without inputs in the request, the model gets those of the spec. Raises UsageError if the model
    cannot be read or the spec has several networks, and SpecError.
    """
    source, pick = open_source(spec)
    if len(load(source, pick=pick)) > 1:
        raise UsageError(f"`{spec}` has several networks; select one, for example `{spec}#NAME`")
    with model_errors(request.model):
        return check_spec(request, lambda size: costs(load(source, Settings((), size), pick)[0]))


def keep_sections(file: Path, text: str) -> tuple[str, tuple[str, ...]]:
    """The new text for an existing spec file, and the names of the sections that it keeps.

    Those are the sections that no import writes, such as `budget`. Raises UsageError if a section
    does not fit the new spec.
    """
    try:
        old = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return text, ()
    with model_errors(str(file)):
        return preserve_sections(old, text)
