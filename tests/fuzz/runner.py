"""Runs cases in processes of their own, each case with limits of time and memory."""

import gc
import multiprocessing
import signal
import tempfile
import time
from collections import Counter
from contextlib import contextmanager, nullcontext
from pathlib import Path
from queue import Empty
from random import Random
from typing import Any, NamedTuple

from fuzz.cases import FAMILIES, has_many_layers
from fuzz.laws import Broken

MB = 1 << 20
BATCH = 50  # cases between two messages of a worker
SMALLER_SECONDS = 60


class TooSlow(BaseException):
    """The processor time of a case is over."""


class Failure(NamedTuple):
    """A case that broke a promise, and the file with its smallest form."""

    family: str
    number: int
    promise: str
    file: str


@contextmanager
def limited(seconds, megabytes):
    """Raises TooSlow after so much processor time, MemoryError for so much more memory."""
    import resource

    def stop(*_):
        raise TooSlow

    pages = int(Path("/proc/self/statm").read_text().split()[0])
    outer = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(
        resource.RLIMIT_AS, (pages * resource.getpagesize() + megabytes * MB, outer[1])
    )
    signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        resource.setrlimit(resource.RLIMIT_AS, outer)


class Verdict(NamedTuple):
    """The outcome of a case, or the promise that it breaks."""

    outcome: str
    broken: str = ""


def judge(family, made, folder, *, limits):
    """Runs a case."""
    seconds, megabytes = family.limits
    try:
        with limited(seconds, megabytes) if limits else nullcontext():
            return Verdict(family.check(made, folder))
    except TooSlow:
        promise = f"more than {seconds} s"
    except MemoryError:
        promise = f"more than {megabytes} MB"
    except Broken as broken:
        promise = str(broken)
        if "MemoryError" not in promise:
            return Verdict("", promise)
    except Exception as error:  # noqa: BLE001  of convcost, or of the fuzzer
        return Verdict("", f"{type(error).__name__}: {error}")
    gc.collect()
    many = hasattr(made, "data") and has_many_layers(made)
    return Verdict("many layers") if many else Verdict("", promise)


def smallest(family, made, folder, *, limits):
    """The case with as much removed as leaves the same failure."""
    until = time.monotonic() + SMALLER_SECONDS
    begin = judge(family, made, folder, limits=limits).broken[:25]
    found = bool(begin)
    while found:
        found = False
        for less in family.smaller(made):
            if time.monotonic() > until:
                return made
            if judge(family, less, folder, limits=limits).broken[:25] == begin:
                made, found = less, True
                break
    return made


def make(family, seed, number):
    return FAMILIES[family].make(Random(f"{seed} {family} {number}"))


def one(family, seed, number, folder):
    """One case in this process, without limits."""
    return judge(FAMILIES[family], make(family, seed, number), folder, limits=False)


def _work(family, seed, numbers, until, current, messages, kept):
    """Runs cases; sends outcomes and failures, and None at the end."""
    kind = FAMILIES[family]
    counts: Counter[str] = Counter()
    memory = "/dev/shm" if Path("/dev/shm").is_dir() else None
    with tempfile.TemporaryDirectory(dir=memory) as name:
        folder = Path(name)
        for number in numbers:
            parent = multiprocessing.parent_process()
            if time.monotonic() > until or not (parent and parent.is_alive()):
                break
            current.value = number
            made = make(family, seed, number)
            verdict = judge(kind, made, folder, limits=True)
            if verdict.broken:
                least = smallest(kind, made, folder, limits=True)
                file = _keep(kind, family, number, kind.text(least), verdict.broken, kept)
                messages.put(Failure(family, number, verdict.broken, file))
            counts[verdict.outcome or "failure"] += 1
            if sum(counts.values()) >= BATCH:
                messages.put(counts)
                counts = Counter()
    messages.put(counts)
    messages.put(None)


def _keep(kind, family, number, data, promise, kept):
    folder = Path(kept)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{family}-{number}{kind.suffix}"
    path.write_bytes(data)
    path.with_suffix(".txt").write_text(f"{promise}\n", "utf-8")
    return str(path)


def run_cases(family, seed, numbers, workers, seconds, kept):
    """The outcomes of cases, counted in parts, and each failure. A worker that ends is a failure
    of its case; another goes on after it."""
    context = multiprocessing.get_context("spawn")
    messages, until = context.Queue(), time.monotonic() + seconds
    running: dict[int, tuple[Any, Any, list[int]]] = {}

    def start(index, own):
        current = context.Value("q", -1)
        arguments = (family, seed, own, until, current, messages, str(kept))
        process = context.Process(target=_work, args=arguments, daemon=True)
        process.start()
        running[index] = (process, current, own)

    for index in range(workers):
        start(index, list(numbers[index::workers]))
    ended = 0
    while ended < workers:
        try:
            found = messages.get(timeout=1)
        except Empty:
            for index, (process, current, own) in list(running.items()):
                if process.is_alive() or process.exitcode == 0:
                    continue
                number = current.value
                data = FAMILIES[family].text(make(family, seed, number))
                promise = f"the process ends with {process.exitcode}"
                file = _keep(FAMILIES[family], family, number, data, promise, str(kept))
                yield Failure(family, number, promise, file)
                start(index, [n for n in own if n > number])
            continue
        if found is None:
            ended += 1
        else:
            yield found
