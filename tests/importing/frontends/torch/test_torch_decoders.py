"""Decoders of PyTorch: their layers share rotary tables, and are one block."""

import pytest

from convcost.importing.driver import ImportRequest
from convcost.importing.driver import read as driver_read
from convcost.importing.frontends.torch import read
from convcost.importing.spec import proved_spec

torch = pytest.importorskip("torch")
from torch import nn  # noqa: E402
from torch.nn import functional as F  # noqa: E402, N812

LAYERS, WIDTH, HEADS, GROUPS, HIDDEN, ROWS = 4, 32, 4, 2, 64, 100
HEAD = WIDTH // HEADS
TOKENS = GROUPS * HEAD  # as many as the keys have channels


def rotated(x, cos, sin):
    """Rotary positions: pairs of channels, rotated by the angles of a table."""
    first, second = x.chunk(2, -1)
    return x * cos + torch.cat([-second, first], -1) * sin


class Attention(nn.Module):
    """Attention of grouped queries, with rotary positions."""

    def __init__(self):
        super().__init__()
        self.query = nn.Linear(WIDTH, HEADS * HEAD, bias=False)
        self.keys = nn.Linear(WIDTH, GROUPS * HEAD, bias=False)
        self.values = nn.Linear(WIDTH, GROUPS * HEAD, bias=False)
        self.out = nn.Linear(HEADS * HEAD, WIDTH, bias=False)

    def forward(self, x, cos, sin, mask):
        heads = [
            layer(x).view(*x.shape[:2], -1, HEAD).transpose(1, 2)
            for layer in (self.query, self.keys, self.values)
        ]
        query, keys = (rotated(head, cos, sin) for head in heads[:2])
        keys, values = (one.repeat_interleave(HEADS // GROUPS, 1) for one in (keys, heads[2]))
        x = F.scaled_dot_product_attention(query, keys, values, attn_mask=mask)
        return self.out(x.transpose(1, 2).flatten(2))


class Layer(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm_1, self.norm_2 = nn.RMSNorm(WIDTH), nn.RMSNorm(WIDTH)
        self.attention = Attention()
        self.gate, self.up = (nn.Linear(WIDTH, HIDDEN, bias=False) for _ in range(2))
        self.down = nn.Linear(HIDDEN, WIDTH, bias=False)

    def forward(self, x, *tables):
        x = x + self.attention(self.norm_1(x), *tables)
        y = self.norm_2(x)
        return x + self.down(F.silu(self.gate(y)) * self.up(y))


class Decoder(nn.Module):
    """A decoder as Llama is one: all layers have the same rotary tables and the same mask."""

    def __init__(self):
        super().__init__()
        self.tokens = nn.Embedding(ROWS, WIDTH)
        self.layers = nn.ModuleList(Layer() for _ in range(LAYERS))
        self.norm = nn.RMSNorm(WIDTH)
        self.head = nn.Linear(WIDTH, ROWS, bias=False)
        self.register_buffer("speeds", torch.rand(HEAD // 2), persistent=False)

    def forward(self, tokens):
        length = tokens.shape[1]
        angles = torch.arange(length, device=tokens.device)[:, None] * self.speeds[None]
        angles = torch.cat([angles, angles], -1)
        cos, sin = angles.cos(), angles.sin()
        mask = torch.full((length, length), -torch.inf, device=tokens.device).triu(1)
        x = self.tokens(tokens)
        for layer in self.layers:
            x = layer(x, cos, sin, mask)
        return self.head(self.norm(x))


def test_the_layers_of_a_decoder_repeat_a_block_whose_inputs_are_the_shared_tables():
    text = proved_spec(read(f"{__name__}:Decoder", inputs=((TOKENS,),), dtypes=("int",)))
    blocks, _, layers = text.partition("\nlayers:\n")
    assert blocks.count("    layers:\n") == 1
    assert "    inputs: [x, cos, sin]\n" in blocks
    assert "    outputs: [add_2, cos, sin]" in blocks
    assert layers == (
        "  - multiply:\n"
        "      a:\n"
        "        - {learned: {channels: 4, size: []}, buffer: true, name: speeds}\n"
        "        - {reshape: {channels: 4, size: [1]}}\n"
        "      b: [{constant: {channels: 1, size: [16]}}]\n"
        "  - {concat: {before: [], before_2: []}, name: concat_1}\n"
        "  - {elementwise: cos}\n"
        "  - {reshape: {channels: 8, size: [1, 16]}, name: reshape_1}\n"
        "  - {elementwise: sin, from: concat_1}\n"
        "  - {reshape: {channels: 8, size: [1, 16]}, name: reshape_2}\n"
        "  - {embedding: 32, rows: 100, name: tokens, from: input}\n"
        "  - {sequence: [{attention_block: , from: [tokens, reshape_1, reshape_2], repeat: 4}], "
        "name: layers}\n"
        "  - rms_norm\n"
        "  - {linear: 100, name: head}\n"
    )


class OwnTables(Layer):
    """A layer that computes its own rotary tables."""

    def __init__(self):
        super().__init__()
        self.register_buffer("speeds", torch.rand(HEAD // 2), persistent=False)

    def forward(self, x):
        angles = torch.arange(x.shape[1], device=x.device)[:, None] * self.speeds[None]
        angles = torch.cat([angles, angles], -1)
        return super().forward(x, angles.cos(), angles.sin(), None)


class OwnTablesDecoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.tokens = nn.Embedding(ROWS, WIDTH)
        self.layers = nn.Sequential(*(OwnTables() for _ in range(LAYERS)))

    def forward(self, tokens):
        return self.layers(self.tokens(tokens))


def test_layers_that_compute_their_own_tables_repeat_a_block_too():
    """The positions are a constant of the code, whose name has no module."""
    text = proved_spec(read(f"{__name__}:OwnTablesDecoder", inputs=((TOKENS,),), dtypes=("int",)))
    assert text.count("{constant: ") == 1
    assert text.partition("\nlayers:\n")[2] == (
        "  - {embedding: 32, rows: 100, name: tokens}\n"
        "  - {sequence: [{own_tables: , repeat: 4}], name: layers}\n"
    )


def test_a_length_that_equals_the_width_of_the_keys_is_also_compared_at_other_lengths():
    request = ImportRequest(f"{__name__}:Decoder", ((TOKENS,),), dtypes=("int",))
    assert driver_read(request).notes[-1] == "also compared with the model at 63 and 163"
