"""One PyTorch model by two routes, as a module and as the ONNX file that PyTorch writes of it."""

import contextlib
import io
import logging
import warnings
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch import nn

from convcost.importing.frontends import torch as torch_frontend
from convcost.importing.ir.layer_graph import LayerGraph, without_layers
from convcost.importing.spec import flat_text
from convcost.language.network_inputs import AllowedSizes

MAKE: dict[str, Any] = {}


def made() -> nn.Module:
    module: nn.Module = MAKE["it"]()
    return module.eval()


def by_torch(make: Any, *inputs: tuple[int, ...]) -> LayerGraph:
    """Without dropout, which an exporter leaves out."""
    MAKE["it"] = make
    return without_dropout(torch_frontend.read(f"{__name__}:made", inputs=inputs))


def without_dropout(layer_graph: LayerGraph) -> LayerGraph:
    before = {
        index: layer.inputs[0]
        for index, layer in enumerate(layer_graph.layers)
        if layer.kind == "dropout"
    }

    def past(source: int) -> int:
        while source in before:
            source = before[source]
        return source

    layers = [layer._replace(inputs=tuple(map(past, layer.inputs))) for layer in layer_graph.layers]
    outputs = tuple(map(past, layer_graph.outputs))
    return without_layers(layer_graph._replace(layers=tuple(layers), outputs=outputs), set(before))


def exported(make: Any, *inputs: tuple[int, ...], folder: Path) -> tuple[Path, Path]:
    """The ONNX file as it is exported, and after the exporter's optimizer. The exporter merges
    equal tensors, so all numbers are random."""
    MAKE["it"] = make
    module = made()
    for tensor in (*module.parameters(), *module.buffers()):
        if tensor.is_floating_point():
            tensor.data.uniform_(0.5, 1.5)
    examples = tuple(torch.randn(1, *dims) for dims in inputs)
    files = folder / "plain.onnx", folder / "optimized.onnx"
    with quiet():
        program = torch.onnx.export(
            module, examples, dynamo=True, optimize=False, verbose=False, external_data=False
        )
        program.save(files[0])
        program.optimize()
        program.save(files[1])
    return files


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Without what an exporter prints."""
    out = io.StringIO()
    logging.disable(logging.CRITICAL)
    with (
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(out),
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("ignore")
        yield
    logging.disable(logging.NOTSET)


def counts(layer_graph: LayerGraph) -> tuple[int, int, int]:
    """Params, buffers, macs."""
    layers = layer_graph.layers
    return (
        sum(layer.params for layer in layers),
        sum(layer.buffers for layer in layers),
        sum(layer.macs for layer in layers),
    )


def nameless(layer_graph: LayerGraph) -> str:
    """The spec of the layers in a list, called by their kinds alone."""
    seen: Counter[str] = Counter()
    layers = []
    for layer in layer_graph.layers:
        seen[layer.kind] += 1
        layers.append(layer._replace(path=(layer.kind,), note=""))
    inputs = tuple((f"in{n}", shape) for n, (_, shape) in enumerate(layer_graph.inputs))
    plain = layer_graph._replace(
        name="made", source="", inputs=inputs, layers=tuple(layers), classes=(), free=(), notes=(),
        sizes=AllowedSizes(fixed=True),
    )  # fmt: skip
    return flat_text(plain)
