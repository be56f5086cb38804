"""Canonical operators. A front end maps each operator of its framework to one of these with one
row, and `passes/lower` has one rule for each of them."""

from collections.abc import Callable, Mapping
from enum import Flag, auto
from typing import Any, NamedTuple

from convcost.importing.ir.layer_graph import Path
from convcost.importing.ir.tensor import Tensor
from convcost.model.options import FUNCTIONS


class Trait(Flag):
    """Properties of operators that passes ask for, so that no pass has a list of operators."""

    NONE = 0
    JOINS = auto()  # elementwise on several tensors, which broadcast
    ELEMENTWISE = auto()  # each element of the output depends only on the inputs at its position
    ACTIVATES = auto()  # an activation, with a kind of the same name
    CONTRACTS = auto()  # has multiply-adds, so it costs macs
    LEARNS = auto()  # may have weights
    NORMALIZES = auto()
    MATRIX = auto()  # has a matrix, which other operators with this trait may share
    CHANNELS_FIRST = auto()  # an input of three axes is [n, c, t]
    CHANNELS_LAST = auto()  # an input of three axes is [n, t, c]
    CHOOSES = auto()  # compares or selects: its constant inputs are masks, not weights
    SAME = auto()  # keeps the elements, perhaps in another order or type
    RESHAPES = auto()  # keeps the elements and their order, in other dims
    TAKES = auto()  # selects elements of its input
    LEADS = auto()  # the leading axes of the output are those of the first input
    ANY_SIZE = auto()  # the same operator at any input size
    SHAPELY = auto()  # works on shapes and lists of tensors: no cost and no layer


class Op(NamedTuple):
    name: str
    traits: Trait


class Row(NamedTuple):
    """An operator of a framework: the `rule` that reads its calls, its canonical operator, and
    which of its inputs are the weights and the bias."""

    rule: Callable[..., Any] | None = None
    op: str = ""
    weights: int | None = None
    bias: int | None = None

    @property
    def traits(self) -> Trait:
        return OPS[self.op].traits if self.op else Trait.NONE


UNKNOWN = Row()


class Node(NamedTuple):
    """A canonical operator in a model. `inputs` are the tensors that depend on the model's inputs;
    `weights` and `buffers` have the elements of its stored tensors by key."""

    op: str
    path: Path
    inputs: tuple[Tensor, ...]
    attributes: Mapping[str, Any]
    weights: Mapping[str, int]
    buffers: Mapping[str, int] | None

    @property
    def x(self) -> Tensor:
        return self.inputs[0]


_WEIGHTED = Trait.CONTRACTS | Trait.LEARNS
_CONV = _WEIGHTED | Trait.CHANNELS_FIRST
_LINEAR = _WEIGHTED | Trait.CHANNELS_LAST | Trait.MATRIX
_NORM = Trait.NORMALIZES | Trait.LEARNS | Trait.CHANNELS_FIRST
_TOKENS = Trait.NORMALIZES | Trait.LEARNS | Trait.CHANNELS_LAST | Trait.LEADS
_EACH = Trait.ELEMENTWISE | Trait.LEADS | Trait.ANY_SIZE
_ACTIVATION = Trait.ACTIVATES | Trait.LEADS | Trait.ANY_SIZE
_VIEW = Trait.SAME | Trait.RESHAPES

_ACTIVATIONS = (
    "relu relu6 leaky_relu elu selu celu gelu silu mish sigmoid hard_sigmoid hard_swish tanh "
    "softplus softsign log_sigmoid threshold soft_shrink hard_shrink tanh_shrink hard_tanh "
    "quick_gelu"
)
_OTHERS = (
    "mean max min sum reduce_l1 reduce_l2 reduce_largest reduce_power reduce_square reduce_log "
    "reduce_log_exp adaptive_avg_pool adaptive_max_pool max_unpool upsample grid_sample pad roll "
    "pixel_shuffle pixel_unshuffle channel_shuffle l2_norm glu scale custom"
)
_DEFINED: tuple[tuple[str, Trait], ...] = (
    (_ACTIVATIONS, _ACTIVATION | _EACH),
    ("dropout", _ACTIVATION | _EACH | Trait.SAME),
    ("softmax log_softmax", _ACTIVATION),
    ("prelu", Trait.LEARNS | Trait.ANY_SIZE),
    (" ".join(name for name in FUNCTIONS if name != "negate"), _EACH),
    ("negate", _EACH | Trait.SAME),
    ("add subtract multiply divide maximum minimum", _EACH | Trait.JOINS),
    ("conv", _CONV | Trait.ANY_SIZE),
    ("transposed_conv deformable_conv locally_connected", _CONV),
    ("linear", _LINEAR | Trait.ANY_SIZE),
    ("matmul", _LINEAR | Trait.LEADS),
    ("experts lstm gru rnn", _WEIGHTED | Trait.CHANNELS_LAST),
    ("einsum attention", Trait.CONTRACTS | Trait.CHANNELS_LAST),
    ("fourier", Trait.CONTRACTS),
    ("embedding", Trait.MATRIX | Trait.TAKES),
    ("batch_norm", _NORM | Trait.ANY_SIZE),
    ("instance_norm group_norm", _NORM),
    ("layer_norm rms_norm", _TOKENS),
    ("avg_pool max_pool", Trait.CHANNELS_FIRST | Trait.ANY_SIZE),
    ("concat global_avg_pool global_max_pool local_response_norm", Trait.ANY_SIZE),
    ("identity", Trait.SAME | Trait.LEADS | Trait.ANY_SIZE),
    ("reshape squeeze", _VIEW),
    ("flatten unsqueeze", _VIEW | Trait.ANY_SIZE),
    ("permute expand", Trait.SAME),
    ("slice index", Trait.TAKES | Trait.LEADS),
    ("split", Trait.LEADS),
    ("choose", Trait.CHOOSES),
    ("constant", Trait.SHAPELY | Trait.ANY_SIZE),
    ("shape", Trait.SHAPELY),
    (_OTHERS, Trait.NONE),
)  # fmt: skip
OPS: dict[str, Op] = {
    name: Op(name, traits) for names, traits in _DEFINED for name in names.split()
}
