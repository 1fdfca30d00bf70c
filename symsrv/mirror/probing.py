"""Probing: the connection test. A handful of requests tell how an upstream says no, and which options would suit it.

Nothing is kept of what comes, and no more of a file is read than its first piece.
"""

import statistics
import tempfile
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from symsrv.mirror import kind_of
from symsrv.mirror.base import Absent, FetchError, Try, Upstream
from symsrv.mirror.converters import ConversionError, chosen
from symsrv.mirror.settings import UpstreamOptions
from symsrv.mirror.spellings import address, tries
from symsrv.model.ask import Ask, Wants
from symsrv.model.ids import build_id, debug_id, uuid_id

_GUID = "5eed" * 8
_BUILD = bytes.fromhex("5eed" * 10)
# Nobody has these: no tool makes such ids, and all zeros would be a case of its own for some servers.
_IMPOSSIBLE = (
    Ask(Wants.DEBUG, (debug_id(_GUID, 1),), "symsrv-absent.pdb"),
    Ask(Wants.SYM, (debug_id(_GUID, 1),), "symsrv-absent.pdb"),
    Ask(Wants.DEBUG, (build_id(_BUILD),), "symsrv-absent"),
    Ask(Wants.DEBUG, (uuid_id(_BUILD[:16]),), "symsrv-absent"),
)
_MAKES = "sym"
_SLOW_SECONDS = 5.0
_NAMED = ("symstore", "ssqp", "two-tier", "breakpad", "slashsymbols", "symbold")
_TIERS = ("symstore", "ssqp")


