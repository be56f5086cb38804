"""convcost: the exact costs of convolutional networks, from a short YAML spec.

The functions are those of `convcost.api`, which is imported when the first of them is used.
"""

TYPE_CHECKING = False  # the import of `typing` takes longer than that of this module
if TYPE_CHECKING:
    from convcost.api import (
        analyze,
        check,
        compare,
        counting_conventions,
        explain,
        explain_counts,
        formatted,
        formula,
        import_model,
        load,
        load_all,
        match,
        memory,
        reduce,
        search,
        undo_reductions,
        verify,
    )
    from convcost.model.costs import Costs, LayerCost, Totals
    from convcost.model.errors import SpecError, UsageError
    from convcost.model.network import Network
    from convcost.reports.check.report import Check
    from convcost.reports.compare import Comparison
    from convcost.reports.explain import Explanation
    from convcost.reports.verify import Verification

__version__ = "0.1.0"
__all__ = [
    "Check",
    "Comparison",
    "Costs",
    "Explanation",
    "LayerCost",
    "Network",
    "SpecError",
    "Totals",
    "UsageError",
    "Verification",
    "__version__",
    "analyze",
    "check",
    "compare",
    "counting_conventions",
    "explain",
    "explain_counts",
    "formatted",
    "formula",
    "import_model",
    "load",
    "load_all",
    "match",
    "memory",
    "reduce",
    "search",
    "undo_reductions",
    "verify",
]

_CLASSES = {
    "Check": "reports.check.report",
    "Comparison": "reports.compare",
    "Costs": "model.costs",
    "Explanation": "reports.explain",
    "LayerCost": "model.costs",
    "Network": "model.network",
    "SpecError": "model.errors",
    "Totals": "model.costs",
    "UsageError": "model.errors",
    "Verification": "reports.verify",
}


# Hidden from type checkers: with it, they would accept any name.
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
