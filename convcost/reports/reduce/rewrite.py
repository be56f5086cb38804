"""Changes of networks, written into their spec and checked.

The new text is parsed and expanded. Each of its layers must be that of the network edited in
memory, with the same inputs and costs; otherwise nothing is written.
"""

from collections.abc import Callable, Sequence

from convcost.language.load import load
from convcost.language.network_inputs import Settings
from convcost.language.yaml_edit import SpecEditor, entries
from convcost.model.costs import Costs, costs
from convcost.model.errors import ConstraintError, Source, SpecError
from convcost.model.record import NamedTuple


class Rewrite(NamedTuple):
    """A change of one network: its costs before and after, and the same change of its text.

    `position` is the network's number among those of the text.
    """

    position: int
    before: Costs
    after: Costs
    edit: Callable[[SpecEditor], None]


def rewrite_text(
    source: Source, pick: str | None, settings: Settings, rewrites: Sequence[Rewrite]
) -> str:
    """The checked text with all changes; only that of one document if it is selected by name.

    `published` becomes `x-published`; so do a `budget` and a `dtype` of single layers. Raises
    ConstraintError if an edit is not possible, or the text gives another network.
    """
    editor = SpecEditor(source.text)
    document = None
    for rewrite in rewrites:
        rewrite.edit(editor)
        network = rewrite.before.network
        document = editor.item(network.steps[0].origin.span).document
        if "variants" in entries(document):
            hint = "name one variant: `net.yaml#variant`"
            raise ConstraintError("CC004", "the variants of the spec share its layers", hint)
        ignored = ["published"]
        if network.budget and (network.budget.layers or network.budget.groups):
            ignored.append("budget")
        if network.dtypes and network.dtypes.rules:
            ignored.append("dtype")
        editor.change_sections(document, rewrite.after.network.name, ignored)
    text = editor.result(document if pick is not None else None)
    try:
        networks = load(Source(source.name, text), settings)
    except SpecError as error:
        problem = error.problems[0]
        message = f"the new text would not be a valid spec: {problem.message}"
        raise ConstraintError(problem.code, message, problem.help) from None
    for rewrite in rewrites:
        new_networks = networks[rewrite.position : rewrite.position + 1]
        if [_layers(costs(network, rewrite.after.batch)) for network in new_networks] != [
            _layers(rewrite.after)
        ]:
            message = f"the new text would not have the costs of {rewrite.after.network.name}"
            hint = "a layer has `repeat` or `from`, or an option depends on the input channels"
            raise ConstraintError("CC004", message, hint)
    return text


def _layers(counted: Costs) -> list[object]:
    """Every layer with its inputs, its shape and its costs; only its path may differ."""
    rows = zip(counted.layers, counted.network.steps, strict=True)
    return [counted.network.last, *((row._replace(path=""), step.inputs) for row, step in rows)]
