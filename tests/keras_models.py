"""Small Keras models for tests, as the JSON that Keras writes."""

import json

from convcost.importing.frontends.keras import read
from convcost.importing.spec import proved_spec

SHAPE = [None, 32, 32, 3]


def one(kind, name, **config):
    return {"class_name": kind, "config": {"name": name, **config}}


def sequential(*layers, shape=SHAPE):
    entry = one("InputLayer", "image", batch_shape=shape)
    return {"class_name": "Sequential", "config": {"name": "net", "layers": [entry, *layers]}}


def conv(name, filters, kernel, **config):
    full = {"strides": [1, 1], "padding": "valid", "dilation_rate": [1, 1], **config}
    return one("Conv2D", name, filters=filters, kernel_size=[kernel, kernel], **full)


def functional(layers, outputs):
    """Layers as (layer, names of what it takes)."""
    listed = [
        {
            **layer,
            "name": layer["config"]["name"],
            "inbound_nodes": [
                {
                    "args": [
                        [
                            {
                                "class_name": "__keras_tensor__",
                                "config": {"shape": None, "keras_history": [source, 0, 0]},
                            }
                            for source in sources
                        ]
                    ],
                    "kwargs": {},
                }
            ]
            if sources
            else [],
        }
        for layer, *sources in layers
    ]
    return {
        "class_name": "Functional",
        "config": {
            "name": "net",
            "layers": listed,
            "input_layers": [[listed[0]["name"], 0, 0]],
            "output_layers": [[output, 0, 0] for output in outputs],
        },
    }


def imported_graph(tmp_path, config, **asked):
    path = tmp_path / "net.json"
    path.write_text(json.dumps(config))
    return read(path, **asked)


def counted(tmp_path, *layers, shape=SHAPE):
    """Kinds, params and macs of the layers of a sequential model, proved as a spec."""
    layer_graph = imported_graph(tmp_path, sequential(*layers, shape=shape))
    proved_spec(layer_graph)
    return [(layer.kind, layer.params, layer.macs) for layer in layer_graph.layers]


def tensor(name, node=0, number=0, shape=None):
    history = {"shape": shape, "keras_history": [name, node, number]}
    return {"class_name": "__keras_tensor__", "config": history}


def graph(*layers, inputs, outputs, name="net"):
    """Layers as (layer, calls); a call is (args, kwargs)."""
    listed = [
        {
            **layer,
            "name": layer["config"]["name"],
            "inbound_nodes": [{"args": args, "kwargs": kwargs} for args, kwargs in calls],
        }
        for layer, *calls in layers
    ]
    config = {"name": name, "layers": listed, "input_layers": inputs, "output_layers": outputs}
    return {"class_name": "Functional", "config": config}


def entry(name, *dims):
    return one("InputLayer", name, batch_shape=[None, *dims])
