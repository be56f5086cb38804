"""A fixture for budgets in tests; pytest finds it where convcost is installed.

Nothing of convcost is imported before a test asks for it.
"""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from convcost import Check

LOST = "there is no file"


@pytest.fixture(scope="session")
def convcost_check() -> "Callable[..., Check]":
    """`convcost.check`, and a limit that is exceeded fails the test with the report as its text; a
    spec that is wrong fails it with what is wrong.

    It takes what `convcost.check` takes; relative paths are of the current folder, and that is
    where pytest was started, if the test does not change it.
    """

    def check(*arguments: Any, **limits: Any) -> "Check":
        __tracebackhide__ = True
        from convcost import SpecError, UsageError
        from convcost import check as checked

        try:
            answer = checked(*arguments, **limits)
        except (SpecError, UsageError) as error:
            said = "\n".join((str(error), *getattr(error, "__notes__", ())))
        else:
            if answer.ok:
                return answer
            said = str(answer)
        # Failed only here, where no other exception is told of as its context.
        looked = f"\nlooked in {Path.cwd()}" if LOST in said else ""
        pytest.fail(f"{said}{looked}", pytrace=False)

    return check
