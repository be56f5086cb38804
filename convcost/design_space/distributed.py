"""Runs a search on a Dask cluster: a local one, or one whose scheduler runs already."""

import itertools
import pickle
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import CancelledError
from contextlib import contextmanager
from typing import Any

from convcost.design_space.run import Chunk, Execute, evaluate_task
from convcost.design_space.search import ChunkResult, Search, SearchRequest
from convcost.model.errors import UsageError, required_package

TASKS_AHEAD = 4  # per worker; more would leave more results waiting for an earlier one
RETRIES = 10  # retries of a task whose worker was killed
CONNECT = 10  # seconds to reach a scheduler

_searches: dict[bytes, Search] = {}


def run_task(prepare: Callable[[], None], request: bytes, chunk: Chunk) -> ChunkResult:
    """Evaluates a chunk of a pickled request on a worker, which keeps its traces for the next."""
    if request not in _searches:
        prepare()
        _searches.clear()
        _searches[request] = Search(pickle.loads(request))  # noqa: S301  from our own client
    return evaluate_task(_searches[request], *chunk)


def on_cluster(workers: int, scheduler: str, prepare: Callable[[], None]) -> Execute:
    """Evaluates chunks on so many local workers, or with the scheduler at an address. Each worker
    calls `prepare` first. Raises UsageError if Dask is not installed or the scheduler does not
    answer."""

    def execute(request: SearchRequest, chunks: Iterable[Chunk]) -> Iterator[ChunkResult]:
        message = "--workers and --scheduler need Dask"
        distributed = required_package(message, "distributed", "distributed")
        lost_connection = (OSError, TimeoutError, CancelledError)
        try:
            with _client(distributed, workers, scheduler) as client:
                yield from _results(client, prepare, request, chunks)
        except distributed.KilledWorker as error:
            raise UsageError(f"the workers were killed too often: {error}") from None
        except lost_connection as error:
            name = f"`{scheduler}`" if scheduler else "of the local cluster"
            raise UsageError(f"the scheduler {name} is not available: {error}") from None

    return execute


def _results(
    client: Any, prepare: Callable[[], None], request: SearchRequest, chunks: Iterable[Chunk]
) -> Iterator[ChunkResult]:
    """The results of all chunks, in order."""
    waiting: deque[Any] = deque()
    left = iter(chunks)
    pickled = pickle.dumps(request)  # one value, because Dask searches tuples for tasks
    while True:
        ahead = TASKS_AHEAD * max(len(client.scheduler_info(n_workers=-1)["workers"]), 1)
        for chunk in itertools.islice(left, max(ahead - len(waiting), 0)):
            task = client.submit(run_task, prepare, pickled, chunk, retries=RETRIES, pure=False)
            waiting.append(task)
        if not waiting:
            return
        yield waiting.popleft().result()


@contextmanager
def _client(distributed: Any, workers: int, scheduler: str) -> Iterator[Any]:
    if scheduler:
        with distributed.Client(scheduler, timeout=CONNECT, set_as_default=False) as client:
            yield client
        return
    with (
        distributed.LocalCluster(
            n_workers=workers, threads_per_worker=1, processes=True, dashboard_address=None
        ) as cluster,
        distributed.Client(cluster, set_as_default=False) as client,
    ):
        yield client
