"""Which items of a spec's text the steps of a network come from, and how often each is laid out."""

from typing import NamedTuple

from convcost.errors import Place
from convcost.network import Network


class Site(NamedTuple):
    """An item of a list of layers, by the place of the word that names its kind or block, at one
    of the paths it is laid out to; `steps` are all that it became there."""

    place: Place
    path: str
    steps: frozenset[int]


class Sites:
    """The sites of a network."""

    def __init__(self, network: Network) -> None:
        self.network = network
        beneath: dict[str, list[int]] = {}
        for index, step in enumerate(network.steps):
            path = step.path
            while (slash := path.rfind("/")) >= 0:
                path = path[:slash]
                beneath.setdefault(path, []).append(index)
        self.at: dict[str, Site] = {}
        for group in network.groups:
            if group.kind != "branch":
                steps = frozenset(beneath.get(group.path, ()))
                self.at[group.path] = Site(group.origin.place, group.path, steps)
        for index, step in enumerate(network.steps):
            if step.path not in self.at:
                self.at[step.path] = Site(step.origin.place, step.path, frozenset((index,)))
        self.alike: dict[Place, list[Site]] = {}
        for site in self.at.values():
            self.alike.setdefault(site.place, []).append(site)

    def chain(self, step: int) -> list[Site]:
        """The items a step stands in, the innermost first."""
        path = self.network.steps[step].path
        found = []
        while path:
            if path in self.at:
                found.append(self.at[path])
            path = path.rpartition("/")[0]
        return found

    def under(self, step: int, folder: str) -> Site | None:
        """The item of the list at `folder` (a path, or empty) that a step stands in."""
        path = self.network.steps[step].path
        start = len(folder) + 1 if folder else 0
        end = path.find("/", start)
        return self.at.get(path if end < 0 else path[:end])


def common_folder(paths: list[str]) -> str:
    """The innermost list that all of the paths stand in."""
    parts = [path.split("/")[:-1] for path in paths]
    shared = []
    for names in zip(*parts, strict=False):
        if len(set(names)) > 1:
            break
        shared.append(names[0])
    return "/".join(shared)
