"""Counts layers with other counters, to check the conventions of convcost.

    python benchmarks/count_with_peers.py tests/conventions/layers.csv [--peer NAME…]

The file has a row for each layer: the layer in a spec, its input, the batch and the module. The
number of each peer replaces the one in its column. An empty cell stays empty: the peer
fails, or the number depends on what a spec does not have.

Needs torch, torchvision and the counters: fvcore, thop or ultralytics-thop, ptflops, torchinfo,
calflops, torchprofile, torchscan, onnx-tool, onnx. thop and ultralytics-thop install the same
package, so one of them has to be on PYTHONPATH:

    pip install --no-deps --target ultralytics ultralytics-thop
    PYTHONPATH=ultralytics python benchmarks/count_with_peers.py … --peer ultralytics_thop

`thop:before_0_1` needs thop 0.0.31.post2005241907 and Python 3.9.
"""

import argparse
import contextlib
import csv
import io
import logging
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path

import torch
import torch.nn.functional as F  # noqa: N812  its usual name
from torch import nn


class Call(nn.Module):
    """A function as a module."""

    def __init__(self, function: Callable) -> None:
        super().__init__()
        self.function = function

    def forward(self, *inputs: torch.Tensor) -> torch.Tensor:
        return self.function(*inputs)


def torch_flops(model: nn.Module, x: torch.Tensor) -> int:
    from torch.utils.flop_counter import FlopCounterMode

    with FlopCounterMode(display=False) as counter:
        model(x)
    return counter.get_total_flops()


def fvcore(model: nn.Module, x: torch.Tensor) -> int:
    from fvcore.nn import FlopCountAnalysis

    return FlopCountAnalysis(model, x).total()


def thop(model: nn.Module, x: torch.Tensor) -> int:
    from thop import profile

    return profile(model, inputs=(x,), verbose=False)[0]


def ptflops(model: nn.Module, x: torch.Tensor, backend: str) -> int:
    from ptflops import get_model_complexity_info

    return get_model_complexity_info(
        model,
        tuple(x.shape[1:]),
        input_constructor=None if x.shape[0] == 1 else lambda _shape: x,
        as_strings=False,
        print_per_layer_stat=False,
        backend=backend,
    )[0]


def torchinfo(model: nn.Module, x: torch.Tensor) -> int:
    from torchinfo import summary

    return summary(model, input_data=x, verbose=0).total_mult_adds


def calflops(model: nn.Module, x: torch.Tensor, which: int) -> int:
    from calflops import calculate_flops

    model.register_parameter("unused", nn.Parameter(torch.zeros(1)))  # it asks for a device
    return calculate_flops(
        model, args=[x], print_results=False, print_detailed=False, output_as_string=False
    )[which]


def torchprofile(model: nn.Module, x: torch.Tensor) -> int:
    from torchprofile import profile_macs

    return profile_macs(model, x)


def torch_scan(model: nn.Module, x: torch.Tensor, which: str) -> int | str:
    from torchscan.crawler import crawl_module

    total = crawl_module(model, args=(x,))["totals"][which]
    return total["value"] if total["status"] == "complete" else total["status"]


def onnx_tool(model: nn.Module, x: torch.Tensor) -> int:
    import onnx_tool as tool

    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/model.onnx"
        torch.onnx.export(model, x, path, dynamo=False, opset_version=13)
        opened = tool.Model(path, {"verbose": False})
        opened.graph.shape_infer(None)
        opened.graph.profile()
        return opened.graph.macs[0]


PEERS: dict[str, Callable[[nn.Module, torch.Tensor], int]] = {
    "torch": torch_flops,
    "fvcore": fvcore,
    "thop": thop,
    "thop:before_0_1": lambda model, x: thop(nn.Sequential(model), x),  # counts no single module
    "ultralytics_thop": thop,
    "ptflops_pytorch": lambda model, x: ptflops(model, x, "pytorch"),
    "ptflops_aten": lambda model, x: ptflops(model, x, "aten"),
    "torchinfo": torchinfo,
    "calflops": lambda model, x: calflops(model, x, 1),
    "calflops:flops": lambda model, x: calflops(model, x, 0),
    "torchprofile": torchprofile,
    "torch_scan": lambda model, x: torch_scan(model, x, "macs"),
    "torch_scan:flops": lambda model, x: torch_scan(model, x, "module_flops"),
    "onnx_tool": onnx_tool,
}
# Counters that count a whole network well in seconds; the others differ from them only in kind.
NETWORK_PEERS = ("torch", "fvcore", "thop", "ptflops_pytorch", "torchinfo")


def measured(peer: str, model: nn.Module, x: torch.Tensor) -> str:
    """The number of a peer, or the name of its error."""
    streams = contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO())
    original = [(space, dict(vars(space))) for space in (F, torch)]
    try:
        with streams[0], streams[1], torch.no_grad():
            number = PEERS[peer](model.eval(), x)
        return number if isinstance(number, str) else str(int(number))
    except Exception as error:  # noqa: BLE001  a peer may raise anything
        return type(error).__name__
    finally:  # some peers leave functions of torch replaced after an error
        for space, members in original:
            vars(space).update(members)


def layer_table(peers: list[str], file: Path) -> None:
    """Counts the module of each row, and writes the numbers of the peers into the file."""
    with file.open(encoding="utf-8") as opened:
        rows = list(csv.DictReader(opened))
    for row in rows:
        x = torch.randn(int(row["batch"]), *map(int, row["input"].split(",")))
        for peer in peers:
            model = eval(row["module"])
            if row[peer]:
                row[peer] = measured(peer, model, x)
    with file.open("w", encoding="utf-8", newline="") as opened:
        writer = csv.DictWriter(opened, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--peer", action="append", choices=list(PEERS))
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    layer_table(options.peer or list(PEERS), options.file)


if __name__ == "__main__":
    main()
