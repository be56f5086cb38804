"""Layers that nothing reads are left out if they cost nothing."""

from sketch import RELU, Sketch, conv

from convcost.importing.passes.rewrite import rewrite


def kinds(net, *outputs):
    return [layer.kind for layer in rewrite(net.graph(*outputs)).layers]


def test_free_layers_that_lead_to_no_output_are_removed():
    net = Sketch()
    flow = net.chain(-1, conv())
    net.chain(flow, RELU, ("mean", {"over": "channels"}))
    assert kinds(net, net.put("tanh", flow)) == ["conv", "tanh"]


def test_an_output_of_the_model_stays_also_if_no_layer_reads_it():
    net = Sketch()
    flow = net.chain(-1, conv())
    assert kinds(net, net.put("relu", flow), net.put("tanh", flow)) == ["conv", "relu", "tanh"]


def test_a_layer_with_macs_or_weights_that_nothing_reads_stays_with_its_input():
    net = Sketch()
    net.chain(-1, RELU, conv())
    net.put("custom", -1, what="wavelet", params=0, macs="uncounted")
    net.put("custom", -1, what="wavelet", params=0, macs=0)
    assert kinds(net, net.put("tanh", -1)) == ["relu", "conv", "custom", "tanh"]


def test_a_stored_tensor_beside_a_removed_layer_is_beside_the_input_of_that_layer():
    net = Sketch()
    flow = net.chain(-1, conv())
    table = net.put("learned", net.put("relu", flow), shape=net.layers[flow].output)
    graph = rewrite(net.graph(net.put("add", flow, table)))
    assert [(layer.kind, layer.inputs) for layer in graph.layers] == [
        ("conv", (-1,)), ("learned", (0,)), ("add", (0, 1)),
    ]  # fmt: skip
