"""`convcost memory`: the peak memory of a network, and the tensors that are alive at the peak."""

from typing import Annotated, Literal, TypeAlias

import typer

from convcost.cli import _networks, _output, _reporting
from convcost.commands.memory import memory
from convcost.model.dtypes import BITS

Order: TypeAlias = Literal["spec", "best"]
Optimizer: TypeAlias = Literal["sgd", "momentum", "adam"]
EPILOG = """\b
Examples:
  convcost memory mobilenet_v2 --dtype int8
  convcost memory resnet50 --top 5 --batch 32
  convcost memory resnet50 --dtype weights=int4/32,activations=float16 --dtype 'head:float16'
  convcost memory mobilenet_v2 --dtype int8 --device stm32h743
  convcost memory googlenet --order best
  convcost memory resnet50 --training adam --batch 32
  convcost memory net.yaml --no-inplace --format json"""


def command(
    specs: _networks.SpecsArgument,
    dtype: Annotated[
        list[str] | None,
        typer.Option(
            metavar="[PATTERN:]DTYPE",
            help="Type of all numbers, instead of those in the spec; or of parts of a layer, as in "
            "int8,biases=int32; or of the layers that match a pattern, as in head*:float16. "
            f"Repeatable. Dtypes: {', '.join(BITS)}; int4/32 has a scale for each 32 numbers.",
        ),
    ] = None,
    inplace: Annotated[
        bool,
        typer.Option(
            "--inplace/--no-inplace", help="Whether elementwise layers write over their input."
        ),
    ] = True,
    order: Annotated[
        Order,
        typer.Option(help="Run the layers in the order of the spec, or in that of the least peak."),
    ] = "spec",
    training: Annotated[
        Optimizer | None,
        typer.Option(help="Also bound the memory of training with this optimizer."),
    ] = None,
    device: _networks.DeviceOption = None,
    deploy: _networks.DeployOption = False,
    top: _networks.TopOption = None,
    settings: _networks.SetOption = None,
    size: _networks.SizeOption = None,
    input_: _networks.InputOption = None,
    dim: _networks.DimOption = None,
    batch: _networks.BatchOption = 1,
    *,
    out: Annotated[_reporting.OutputOptions, "counts", "charts"],
) -> None:
    """Print the memory alive while each layer runs, and the peak."""
    outputs = _output.parse_outputs(out)
    values = _networks.settings(settings, size, input_, dim)
    report = memory(
        specs,
        values,
        batch,
        dtypes=dtype or (),
        in_place=inplace,
        top=top,
        device=device,
        deployed=deploy,
        reorder=order == "best",
        optimizer=training or "",
    )
    _output.write(report, outputs, [*specs, device])
