"""Imports classifiers from PyTorch and from ONNX, and compares the counts with PyTorch's own.

    python benchmarks/import_models.py [NAME…] [--route torch|onnx] [-o table.md]

Params are compared with those of the module, macs with half of the flops that
`torch.utils.flop_counter.FlopCounterMode` counts for one sample. Needs torch, torchvision and timm,
and for the ONNX route also onnx and onnxscript. The exit code is 1 if a figure differs.
docs/import.md has the table.
"""

import argparse
import sys
import tempfile
import time
import warnings
from contextlib import redirect_stdout
from importlib import import_module
from pathlib import Path
from typing import NamedTuple

import torch
from torch.utils.flop_counter import FlopCounterMode

TORCHVISION = (
    *("resnet50", "wide_resnet50_2", "resnext50_32x4d", "vgg16_bn", "alexnet", "squeezenet1_0"),
    *("densenet121", "googlenet", "inception_v3", "mobilenet_v2", "mobilenet_v3_large"),
    *("shufflenet_v2_x1_0", "mnasnet1_0", "efficientnet_b0", "efficientnet_v2_s"),
    *("regnet_x_400mf", "regnet_y_400mf", "convnext_tiny", "vit_b_16", "swin_t", "swin_v2_t"),
    "maxvit_t",
)
TIMM = (
    *("mixer_b16_224", "resmlp_12_224", "gmlp_s16_224", "poolformer_s12"),
    *("deit_tiny_patch16_224", "beit_base_patch16_224", "cait_xxs24_224", "nfnet_f0"),
    *("ghostnet_100", "hrnet_w18", "res2net50_26w_4s", "dla34", "ese_vovnet19b_dw"),
    *("cspdarknet53", "xception41", "repvgg_a0", "coat_tiny", "levit_128s", "efficientformer_l1"),
    *("edgenext_xx_small", "mobilevit_xs", "convmixer_768_32", "ecaresnet26t", "seresnet50"),
    "skresnet18",
)
SIZES = {"inception_v3": 299}


class Reference(NamedTuple):
    """The counts of PyTorch for one sample."""

    params: int
    macs: int


class Imported(NamedTuple):
    """The counts of an imported model.

    `uncounted` are the operators without counted macs, `unused` the params that no layer uses.
    """

    params: int
    macs: int
    unused: int
    uncounted: tuple[str, ...]
    seconds: float


def main() -> int:
    options = _options()
    _prepare_torchvision()
    rows, wrong = [], 0
    names = options.names or [*TORCHVISION, *TIMM]
    for name in names:
        module, size, target = _module(name)
        reference = _reference(module, size)
        cells = [name, str(size), f"{reference.params:,}", f"{reference.macs:,}"]
        unused = 0
        cells.append(_accepted_sizes(size, target))
        for route in options.route:
            try:
                imported = ROUTES[route](module, size, target)
            except Exception as error:
                if options.debug:
                    raise
                cells.append(f"{type(error).__name__}: {str(error)[:100]}")
                wrong += 1
                continue
            unused = max(unused, imported.unused)
            cells.append(_verdict(imported, reference, unused))
            wrong += not cells[-1].startswith("exact")
        rows.append(cells)
        print("| " + " | ".join(cells) + " |", flush=True)
    if options.output:
        options.output.write_text(_table(options.route, rows), encoding="utf-8")
    return 1 if wrong else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("names", nargs="*", help="models; all if none is named")
    parser.add_argument("--route", action="append", choices=list(ROUTES))
    parser.add_argument("-o", "--output", type=Path)
    parser.add_argument("--debug", action="store_true", help="let errors through")
    options = parser.parse_args()
    options.route = options.route or list(ROUTES)
    return options


def _prepare_torchvision() -> None:
    """Makes torchvision importable with a CPU build of torch.

    Its wheel registers operators for detection that such a build cannot load. No classifier uses
    them.
    """
    warnings.simplefilter("ignore")
    library = torch.library.Library("torchvision", "FRAGMENT")
    try:
        import torchvision  # noqa: F401
    except RuntimeError:
        for name in ("nms", "qnms"):
            library.define(f"{name}(Tensor boxes, Tensor scores, float threshold) -> Tensor")
        for module in [name for name in sys.modules if name.partition(".")[0] == "torchvision"]:
            del sys.modules[module]
        _LIBRARIES.append(library)


_LIBRARIES: list[torch.library.Library] = []


