"""The registry: every upstream there is, those that the configuration names and those that people added at run time.

What the configuration names is read-only here, and hides what was added under the same name.
"""

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

from pydantic import ValidationError

from symsrv.mirror import kind_of
from symsrv.mirror.presets import completed
from symsrv.mirror.settings import UpstreamOptions
from symsrv.model.errors import SymsrvError, UsageError

logger = logging.getLogger(__name__)


class Source(StrEnum):
    """Where an upstream is from. Tools read these words."""

    CONFIGURATION = "configuration"
    ADDED = "added"


class Kept(Protocol):
    """Where added ones are kept (`ledger.state.Upstreams`): their options as they were given, as JSON."""

    def all(self) -> list[dict[str, Any]]:
        """The options of each."""

    def put(self, options: dict[str, Any], *, create: bool) -> None:
        """Adds one, or changes the one of its name."""

    def remove(self, name: str) -> bool:
        """Forgets one; whether there was one."""


@dataclass(frozen=True, slots=True)
class Registered:
    """An upstream with all its options, its preset's among them.

    `fault` says why one that was kept cannot be used, for a later symsrv's options, say; of its options only the name
    is known then. `hidden`: the configuration names another one so.
    """

    options: UpstreamOptions
    source: Source
    fault: str | None = None
    hidden: bool = False


class Registry:
    """All upstreams of a store. Reads anew at each call."""

    def __init__(self, configured: Sequence[UpstreamOptions], kept: Kept) -> None:
        self._configured = {one.name: completed(one) for one in configured}
        self._kept = kept

    def all(self) -> list[Registered]:
        """Every upstream, by order and name."""
        found = [Registered(one, Source.CONFIGURATION) for one in self._configured.values()]
        found += self._added()
        return sorted(found, key=lambda one: (one.options.order, one.options.name))

    def usable(self) -> list[UpstreamOptions]:
        """The options of those that can be asked, switched on or not; what cannot be read is logged and left out."""
        for one in self.all():
            if one.fault:
                logger.error("an upstream cannot be used", extra={"upstream": one.options.name, "error": one.fault})
        return [one.options for one in self.all() if not one.fault and not one.hidden]

    def get(self, name: str) -> Registered:
        """The upstream of a name. Raises UsageError, with the names that there are."""
        found = next((one for one in self.all() if one.options.name == name and not one.hidden), None)
        if found is None:
            known = ", ".join(one.options.name for one in self.all()) or "none yet"
            raise UsageError(f"there is no upstream {name}; there are: {known}")
        return found

    def check_free(self, name: str) -> None:
        """Raises UsageError for a name that is taken."""
        taken = [one for one in self.all() if one.options.name == name]
        if taken:
            where = "in the configuration" if taken[0].source is Source.CONFIGURATION else "already"
            raise UsageError(f"there is an upstream {name} {where}; 'symsrv upstream edit' changes one")

    def add(self, given: Mapping[str, Any]) -> UpstreamOptions:
        """Keeps a new one. Raises UsageError for options that cannot be, and for a name that is taken."""
        options = made(given)
        self.check_free(options.name)
        self._kept.put(_as_kept(given), create=True)
        return options

    def change(self, given: Mapping[str, Any]) -> UpstreamOptions:
        """Keeps these options of one that was added, in place of all that were kept of it. Raises UsageError."""
        options = made(given)
        self._own(options.name)
        self._kept.put(_as_kept(given), create=False)
        return options

    def edited(self, name: str, changes: Mapping[str, Any], *, unset: Sequence[str] = ()) -> dict[str, Any]:
        """What would be kept after an edit of one that was added; `unset` options are their preset's or default again.

        A part (`credentials`, `proxy`, `tail`) is changed by what is named of it. Raises UsageError.
        """
        given = merged(self._own(name), changes)
        for option in unset:
            if option not in UpstreamOptions.model_fields or option in ("name", "url", "preset"):
                raise UsageError(f"{option} is no option that could be taken back")
            given.pop(option, None)
        return given

    def remove(self, name: str) -> None:
        """Forgets one that was added; its symbols stay. Raises UsageError."""
        self._own(name)
        self._kept.remove(name)

    def _own(self, name: str) -> dict[str, Any]:
        """What is kept of an added one. Raises UsageError for one that the configuration names, and for none."""
        for one in self._kept.all():
            if one.get("name") == name:
                return one
        if name in self._configured:
            raise UsageError(f"the upstream {name} is named in the configuration file: change it there")
        self.get(name)  # says which there are
        raise UsageError(f"there is no upstream {name}")

    def _added(self) -> Iterator[Registered]:
        for given in self._kept.all():
            hidden = given.get("name") in self._configured
            try:
                yield Registered(made(given), Source.ADDED, hidden=hidden)
            except SymsrvError as error:
                options = UpstreamOptions(name=str(given.get("name") or "?")[:64], enabled=False)
                yield Registered(options, Source.ADDED, fault=str(error), hidden=hidden)


def made(given: Mapping[str, Any]) -> UpstreamOptions:
    """Options out of what was given, with the preset's behind it. Raises UsageError, naming the option."""
    try:
        options = completed(UpstreamOptions(**given))
        kind_of(options)
        return options
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise UsageError(f"{where}: {first['msg'].removeprefix('Value error, ')}") from error


def _as_kept(given: Mapping[str, Any]) -> dict[str, Any]:
    """What was given and nothing else, as JSON has it: seconds and bytes as numbers, secrets as where they lie."""
    return UpstreamOptions(**given).model_dump(mode="json", exclude_unset=True)


def merged(given: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """`given` with the changes laid over it, part by part."""
    found = dict(given)
    for name, value in changes.items():
        old = found.get(name)
        found[name] = merged(old, value) if isinstance(value, Mapping) and isinstance(old, Mapping) else value
    return found
