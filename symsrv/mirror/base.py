"""What an upstream is: a place that is asked for one file at a time, and that says clearly when it has none."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from symsrv.mirror.settings import UpstreamOptions
from symsrv.model.ask import Ask
from symsrv.model.errors import SymsrvError


class FetchError(SymsrvError):
    """An upstream did not give the file. The reason words stand in docs/reasons.md.

    `status` is the answer's, where there was one; `sent` how many bytes came before it failed.
    """

    def __init__(self, reason: str, sentence: str, *, status: int | None = None, sent: int = 0) -> None:
        super().__init__(sentence)
        self.reason = reason
        self.status = status
        self.sent = sent


class Absent(FetchError):
    """It says that it has no such file: remembered, and not asked again for a while."""


class Refused(FetchError):
    """It will not give it to us, however often we ask: wrong credentials, too big, a private address, a login page."""


class Unavailable(FetchError):
    """It cannot answer now: trying again may help, at the earliest after `retry_after` seconds."""

    transient = True

    def __init__(
        self,
        reason: str,
        sentence: str,
        *,
        status: int | None = None,
        sent: int = 0,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(reason, sentence, status=status, sent=sent)
        self.retry_after = retry_after


class WrongContent(FetchError):
    """What came is not what was asked for: cut, another file, a page of HTML, bytes that cannot be unpacked."""


@dataclass(frozen=True, slots=True)
class Try:
    """One request that may bring what is wanted.

    `path` is the decoded path below the upstream's URL. `packed` asks for the compressed twin (`foo.pd_`), `pointer`
    for a `file.ptr`. `address` is how the request is shown in plans and logs: no secret is in it. `headers` are those
    that this request needs besides the upstream's own (`SymbolChecksum`).
    """

    path: str
    address: str
    packed: bool = False
    pointer: bool = False
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(slots=True)
class Fetched:
    """A body as it came, in a file of ours. `name` is what the server called the file, if it did.

    `encoding` is the Content-Encoding it came in, None for plain; `received` counts bytes on the wire; `tool` names
    what made the file, for a conversion.
    """

    path: Path
    received: int
    name: str | None = None
    encoding: str | None = None
    address: str = ""
    tool: str | None = None
    notes: list[str] = field(default_factory=list)


Stage = Callable[[str, int], None]
"""Hears of each stage of a fetch (`downloading`, `receiving`, `retrying`, `converting`) and the bytes so far."""


def unheard(_stage: str, _sent: int) -> None:
    """For who does not listen."""


class Upstream(Protocol):
    """One connected server, bucket, folder or converter; safe to share between threads."""

    options: UpstreamOptions

    def tries(self, ask: Ask) -> Sequence[Try]:
        """The requests that may bring what is wanted, best first; pure: nothing is asked. Empty if none can."""

    def fetch(self, one: Try, into: Path, *, stage: Stage = unheard) -> Fetched:
        """Makes the request, and leaves its body in the folder `into`, whole.

        A part that an earlier, broken-off fetch of the same Try left in `into` is gone on from where the server lets.
        Raises Absent, Refused, Unavailable or WrongContent, and nothing else but OSError of `into` itself.
        """

    def close(self) -> None:
        """Lets go of connections."""
