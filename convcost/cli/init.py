"""`convcost init`: a small spec with comments, to start from."""

from pathlib import Path
from typing import Annotated

import typer

from convcost.cli import _output
from convcost.model.errors import UsageError

EPILOG = """Examples:

  convcost init net.yaml

  convcost init -"""

TEXT = """\
# `convcost analyze FILE` prints its costs, `convcost kinds` lists all kinds of layers.
name: small network
input: {channels: 3, size: 32} # a square image; size: [24, 32] is height and width
vars: {width: 32} # `--set width=64` tries another value
defaults: {conv: {kernel: 3, padding: 1}} # for every conv that does not set them

blocks:
  residual: # a block is used like a kind
    options: {channels: in_channels}
    layers:
      - add:
          main: [{conv: channels}, batch_norm, relu, {conv: channels}, batch_norm]
          shortcut: [] # no layers: the input itself
      - relu

layers:
  - {conv: width, name: stem} # the value of a kind is its main option: `width` filters
  - relu
  - {residual: , repeat: 2}
  - {conv: 2*width, stride: 2} # a number may be an expression
  - {residual: }
  - global_avg_pool
  - flatten
  - {linear: 10}

# `convcost check FILE` fails if the network has more.
budget: {params: {max: 200K}, macs: {max: 65M}}
"""


def command(
    file: Annotated[str, typer.Argument(metavar="FILE", help="A new file; - is standard output.")],
) -> None:
    """Write a small spec with comments, to start from."""
    if not file:
        raise UsageError("init needs the name of a new file")
    if file != "-" and Path(file).exists():
        raise UsageError(f"`{file}` exists; name a new file")
    _output.write_text(TEXT, file, [])
