"""Pools, of windows and of everything."""

from typing import Any

from convcost.importing.from_onnx.graph import Node
from convcost.importing.from_onnx.operators import operator
from convcost.importing.from_onnx.operators.convolutions import borders, spread
from convcost.importing.from_onnx.sheet import Sheet, get
from convcost.importing.from_onnx.unknown import stated
from convcost.importing.parts.windows import each, padded, window
from convcost.importing.value import Value

KINDS = {"MaxPool": "max_pool", "AveragePool": "avg_pool", "QLinearAveragePool": "avg_pool"}


@operator("MaxPool", "AveragePool", "QLinearAveragePool")
def pool(sheet: Sheet, node: Node) -> Value:
    x = sheet.value(node)
    axes = len(x.dims) - 2
    kernel = tuple(node.attributes["kernel_shape"])
    stride, dilation = spread(node, "strides", axes), spread(node, "dilations", axes)
    found = borders(node, x.dims[2:], kernel, stride, dilation)
    options: dict[str, Any] = {
        "kernel": each(kernel),
        "stride": None if stride == kernel else each(stride),
        "padding": found if isinstance(found, str) else padded(*found),
        "dilation": each(dilation),
        "ceil": bool(get(node, "ceil_mode", 0)),
    }
    y = window(sheet.easel, KINDS[node.op], x, sheet.path(node), options)
    if options["ceil"] and sheet.dims(node) not in (None, y.dims):
        # ONNX drops a window that would start past the input; its own inference keeps it.
        sheet.distrust(node)
    return y


@operator("LpPool")
def lp_pool(sheet: Sheet, node: Node) -> Value:
    return stated(sheet, node, what="lp_pool")


@operator("GlobalAveragePool", "QLinearGlobalAveragePool", "GlobalMaxPool")
def global_pool(sheet: Sheet, node: Node) -> Value:
    kind = "global_max_pool" if node.op == "GlobalMaxPool" else "global_avg_pool"
    return window(sheet.easel, kind, sheet.value(node), sheet.path(node), {})


@operator("GlobalLpPool")
def global_lp_pool(sheet: Sheet, node: Node) -> Value:
    x = sheet.value(node)
    return stated(sheet, node, (*x.dims[:2], *(1 for _ in x.dims[2:])), what="global_lp_pool")
