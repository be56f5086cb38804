"""Plug-ins of CONVCOST_PLUGINS are registered before tests are collected: they are tested too."""

import os

from hypothesis import HealthCheck, settings

from convcost.sources.plugins import plug_in

plug_in()

# A slow machine is not a failure.
settings.register_profile("convcost", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("convcost")

# A process that a test starts runs as it does for users. Coverage would change its imports and how
# it ends.
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.pop("COVERAGE_PROCESS_CONFIG", None)
