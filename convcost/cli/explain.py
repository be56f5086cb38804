"""`convcost explain`: why does this layer cost what it costs?"""

from typing import Annotated

import typer

from convcost.cli import _networks, _output, _reporting
from convcost.costs import costs
from convcost.errors import UsageError
from convcost.files.networks import read
from convcost.names import did_you_mean
from convcost.network import Network
from convcost.questions.explain import Explanation, paths
from convcost.report import printable

EPILOG = """Examples:

  convcost explain googlenet conv1/conv_1

  convcost explain googlenet inception_3a

  convcost explain net.yaml#small stem/conv_1 --size 256x320 --format json"""


def command(
    spec: Annotated[
        str,
        typer.Argument(
            metavar="SPEC", help="File, name of a shipped spec, or -; #name picks one network."
        ),
    ],
    layer: Annotated[
        str, typer.Argument(metavar="LAYER", help="Path of a layer, or of a block or branch.")
    ],
    settings: _networks.SetOption = None,
    size: _networks.SizeOption = None,
    batch: _networks.BatchOption = 1,
    *,
    out: _reporting.Out,
) -> None:
    """Why does this layer cost what it costs: every number as it is worked out."""
    with _output.complaints():
        where = _output.targets(out)
        networks = read([spec], _networks.settings(settings, size))
        having = _having(networks, layer, spec)
        report = Explanation(tuple(costs(network, batch) for network in having), layer)
        _output.write(report, where, [spec])


def _having(networks: list[Network], path: str, spec: str) -> list[Network]:
    """The networks that have the path. Raises UsageError if none has."""
    known = [paths(network) for network in networks]
    having = [network for network, own in zip(networks, known, strict=True) if path in own]
    if not having:
        hint = did_you_mean(path, (name for own in known for name in own))
        listed = f"`convcost analyze {printable(spec)}` lists the layers"
        raise UsageError(
            f"there is no layer `{printable(path)}` in `{printable(spec)}`; "
            f"{printable(hint) or listed}"
        )
    return having
