"""What Keras does to data: nothing but in training, or element by element; sizes of images."""

from convcost.errors import Refusal
from convcost.importing.easel import Easel
from convcost.importing.from_keras.call import Call, layer
from convcost.importing.parts.windows import each, window
from convcost.importing.value import Value

MODES = {"bilinear": "linear", "bicubic": "cubic"}


@layer(
    "Rescaling", "GaussianNoise", "GaussianDropout", "ActivityRegularization", "StochasticDepth",
    "Identity", "Masking", "RandomFlip", "RandomRotation", "RandomZoom", "RandomTranslation",
    "RandomContrast", "RandomBrightness", "RandomShear", "RandomHue", "RandomSaturation",
    "RandomSharpness", "RandomGrayscale", "RandomInvert", "RandomErasing", "RandomPerspective",
    "RandomPosterization", "RandomGaussianBlur", "RandomElasticTransform", "RandomColorJitter",
    "RandomColorDegeneration", "RandAugment", "AugMix", "CutMix", "MixUp", "AutoContrast",
    "Equalization", "Solarization", "ContrastLimitedAdaptiveHistogramEqualization",
)  # fmt: skip
def free(easel: Easel, call: Call) -> Value:
    easel.free[call.kind] += 1
    return call.x


@layer("Resizing")
def resize(easel: Easel, call: Call) -> Value:
    return _resized(easel, call, str(call.config.get("interpolation", "bilinear")))


@layer("CenterCrop")
def center_crop(easel: Easel, call: Call) -> Value:
    """Keras makes an image larger where it is smaller than what is to be cut out."""
    wanted = _wanted(call)
    over = [n - m for n, m in zip(call.size, wanted, strict=True)]
    if min(over) < 0:
        return _resized(easel, call, "bilinear")
    begins = [n // 2 for n in over]
    ends = [n - n // 2 for n in over]
    border = each(begins) if begins == ends else (*begins, *ends)
    return window(easel, "crop", call.x, call.path, {"border": border}, None, call.channel)


def _resized(easel: Easel, call: Call, word: str) -> Value:
    options = {"size": each(_wanted(call)), "mode": MODES.get(word, "nearest")}
    return window(easel, "upsample", call.x, call.path, options, None, call.channel)


def _wanted(call: Call) -> tuple[int, int]:
    if len(call.size) != 2:  # noqa: PLR2004  height, width
        raise Refusal("CC401", f"{call.kind} of other than images is not read")
    return int(call.config["height"]), int(call.config["width"])
