"""The names of layers: module paths, from the names of nodes and of weights."""

import re
from ast import literal_eval
from collections.abc import Mapping
from itertools import accumulate

from convcost.importing.frontends.onnx.graph import OnnxGraph, OnnxNode
from convcost.importing.ir.constant import Constant
from convcost.importing.ir.layer_graph import GraphLayer, Path, common_prefix, shared_depth

SCOPES = "pkg.torch.onnx.name_scopes"
CLASSES = "pkg.torch.onnx.class_hierarchy"

# The last parts of the names of weights in PyTorch, in Caffe2, in Keras and in Paddle.
WEIGHT = re.compile(
    r"(?:[./](?:weight|bias|weight_g|weight_v|gamma|beta|kernel|running_mean|running_var|"
    r"in_proj_weight|in_proj_bias|weight_ih_l0|ReadVariableOp.*)|"
    r"_(?:w|b|scale|bias|mean|var|s|rm|riv|variance|offset|weights|weight)(?:_\d+)?|"
    r"\.[wb]_\d+)(?:_(?:quantized|dequantized|fp16|q))?$"
)
OPAQUE = re.compile(
    r"^(?:.*::.*|/.*|\d.*|\w*const_\w*|new_shape\w*|val_\d+|const_?\w*|[A-Z]\w*_\d+|p2o\..*|_v_\d+|t\d+)$"
)
STARTS = ("StatefulPartitionedCall", "PartitionedCall", "gpu_0")
TAIL = re.compile(
    r"(?:conv[123]d|biasadd|matmul|relu6?|fusedbatchnormv3|depthwise|separable_conv2d|"
    r"(?:max|avg)pool|concat|add(?:v2)?|mul|sigmoid|softmax|mean|tanh|elu|pad|batchnorm|"
    r"read(?:variableop)?)(?:_\d+)*",
    re.IGNORECASE,
)

MAX_DEPTH = 64  # names of a path; layers are not nested deeper
UNNAMED = ""  # the end of the path of an operator that has no name in its module


class OnnxNames:
    """The module paths of nodes, by their first output, and the classes of modules, if an exporter
    writes them."""

    def __init__(self, graph: OnnxGraph, constants: Mapping[str, Constant]) -> None:
        self.classes: dict[Path, str] = {}
        modules = [self._module(node) for node in graph.nodes]
        tables = _tables(graph, constants)
        weighted = [
            None if path and _is_tied(node, constants, tables) else _weight_path(node, constants)
            for node, path in zip(graph.nodes, modules, strict=True)
        ]
        whole = [by or path for by, path in zip(weighted, modules, strict=True)]
        suffixes = [path and path[-MAX_DEPTH:] for path in whole]
        around = _fill_missing(suffixes)
        containers = {path[:n] for path in filter(None, around) for n in range(len(path))}
        self._shared = shared = shared_depth(around)
        self.paths: dict[str, Path] = {}
        owned = set(filter(None, weighted))
        for node, path, suffix, by in zip(graph.nodes, around, suffixes, weighted, strict=True):
            is_only_layer = suffix is not None and path not in containers and bool(path)
            # An operator without weights in a module with weights is named by its kind.
            is_only_layer = is_only_layer and (by is not None or path not in owned)
            full = path if is_only_layer else (*path, UNNAMED)
            self.paths[node.outputs[0]] = full[shared:] or full

    def path_of_constant(self, node: OnnxNode) -> Path:
        """The path of an operator on constants, which is lowered only if a layer needs its
        output."""
        module = self._module(node) or ()
        return (*module[self._shared :], UNNAMED)

    @staticmethod
    def with_kinds(layers: list[GraphLayer]) -> list[GraphLayer]:
        """Layers whose operators have no name get the name of their kind."""
        return [
            layer._replace(
                path=(*filter(None, layer.path), *([] if layer.path[-1] else [layer.kind]))
            )
            for layer in layers
        ]

    def _module(self, node: OnnxNode) -> Path | None:
        """The path of the module that a node belongs to; None if its name does not contain it."""
        if SCOPES in node.meta:
            return self._module_path(node)
        name = node.name or (node.outputs[0] if "/" in node.outputs[0] else "")
        if "/" not in name or (OPAQUE.match(name) and not name.startswith("/")):
            return None
        name = _plain(name)
        parts = [part for part in name.split("/") if part]
        if name.startswith("/"):
            return _torch(parts[:-1])
        parts = _without_operator([part for part in parts if part not in STARTS])
        if not node.name:  # the name of a tensor in Caffe2, whose last part is a number
            parts = parts[:-1]
        return tuple(parts) if parts else None

    def _module_path(self, node: OnnxNode) -> Path | None:
        try:
            scopes = [str(scope) for scope in literal_eval(node.meta[SCOPES])]
            classes = [str(name) for name in literal_eval(node.meta.get(CLASSES, "[]"))]
        except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError):
            return None
        if len(scopes) < 2:  # noqa: PLR2004  the model itself and the operator
            return ()
        for scope, name in zip(scopes[:-1], classes, strict=False):
            self.classes[_split_path(scope)] = name.rsplit(".", 1)[-1]
        return _split_path(scopes[-2])


