"""Preprocessing layers of Keras: augmentation, which only works in training; elementwise functions;
resizing and cropping."""

from convcost.importing.frontends.keras.call import LayerCall, layer
from convcost.importing.frontends.keras.layers.windows import MODES
from convcost.importing.ir.tensor import Tensor
from convcost.model.errors import ConstraintError


@layer(
    "Rescaling", "GaussianNoise", "GaussianDropout", "ActivityRegularization", "StochasticDepth",
    "Identity", "Masking", "RandomFlip", "RandomRotation", "RandomZoom", "RandomTranslation",
    "RandomContrast", "RandomBrightness", "RandomShear", "RandomHue", "RandomSaturation",
    "RandomSharpness", "RandomGrayscale", "RandomInvert", "RandomErasing", "RandomPerspective",
    "RandomPosterization", "RandomGaussianBlur", "RandomElasticTransform", "RandomColorJitter",
    "RandomColorDegeneration", "RandAugment", "AugMix", "CutMix", "MixUp", "AutoContrast",
    "Equalization", "Solarization", "ContrastLimitedAdaptiveHistogramEqualization",
    "Normalization", "ops.Cast",
)  # fmt: skip
def free(call: LayerCall) -> Tensor:
    """Layers without a cost at inference. The mean and variance of the data, which `Normalization`
    has, are constants, not params."""
    call.builder.free[call.kind] += 1
    return call.x


@layer("Resizing")
def resize(call: LayerCall) -> Tensor:
    return _resize(call, str(call.config.get("interpolation", "bilinear")))


@layer("CenterCrop")
def center_crop(call: LayerCall) -> Tensor:
    """Crops the centre of an image. Keras resizes an image that is smaller than the crop."""
    target = _target_size(call)
    excess = [n - m for n, m in zip(call.size, target, strict=True)]
    if min(excess) < 0:
        return _resize(call, "bilinear")
    begins = [-(n // 2) for n in excess]
    return call.add_border(
        call.x, begins, [-n - begin for n, begin in zip(excess, begins, strict=True)]
    )


def _resize(call: LayerCall, mode_name: str) -> Tensor:
    dims, mode = call.along_size(_target_size(call), None), MODES.get(mode_name, "nearest")
    return call.lower("upsample", dims=dims, computes_size=False, mode=mode, channel=call.channel)


def _target_size(call: LayerCall) -> tuple[int, int]:
    if len(call.size) != 2:  # noqa: PLR2004  height, width
        raise ConstraintError("CC401", f"convcost supports {call.kind} only for images")
    return int(call.config["height"]), int(call.config["width"])
