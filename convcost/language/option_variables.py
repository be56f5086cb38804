"""Options of layers and block calls as variables: `stage3.kernel` becomes the variable
`stage3_kernel`."""

import re
from collections.abc import Sequence
from typing import Any

from convcost.language.fields import is_name
from convcost.language.load import Documents
from convcost.language.network_inputs import Settings
from convcost.language.yaml_edit import SourceItem, SpecEditor, entries, get
from convcost.model.errors import Source, SpecError, UsageError, usage_errors
from convcost.model.network import Group, Network, Step
from convcost.model.options import show
from convcost.model.suggestions import did_you_mean, nearest
from convcost.model.symbolic import is_integer


def variable_name(name: str) -> str:
    """The variable of `stage3.kernel`: `stage3_kernel`, and of `3x3.kernel`: `_3x3_kernel`. Names
    without a dot stay as they are."""
    if "." not in name:
        return name
    variable = re.sub(r"\W", "_", name, flags=re.ASCII)
    return variable if is_name(variable) else f"_{variable}"


def with_option_variables(source: Source, network: Network, names: Sequence[str]) -> Source:
    """The source in which each name with a dot, such as `stage3.kernel`, is a variable: the option
    `kernel` of the layer or block call `stage3`, with its value as the default.

    The text of the call changes, so the option of a layer in a block changes in all calls of the
    block. Raises UsageError if there is no such option, or its value is no number.
    """
    values: dict[str, Any] = {}
    document = None
    with usage_errors("--vary cannot change this text: "):
        editor = SpecEditor(source.text)
        used = {option for group in network.groups for option, _ in group.options}
        for name in dict.fromkeys(name for name in names if "." in name):
            variable = variable_name(name)
            if variable in values or variable in dict(network.variables):
                raise UsageError(f"--vary {name} needs the name `{variable}`, which is a variable")
            if variable in used:
                raise UsageError(
                    f"--vary {name} needs the name `{variable}`, which is an option of a block"
                )
            path, _, option = name.rpartition(".")
            named = _find(network, path, name)
            values[variable] = _value(named, option, name)
            item = editor.item(named.origin.span)
            _write(editor, item, named, option, variable)
            document = item.document
        if document is None:
            return source
        editor.add_variables(document, {name: show(value) for name, value in values.items()})
        changed = source._replace(text=editor.result())
    _check_unchanged(network, changed)
    return changed


def vary_hint(name: str, names: Sequence[str]) -> str:
    """Help for a name that is not a variable: the nearest one, or all of them and how an option
    of a layer varies."""
    hint = did_you_mean(name, names, len(names))
    if nearest(name, names) is not None:
        return hint
    return f"{hint}; write an option of a layer as LAYER.OPTION, such as `conv_1.kernel`"


def _find(network: Network, path: str, name: str) -> Step | Group:
    layer_by_path: dict[str, Step | Group] = {step.path: step for step in network.steps}
    layer_by_path |= {group.path: group for group in network.groups}
    if path not in layer_by_path:
        hint = did_you_mean(path, layer_by_path) or "`convcost analyze` lists the layers"
        raise UsageError(f"--vary {name}: there is no layer or block call `{path}`; {hint}")
    return layer_by_path[path]


def _options(named: Step | Group) -> dict[str, Any]:
    """The options of a layer or of the call of a block, with their values."""
    return dict(named.options) if isinstance(named, Group) else named.layer.option_values


def _as_number(value: Any) -> Any:
    """The value of an option as one number; None if it is something else."""
    if isinstance(value, tuple) and len(set(value)) == 1:
        value = value[0]
    is_number = isinstance(value, bool) or is_integer(value) or hasattr(value, "denominator")
    return value if is_number else None


def _value(named: Step | Group, option: str, name: str) -> Any:
    """The number that an option has now."""
    options = _options(named)
    if option not in options:
        hint = did_you_mean(option, options, len(options)) or "it has no options"
        raise UsageError(f"--vary {name}: `{named.path}` has no option `{option}`; {hint}")
    value = _as_number(options[option])
    if value is None:
        raise UsageError(f"--vary {name}: the option is {show(options[option])}, not one number")
    return value


def _write(
    editor: SpecEditor, item: SourceItem, named: Step | Group, option: str, variable: str
) -> None:
    """Writes the variable where the text has the option: by name, by position, or not yet."""
    word = item.word.value
    content = get(item.node, word)
    written = {key: value for key, value in entries(item.node).items() if key != word}
    if content.id == "mapping":
        written |= entries(content)
    elif isinstance(named, Group):
        values = content.value if content.id == "sequence" else [content] * bool(content.value)
        written |= zip((name for name, _ in named.options), values, strict=False)
    elif content.value and named.layer.principal:
        written[named.layer.principal] = content
    if option in written:
        editor.set_value(written[option], variable)
    else:
        editor.add_key(item.node, option, variable)


def _check_unchanged(network: Network, changed: Source) -> None:
    """Raises UsageError if the network of the changed text is not the same."""
    try:
        (same,) = Documents(changed).load(Settings(), network.name)
        is_same = _layers(network) == _layers(same)
    except SpecError:  # the layers with another value no longer fit
        is_same = False
    if not is_same:
        raise UsageError(
            "--vary: several layers use the text of this option with different values",
            help="make it a variable in `vars`, or an option of the block",
        )


def _layers(network: Network) -> list[tuple[object, ...]]:
    """What the text of an option can change."""
    return [
        (step.path, type(step.layer), _comparable_options(step), step.shape, step.inputs)
        for step in network.steps
    ]


def _comparable_options(step: Step) -> dict[str, object]:
    """The options of a layer; a list of equal numbers, such as `[3, 3]`, is the number 3."""
    options = _options(step)
    numbers = {name: _as_number(value) for name, value in options.items()}
    return options | {name: number for name, number in numbers.items() if number is not None}
