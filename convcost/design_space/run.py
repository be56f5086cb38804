"""Runs a search chunk by chunk, keeps its state in a file, and continues from there."""

import hashlib
import json
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from convcost.design_space.points_file import PointsFile
from convcost.design_space.search import CHUNK, ChunkResult, Points, Search, SearchRequest
from convcost.design_space.vectors import Array, exact_array
from convcost.model.errors import UsageError
from convcost.reports.files import new_file, write_errors

Chunk: TypeAlias = tuple[int, int]
# Evaluates chunks: yields what each has, in order.
Execute: TypeAlias = Callable[[SearchRequest, Iterable[Chunk]], Iterator[ChunkResult]]
CHUNKS_IN_TASK = 8
SECONDS_BETWEEN_SAVES = 5


def evaluate_task(search: Search, start: int, stop: int) -> ChunkResult:
    """The result of the points from `start` up to, but not including, `stop`."""
    total = search.empty()
    parts = [search.no_points]
    for first in range(start, stop, CHUNK):
        chunk = search.chunk(first, min(first + CHUNK, stop))
        if chunk.all is not None:
            parts.append(chunk.all)
        total = search.merge(total, chunk)
    if search.request.keeps_all:
        columns = zip(*(points.columns for points in parts), strict=True)
        everything = Points(
            np.concatenate([points.index for points in parts]), tuple(map(np.concatenate, columns))
        )
        total = total._replace(all=everything)
    return total


def in_process(request: SearchRequest, chunks: Iterable[Chunk]) -> Iterator[ChunkResult]:
    """Evaluates chunks one after the other."""
    search = Search(request)
    for start, stop in chunks:
        yield evaluate_task(search, start, stop)


def run_search(
    request: SearchRequest,
    execute: Execute = in_process,
    points: Path | None = None,
    state: Path | None = None,
    progress: Callable[[int, int], None] = lambda _done, _points: None,
) -> tuple[ChunkResult, int]:
    """Searches the space. With `state`, continues from that file, and keeps it up to date.

    Returns what is found and the number of points that were evaluated: all, unless the run was
    interrupted.

    Raises UsageError if the state is of another search, or a file cannot be written.
    """
    request = request._replace(keeps_all=points is not None)
    search = Search(request)
    saved = _load(state, request) if state is not None else None
    done, size, total = saved or (0, 0, search.empty())
    is_complete = saved is not None and done == request.space.size
    file = None
    if points is not None and not (is_complete and points.exists()):
        file = PointsFile(points, request)
    last_save = time.monotonic()
    is_open = False
    try:
        if file is not None:
            with write_errors(points):
                file.open(size)
        is_open = True
        parts = execute(request, _chunks(done, request.space.size))
        for (start, stop), part in zip(_chunks(done, request.space.size), parts, strict=True):
            if file is not None and part.all is not None:
                with write_errors(points):
                    file.write(start, stop, part.all)
            total, done = search.merge(total, part), stop
            progress(done, request.space.size)
            if state is not None and time.monotonic() - last_save > SECONDS_BETWEEN_SAVES:
                _save(state, request, done, file, total)
                last_save = time.monotonic()
    except KeyboardInterrupt:
        pass  # the result is what there is so far
    finally:
        try:
            if state is not None and is_open and not is_complete:
                _save(state, request, done, file, total)
        finally:
            if file is not None:
                can_continue = state is not None and state.exists()
                complete = is_open and done == request.space.size
                with write_errors(points):
                    file.close(complete=complete, keep=can_continue)
    return total, done


def _chunks(first: int, last: int) -> Iterator[Chunk]:
    size = CHUNK * CHUNKS_IN_TASK
    return ((start, min(start + size, last)) for start in range(first, last, size))


def _fingerprint(request: SearchRequest) -> str:
    return hashlib.sha256(repr(request).encode()).hexdigest()


def _save(
    state: Path, request: SearchRequest, done: int, file: PointsFile | None, total: ChunkResult
) -> None:
    with write_errors(None if file is None else file.path):
        size = file.flush() if file is not None else 0
    tree = {
        "search": _fingerprint(request),
        "done": done,
        "bytes": size,
        "counts": [*(total.points, total.failed, total.matching, total.first_failed), total.tied],
        "best": _tree(total.best),
        "front": _tree(total.front),
        "sample": _tree(total.sample),
    }
    with write_errors(state), new_file(state) as written:
        written.write(json.dumps(tree).encode())


def _load(state: Path, request: SearchRequest) -> tuple[int, int, ChunkResult] | None:
    if not state.exists():
        return None
    try:
        tree = json.loads(state.read_text("utf-8"))
        if tree["search"] != _fingerprint(request):
            hint = "repeat the search with all of its options, or give another file"
            message = f"--resume: `{state}` is the state of another search"
            raise UsageError(message, help=hint)
        points, failed, matching, first, tied = map(_checked_int, tree["counts"])
        best, front, sample = (_points(tree[name], request) for name in ("best", "front", "sample"))
        done, size = _checked_int(tree["done"]), _checked_int(tree["bytes"])
    except (ValueError, LookupError, TypeError, OverflowError, RecursionError):
        raise UsageError(f"--resume: `{state}` is not the state of a search") from None
    counts = (done, points, failed, matching, first + 1, tied)
    if size < 0 or not all(0 <= count <= request.space.size for count in counts):
        raise UsageError(f"--resume: `{state}` is not a state of this search")
    total = ChunkResult(
        points=points,
        failed=failed,
        matching=matching,
        first_failed=first,
        best=best,
        front=front,
        sample=sample,
        tied=tied,
    )
    return done, size, total


def _checked_int(value: Any) -> int:
    """An integer of a state. Raises TypeError."""
    if type(value) is not int:
        raise TypeError
    return value


def _tree(points: Points) -> dict[str, Any]:
    columns = [column.tolist() for column in points.columns]
    return {"index": points.index.tolist(), "columns": columns}


def _points(tree: dict[str, Any], request: SearchRequest) -> Points:
    """Points of a state. Raises ValueError and others if they cannot be those of the request."""
    columns = tuple(_array(column) for column in tree["columns"])
    index = np.array(tree["index"], dtype=np.int64)
    shapes = {column.shape for column in columns}
    outside = np.any((index < 0) | (index >= request.space.size))
    if len(columns) != len(request.columns) or shapes != {index.shape} or outside:
        raise ValueError(tree)
    return Points(index, columns)


def _array(values: list[Any]) -> Array:
    if any(isinstance(value, float) for value in values):
        return np.array(values)
    return exact_array(values)
