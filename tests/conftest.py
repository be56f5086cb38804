"""Plug-ins of CONVCOST_PLUGINS are registered before tests are collected: they are tested too."""

import os

import pytest
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


def pytest_configure(config):
    """With CONVCOST_REWRITE, tests write pages. Each test writes a whole page, so two processes
    would lose each other's changes."""
    if os.environ.get("CONVCOST_REWRITE") and config.getoption("tx", None):
        raise pytest.UsageError(
            "CONVCOST_REWRITE works only in one process; run pytest without `-n`, or with `-n 0`"
        )
