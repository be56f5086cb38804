"""Plug-ins of CONVCOST_PLUGINS are registered before tests are collected: they are tested too."""

import gc
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


def pytest_collection_finish():
    """What exists now lives until the end: no search for garbage looks at it again."""
    gc.collect()
    gc.freeze()


@pytest.hookimpl(optionalhook=True)  # without pytest-xdist, there is no such hook
def pytest_xdist_make_scheduler(config, log):
    """With `-n 2`, each process begins with half of the tests, and takes some of the other when it
    is ready. So it runs most files as a whole, and makes their fixtures once."""
    if config.getoption("dist") == "load":
        from xdist.scheduler import WorkStealingScheduling

        return WorkStealingScheduling(config, log)
    return None
