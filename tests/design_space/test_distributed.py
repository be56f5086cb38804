"""Searches on a real local cluster of Dask: the same bytes, and no chunk lost or counted twice."""

import os
import signal
import threading
import time

import pytest

from convcost.commands.search import SearchOptions, search
from convcost.design_space import distributed as on_cluster
from convcost.design_space import run as run_module
from convcost.model.errors import UsageError

distributed = pytest.importorskip("distributed")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore"),  # of Dask and of the libraries that it uses
]

SPEC = """\
name: net
input: {channels: 3, size: 32}
vars: {width: 1, depth: 2}
layers: [{conv: 16*width, kernel: 3, stride: 2}, {conv: 32*width, kernel: 3, repeat: depth}]
"""
VARY = ("width=1:40", "depth=1:5", "size=4:103")
OPTIONS = SearchOptions(
    VARY, ("macs <= 200M",), top=9, pareto=("macs", "+params"), columns=("params", "macs")
)


@pytest.fixture
def spec(tmp_path, monkeypatch):
    path = tmp_path / "net.yaml"
    path.write_text(SPEC, "utf-8")
    monkeypatch.setattr(run_module, "CHUNK", 250)
    monkeypatch.setattr(run_module, "CHUNKS_IN_TASK", 2)
    monkeypatch.setattr(on_cluster, "CONNECT", 1)
    return str(path)


def test_results_are_the_same_bytes_for_any_number_of_workers(spec, tmp_path):
    found = {}
    result = None
    for workers in (0, 1, 3):
        file = tmp_path / f"{workers}.csv"
        result = search(spec, OPTIONS._replace(points=str(file), workers=workers))
        found[str(result.tree()), file.read_bytes()] = workers
    assert len(found) == 1
    assert result is not None
    assert result.evaluated == 40 * 5 * 100


def test_a_killed_worker_loses_no_chunk_and_counts_none_twice(spec, tmp_path):
    alone = search(spec, OPTIONS._replace(points=str(tmp_path / "alone.csv")))
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
    ) as cluster:
        with distributed.Client(cluster, set_as_default=False) as client:
            pids = list(client.run(os.getpid).values())
        killed = []

        def kill(done, points):
            if done > (len(killed) + 1) * points // 4 and len(killed) < len(pids):
                killed.append(pids[len(killed)])
                os.kill(killed[-1], signal.SIGKILL)

        options = OPTIONS._replace(
            points=str(tmp_path / "two.csv"), scheduler=cluster.scheduler_address
        )
        result = search(spec, options, progress=kill)
    assert len(killed) == 2
    assert result == alone
    assert (tmp_path / "two.csv").read_bytes() == (tmp_path / "alone.csv").read_bytes()


def test_a_scheduler_that_stops_is_an_error_and_the_search_continues(spec, tmp_path):
    state = str(tmp_path / "state.json")
    cluster = distributed.LocalCluster(
        n_workers=1, threads_per_worker=1, processes=True, dashboard_address=None
    )
    closing = threading.Event()

    def close(done, points):
        if done > points // 4 and not closing.is_set():
            closing.set()
            cluster.close()

    options = OPTIONS._replace(resume=state)
    started = time.monotonic()
    with pytest.raises(UsageError, match=r"the scheduler `tcp://.*` is not available"):
        search(spec, options._replace(scheduler=cluster.scheduler_address), progress=close)
    assert time.monotonic() - started < 90
    rest = search(spec, options)
    assert rest == search(spec, OPTIONS)._replace(continue_with=rest.continue_with)


def test_a_scheduler_that_is_not_there_is_an_error(spec):
    options = OPTIONS._replace(scheduler="tcp://127.0.0.1:9")
    with pytest.raises(UsageError, match=r"the scheduler `tcp://127.0.0.1:9` is not available"):
        search(spec, options)
