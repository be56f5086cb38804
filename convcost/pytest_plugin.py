"""A fixture for budgets in tests; pytest finds it where convcost is installed.

Nothing of convcost is imported before a test asks for it.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from convcost import Check


@pytest.fixture(scope="session")
def convcost_check() -> "Callable[..., Check]":
    """`convcost.check`, and a limit that is exceeded fails the test with the report as its text; a
    spec that is wrong fails it with what is wrong.

    It takes what `convcost.check` takes; relative paths are those of where pytest was started.
    """

    def check(*arguments: Any, **limits: Any) -> "Check":
        __tracebackhide__ = True
        from convcost import SpecError, UsageError
        from convcost import check as checked

        try:
            answer = checked(*arguments, **limits)
        except (SpecError, UsageError) as error:
            pytest.fail("\n".join((str(error), *getattr(error, "__notes__", ()))), pytrace=False)
        if not answer.ok:
            pytest.fail(str(answer), pytrace=False)
        return answer

    return check
