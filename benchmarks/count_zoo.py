"""Counts the networks of tests/specs/zoo.csv in PyTorch and compares them with the table.

    python benchmarks/count_zoo.py            # all networks with a model
    python benchmarks/count_zoo.py resnet     # those whose name contains a word
    python benchmarks/count_zoo.py --write    # write the counts into the table

It needs torch, torchvision, timm and effdet, but not convcost. Params are the elements of all
parameters. Macs are counted where PyTorch runs an operator, each by the definition of the operator.
The models are on the device `meta`, so nothing is computed.
"""

import csv
import sys
from pathlib import Path
from typing import Any

import effdet
import timm
import torch
import torchvision.models as vision
from torch.utils._python_dispatch import TorchDispatchMode

TABLE = Path(__file__).parent.parent / "tests" / "specs" / "zoo.csv"
aten = torch.ops.aten
WITHOUT_WEIGHTS = {
    "googlenet": {"init_weights": False, "aux_logits": False},
    "inception_v3": {"init_weights": False, "aux_logits": False},
}


class Macs(TorchDispatchMode):
    """Sums the multiply-adds of convolutions and matrix products."""

    def __init__(self) -> None:
        super().__init__()
        self.macs = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        output = func(*args, **(kwargs or {}))
        operator = func.overloadpacket
        if operator is aten.convolution:
            x, weights, transposed = args[0], args[1], args[6]
            # Each output needs one filter; each input of a transposed convolution meets one.
            self.macs += (x if transposed else output).numel() * weights[0].numel()
        elif operator in (aten.addmm, aten.baddbmm):
            self.macs += args[1].numel() * args[2].shape[-1]
        elif operator in (aten.mm, aten.bmm):
            self.macs += args[0].numel() * args[1].shape[-1]
        elif "scaled_dot_product" in str(operator):
            query, key, value = args[:3]
            pairs = query.shape[:-1].numel() * key.shape[-2]
            self.macs += pairs * (query.shape[-1] + value.shape[-1])
        return output


def build(model: str) -> tuple[torch.nn.Module, tuple[int, ...]]:
    """The model, and the shape of its input: `torchvision:resnet50`, `timm:hrnet_w18`, both with a
    shape of their own if one follows, as in `torchvision:vit_b_16@3x384x384`; or
    `effdet:tf_efficientdet_d0`."""
    library, _, rest = model.partition(":")
    name, _, shape = rest.partition("@")
    size = tuple(map(int, shape.split("x"))) if shape else (3, 224, 224)
    with torch.device("meta"):
        if library == "effdet":
            config = effdet.get_efficientdet_config(name)
            return effdet.EfficientDet(config, pretrained_backbone=False), (3, *config.image_size)
        if library == "timm":
            made = timm.create_model(name, pretrained=False)
            return made, size if shape else made.pretrained_cfg["input_size"]
        options = WITHOUT_WEIGHTS.get(name, {})
        family = vision.get_model_builder(name).__module__
        if "segmentation" in family or "detection" in family:
            options = {"weights_backbone": None}
        made = vision.get_model(name, weights=None, **options)
        if "detection" in family:  # boxes of one size have no values on the device `meta`
            made.forward = lambda x: made.head(list(made.backbone(x).values()))
        return made, size


def count(model: str) -> tuple[int, int]:
    """The params and macs of a model."""
    network, size = build(model)
    network.eval()
    with torch.no_grad(), Macs() as mode:
        network(torch.empty(1, *size, device="meta"))
    return sum(parameter.numel() for parameter in network.parameters()), mode.macs


def main() -> int:
    torch.backends.mha.set_fastpath_enabled(False)  # it hides its matrix products
    words = [word for word in sys.argv[1:] if word != "--write"]
    with TABLE.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    wrong = 0
    for row in rows:
        if not row["model"] or not all(word in row["network"] for word in words):
            continue
        params, macs = map(str, count(row["model"]))
        agrees = (params, macs) == (row["params"], row["macs"])
        wrong += not agrees
        print(f"{row['network']:28} {params:>12} {macs:>14}  {'' if agrees else 'DIFFERS'}")
        row.update(params=params, macs=macs)
    if "--write" in sys.argv:
        with TABLE.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, rows[0], lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)
    return min(wrong, 1)


if __name__ == "__main__":
    sys.exit(main())
