"""Opens a file and checks that it is a model of TensorFlow Lite. The file is mapped into memory, so
that its weights are not loaded."""

import struct
from collections.abc import Iterable
from contextlib import AbstractContextManager
from math import prod
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import tflite

from convcost.importing.ir import refusals
from convcost.importing.ir.operator_graph import OperatorNode
from convcost.importing.ir.refusals import as_invalid_file
from convcost.model.errors import ConstraintError, UsageError

# Errors of tables whose offsets, lengths or types are wrong.
FORM_ERRORS = (*refusals.FORM_ERRORS, BufferError, MemoryError, struct.error)
DOWNLOAD_HINT = "was the file downloaded completely?"
IDENTIFIER = slice(4, 8)
MAX_ENTRIES = 1_000_000  # a table is 8 entries, a number 1, and 32 characters of a name 1
TABLE, CHARACTERS = 8, 32
MAX_NAME_BYTES = 1 << 20
BYTE = 8  # bits
BITS = {"INT2": 2, "INT4": 4, "BFLOAT16": 16}  # types that NumPy does not have


Nodes: TypeAlias = tuple[OperatorNode, ...]


class TensorEntry(NamedTuple):
    """A tensor of a file. `open` says which dims are open; `data` are the stored bytes, empty if
    the model computes the tensor. A sparse tensor stores only a part of its elements."""

    name: str
    dims: tuple[int, ...]
    open: tuple[bool, ...]
    dtype: str
    buffer: int
    data: np.ndarray
    variable: bool
    sparse: bool

    @property
    def numbers(self) -> np.ndarray | None:
        """The stored numbers, if NumPy has their type."""
        is_numpy = not self.sparse and self.dtype != "BFLOAT16" and bits_of(self.dtype) >= BYTE
        return self.data.view(self.dtype.lower()).reshape(self.dims) if is_numpy else None


class TfliteGraph(NamedTuple):
    """The tensors of a file by name, the operators of its first subgraph, and the names of those
    subgraphs that do not only initialize it. The attributes of an operator are its options, bytes
    if it is a custom one."""

    tensors: dict[str, TensorEntry]
    nodes: tuple[OperatorNode, ...]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    others: tuple[str, ...]


class _MappedFile(mmap):
    """A file that refuses long copies: a damaged name may be as long as the file."""

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, slice) and key.stop - key.start > MAX_NAME_BYTES:
            raise ValueError
        return super().__getitem__(key)


def conforming_to_schema(subject: str) -> AbstractContextManager[None]:
    """Raises ConstraintError for the errors of a file that does not conform to the schema."""
    message = f"{subject} cannot be read as TensorFlow Lite: the file is truncated or damaged"
    return as_invalid_file(message, DOWNLOAD_HINT, FORM_ERRORS)


def read_graph(path: Path) -> TfliteGraph:
    """Raises UsageError if the file cannot be read, ConstraintError CC404 if it is not valid."""
    try:
        if not path.stat().st_size:
            raise ConstraintError("CC404", "the file is empty")
        with path.open("rb") as file:
            mapped = _MappedFile(file.fileno(), 0, access=ACCESS_READ)
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror or error}") from error
    if mapped[IDENTIFIER] != b"TFL3":
        raise ConstraintError(
            "CC404",
            "the file is not a model of TensorFlow Lite: it has no identifier TFL3",
            DOWNLOAD_HINT,
        )
    return _Reader(mapped).graph()


