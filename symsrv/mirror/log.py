"""The log of attempts: what was asked of whom and what came of it, kept until it is written, many lines at once."""

import threading
from dataclasses import dataclass, field

from symsrv.ledger.state import Attempt, State
from symsrv.mirror.base import Absent, Fetched, FetchError, Refused, Try
from symsrv.mirror.outcomes import Outcome
from symsrv.mirror.settings import UpstreamOptions
from symsrv.model.wants import Want, want_key


@dataclass(slots=True)
class Log:
    """Lines for the log. Safe to share between threads; what is not written when a process is killed is lost."""

    state: State
    _lines: list[Attempt] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def skipped(self, want: Want, outcome: Outcome) -> None:
        """An upstream that was not asked."""
        self._note(want, outcome.options, stage="downloading", outcome="skipped", reason=outcome.reason)

    def retried(self, want: Want, options: UpstreamOptions, one: Try) -> None:
        """A request that is made again."""
        self._note(want, options, stage="retrying", outcome="failed", address=one.address)

    def good(self, want: Want, options: UpstreamOptions, fetched: Fetched, *, stage: str, seconds: float) -> None:
        """A request that brought what was asked for."""
        self._note(
            want,
            options,
            stage=stage,
            outcome="ok",
            address=fetched.address,
            received=fetched.received,
            seconds=seconds,
            tool=fetched.tool,
        )

    def failed(
        self, want: Want, options: UpstreamOptions, one: Try, error: FetchError, *, stage: str, seconds: float
    ) -> None:
        """A request that did not. What came before it failed is in the error."""
        outcome = "absent" if isinstance(error, Absent) else "refused" if isinstance(error, Refused) else "failed"
        self._note(
            want,
            options,
            stage=stage,
            outcome=outcome,
            reason=error.reason,
            address=one.address,
            status=error.status,
            received=error.sent,
            seconds=seconds,
        )

    def not_stored(self, want: Want, upstream: str, address: str, *, reason: str) -> None:
        """A file that came and that the store did not take."""
        line = Attempt(upstream, want_key(want.ask), "storing", "failed", reason, want.ask.name or "", want.id, address)
        with self._lock:
            self._lines.append(line)

    def flush(self) -> None:
        """Writes what there is; if that fails, the next one will. Raises LedgerError."""
        with self._lock:
            lines = self._lines[:]
        if lines:
            self.state.attempts.note(*lines)
            with self._lock:
                del self._lines[: len(lines)]

    def _note(
        self,
        want: Want,
        options: UpstreamOptions,
        *,
        stage: str,
        outcome: str,
        reason: str = "",
        address: str = "",
        status: int | None = None,
        received: int = 0,
        seconds: float | None = None,
        tool: str | None = None,
    ) -> None:
        line = Attempt(
            upstream=options.name,
            key=want_key(want.ask),
            stage=stage,
            outcome=outcome,
            reason=reason,
            name=want.ask.name or "",
            want=want.id,
            address=address,
            status=status,
            bytes=received,
            milliseconds=None if seconds is None else round(seconds * 1000),
            tool=tool,
        )
        with self._lock:
            self._lines.append(line)
