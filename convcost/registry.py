"""Things that announce themselves: kinds and formats. A folder is walked, nothing is listed."""

from collections.abc import Iterator
from importlib import import_module
from pkgutil import iter_modules
from typing import Generic, TypeVar

T = TypeVar("T")


class Registry(Generic[T]):
    """Names to things. The modules of `package` are imported at the first look-up.

    Further folders given to `extend` are searched after the package's own.
    """

    def __init__(self, package: str) -> None:
        self._package = package
        self._things: dict[str, T] = {}
        self._walked = False

    def add(self, name: str, thing: T) -> None:
        """Raises ValueError if the name is taken: a second registration is a mistake."""
        if name in self._things:
            raise ValueError(f"{name!r} is registered twice in {self._package}")
        self._things[name] = thing

    def extend(self, folder: str) -> None:
        path = import_module(self._package).__path__
        if folder not in path:
            path.append(folder)
        self._walked = False

    def get(self, name: str) -> T | None:
        """The thing of that name; a module called like it is tried before all are imported."""
        if name not in self._things and not self._walked and name.isidentifier():
            path = import_module(self._package).__path__
            if any(module.name == name for module in iter_modules(path)):
                import_module(f"{self._package}.{name}")
        return self._things.get(name) or self._all().get(name)

    def modules(self) -> list[str]:
        """The names of the modules, none of them imported: what there is, for a help text."""
        return sorted(module.name for module in iter_modules(import_module(self._package).__path__))

    def names(self) -> list[str]:
        return sorted(self._all())

    def items(self) -> Iterator[tuple[str, T]]:
        for name in self.names():
            yield name, self._things[name]

    def _all(self) -> dict[str, T]:
        if not self._walked:
            self._walked = True
            for module in iter_modules(import_module(self._package).__path__):
                import_module(f"{self._package}.{module.name}")
        return self._things