class _Reader:
    """Reads all tables once. In a damaged file, many tables may share a long vector, so the number
    of entries is limited."""

    def __init__(self, mapped: _MappedFile) -> None:
        self.mapped, self.unread = mapped, MAX_ENTRIES
        self.model = model = tflite.Model.GetRootAsModel(mapped, 0)
        enums = (tflite.TensorType, tflite.BuiltinOperator, tflite.BuiltinOptions)
        self.types, self.codes, self.options = (
            {n: name for name, n in vars(enum).items() if isinstance(n, int)} for enum in enums
        )
        self.buffers = [self._data(buffer) for buffer in self._tables(model, "Buffers")]

    def graph(self) -> TfliteGraph:
        graphs = self._tables(self.model, "Subgraphs")
        first, tensors = graphs[0], dict[str, TensorEntry]()
        names = [self._tensors(graph, tensors) for graph in graphs]
        nodes = self._operators(first, names[0])
        once = [node.attributes.InitSubgraphIndex() for node in nodes if node.op == "CALL_ONCE"]
        initial = [node for n in once for node in self._operators(graphs[n], names[n])]
        return TfliteGraph(
            tensors,
            _with_variables(nodes, initial, tensors),
            self._tensor_names(first.InputsAsNumpy(), names[0]),
            self._tensor_names(first.OutputsAsNumpy(), names[0]),
            tuple(
                self._text(graph.Name()) for n, graph in enumerate(graphs) if n not in (0, *once)
            ),
        )

    def _operators(self, graph: Any, names: list[str]) -> tuple[OperatorNode, ...]:
        return tuple(self._operator(entry, names) for entry in self._tables(graph, "Operators"))

    def _take(self, entries: int) -> None:
        self.unread -= entries
        if self.unread < 0:
            raise ConstraintError("CC404", f"the file has more than {MAX_ENTRIES:,} entries")

    def _tables(self, table: Any, name: str) -> list[Any]:
        length = getattr(table, f"{name}Length")()
        self._take(length * TABLE)
        return [getattr(table, name)(number) for number in range(length)]

    def _numbers(self, vector: Any) -> tuple[int, ...]:
        """The numbers of a vector. An absent vector is the number 0."""
        if isinstance(vector, int):
            return ()
        self._take(len(vector))
        return tuple(vector.tolist())

    def _tensor_names(self, vector: Any, names: list[str]) -> tuple[str, ...]:
        """The names of the tensors whose numbers are in a vector; a negative number is no
        tensor."""
        numbers = self._numbers(vector)
        if max(numbers, default=-1) >= len(names):
            raise ConstraintError("CC404", f"the file has no tensor {max(numbers)}")
        return tuple(names[number] if number >= 0 else "" for number in numbers)

    def _text(self, text: bytes | None) -> str:
        self._take(len(text or b"") // CHARACTERS)
        return (text or b"").decode(errors="replace")

    def _data(self, buffer: Any) -> np.ndarray:
        """The bytes of a buffer. Models above 2 GiB store them after the flatbuffer."""
        if buffer.Offset() > 1:
            return np.frombuffer(self.mapped, np.uint8, buffer.Size(), buffer.Offset())
        return np.empty(0, np.uint8) if buffer.DataIsNone() else buffer.DataAsNumpy()

    def _tensors(self, graph: Any, tensors: dict[str, TensorEntry]) -> list[str]:
        """Adds the tensors of a subgraph. Returns their names, which are made unique."""
        names = []
        for tensor in map(self._tensor, self._tables(graph, "Tensors")):
            is_duplicate = not tensor.name or tensor.name in tensors
            names.append(f"{tensor.name}#{len(tensors)}" if is_duplicate else tensor.name)
            tensors[names[-1]] = tensor
        return names

    def _tensor(self, tensor: Any) -> TensorEntry:
        dims = self._numbers(tensor.ShapeAsNumpy())
        signature = self._numbers(tensor.ShapeSignatureAsNumpy()) or dims
        open_ = tuple(min(n, m) < 0 for n, m in zip(dims, signature, strict=True))
        name, dtype = self._text(tensor.Name()), self.types.get(tensor.Type(), "unknown")
        data, sparse = self.buffers[tensor.Buffer()], tensor.Sparsity() is not None
        bits = 0 if sparse or not len(data) else bits_of(dtype)
        expected = -(-prod(dims) * bits // 8)
        if bits and expected != len(data):
            raise ConstraintError(
                "CC404",
                f"the tensor `{name}` needs {expected:,} bytes, but the file stores {len(data):,}",
            )
        variable = bool(tensor.IsVariable())
        return TensorEntry(name, dims, open_, dtype, tensor.Buffer(), data, variable, sparse)

    def _operator(self, entry: Any, names: list[str]) -> OperatorNode:
        code = self.model.OperatorCodes(entry.OpcodeIndex())
        number = max(code.BuiltinCode(), code.DeprecatedBuiltinCode())
        name = self.codes.get(number, f"operator {number}")
        if name == "CUSTOM":
            name = f"custom {self._text(code.CustomCode())}"
        table, kind = entry.BuiltinOptions(), self.options.get(entry.BuiltinOptionsType(), "")
        options = getattr(tflite, kind)() if table is not None and hasattr(tflite, kind) else None
        if options is not None:
            options.Init(table.Bytes, table.Pos)
        elif not entry.CustomOptionsIsNone():
            options = entry.CustomOptionsAsNumpy()
        inputs = self._tensor_names(entry.InputsAsNumpy(), names)
        outputs = self._tensor_names(entry.OutputsAsNumpy(), names)
        if "" in outputs:
            raise ConstraintError("CC404", f"an output of {name} is not a tensor")
        return OperatorNode(name, "", "", inputs, outputs, options)


def _with_variables(
    nodes: Nodes, initial: Iterable[OperatorNode], tensors: dict[str, TensorEntry]
) -> Nodes:
    """The operators without those that read a variable to which only the operators `initial`
    assign, and these a stored tensor. What they read becomes that tensor in `tensors`. Raises
    ConstraintError for a variable whose numbers are not stored, unless it is a state."""
    handles = {
        node.outputs[0]: node.attributes.SharedName()
        for node in (*nodes, *initial)
        if node.op == "VAR_HANDLE" and node.attributes is not None
    }
    assigned, states = (
        {handles.get(node.input(0)): node.input(1) for node in some if node.op == "ASSIGN_VARIABLE"}
        for some in (initial, nodes)
    )
    others = []
    for node in nodes:
        variable = handles.get(node.input(0)) if node.op == "READ_VARIABLE" else None
        stored = tensors.get("" if variable in states else assigned.get(variable, ""))
        if stored is not None and len(stored.data):
            tensors[node.outputs[0]] = stored._replace(name=tensors[node.outputs[0]].name)
        elif variable is None or variable in states:
            others.append(node)
        else:
            what = f"the variable `{tensors[node.input(0)].name}`"
            message = f"the model reads {what}, and the file does not store its numbers"
            raise ConstraintError("CC401", message, "convert the model with constant weights")
    return tuple(others)


def bits_of(dtype: str) -> int:
    """The bits of an element, or 0 if they are not fixed or not known."""
    try:
        return BITS.get(dtype) or 8 * np.dtype(dtype.lower()).itemsize
    except TypeError:
        return 0
