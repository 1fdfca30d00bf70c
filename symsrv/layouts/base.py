"""What a layout is: a pure, two-way rule between asks and the paths of one client's dialect."""

from collections.abc import Sequence
from typing import Protocol

from symsrv.model.ask import Ask


class Layout(Protocol):
    """One dialect of paths. Pure and total: no file is looked at, nothing is raised.

    What `paths` prints, `parse` reads back to an ask that the same files answer; and two layouts that both
    parse a path return equal asks, so the order of the table never decides anything.
    """

    name: str

    def parse(self, path: str) -> Ask | None:
        """The ask that a decoded path without a leading slash means, or None if it is not of this dialect."""

    def paths(self, ask: Ask) -> Sequence[str]:
        """Every path under which this dialect's clients ask for it, the canonical one first; empty if none."""
