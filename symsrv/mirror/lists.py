"""Lists as people see them: allow, block and skip, out of options, by hand, and learned by fetching."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from symsrv.ledger.state import Listed, Rest, State, Which
from symsrv.mirror.settings import UpstreamOptions
from symsrv.model.names import fold
from symsrv.model.wants import want_key

_PAGE = 500


class Origin(StrEnum):
    """Where an entry is from. Tools read these words.

    `options` are an upstream's own, its preset's among them, changed by `upstream edit` or in the configuration;
    `listed` was put there by hand, `rounds` by fetching, after several rounds without success; `miss` is no skip, but
    what an upstream said lately that it has not.
    """

    OPTIONS = "options"
    LISTED = "listed"
    ROUNDS = "rounds"
    MISS = "miss"


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a list. `pattern` is a glob of names, or of what fetching learned, the file's name.

    `upstream` None is all; `until` None is for good. `id` and `key` name it where it can be removed.
    """

    which: Which
    pattern: str
    upstream: str | None
    reason: str
    origin: Origin
    who: str = ""
    created: datetime | None = None
    until: datetime | None = None
    id: int | None = None
    key: str | None = None
    rounds: int = 0

    def to_record(self) -> dict[str, Any]:
        """The line in JSON; fields may be added, never renamed."""
        return {
            "list": self.which.value,
            "pattern": self.pattern,
            "upstream": self.upstream,
            "reason": self.reason,
            "origin": self.origin.value,
            "who": self.who,
            "created": None if self.created is None else self.created.isoformat(),
            "until": None if self.until is None else self.until.isoformat(),
            "id": self.id,
            "key": self.key,
            "rounds": self.rounds,
        }


def options_entries(
    which: Which, upstreams: Iterable[UpstreamOptions], *, upstream: str | None = None, text: str = ""
) -> Iterator[Entry]:
    """What upstreams' options allow or block."""
    for options in upstreams:
        if upstream not in (None, options.name):
            continue
        patterns = {Which.ALLOW: options.allow, Which.BLOCK: options.block}.get(which, ())
        for one in patterns:
            if fold(text) in fold(one.name):
                yield Entry(which, one.name, options.name, one.reason, Origin.OPTIONS)


def listed_entries(
    state: State,
    which: Which,
    *,
    upstream: str | None = None,
    text: str = "",
    limit: int = 100,
    after: int | None = None,
) -> list[Entry]:
    """What was listed by hand, by number; with an upstream, its own and those of all upstreams."""
    return [_listed(one) for one in state.lists.entries(which, upstream=upstream, text=text, limit=limit, after=after)]


def rest_entries(
    state: State,
    *,
    upstream: str | None = None,
    text: str = "",
    skip_only: bool = True,
    limit: int = 100,
    after: tuple[str, str] | None = None,
) -> list[Entry]:
    """What fetching put on the skiplist, and without `skip_only` also what is known to be missing, by upstream, key."""
    found = state.rests.list(upstream=upstream, text=text, skip_only=skip_only, limit=limit, after=after)
    return [_rested(one) for one in found]


def unlist(state: State, which: Which, words: Sequence[str], *, upstream: str | None = None) -> list[Entry]:
    """Removes entries that were made by hand, by their numbers or patterns; returns what was removed."""
    wanted, removed = {fold(word) for word in words}, []
    for one in _every_listed(state, which):
        named = str(one.id) in wanted or fold(one.pattern) in wanted
        if named and upstream in (None, one.upstream) and one.id is not None and state.lists.remove(one.id):
            removed.append(one)
    return removed


def release(
    state: State,
    *,
    names: Sequence[str] = (),
    upstream: str | None = None,
    text: str = "",
    skip_only: bool = True,
) -> list[Entry]:
    """Forgets what fetching learned of some files at an upstream or at all, and lets them be tried at once.

    `names` are names or keys, none of them all. What other upstreams are known not to have stays known.
    """
    wanted, released = {fold(name) for name in names}, []
    for one in list(_every_rest(state, upstream=upstream, text=text, skip_only=skip_only)):
        if not wanted or fold(one.name) in wanted or fold(one.key) in wanted:
            _release(state, one)
            released.append(_rested(one))
    return released


def _release(state: State, one: Rest) -> None:
    others = [other for other in state.rests.of(one.key) if other.upstream != one.upstream]
    numbers = [want.id for want in state.wants.list(text=_identifier(one.key)) if want_key(want.ask) == one.key]
    with state.together():
        state.rests.clear(upstream=one.upstream, keys=[one.key])
        if state.wants.wake(numbers=numbers):
            state.rests.put(others)


def _identifier(key: str) -> str:
    return key.split(":")[2] if key.count(":") >= 3 else key


def _every_listed(state: State, which: Which) -> Iterator[Entry]:
    yield from (_listed(one) for one in state.lists.entries(which, limit=None))


def _every_rest(state: State, *, upstream: str | None, text: str, skip_only: bool) -> Iterator[Rest]:
    after: Rest | None = None
    while page := state.rests.list(upstream=upstream, text=text, skip_only=skip_only, limit=_PAGE, after=after):
        yield from page
        after = page[-1]


def _listed(one: Listed) -> Entry:
    return Entry(
        one.which, one.pattern, one.upstream, one.reason, Origin.LISTED, one.who, one.created, one.expires, id=one.id
    )


def _rested(one: Rest) -> Entry:
    origin = Origin.ROUNDS if one.skip else Origin.MISS
    said = f"{one.reason}: {one.answer}" if one.answer else one.reason
    name = one.name or _identifier(one.key)
    return Entry(Which.SKIP, name, one.upstream, said, origin, "", one.at, one.until, key=one.key, rounds=one.rounds)
