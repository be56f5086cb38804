"""The front end for Keras models. It reads the configuration that `.keras` files, the older `.h5`
files and `model.to_json()` contain. Keras itself is not needed."""

from collections.abc import Sequence
from pathlib import Path

from convcost.importing.ir.layer_graph import LayerGraph
from convcost.model.errors import ConstraintError


def read(
    path: Path,
    *,
    size: tuple[int, ...] | None = None,
    inputs: Sequence[tuple[int, ...]] = (),
    resized: bool = False,
) -> LayerGraph:
    """The layers of a model. `size` and `inputs` (channels first) fill the dims that the model
    leaves open.

    With `resized`, a model with a fixed input size is read at another `size`, if its weights stay
    the same. Raises ConstraintError.
    """
    from convcost.importing.frontends.keras.archive import read_archive
    from convcost.importing.frontends.keras.model import lower_model
    from convcost.importing.frontends.keras.open_sizes import open_sizes, same_weights
    from convcost.importing.frontends.keras.stored_weights import StoredWeights

    archive = read_archive(path)
    with StoredWeights(archive, path) as weights:
        try:
            graph = lower_model(archive.config, path.name, size, tuple(inputs), weights)
        except ConstraintError as refusal:
            if not resized or refusal.code != "CC405":
                raise
            own_graph = lower_model(archive.config, path.name, None, tuple(inputs), weights)
            resized_graph = lower_model(open_sizes(archive.config), path.name, size, (), weights)
            graph = same_weights(resized_graph, own_graph)
        return weights.verify(graph)
