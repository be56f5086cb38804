"""The option `--dtype`: types of numbers, in addition to those of specs or in their place."""

from collections.abc import Iterable, Sequence

from convcost.language.patterns import matcher, suggest_pattern
from convcost.model.dtypes import DtypeRule, Dtypes, LayerDtypes, parse_parts
from convcost.model.errors import UsageError, usage_errors
from convcost.model.network import Network, path_prefixes


def with_dtypes(networks: Iterable[Network], texts: Sequence[str]) -> list[Network]:
    """The networks with the dtypes of the options `--dtype`. The dtypes of their specs stay, unless
    an option is for all layers.

    Raises UsageError for an unknown dtype, and for a pattern that matches nothing.
    """
    default: LayerDtypes | None = None
    rules = []
    for text in texts:
        pattern, colon, parts = text.rpartition(":")
        with usage_errors():
            part_dtypes = parse_parts(parts)
        if colon:
            rules.append(DtypeRule(pattern.strip(), part_dtypes))
        elif default is not None:
            raise UsageError(
                f"--dtype {text} is the second one for all layers",
                help="give it a pattern, as in --dtype 'head*:float16'",
            )
        else:
            default = LayerDtypes()._replace(**dict(part_dtypes))
    networks = list(networks)
    for rule in rules:
        _refuse_no_match(rule.match, networks)
    return [
        network._replace(dtypes=_resolve(network.dtypes, default, tuple(rules)))
        for network in networks
    ]


def _resolve(
    network_dtypes: Dtypes | None, default: LayerDtypes | None, rules: tuple[DtypeRule, ...]
) -> Dtypes:
    """The dtypes of a network: the requested `default` replaces all `network_dtypes`, and the
    requested `rules` come before those, because the first rule that matches applies."""
    if default is not None:
        return Dtypes(default, rules)
    network_dtypes = network_dtypes or Dtypes()
    return Dtypes(network_dtypes.default, (*rules, *network_dtypes.rules))


def _refuse_no_match(pattern: str, networks: Iterable[Network]) -> None:
    """Raises UsageError if a pattern matches no layer and no input of any network."""
    names: dict[str, None] = {}
    for network in networks:
        names |= dict.fromkeys(path for step in network.steps for path in path_prefixes(step.path))
        names |= dict.fromkeys(name for name, _ in network.inputs)
    if not any(map(matcher(pattern), names)):
        hint = suggest_pattern(pattern, names)
        raise UsageError(f"no layer and no input matches `{pattern}`", help=hint)
