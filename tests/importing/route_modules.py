"""PyTorch modules, each of an operator or of a pattern that models write by hand, and networks.
Each is a function that makes it, and the dims of its input without the batch."""

from collections.abc import Callable
from typing import Any

import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812

IMAGE, ROWS, HEADS = (3, 32, 32), (16, 32), (4, 16, 8)


class Function(nn.Module):
    """A function of a tensor and of this module, with what it learns."""

    def __init__(self, function, **learned):
        super().__init__()
        self.function = function
        for name, dims in learned.items():
            self.register_parameter(name, nn.Parameter(torch.randn(*dims)))

    def forward(self, x):
        return self.function(x, self)


class First(nn.Module):
    """The first of what a module gives."""

    def __init__(self, module):
        super().__init__()
        self.module = module

    def forward(self, x):
        found = self.module(x)
        return found["out"] if isinstance(found, dict) else found[0]


class SelfAttention(nn.Module):
    def __init__(self):
        super().__init__()
        self.attention = nn.MultiheadAttention(32, 4, batch_first=True)

    def forward(self, x):
        return self.attention(x, x, x, need_weights=False)[0]


class AttentionByHand(nn.Module):
    def __init__(self):
        super().__init__()
        self.qkv, self.out = nn.Linear(32, 96), nn.Linear(32, 32)

    def forward(self, x):
        b, n, c = x.shape
        query, key, value = self.qkv(x).reshape(b, n, 3, 4, c // 4).permute(2, 0, 3, 1, 4).unbind(0)
        scores = (query / 8**0.5) @ key.transpose(-2, -1)
        return self.out((scores.softmax(-1) @ value).transpose(1, 2).reshape(b, n, c))


class CausalAttention(nn.Module):
    def __init__(self):
        super().__init__()
        self.query, self.key, self.value = (nn.Linear(32, 32) for _ in range(3))
        self.register_buffer("mask", torch.tril(torch.ones(16, 16)).view(1, 1, 16, 16))

    def forward(self, x):
        b, n, c = x.shape
        query, key, value = (
            one(x).view(b, n, 4, c // 4).transpose(1, 2)
            for one in (self.query, self.key, self.value)
        )
        scores = torch.matmul(query, key.transpose(2, 3)) * 0.3
        scores = scores.masked_fill(self.mask == 0, float("-inf"))
        return (F.softmax(scores, -1) @ value).transpose(1, 2).contiguous().view(b, n, c)


class RelativePositions(nn.Module):
    def __init__(self):
        super().__init__()
        self.query, self.table = nn.Linear(32, 32), nn.Parameter(torch.zeros(9, 4))
        self.register_buffer("places", torch.randint(0, 9, (16, 16)))

    def forward(self, x):
        b, n, c = x.shape
        query = self.query(x).view(b, n, 4, 8).transpose(1, 2)
        scores = query @ query.transpose(-1, -2) + self.table[self.places].permute(2, 0, 1)[None]
        return (scores.softmax(-1) @ query).transpose(1, 2).reshape(b, n, c)


class RootMeanSquare(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear, self.weight = nn.Linear(32, 32), nn.Parameter(torch.ones(32))

    def forward(self, x):
        x = self.linear(x)
        return self.weight * (x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-6))


class LayerNormByHand(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3)
        self.weight, self.bias = nn.Parameter(torch.ones(8)), nn.Parameter(torch.ones(8))

    def forward(self, x):
        x = self.conv(x)
        mean = x.mean(1, keepdim=True)
        x = (x - mean) / torch.sqrt((x - mean).pow(2).mean(1, keepdim=True) + 1e-6)
        return self.weight[:, None, None] * x + self.bias[:, None, None]


class SwiGlu(nn.Module):
    def __init__(self):
        super().__init__()
        self.gate, self.up = nn.Linear(32, 64, bias=False), nn.Linear(32, 64, bias=False)
        self.down = nn.Linear(64, 32, bias=False)

    def forward(self, x):
        return self.down(F.silu(self.gate(x)) * self.up(x))


class LastStep(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm, self.out = nn.LSTM(32, 16, batch_first=True), nn.Linear(16, 4)

    def forward(self, x):
        return self.out(self.lstm(x)[0][:, -1])


class SqueezeAndExcite(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 16, 3)
        self.less, self.more = nn.Conv2d(16, 4, 1), nn.Conv2d(4, 16, 1)

    def forward(self, x):
        x = self.conv(x)
        gate = self.more(F.relu(self.less(x.mean((2, 3), keepdim=True))))
        return x * torch.sigmoid(gate)


class SpatialAttention(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3, padding=1)
        self.gate = nn.Conv2d(2, 1, 7, padding=3)

    def forward(self, x):
        x = self.conv(x)
        both = torch.cat([x.mean(1, keepdim=True), x.amax(1, keepdim=True)], 1)
        return x * torch.sigmoid(self.gate(both))


class ChannelConv(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv, self.gate = nn.Conv2d(3, 8, 3), nn.Conv1d(1, 1, 3, padding=1, bias=False)

    def forward(self, x):
        x = self.conv(x)
        y = self.gate(F.adaptive_avg_pool2d(x, 1).squeeze(-1).transpose(1, 2))
        return x * y.transpose(1, 2).unsqueeze(-1).sigmoid()


class Correlation(nn.Module):
    def __init__(self):
        super().__init__()
        self.left, self.right = nn.Conv2d(3, 8, 3), nn.Conv2d(3, 8, 3)

    def forward(self, x):
        return (self.left(x) * self.right(x)).mean(1, keepdim=True)


class SegNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.down, self.up = nn.Conv2d(3, 8, 3, padding=1), nn.Conv2d(8, 3, 3, padding=1)
        self.pool, self.unpool = nn.MaxPool2d(2, return_indices=True), nn.MaxUnpool2d(2)

    def forward(self, x):
        x, indices = self.pool(self.down(x))
        return self.up(self.unpool(x, indices))


class UNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.one, self.two = nn.Conv2d(3, 8, 3, padding=1), nn.Conv2d(8, 16, 3, padding=1)
        self.up, self.out = nn.ConvTranspose2d(16, 8, 2, 2), nn.Conv2d(16, 1, 1)

    def forward(self, x):
        a = F.relu(self.one(x))
        b = F.relu(self.two(F.max_pool2d(a, 2)))
        return self.out(torch.cat([a, self.up(b)], 1))


class Patches(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv, self.norm, self.head = nn.Conv2d(3, 32, 8, 8), nn.LayerNorm(32), nn.Linear(32, 5)
        self.token = nn.Parameter(torch.zeros(1, 1, 32))
        self.places = nn.Parameter(torch.zeros(1, 17, 32))

    def forward(self, x):
        x = self.conv(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.token.expand(x.shape[0], -1, -1), x], 1) + self.places
        return self.head(self.norm(x)[:, 0])


class TokenMixer(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm, self.less, self.more = nn.LayerNorm(32), nn.Linear(16, 8), nn.Linear(8, 16)

    def forward(self, x):
        y = self.more(F.gelu(self.less(self.norm(x).transpose(1, 2))))
        return x + y.transpose(1, 2)


def weight_norm():
    return nn.utils.parametrizations.weight_norm(nn.Conv2d(3, 8, 3))


def conv(after: Callable[[], nn.Module]) -> Any:
    """A convolution, and a module after it."""
    return lambda: nn.Sequential(nn.Conv2d(3, 8, 3), after()), IMAGE


def linear(after: Callable[[], nn.Module]) -> Any:
    """A linear layer at each position, and a module after it."""
    return lambda: nn.Sequential(nn.Linear(32, 8), after()), ROWS


def function(of: Callable[..., Any], **learned: tuple[int, ...]) -> Callable[[], nn.Module]:
    return lambda: Function(of, **learned)


def einsum(equation: str, **learned: tuple[int, ...]) -> Callable[[], nn.Module]:
    def of(x, own):
        return torch.einsum(equation, x, *(getattr(own, name) for name in learned))

    return function(of, **learned)


MODULES: dict[str, Any] = {
    "linear": (lambda: nn.Linear(32, 8), ROWS),
    "linear_without_bias": (lambda: nn.Linear(32, 8, bias=False), ROWS),
    "bilinear": (function(lambda x, own: F.bilinear(x, x.relu(), own.w), w=(4, 8, 8)), (8,)),
    "addmm": (
        function(lambda x, own: torch.addmm(own.b, x.flatten(0, 1), own.w), w=(32, 8), b=(8,)),
        ROWS,
    ),
    "matrix_from_the_left": (function(lambda x, own: own.w @ x, w=(8, 16)), ROWS),
    "addcmul": (function(lambda x, own: torch.addcmul(x, x.relu(), own.w @ x), w=(16, 16)), ROWS),
    "masked_by_a_tensor": (function(lambda x, _: x.relu().masked_fill(x > 1, 0.0)), ROWS),
    "conv_bn_relu": (
        lambda: nn.Sequential(nn.Conv2d(3, 8, 3, bias=False), nn.BatchNorm2d(8), nn.ReLU()),
        IMAGE,
    ),
    "bn1d": (lambda: nn.Sequential(nn.Linear(32, 8), nn.BatchNorm1d(8)), (32,)),
    "leaky_relu": conv(lambda: nn.LeakyReLU(0.2)),
    "elu": conv(lambda: nn.ELU(0.5)),
    "celu": conv(lambda: nn.CELU(0.3)),
    "selu": conv(nn.SELU),
    "prelu": conv(lambda: nn.PReLU(8)),
    "prelu_of_one_slope": conv(nn.PReLU),
    "relu6": conv(nn.ReLU6),
    "hard_tanh": conv(nn.Hardtanh),
    "clamp": conv(function(lambda x, _: x.clamp(0, 6))),
    "clamp_from_zero": conv(function(lambda x, _: x.clamp(min=0))),
    "clamp_to_one": conv(function(lambda x, _: x.clamp(0, 1))),
    "gelu": linear(nn.GELU),
    "gelu_by_tanh": linear(lambda: nn.GELU("tanh")),
    "gelu_by_hand": linear(function(lambda x, _: x * 0.5 * (1 + torch.erf(x / 2**0.5)))),
    "silu": conv(nn.SiLU),
    "silu_by_hand": conv(function(lambda x, _: x * torch.sigmoid(x))),
    "mish": conv(nn.Mish),
    "mish_by_hand": conv(function(lambda x, _: x * torch.tanh(F.softplus(x)))),
    "hard_swish": conv(nn.Hardswish),
    "hard_swish_by_hand": conv(function(lambda x, _: x * F.relu6(x + 3) / 6)),
    "hard_sigmoid": conv(nn.Hardsigmoid),
    "log_sigmoid": conv(nn.LogSigmoid),
    "soft_shrink": conv(nn.Softshrink),
    "hard_shrink": conv(nn.Hardshrink),
    "threshold": conv(lambda: nn.Threshold(0.1, 0)),
    "softplus": conv(nn.Softplus),
    "softmax": linear(lambda: nn.Softmax(-1)),
    "log_softmax": linear(lambda: nn.LogSoftmax(-1)),
    "glu": linear(lambda: nn.GLU(-1)),
    "swiglu": (SwiGlu, ROWS),
    "layer_norm": linear(lambda: nn.LayerNorm(8)),
    "layer_norm_over_the_size": conv(lambda: nn.LayerNorm([30, 30])),
    "layer_norm_over_all": conv(lambda: nn.LayerNorm([8, 30, 30])),
    "layer_norm_by_hand": (LayerNormByHand, IMAGE),
    "rms_norm": linear(lambda: nn.RMSNorm(8)),
    "rms_norm_by_hand": (RootMeanSquare, ROWS),
    "group_norm": conv(lambda: nn.GroupNorm(4, 8)),
    "instance_norm": conv(lambda: nn.InstanceNorm2d(8, affine=True)),
    "local_response_norm": conv(lambda: nn.LocalResponseNorm(5)),
    "l2_norm": linear(function(lambda x, _: F.normalize(x, dim=-1))),
    "l1_norm": linear(function(lambda x, _: F.normalize(x, p=1, dim=-1))),
    "cosine_similarity": conv(function(lambda x, _: F.cosine_similarity(x, x.relu(), 1))),
    "standard_deviation": conv(function(lambda x, _: x.std((2, 3), keepdim=True))),
    "weight_norm": (weight_norm, IMAGE),
    "max_pool": conv(lambda: nn.MaxPool2d(3, 2, 1, ceil_mode=True)),
    "max_unpool": (SegNet, IMAGE),
    "avg_pool": conv(lambda: nn.AvgPool2d(2)),
    "adaptive_pool": conv(lambda: nn.AdaptiveAvgPool2d(1)),
    "transposed_conv": (lambda: nn.ConvTranspose2d(3, 8, 3, 2, 1, output_padding=1), IMAGE),
    "depthwise": (lambda: nn.Conv2d(8, 8, 3, groups=8, padding=1), (8, 9, 9)),
    "groups": (lambda: nn.Conv2d(4, 8, 3, groups=2), (4, 9, 9)),
    "same": (lambda: nn.Conv2d(3, 8, 4, padding="same"), IMAGE),
    "conv1d": (lambda: nn.Conv1d(4, 8, 5, dilation=2), (4, 50)),
    "conv3d": (lambda: nn.Conv3d(2, 4, 3), (2, 8, 10, 10)),
    "multi_head_attention": (SelfAttention, ROWS),
    "encoder_layer": (lambda: nn.TransformerEncoderLayer(32, 4, 64, batch_first=True), ROWS),
    "attention": (function(lambda x, _: F.scaled_dot_product_attention(x, x, x)), HEADS),
    "attention_by_hand": (AttentionByHand, ROWS),
    "causal_attention_by_hand": (CausalAttention, ROWS),
    "relative_positions": (RelativePositions, ROWS),
    "lstm": (LastStep, ROWS),
    "lstm_of_two_layers": (lambda: First(nn.LSTM(32, 16, 2, batch_first=True)), ROWS),
    "gru": (lambda: First(nn.GRU(32, 16, batch_first=True, bidirectional=True)), ROWS),
    "einsum_with_ellipsis": (einsum("...d,df->...f", w=(32, 8)), ROWS),
    "einsum_of_three": (einsum("btd,df,fg->btg", w=(32, 8), v=(8, 5)), ROWS),
    "einsum_of_maps": (einsum("bchw,dc->bdhw", w=(5, 3)), IMAGE),
    "einsum_that_scales": (einsum("bchw,c->bchw", w=(3,)), IMAGE),
    "einsum_of_heads": (einsum("bnd,dhk->bhnk", w=(32, 4, 8)), ROWS),
    "einsum_with_constant": (
        function(lambda x, _: torch.einsum("nchw,cd->ndhw", x, torch.ones(3, 4))), IMAGE
    ),
    "product": (function(lambda x, _: x @ x.transpose(1, 2)), ROWS),
    "product_and_sum": (function(lambda x, _: (x * x.flip(2)).sum(1)), IMAGE),
    "correlation": (Correlation, IMAGE),
    "squeeze_and_excite": (SqueezeAndExcite, IMAGE),
    "spatial_attention": (SpatialAttention, IMAGE),
    "channel_conv": (ChannelConv, IMAGE),
    "unet": (UNet, IMAGE),
    "patches": (Patches, IMAGE),
    "token_mixer": (TokenMixer, ROWS),
    "upsample": conv(lambda: nn.Upsample(scale_factor=2, mode="bilinear")),
    "upsample_to_a_size": conv(lambda: nn.Upsample(size=(17, 19))),
    "pixel_shuffle": conv(lambda: nn.PixelShuffle(2)),
    "pixel_unshuffle": (lambda: nn.PixelUnshuffle(2), IMAGE),
    "channel_shuffle": conv(lambda: nn.ChannelShuffle(2)),
    "roll": conv(function(lambda x, _: torch.roll(x, (2, 3), (2, 3)))),
    "gather_learned": (
        function(lambda x, own: x + own.t[torch.tensor([0, 2, 4, 6])], t=(9, 32)), (4, 32)
    ),
    "positions": (function(lambda x, own: x + own.t, t=(1, 16, 32)), ROWS),
    "class_token": (function(lambda x, own: torch.cat([own.t, x], 1), t=(1, 1, 32)), ROWS),
    "scale": conv(function(lambda x, own: x * own.g, g=(8, 1, 1))),
    "chunks": conv(function(lambda x, _: torch.cat(x.chunk(2, 1)[::-1], 1))),
    "one_chunk": conv(function(lambda x, _: x.chunk(2, 1)[0].relu())),
    "stack": conv(function(lambda x, _: torch.stack([x, x.relu()], 1))),
    "every_other": conv(function(lambda x, _: x[:, :, ::2, 1::2])),
    "tile": conv(function(lambda x, _: x.repeat(1, 2, 1, 1))),
    "where": conv(function(lambda x, _: torch.where(x > 0, x, x * 0.1))),
    "pad": (lambda: nn.Sequential(nn.ZeroPad2d(2), nn.Conv2d(3, 8, 3)), IMAGE),
    "reflect": (lambda: nn.Sequential(nn.ReflectionPad2d(2), nn.Conv2d(3, 8, 3)), IMAGE),
    "unfold": (lambda: nn.Unfold(3, padding=1), IMAGE),
    "mean": linear(function(lambda x, _: x.mean(1))),
}  # fmt: skip


def torchvision_model(name: str, **options: Any) -> Callable[[], nn.Module]:
    def make() -> nn.Module:
        from torchvision import models

        where = models.segmentation if "backbone" in name else models
        found = getattr(where, name.removeprefix("backbone "))(weights=None, **options)
        return First(found) if where is models.segmentation else found

    return make


def features(name: str) -> Callable[[], nn.Module]:
    return lambda: torchvision_model(name)().features


PHOTO = (3, 64, 64)
SMALL_VIT = {"image_size": 32, "patch_size": 16, "num_layers": 2, "num_heads": 4,
             "hidden_dim": 32, "mlp_dim": 64}  # fmt: skip


def small_vit() -> nn.Module:
    from torchvision.models import VisionTransformer

    return VisionTransformer(**SMALL_VIT)


def video() -> nn.Module:
    from torchvision.models.video import r3d_18

    return r3d_18(weights=None)


PLAIN = ("resnet18", "mobilenet_v2", "mobilenet_v3_small", "squeezenet1_1", "densenet121",
         "shufflenet_v2_x0_5", "efficientnet_b0", "regnet_y_400mf", "convnext_tiny", "mnasnet0_5",
         "swin_t")  # fmt: skip
NETWORKS: dict[str, Any] = {
    **{name: (torchvision_model(name), PHOTO) for name in PLAIN},
    "vgg11": (features("vgg11"), PHOTO),
    "vgg11_bn": (features("vgg11_bn"), PHOTO),
    "alexnet": (features("alexnet"), PHOTO),
    "googlenet": (torchvision_model("googlenet", aux_logits=False, init_weights=False), PHOTO),
    "inception_v3": (
        torchvision_model("inception_v3", aux_logits=False, init_weights=False), (3, 96, 96)
    ),
    "vision_transformer": (small_vit, IMAGE),
    "lraspp": (
        torchvision_model("backbone lraspp_mobilenet_v3_large", weights_backbone=None), PHOTO
    ),
    "deeplab": (
        torchvision_model("backbone deeplabv3_mobilenet_v3_large", weights_backbone=None), PHOTO
    ),
    "r3d_18": (video, (3, 8, 32, 32)),
}  # fmt: skip