class Found(StrEnum):
    """What the connection test finds. Tools read these words: add to them, never rename one."""

    ABSENT_404 = "absent-404"
    ABSENT_403 = "absent-403"
    ANSWERS_ANYTHING = "answers-anything"
    NO_ANSWER = "no-answer"
    KNOWN = "known"
    KNOWN_MISSING = "known-missing"
    KNOWN_UNKNOWN = "known-unknown"
    ANY_CASE = "any-case"
    EXACT_CASE = "exact-case"
    LOWER_CASE = "lower-case"
    PACKED = "packed"
    NOT_PACKED = "not-packed"
    TWO_TIER = "two-tier"
    TRANSACTIONS = "transactions"
    PLAIN_HTTP = "plain-http"
    SLOW = "slow"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was found. `bad`: it cannot be used so; `proposes` are options that would suit it.

    `reason` is an upstream's word (docs/reasons.md), where a request failed.
    """

    found: Found
    sentence: str
    bad: bool = False
    proposes: Mapping[str, Any] = field(default_factory=dict)
    reason: str | None = None

    def to_record(self) -> dict[str, Any]:
        """The finding in JSON; fields may be added, never renamed."""
        return {
            "found": self.found.value,
            "sentence": self.sentence,
            "bad": self.bad,
            "proposes": dict(self.proposes),
            "reason": self.reason,
        }


@dataclass(frozen=True, slots=True)
class Probe:
    """One request of the test. `error` is None if something came; `milliseconds` until its first piece or its no."""

    path: str
    milliseconds: float
    error: FetchError | None = None
    size: int = 0

    @property
    def came(self) -> bool:
        """Whether there is a file."""
        return self.error is None

    @property
    def absent(self) -> bool:
        """Whether it said that there is none, by 404 or by 403."""
        return isinstance(self.error, Absent) or (self.error is not None and self.error.status == 403)


@dataclass(frozen=True, slots=True)
class Report:
    """All that was found, and the requests that were made."""

    findings: tuple[Finding, ...]
    probes: tuple[Probe, ...]

    @property
    def usable(self) -> bool:
        """Whether nothing bad was found."""
        return not any(finding.bad for finding in self.findings)

    @property
    def proposes(self) -> dict[str, Any]:
        """The options that would suit it, all together."""
        return {name: value for finding in self.findings for name, value in finding.proposes.items()}

    @property
    def milliseconds(self) -> float:
        """How long it took to answer, the median."""
        return statistics.median([probe.milliseconds for probe in self.probes]) if self.probes else 0.0


def probe(options: UpstreamOptions, *, opener: Callable[[UpstreamOptions], Upstream]) -> Report:
    """Tests the connection to an upstream, with at most eight requests. Raises UsageError for what cannot be opened."""
    if kind_of(options) == "convert":
        return Report((_converter(options),), ())
    plain = options.model_copy(update={"tries": 1, "forbidden_is_absent": False, "size_limit": None, "pointers": False})
    with closing(opener(plain)) as upstream, tempfile.TemporaryDirectory(prefix="symsrv-probe-") as folder:
        test = _Test(upstream, options, Path(folder))
        findings = tuple(test.run())
    return Report(findings, tuple(test.probes))


def _converter(options: UpstreamOptions) -> Finding:
    """Whether the tool is here that a converter converts with."""
    try:
        _, tool = chosen(_MAKES, options.url)
    except ConversionError as error:
        return Finding(Found.NO_ANSWER, str(error), bad=True, reason=error.reason)
    return Finding(Found.KNOWN, f"it makes text symbols, with {tool}")


class _Enough(Exception):
    """The first piece is here."""


class _Test:
    def __init__(self, upstream: Upstream, options: UpstreamOptions, folder: Path) -> None:
        self._upstream = upstream
        self._options = options
        self._folder = folder
        self.probes: list[Probe] = []

    def run(self) -> Iterator[Finding]:
        """Asks, and says what it finds; stops where going on would tell nothing."""
        if self._options.url.startswith("http://") and not _is_local(self._options.url):
            yield Finding(Found.PLAIN_HTTP, "plain http: anybody on the way could put another file in its place")
        absent_path = self._options.probe_absent or self._absent_path()
        absent = self._ask(absent_path)
        said_no = self._says_no(absent)
        yield said_no
        if said_no.bad:
            return
        known = yield from self._known()
        if said_no.found is Found.ABSENT_403:
            yield from self._forbidden(known)
        if any(one in self._options.layouts for one in (*_TIERS, "two-tier")):
            yield from self._tiers()
        slowest = max(one.milliseconds for one in self.probes) / 1000
        if slowest > _SLOW_SECONDS:
            yield Finding(Found.SLOW, f"it took {slowest:.1f} s to begin an answer; first_byte_timeout has to allow it")

    def _says_no(self, absent: Probe) -> Finding:
        error = absent.error
        if error is None:
            why = "it answers what cannot exist, so its answers mean nothing: a page for everything, a sign-in"
            return Finding(Found.ANSWERS_ANYTHING, why, bad=True)
        if isinstance(error, Absent):
            return Finding(Found.ABSENT_404, "it says that it has no such file, as it should")
        if error.status == 403 and error.reason == "forbidden":
            return Finding(Found.ABSENT_403, "what it cannot have is 403 there")
        if error.reason == "login-page":
            return Finding(
                Found.ANSWERS_ANYTHING, f"{error}; are the credentials right?", bad=True, reason=error.reason
            )
        return Finding(Found.NO_ANSWER, str(error), bad=True, reason=error.reason)

    def _forbidden(self, known: Probe | None) -> Iterator[Finding]:
        if known is not None and known.came:
            why = "it gives what it has, so its 403 means that it has no such file"
        else:
            why = (
                "its 403 may mean that it has no such file, as buckets say that may not be listed, or that it does "
                "not let us: a probe_known would tell"
            )
        yield Finding(Found.ABSENT_403, why, proposes={"forbidden_is_absent": True})

    def _known(self) -> Generator[Finding, None, Probe | None]:
        path = self._options.probe_known
        if path is None:
            yield Finding(Found.KNOWN_UNKNOWN, "no probe_known says what it has, so having was not tested")
            return None
        known = self._ask(path)
        if known.came:
            yield Finding(Found.KNOWN, f"it has {path}, and began to send it after {known.milliseconds:.0f} ms")
            yield from self._twins(path)
        elif known.absent:
            yield from self._elsewhere(path, known)
        else:
            yield Finding(Found.KNOWN_MISSING, str(known.error), bad=True, reason=_reason(known))
        return known

    def _elsewhere(self, path: str, known: Probe) -> Iterator[Finding]:
        """Looks for what should be there in lower case, and packed."""
        if path != path.lower() and self._ask(path.lower()).came:
            why = "it has the known file in lower case only"
            yield Finding(Found.LOWER_CASE, why, proposes={"name_case": "lower", "id_case": "lower"})
        elif self._is_named() and self._ask(f"{path[:-1]}_").came:
            yield Finding(Found.PACKED, "it has the known file packed only", proposes={"packed": True})
        else:
            yield Finding(Found.KNOWN_MISSING, f"it has no {path}: {known.error}", reason=_reason(known))

    def _twins(self, path: str) -> Iterator[Finding]:
        """Whether case counts, and whether the packed twin is there."""
        if not self._is_named() or path.startswith("000Admin/"):
            return
        if self._ask(_swapped(path)).came:
            yield self._any_case()
        else:
            yield Finding(Found.EXACT_CASE, "it finds names and ids only as they are spelled there")
        if path.lower().endswith((".pdb", ".dll", ".exe", ".sys", ".dbg")):
            if self._ask(f"{path[:-1]}_").came:
                yield Finding(Found.PACKED, "it answers packed names, too")
            else:
                why = "it has not the packed twin; where all is plain, packed: false saves a request of each miss"
                yield Finding(Found.NOT_PACKED, why)

    def _any_case(self) -> Finding:
        options = self._options
        why = "it finds names and ids in any case"
        if set(_TIERS) <= set(options.layouts) and (options.name_case, options.id_case) == ("as-is", "as-is"):
            why += "; in lower case, symstore's and SSQP's keys of a file are one request"
            return Finding(Found.ANY_CASE, why, proposes={"name_case": "lower", "id_case": "lower"})
        return Finding(Found.ANY_CASE, why)

    def _tiers(self) -> Iterator[Finding]:
        layouts = self._options.layouts
        if self._ask("index2.txt").came and "two-tier" not in layouts:
            better = tuple(dict.fromkeys("two-tier" if one in _TIERS else one for one in layouts))
            why = "it has index2.txt, so its folders are in two tiers"
            yield Finding(Found.TWO_TIER, why, proposes={"layouts": list(better)})
        if self._options.tail is None and self._ask("000Admin/lastid.txt").came:
            yield Finding(Found.TRANSACTIONS, "it publishes its transactions, so that tail could follow them")

    def _is_named(self) -> bool:
        return self._options.layouts[0] in _NAMED

    def _absent_path(self) -> str:
        for ask in _IMPOSSIBLE:
            for one in tries(ask, self._options):
                return one.path
        return "symsrv-absent"

    def _ask(self, path: str) -> Probe:
        one = Try(path, address(self._options.url, path))
        begun = time.monotonic()
        size, error = 0, None

        def enough(stage: str, sent: int) -> None:
            nonlocal size
            if stage == "receiving":
                size = sent
                raise _Enough

        try:
            size = self._upstream.fetch(one, self._folder, stage=enough).received
        except _Enough:
            pass
        except FetchError as caught:
            error = caught
        found = Probe(path, (time.monotonic() - begun) * 1000, error, size)
        self.probes.append(found)
        return found


def _reason(one: Probe) -> str | None:
    return one.error.reason if one.error is not None else None


def _swapped(path: str) -> str:
    """The path in another case, its ending as it was: some servers choose by the ending what it is."""
    stem, dot, ending = path.rpartition(".")
    return f"{stem.swapcase()}{dot}{ending}"


def _is_local(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    return host in ("localhost", "127.0.0.1", "::1")
