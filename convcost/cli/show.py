"""`convcost show`: the text of a spec that ships with convcost."""

from typing import Annotated

import typer

from convcost.cli import _output
from convcost.model.errors import UsageError
from convcost.sources.spec_files import locate, read_source

EPILOG = """Examples:

  convcost show googlenet

  convcost show mobilenet_v1 > mine.yaml"""


def command(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A spec that ships with convcost.")],
) -> None:
    """Print the text of a spec that ships with convcost."""
    location = locate(name)
    if not location.shipped:
        raise UsageError(
            f"`{name}` is a file; `convcost show` prints only specs that ship with convcost"
        )
    _output.write_text(read_source(location).text, "-", [])
