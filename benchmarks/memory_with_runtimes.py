"""The peak memory of int8 models, compared with the arena of TensorFlow Lite Micro.

    pip install tflite-micro ai-edge-litert
    git clone https://github.com/mlcommons/tiny
    python benchmarks/memory_with_runtimes.py tiny/benchmark/training

prints a table, one row for each network of `tinyml.yaml` whose model is in the folder. It exits
with 1 if a difference is not explained. TensorFlow Lite Micro places each tensor at a fixed offset,
the largest first, at the first gap that is free while the tensor is alive; so gaps can be lost.
`planned` is the result of the same rule for the tensors of convcost. `stored` are the bytes of the
weights and biases in the model.
"""

import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from convcost.api import load_all
from convcost.model.costs import costs
from convcost.model.dtypes import Dtypes
from convcost.model.network import Network
from convcost.model.peak_memory import Buffer, buffers, peak_of
from convcost.model.stored_bytes import stored_bytes

SPECS = Path(__file__).with_name("tinyml.yaml")
ALIGNMENT = 16  # bytes, of each tensor in the arena
ARENA = 4 * 2**20
# In a process of its own, because the runtime prints its allocations from C++.
RECORD = """
import sys
import numpy
from tflite_micro import runtime
config = runtime.InterpreterConfig.kAllocationRecording
model = runtime.Interpreter.from_file(sys.argv[1], arena_size=int(sys.argv[2]),
                                      intrepreter_config=config)
shape = model.get_input_details(0)
model.set_input(numpy.zeros(shape["shape"], shape["dtype"]), 0)
model.invoke()
model.print_allocations()
"""


def arena(model: Path) -> tuple[int, int]:
    """The bytes of the arena for tensors, and for what the runtime keeps in addition."""
    command = [sys.executable, "-c", RECORD, str(model), str(ARENA)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found = {
        line.split("Arena allocation ")[1].split()[0]: int(line.split()[-2])
        for line in (done.stdout + done.stderr).splitlines()
        if "Arena allocation" in line
    }
    return found["head"], found["tail"]


def stored(model: Path) -> int:
    """The bytes of the weights and biases in a model."""
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    kernels = OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    interpreter = Interpreter(str(model), experimental_op_resolver_type=kernels)
    operations: list[dict[str, Any]] = interpreter._get_ops_details()  # noqa: SLF001  no other
    written = {int(index) for one in operations for index in one["outputs"]}
    written |= {one["index"] for one in interpreter.get_input_details()}
    read = {
        int(index) for one in operations for index in one["inputs"] if one["op_name"] != "RESHAPE"
    }
    sizes = {
        one["index"]: one["shape"].prod() * one["dtype"]().itemsize
        for one in interpreter.get_tensor_details()
    }
    return int(sum(sizes[index] for index in read - written))


def aligned(size: int) -> int:
    return -(-size // ALIGNMENT) * ALIGNMENT


def planned(found: Iterable[Buffer]) -> int:
    """The bytes of an arena in which each buffer has a fixed offset: the largest first, and of
    equal ones the last first, at the first gap."""
    placed: list[tuple[int, Buffer]] = []
    for buffer in sorted(found, key=lambda one: (-one.bytes, -one.first)):
        offset = 0
        for start, other in sorted(placed, key=lambda one: one[0]):
            if other.first <= buffer.last and buffer.first <= other.last:
                if start - offset >= aligned(buffer.bytes):
                    break
                offset = max(offset, start + aligned(other.bytes))
        placed.append((offset, buffer))
    return max(offset + aligned(buffer.bytes) for offset, buffer in placed)


def row(network: Network, model: Path) -> tuple[str, ...]:
    dtypes = network.dtypes or Dtypes()
    found = buffers(network, in_place=False, dtypes=dtypes)
    peak = peak_of(network, found).bytes
    head, tail = arena(model)
    flash = sum(one.total for one in stored_bytes(costs(network).layers, dtypes))
    in_model, plan = stored(model), planned(found)
    if (plan, flash) != (head, in_model):
        sys.exit(f"{network.name}: {plan} is not {head}, or {flash} is not {in_model}")
    counts = (peak, head, head - peak, plan, tail, flash, in_model)
    return (network.name, *(f"{count:,}" for count in counts))


def main(arguments: Sequence[str]) -> None:
    folder = Path(arguments[0])
    print("| model | peak | arena | difference | planned | runtime | flash | stored |")
    print("|---|--:|--:|--:|--:|--:|--:|--:|")
    for network in load_all(SPECS):
        for model in sorted(folder.rglob(f"{network.name}.tflite"))[:1]:
            print(f"| {' | '.join(row(network, model))} |")


if __name__ == "__main__":
    main(sys.argv[1:])
