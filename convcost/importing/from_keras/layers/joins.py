"""Joins of Keras."""

from convcost.errors import Refusal
from convcost.importing.easel import Easel
from convcost.importing.from_keras.call import Call, layer
from convcost.importing.parts.joins import elementwise, side_by_side
from convcost.importing.value import Value

KINDS = {
    "Add": "add",
    "Average": "add",  # the division by their number is free
    "CustomScaleLayer": "add",
    "Custom>CustomScaleLayer": "add",
    "Subtract": "subtract",
    "Multiply": "multiply",
    "Maximum": "maximum",
    "Minimum": "minimum",
}


@layer(*KINDS)
def join(easel: Easel, call: Call) -> Value:
    if len(call.values) == 1:
        easel.free[call.kind] += 1
        return call.x
    return elementwise(easel, KINDS[call.kind], call.values, call.path)


@layer("Concatenate")
def concat(easel: Easel, call: Call) -> Value:
    axis = int(call.config.get("axis", -1))
    if axis == 0:
        raise Refusal("CC401", "Concatenate along the samples is not read")
    return side_by_side(easel, call.values, axis, call.path)
