"""Runs the fuzzer: `python -m fuzz --seed 1 --specs 10000 --models 1000`, from anywhere.

Case number n of a seed is always the same. Half of the specs are generated and counted twice, half
are damaged texts. Half of the models are damaged, half are whole and counted twice. Each failure
becomes a file, as small as it gets. Exit code 1 if there is one.
"""

import argparse
import os
import sys
import time
from collections import Counter
from pathlib import Path

from fuzz.runner import Failure, run_cases

HOUR = 3600
PROGRESS = 5_000  # cases between two lines


def main() -> int:
    parser = argparse.ArgumentParser(prog="fuzz", description=__doc__)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=HOUR, help="stop after so many")
    parser.add_argument("--specs", type=int, default=100_000)
    parser.add_argument("--models", type=int, default=10_000)
    parser.add_argument("--first", type=int, default=0, help="number of the first case")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--failures", type=Path, default=Path("fuzz-failures"))
    asked = parser.parse_args()
    began, failures = time.monotonic(), []
    specs, models = asked.specs, asked.models
    numbers = {"counted": specs // 2, "damaged": -(-specs // 2)}
    numbers |= {"models": -(-models // 2), "imported": models // 2}
    for family, number in numbers.items():
        if not number:
            continue
        share = asked.seconds / sum(map(bool, numbers.values()))
        outcomes: Counter[str] = Counter()
        last = asked.first + number
        for found in run_cases(
            family, asked.seed, range(asked.first, last), asked.workers, share, asked.failures
        ):
            if isinstance(found, Failure):
                failures.append(found)
                print(
                    f"FAILURE {family} {found.number}: {found.promise}\n  {found.file}", flush=True
                )
            else:
                before = sum(outcomes.values())
                outcomes += found
                if sum(outcomes.values()) // PROGRESS > before // PROGRESS:
                    print(f"{family}: {sum(outcomes.values()):,} …", file=sys.stderr, flush=True)
        done = sum(outcomes.values())
        print(f"{family}: {done:,} cases, {dict(outcomes.most_common())}", flush=True)
    print(f"{len(failures)} failures, {time.monotonic() - began:.0f} s, seed {asked.seed}")
    return 1 if failures else 0


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    os._exit(code)  # a killed worker may leave its queue behind
