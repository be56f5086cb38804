"""convcost: what a convolutional network costs, exactly, from a short YAML spec.

The functions come from `convcost.api`, which is imported when the first of them is asked for.
"""

TYPE_CHECKING = False  # as `typing` has it, which takes longer to import than all of this
if TYPE_CHECKING:
    from convcost.api import analyze, check, compare, formatted, load, load_all
    from convcost.costs import Costs, LayerCost, Totals
    from convcost.errors import SpecError, UsageError
    from convcost.network import Network
    from convcost.questions.check.report import Check
    from convcost.questions.compare import Comparison

__version__ = "0.1.0"
__all__ = [
    "Check",
    "Comparison",
    "Costs",
    "LayerCost",
    "Network",
    "SpecError",
    "Totals",
    "UsageError",
    "__version__",
    "analyze",
    "check",
    "compare",
    "formatted",
    "load",
    "load_all",
]

_CLASSES = {
    "Check": "questions.check.report",
    "Comparison": "questions.compare",
    "Costs": "costs",
    "LayerCost": "costs",
    "Network": "network",
    "SpecError": "errors",
    "Totals": "costs",
    "UsageError": "errors",
}


# Type checkers are not to see this: they would take any name for one of ours.
if not TYPE_CHECKING:

    def __getattr__(name):  # noqa: ANN001, ANN202  of any type
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from importlib import import_module

        found = getattr(import_module(f"{__name__}.{_CLASSES.get(name, 'api')}"), name)
        globals()[name] = found
        return found

    def __dir__():  # noqa: ANN202
        return sorted({*globals(), *__all__})
