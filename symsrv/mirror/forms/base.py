"""What a form is: the way in which one kind of receiver is told."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from symsrv.mirror.settings import TellOptions
from symsrv.model.errors import SymsrvError

ARRIVED, REPORT, TEST = "arrived", "report", "test"

_GOOD = range(200, 300)


class NotTold(SymsrvError):
    """A receiver was not told; it is tried again, at the earliest after `retry_after` seconds.

    Reasons: `receiver-unavailable` (no answer came), `receiver-refused` (another one than a good one).
    """

    transient = True

    def __init__(self, reason: str, sentence: str, *, retry_after: float | None = None) -> None:
        super().__init__(sentence)
        self.reason = reason
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True)
class News:
    """What one call tells: events of one kind, `arrived`, `report` (one alone) or `test`.

    `key` is the same whenever the same is told again, and of nothing else. An event is as docs/telling.md shows it.
    """

    kind: str
    key: str
    events: tuple[dict[str, Any], ...] = ()

    def body(self) -> bytes:
        """The news in the generic form: JSON, the same bytes each time."""
        record = {"type": self.kind, "key": self.key, "events": list(self.events)}
        return json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")


@dataclass(frozen=True, slots=True)
class Call:
    """One request to a receiver."""

    method: str
    url: str
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back."""

    status: int
    body: bytes = b""
    retry_after: float | None = None

    def good(self, what: str) -> "Reply":
        """Itself; raises NotTold unless its status is a good one."""
        if self.status in _GOOD:
            return self
        more = "; give the address that it leads to" if 300 <= self.status < 400 else ""
        raise NotTold("receiver-refused", f"{what} answered {self.status}{more}", retry_after=self.retry_after)

    def record(self, what: str) -> dict[str, Any]:
        """Its JSON; raises NotTold if that is none."""
        try:
            found = json.loads(self.good(what).body)
        except ValueError:
            found = None
        if not isinstance(found, dict):
            raise NotTold("receiver-refused", f"{what} answered with something else than JSON")
        return found


Send = Callable[[Call], Reply]
"""Makes a request; raises NotTold where no answer comes."""


class Form(Protocol):
    """One way of telling. `kinds` are the kinds of news that it has words for; others are passed over."""

    name: str
    kinds: frozenset[str]

    def tell(self, news: News, options: TellOptions, send: Send) -> None:
        """Tells it; may be called again with the same news. Raises NotTold."""


def bearer(options: TellOptions) -> tuple[tuple[str, str], ...]:
    """The token in the header where most look for one."""
    return () if options.token is None else (("Authorization", f"Bearer {options.token.value()}"),)
