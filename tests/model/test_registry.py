"""Registries find things by name, whether their modules write the names out or compute them."""

import subprocess
import sys

import pytest
from support import ROOT


@pytest.mark.parametrize(
    ("registry", "name"),
    [
        ("convcost.model.kind.KINDS", "transposed_conv"),
        ("convcost.render.FORMATS", "latex"),
        ("convcost.importing.frontends.torch.registry.OPERATORS", "sum"),
        ("convcost.importing.frontends.torch.registry.OPERATORS", "lstm"),
        ("convcost.importing.frontends.keras.call.LAYERS", "Conv2D"),
    ],
)
def test_the_first_object_that_is_looked_up_is_found(registry, name):
    module, _, attribute = registry.rpartition(".")
    code = f"from {module} import {attribute}; assert {attribute}.get({name!r}) is not None"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, check=False, cwd=ROOT, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")
