"""Keras layers and models that are not `trainable`: the spec has the same trainable params."""

import pytest
from keras_models import conv, imported_graph, one, sequential

from convcost.importing.spec import proved_spec
from convcost.language.load import load
from convcost.model.costs import costs
from convcost.model.errors import Source

FIRST = 16 * 3 * 3 * 3 + 16
SECOND = 8 * 16 + 8
NORM = 2 * 16


def layers(first=True, norm=True, second=True):
    return (
        conv("a", 16, 3, trainable=first),
        one("BatchNormalization", "n", axis=[3], trainable=norm),
        conv("b", 8, 1, trainable=second),
    )


def inner(*inside, trainable):
    model = sequential(*inside)
    model["config"] |= {"name": "inner", "trainable": trainable}
    return model


def frozen_whole():
    model = sequential(*layers())
    model["config"]["trainable"] = False
    return model


@pytest.mark.parametrize(
    ("config", "trainable"),
    [
        (sequential(*layers()), FIRST + NORM + SECOND),
        (sequential(*layers(first=False)), NORM + SECOND),
        (sequential(*layers(norm=False)), FIRST + SECOND),
        (sequential(*layers(first=False, norm=False, second=False)), 0),
        (sequential(inner(*layers(), trainable=False), conv("z", 2, 1)), 2 * 8 + 2),
        (sequential(inner(*layers(first=False), trainable=True)), NORM + SECOND),
        (frozen_whole(), 0),
    ],
)
def test_what_keras_does_not_train_is_frozen_in_the_spec(tmp_path, config, trainable):
    (network,) = load(Source("net.yaml", proved_spec(imported_graph(tmp_path, config))))
    assert costs(network).totals.trainable == trainable


def test_a_wrapped_layer_that_is_not_trainable_is_frozen(tmp_path):
    dense = one("Dense", "d", units=4, trainable=False)
    config = sequential(one("TimeDistributed", "t", layer=dense), shape=[None, 7, 8])
    (network,) = load(Source("net.yaml", proved_spec(imported_graph(tmp_path, config))))
    totals = costs(network).totals
    assert (totals.params, totals.trainable) == (8 * 4 + 4, 0)


def cell(units, **options):
    return one("LSTMCell", "c", units=units, **options)


LSTM_OF_4 = 4 * 4 * (8 + 4) + 4 * 4
LSTM_OF_5 = 4 * 5 * (4 + 5) + 4 * 5
CELLS = {"cells": [cell(4, trainable=False), cell(5, trainable=True)]}


@pytest.mark.parametrize(
    ("layer", "params", "trainable"),
    [
        (one("RNN", "r", cell=cell(4, trainable=False)), LSTM_OF_4, 0),
        (one("RNN", "r", cell=one("StackedRNNCells", "s", **CELLS)), LSTM_OF_4 + LSTM_OF_5,
         LSTM_OF_5),
        (one("Bidirectional", "b", layer=one("LSTM", "f", units=4, trainable=False),
             backward_layer=one("LSTM", "g", units=4, trainable=True, go_backwards=True)),
         2 * LSTM_OF_4, LSTM_OF_4),
    ],
)  # fmt: skip
def test_a_frozen_cell_or_direction_freezes_only_its_own_weights(
    tmp_path, layer, params, trainable
):
    config = sequential(layer, shape=[None, 10, 8])
    (network,) = load(Source("net.yaml", proved_spec(imported_graph(tmp_path, config))))
    totals = costs(network).totals
    assert (totals.params, totals.trainable) == (params, trainable)
