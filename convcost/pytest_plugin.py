"""A fixture for budgets in tests; pytest finds it if convcost is installed.

convcost itself is imported when a test first uses the fixture.
"""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from convcost import Check

NOT_FOUND = "there is no file"


@pytest.fixture(scope="session")
def convcost_check() -> "Callable[..., Check]":
    """`convcost.check`, which fails the test if a limit is exceeded or a spec is invalid.

    The message is the report, or the problems of the spec. The arguments are those of
    `convcost.check`. Relative paths start at the current folder, where pytest was started.
    """

    def check(*arguments: Any, **limits: Any) -> "Check":
        __tracebackhide__ = True
        import convcost

        try:
            report = convcost.check(*arguments, **limits)
        except (convcost.SpecError, convcost.UsageError) as error:
            message = "\n".join((str(error), *getattr(error, "__notes__", ())))
        else:
            if report.ok:
                return report
            message = str(report)
        # Outside the except block, so that the failure has no other exception as its context.
        folder = f"\nlooked in {Path.cwd()}" if NOT_FOUND in message else ""
        pytest.fail(f"{message}{folder}", pytrace=False)

    return check