def _module(name: str) -> tuple[torch.nn.Module, int, str]:
    """The module without weights, its input size, and the argument for `convcost import`."""
    if name in TORCHVISION or name not in TIMM:
        from torchvision import models

        if hasattr(models, name):
            target = f"torchvision.models:{name}"
            return _load(target), SIZES.get(name, 224), target
    import timm

    target = f"timm.models:{name}"
    size = timm.get_pretrained_cfg(name).input_size[-1]
    return _load(target), size, target


def _load(target: str) -> torch.nn.Module:
    from convcost.importing.frontends.torch.load import load

    return load(target, {})


def _reference(module: torch.nn.Module, size: int) -> Reference:
    counter = FlopCounterMode(display=False)
    module.requires_grad_(False)  # the hooks of the counter fail on gradients
    with torch.device("meta"), torch.no_grad(), counter:
        module(torch.empty(1, 3, size, size))
    flops = counter.get_total_flops()
    return Reference(sum(p.numel() for p in module.parameters()), flops // 2)


def _accepted_sizes(size: int, target: str) -> str:
    """Which input sizes the imported spec accepts, compared with the model."""
    from convcost.importing.driver import ImportRequest, read

    notes = read(ImportRequest(target, ((3, size, size),))).notes
    for words, verdict in SIZE_NOTES.items():
        if any(all(word in note for word in words) for note in notes):
            return verdict
    return "of several inputs"


# The words of a note about sizes, and the cell of the table.
SIZE_NOTES = {
    ("the spec refuses",): "fewer than the model",
    ("the spec differ", "`fixed: true`"): "one",
    ("the spec differ", "`multiple:"): "some multiples",
    ("the model refuses", "`multiple:"): "multiples, as the model",
    ("the model refuses", "`fixed: true`"): "one, as the model",
    ("accepts no other size",): "one, as the model",
    ("compared with the model",): "as the model",
}


def _by_torch(_module: torch.nn.Module, size: int, target: str) -> Imported:
    from convcost.importing.frontends.torch import read

    start = time.perf_counter()
    return _counts(read(target, inputs=[(3, size, size)]), start)


def _by_onnx(_module: torch.nn.Module, size: int, target: str) -> Imported:
    from convcost.importing.frontends.onnx import read

    package, _, name = target.partition(":")
    module = getattr(import_module(package), name)().eval()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{name}.onnx"
        with redirect_stdout(sys.stderr):
            # The optimizer folds norms into convolutions, which leaves fewer params.
            example = (torch.zeros(1, 3, size, size),)
            torch.onnx.export(module, example, path, verbose=False, optimize=False)
        start = time.perf_counter()
        return _counts(read(path), start)


def _counts(graph, start: float) -> Imported:
    return Imported(
        sum(layer.params for layer in graph.layers),
        sum(layer.macs for layer in graph.layers),
        sum(layer.params for layer in graph.layers if "never used" in layer.note),
        tuple(dict(layer.options)["what"] for layer in graph.layers if layer.uncounted),
        time.perf_counter() - start,
    )


ROUTES = {"torch": _by_torch, "onnx": _by_onnx}
HEADS = {"torch": "PyTorch module", "onnx": "ONNX file"}


def _verdict(imported: Imported, reference: Reference, unused: int) -> str:
    """An ONNX file lacks params that the forward pass never uses, such as training heads."""
    seconds = f"{imported.seconds:.1f} s"
    if (imported.params, imported.macs, imported.uncounted) == (*reference, ()):
        return f"exact, {seconds}"
    if (imported.params, imported.macs, imported.uncounted) == (
        reference.params - unused,
        reference.macs,
        (),
    ):
        return f"exact; the file lacks {unused:,} unused params, {seconds}"
    return _differences(imported, reference)


def _differences(imported: Imported, reference: Reference) -> str:
    parts = []
    for name in ("params", "macs"):
        off = getattr(imported, name) - getattr(reference, name)
        if off:
            parts.append(f"{name} {off:+,}")
    if imported.uncounted:
        kinds = sorted(set(imported.uncounted))
        parts.append(f"{len(imported.uncounted)} uncounted: {', '.join(kinds)}")
    return ", ".join(parts)


def _table(routes: list[str], rows: list[list[str]]) -> str:
    head = [
        "model",
        "size",
        "params",
        "macs",
        "accepted sizes",
        *(HEADS[route] for route in routes),
    ]
    lines = [head, ["---", "--:", "--:", "--:", "---", *["---"] * len(routes)], *rows]
    return "".join("| " + " | ".join(line) + " |\n" for line in lines)


if __name__ == "__main__":
    sys.exit(main())
