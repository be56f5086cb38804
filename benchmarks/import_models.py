"""Thirty and more classifiers, imported by both routes and held against PyTorch's own figures.

    python benchmarks/import_models.py [NAME…] [--route torch|onnx] [-o table.md]

Params are those of the module, macs half of what `torch.utils.flop_counter.FlopCounterMode` counts
for one sample. Needs torch, torchvision and timm, and onnx and onnxscript for the ONNX route.
Exit 1 if a figure differs.
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


class Truth(NamedTuple):
    """What PyTorch says of a model, for one sample."""

    params: int
    macs: int


class Found(NamedTuple):
    """What a route comes to; `uncounted` are layers that it cannot count, `idle` the params that
    it knows no layer to use."""

    params: int
    macs: int
    idle: int
    uncounted: tuple[str, ...]
    seconds: float


def main() -> int:
    options = _options()
    _declare()
    rows, wrong = [], 0
    names = options.names or [*TORCHVISION, *TIMM]
    for name in names:
        module, size, target = _module(name)
        truth = _truth(module, size)
        cells = [name, str(size), f"{truth.params:,}", f"{truth.macs:,}"]
        idle = 0
        cells.append(_elsewhere(size, target))
        for route in options.route:
            try:
                found = ROUTES[route](module, size, target)
            except Exception as error:
                if options.debug:
                    raise
                cells.append(f"{type(error).__name__}: {str(error)[:100]}")
                wrong += 1
                continue
            idle = max(idle, found.idle)
            cells.append(_verdict(found, truth, idle))
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


def _declare() -> None:
    """torchvision's wheel has operators for detection that a CPU build of torch cannot load; no
    classifier calls them, but the package asks for them when it is imported."""
    warnings.simplefilter("ignore")
    library = torch.library.Library("torchvision", "FRAGMENT")
    try:
        import torchvision  # noqa: F401
    except RuntimeError:
        for name in ("nms", "qnms"):
            library.define(f"{name}(Tensor boxes, Tensor scores, float threshold) -> Tensor")
        for module in [name for name in sys.modules if name.partition(".")[0] == "torchvision"]:
            del sys.modules[module]
        _KEPT.append(library)


_KEPT: list[torch.library.Library] = []


def _module(name: str) -> tuple[torch.nn.Module, int, str]:
    """The module without weights, the size of its input, and what to ask `convcost import` for."""
    if name in TORCHVISION or name not in TIMM:
        from torchvision import models

        if hasattr(models, name):
            target = f"torchvision.models:{name}"
            return _built(target), SIZES.get(name, 224), target
    import timm

    target = f"timm.models:{name}"
    size = timm.get_pretrained_cfg(name).input_size[-1]
    return _built(target), size, target


def _built(target: str) -> torch.nn.Module:
    from convcost.importing.from_torch.load import load

    return load(target, {})


def _truth(module: torch.nn.Module, size: int) -> Truth:
    counter = FlopCounterMode(display=False)
    module.requires_grad_(False)  # else the counter's hooks trip over gradients nobody asked for
    with torch.device("meta"), torch.no_grad(), counter:
        module(torch.empty(1, 3, size, size))
    flops = counter.get_total_flops()
    return Truth(sum(p.numel() for p in module.parameters()), flops // 2)


def _elsewhere(size: int, target: str) -> str:
    """What the imported spec does at other sizes, held against the model there."""
    from convcost.importing.fronts import Asked, read

    notes = read(Asked(target, ((3, size, size),))).notes
    for words, verdict in SIZES_SAID.items():
        if any(all(word in note for word in words) for note in notes):
            return verdict
    return "of several inputs"


# What is said of other sizes, all of the words in one note.
SIZES_SAID = {
    ("this spec does not",): "fewer than the model",
    ("has other layers", "`fixed: true`"): "its own",
    ("has other layers", "`multiple:"): "some multiples",
    ("the model refuses", "`multiple:"): "multiples, as the model",
    ("the model refuses", "`fixed: true`"): "its own, as the model",
    ("takes no other size",): "its own, as the model",
    ("held against",): "as the model",
}


def _by_torch(_module: torch.nn.Module, size: int, target: str) -> Found:
    from convcost.importing.from_torch import read

    begun = time.perf_counter()
    return _found(read(target, inputs=[(3, size, size)]), begun)


def _by_onnx(_module: torch.nn.Module, size: int, target: str) -> Found:
    from convcost.importing.from_onnx import read

    package, _, name = target.partition(":")
    filled = getattr(import_module(package), name)().eval()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{name}.onnx"
        with redirect_stdout(sys.stderr):
            # Optimized, norms would be folded into convolutions: fewer params than the module has.
            example = (torch.zeros(1, 3, size, size),)
            torch.onnx.export(filled, example, path, verbose=False, optimize=False)
        begun = time.perf_counter()
        return _found(read(path), begun)


def _found(drawing, begun: float) -> Found:
    return Found(
        sum(layer.params for layer in drawing.layers),
        sum(layer.macs for layer in drawing.layers),
        sum(layer.params for layer in drawing.layers if "never used" in layer.note),
        tuple(dict(layer.options)["what"] for layer in drawing.layers if layer.uncounted),
        time.perf_counter() - begun,
    )


ROUTES = {"torch": _by_torch, "onnx": _by_onnx}


def _verdict(found: Found, truth: Truth, idle: int) -> str:
    """An ONNX file holds no parameters that the forward never uses: heads of training."""
    took = f"{found.seconds:.1f} s"
    if (found.params, found.macs, found.uncounted) == (*truth, ()):
        return f"exact, {took}"
    if (found.params, found.macs, found.uncounted) == (truth.params - idle, truth.macs, ()):
        return f"exact but for {idle:,} params never used, which the file has not, {took}"
    return _differences(found, truth)


def _differences(found: Found, truth: Truth) -> str:
    said = []
    for name in ("params", "macs"):
        off = getattr(found, name) - getattr(truth, name)
        if off:
            said.append(f"{name} {off:+,}")
    if found.uncounted:
        kinds = sorted(set(found.uncounted))
        said.append(f"{len(found.uncounted)} uncounted: {', '.join(kinds)}")
    return ", ".join(said)


def _table(routes: list[str], rows: list[list[str]]) -> str:
    head = [
        "model",
        "size",
        "params",
        "macs",
        "sizes it takes",
        *(f"by {route}" for route in routes),
    ]
    lines = [head, ["---", "--:", "--:", "--:", "---", *["---"] * len(routes)], *rows]
    return "".join("| " + " | ".join(line) + " |\n" for line in lines)


if __name__ == "__main__":
    sys.exit(main())
