"""Registries of kinds and formats: every module of a package registers what it defines."""

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from pathlib import Path
from typing import Generic, TypeVar

from convcost.model.errors import DefinitionError, UsageError

T = TypeVar("T")
PACKAGE = Path(__file__).parents[1]


def modules_in(folders: Iterable[str]) -> dict[str, Path]:
    """The modules and packages in folders, by name, with their source files; none is imported.

    Those that begin with `_` are left out. Raises UsageError if two have the same name.
    """
    paths: dict[str, Path] = {}
    for folder in folders:
        with suppress(OSError):
            for file in os.listdir(folder):  # noqa: PTH208  names only
                name, _, suffix = file.partition(".")
                path = Path(folder, file) if suffix else Path(folder, file, "__init__.py")
                if not name.startswith("_") and (suffix == "py" or (not suffix and path.is_file())):
                    if name in paths:
                        raise UsageError(f"`{path}` has the name of `{paths[name]}`; rename it")
                    paths[name] = path
    return dict(sorted(paths.items()))


@contextmanager
def plugin_errors(file: Path) -> Iterator[None]:
    """Raises UsageError with the file for any error in a plug-in.

    With CONVCOST_DEBUG set, the error itself is raised.
    """
    try:
        yield
    except (Exception, SystemExit) as error:
        is_reraised = isinstance(error, UsageError) or file.is_relative_to(PACKAGE)
        if is_reraised or os.environ.get("CONVCOST_DEBUG"):
            raise
        if isinstance(error, DefinitionError):
            raise UsageError(f"the plug-in `{file}` is not valid: {error}") from None
        raise UsageError(
            f"the plug-in `{file}` cannot be imported: {type(error).__name__}: {error}",
            help="CONVCOST_DEBUG=1 prints the traceback",
        ) from None


class Registry(Generic[T]):
    """Finds objects by name. `get` imports only the modules it needs; `names` and `items` import
    all.

    A module of the package has the names of its objects in double quotes. Where modules compute
    names, `quoted` is false: for a name that it does not find, `get` imports all modules. Modules
    whose names begin with `_` are helpers and are skipped.

    `check` raises DefinitionError for an object that is not valid. It runs for each object that no
    module of the package defines. A plug-in that cannot be imported is an error for the names in
    it, for its names that are already used, and for `items`.
    """

    def __init__(
        self, package: str, *, quoted: bool = True, check: Callable[[str, T], None] | None = None
    ) -> None:
        self._package = package
        self._quoted = quoted
        self._check = check
        self._things: dict[str, T] = {}
        self._unknown: set[str] = set()
        self._modules: dict[str, Path] = {}
        self._sources: dict[str, bytes] = {}
        self._broken: dict[str, UsageError] = {}
        self._complete = False
        self._importing = ""  # the module that is imported
        self._origins: dict[str, str] = {}  # the module of each object of a plug-in
        self._used_twice: dict[str, str] = {}  # names of plug-ins that are already used
        self._plugins: frozenset[str] = frozenset()  # modules that are not of the package
        self._has_new_plugins = False

    def add(self, name: str, thing: T) -> None:
        """Registers an object by name. Raises DefinitionError if the name is already used, or the
        object is not valid."""
        plugin = self._importing in self._plugins
        if plugin:
            self._search_package(name)
        if name in self._things:
            if plugin:
                self._used_twice[name] = self._importing
            raise DefinitionError(
                f"the name `{name}` is already used in {self._package}; use another"
            )
        if self._check is not None and (plugin or not self._importing):
            self._check(name, thing)
        self._things[name] = thing
        if plugin:
            self._origins[name] = self._importing

    def plugin_file(self, name: str) -> Path | None:
        """The file of the plug-in that defines an object; None if convcost defines it."""
        module = self._origins.get(name)
        return None if module is None else self._module_files()[module]

    def extend(self, folder: str) -> None:
        """Adds a folder of further modules, read after the package's own."""
        path = import_module(self._package).__path__
        if folder not in path:
            path.append(folder)
        self._modules = {}
        self._sources = {}
        self._unknown = set()
        self._quoted = False  # further modules may compute names
        self._complete = False
        self._has_new_plugins = True

    def get(self, name: str) -> T | None:
        """The object of that name, or None. Its module is found by its name or in the sources.

        Raises UsageError if the name is in a plug-in that is not valid.
        """
        if self._has_new_plugins:
            self._import_plugins()
        if name in self._used_twice:
            raise self._broken[self._used_twice[name]]
        if name not in self._things and name not in self._unknown and not self._complete:
            self._search(name)
        return self._things.get(name)

    def __getitem__(self, name: str) -> T:
        thing = self.get(name)
        if thing is None:
            raise KeyError(name)
        return thing

    def _import_plugins(self) -> None:
        """Imports all plug-ins, because only then their names are known."""
        self._has_new_plugins = False
        self._module_files()
        for module in sorted(self._plugins):
            with suppress(UsageError):
                self._import(module)

    def _search(self, name: str) -> None:
        self._search_package(name, plugins=True)
        if name not in self._things and not self._quoted:
            self._import_all()
        if name not in self._things:
            self._unknown.add(name)

    def _search_package(self, name: str, *, plugins: bool = False) -> None:
        """Imports the module of this name, or else those that have the name in double quotes.

        Without `plugins`, only modules of the package are imported.
        """
        modules = [
            module for module in self._module_files() if plugins or module not in self._plugins
        ]
        if name in modules:
            self._import(name)
        if name in self._things:
            return
        if not self._sources:
            self._sources = {
                module: path.read_bytes() for module, path in self._module_files().items()
            }
        quoted = [f"{mark}{name}{mark}".encode(errors="surrogatepass") for mark in "\"'"]
        for module in modules:
            if name not in self._things and any(text in self._sources[module] for text in quoted):
                self._import(module)

    def _import(self, module: str) -> None:
        if module in self._broken:
            raise self._broken[module]
        outer, self._importing = self._importing, module
        try:
            with plugin_errors(self._module_files()[module]):
                import_module(f"{self._package}.{module}")
        except UsageError as error:
            self._broken[module] = error
            for name in [name for name, origin in self._origins.items() if origin == module]:
                del self._things[name], self._origins[name]
            raise
        finally:
            self._importing = outer

    def _module_files(self) -> dict[str, Path]:
        if not self._modules:
            self._modules = modules_in(import_module(self._package).__path__)
            self._plugins = frozenset(
                name for name, file in self._modules.items() if not file.is_relative_to(PACKAGE)
            )
        return self._modules

    def names(self) -> list[str]:
        """The names of all objects, sorted. Imports all modules."""
        return sorted(self._import_all())

    def items(self) -> Iterator[tuple[str, T]]:
        """All objects by name. Raises UsageError if a plug-in cannot be imported."""
        names = self.names()
        for error in self._broken.values():
            raise error
        for name in names:
            yield name, self._things[name]

    def _import_all(self) -> dict[str, T]:
        if not self._complete:
            self._complete = True
            for module in self._module_files():
                with suppress(UsageError):
                    self._import(module)
        return self._things