def _plain(name: str) -> str:
    """The first of several joined names, without the number of an output: `a/b:0;c` becomes
    `a/b`."""
    return re.split(r";|(?<!:):(?!:)", name, maxsplit=1)[0]


def _without_operator(parts: list[str]) -> list[str]:
    """The names without the operators at the end."""
    while len(parts) > 1 and TAIL.fullmatch(parts[-1]):
        parts = parts[:-1]
    return parts


def _split_path(text: str) -> Path:
    return tuple(part for part in text.split(".") if part)


def _torch(parts: list[str]) -> Path:
    """`layer1/layer1.0/conv1` becomes layer1, 0, conv1: each part repeats the part before it."""
    path: list[str] = []
    before = ""
    for part in parts:
        inner = part[len(before) + 1 :] if before and part.startswith(f"{before}.") else part
        path += [name for name in inner.split(".") if name]
        before = part
    return tuple(path)


def _tables(graph: OnnxGraph, constants: Mapping[str, Constant]) -> set[str]:
    """The keys of the tables of embeddings."""
    read = [constants.get(node.input(0)) for node in graph.nodes if node.op == "Gather"]
    return {table.sources[0][0] for table in read if table is not None and table.has_whole_source}


def _is_tied(node: OnnxNode, constants: Mapping[str, Constant], tables: set[str]) -> bool:
    """Whether a node uses the table of an embedding as its weights, so that their name belongs to
    the embedding."""
    weights = constants.get(node.input(1))
    return weights is not None and weights.has_whole_source and weights.sources[0][0] in tables


def _weight_path(node: OnnxNode, constants: Mapping[str, Constant]) -> Path | None:
    """The path of the module that the weights of a node belong to."""
    for name in node.inputs[1:]:
        constant = constants.get(name)
        if constant is None or not (
            constant.is_float and constant.has_whole_source and constant.elements > 1
        ):
            continue
        stored = constant.view.root if constant.view is not None else constant.sources[0][0]
        key = _plain(stored)
        if OPAQUE.match(key) or WEIGHT.fullmatch(f".{key}"):  # a weight of the model itself
            continue
        plain = WEIGHT.sub("", key)
        if plain == key and "." in key:
            plain = key.rsplit(".", 1)[0]
        split = plain.split("/" if "/" in plain else ".")
        if parts := _without_operator([part for part in split if part and part not in STARTS]):
            return tuple(parts)
    return None


def _fill_missing(paths: list[Path | None]) -> list[Path]:
    """A node without a name belongs to the module that the nodes before and after it share."""

    def nearest(previous: Path | None, following: Path | None) -> Path | None:
        return previous if following is None else following

    before = accumulate(paths, nearest)
    after = [*accumulate(reversed(paths), nearest)][::-1]
    return [
        common_prefix([(first or ())[:-1], (then or first or ())[:-1]]) if path is None else path
        for path, first, then in zip(paths, before, after, strict=True)
    ]
