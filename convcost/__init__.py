"""convcost: the exact costs of convolutional networks, from a short YAML spec.

The functions are those of `convcost.api`, which is imported when the first of them is used.
"""

TYPE_CHECKING = False  # the import of `typing` takes longer than that of this module
if TYPE_CHECKING:
    from convcost.api import *  # noqa: F403  the names of its `__all__`
    from convcost.model.costs import Costs as Costs
    from convcost.model.costs import LayerCost as LayerCost
    from convcost.model.costs import Totals as Totals
    from convcost.model.errors import SpecError as SpecError
    from convcost.model.errors import UsageError as UsageError
    from convcost.model.network import Network as Network
    from convcost.reports.check.report import Check as Check
    from convcost.reports.compare import Comparison as Comparison
    from convcost.reports.explain import Explanation as Explanation
    from convcost.reports.verify import Verification as Verification

__version__ = "0.1.0"

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
        from importlib import import_module

        attribute = None
        if name in _CLASSES:
            attribute = getattr(import_module(f"{__name__}.{_CLASSES[name]}"), name)
        elif name == "__all__" or not name.startswith("_"):
            api = import_module(f"{__name__}.api")
            if name == "__all__":
                attribute = sorted(["__version__", *_CLASSES, *api.__all__])
            elif name in api.__all__:
                attribute = getattr(api, name)
        if attribute is None:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        globals()[name] = attribute
        return attribute

    def __dir__():  # noqa: ANN202
        return sorted({*globals(), *__getattr__("__all__")})
