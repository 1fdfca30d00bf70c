"""Filters: which names an upstream is asked for at all, by the lists that people keep and by its own patterns."""

import re
from collections.abc import Iterable, Sequence
from fnmatch import translate

from symsrv.mirror.outcomes import NotAsked
from symsrv.mirror.settings import UpstreamOptions
from symsrv.model.ask import Ask
from symsrv.model.names import fold

_WILD = frozenset("*?[")
_AT_ONCE = 500  # patterns in one regular expression


class Globs:
    """Many patterns of names, and a reason for each; finding the one that matches costs little however many there are.

    Case makes no difference. What has no name, as it is asked for by a build id alone, only `*` matches.
    """

    def __init__(self, patterns: Iterable[tuple[str, str]]) -> None:
        self._exact: dict[str, str] = {}
        wild: list[tuple[str, str]] = []
        for pattern, reason in patterns:
            if _WILD.isdisjoint(pattern):
                self._exact.setdefault(fold(pattern), reason)
            else:
                wild.append((fold(pattern), reason))
        self._everything = next((reason for pattern, reason in wild if pattern == "*"), None)
        self._wild = [_compiled(wild[at : at + _AT_ONCE]) for at in range(0, len(wild), _AT_ONCE)]

    def find(self, name: str | None) -> str | None:
        """The reason of a pattern that matches, which may be empty; None if none does."""
        if name is None:
            return self._everything
        name = fold(name)
        if name in self._exact:
            return self._exact[name]
        for pattern, reasons in self._wild:
            if match := pattern.match(name):
                return reasons[int(match.lastgroup[1:])] if match.lastgroup else ""
        return None


class Filter:
    """What one upstream is asked for.

    `block`, `skip` and `allow` are the patterns of the lists that hold for it, with their reasons; the upstream's own
    come on top. An allow list counts only for an upstream that uses it, or that has patterns of its own in it.
    """

    def __init__(
        self,
        options: UpstreamOptions,
        *,
        block: Sequence[tuple[str, str]] = (),
        skip: Sequence[tuple[str, str]] = (),
        allow: Sequence[tuple[str, str]] = (),
    ) -> None:
        self._block = Globs([*((one.name, one.reason) for one in options.block), *block])
        self._skip = Globs(skip)
        own = [(one.name, one.reason) for one in options.allow]
        self._allow = Globs([*own, *allow]) if options.use_allow else None

    def refuse(self, ask: Ask) -> tuple[NotAsked, str] | None:
        """Why the upstream is not asked for a file, by the word and in a sentence; None if it may be."""
        if (why := self._block.find(ask.name)) is not None:
            return NotAsked.BLOCKED, _because("its name is on the block list", why)
        if (why := self._skip.find(ask.name)) is not None:
            return NotAsked.SKIPLIST, _because("somebody put its name on the skiplist", why)
        if self._allow is not None and self._allow.find(ask.name) is None:
            return NotAsked.NOT_ALLOWED, "its name is not on the allow list"
        return None


def _compiled(patterns: Sequence[tuple[str, str]]) -> tuple[re.Pattern[str], list[str]]:
    joined = "|".join(f"(?P<p{number}>{translate(pattern)})" for number, (pattern, _) in enumerate(patterns))
    return re.compile(joined), [reason for _, reason in patterns]


def _because(sentence: str, why: str) -> str:
    return f"{sentence}: {why}" if why else sentence
