"""Downloading: one URL into one file, however often the connection breaks, and never anything but all of it.

The first request is for the whole. A file that will still take long is then fetched in several spans at once, each by a
request of its own, as far as the upstream has connections to spare. Where bytes of two answers meet, they overlap, and
what overlaps has to be the same: so a server is found out that ignores ranges, counts them wrongly, or has another
file by now, and the file is fetched anew in one piece.
"""

import threading
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, BinaryIO

from symsrv.mirror import verdicts
from symsrv.mirror.base import Absent, Fetched, FetchError, Refused, Stage, Unavailable, WrongContent
from symsrv.mirror.decoding import looks_like_html_in
from symsrv.mirror.pace import PATIENCE_SECONDS, Pace, backoff
from symsrv.mirror.progress import Part, Progress
from symsrv.mirror.receiving import read, receive
from symsrv.mirror.requesting import Requester
from symsrv.mirror.seats import Seats
from symsrv.mirror.settings import UpstreamOptions
from symsrv.mirror.spans import Board, Span

if TYPE_CHECKING:
    from symsrv.mirror.connections import Answer

OVERLAP_BYTES = 64
SPLIT_BYTES = 8 << 20
"""A span is not split into smaller ones than this."""
PATIENT_SECONDS = 2.0
"""A file that would be here so soon is not split, and the first second tells: then the line is faster than we are."""
_WORTH_BYTES = 1 << 20
"""A try that brought so much is not counted as one that failed, if the next goes on from there."""
_PAGE_BYTES = 64 << 10


class RangeFault(Exception):
    """The server's ranges are not to be trusted for this file."""


class Download:
    """The download of one Try, by the thread that calls `run` and by helpers of its own."""

    def __init__(
        self, requester: Requester, pace: Pace, options: UpstreamOptions, *, part: Part, stage: Stage, seats: Seats
    ) -> None:
        self._requester = requester
        self._pace = pace
        self._options = options
        self._part = part
        self._stage = stage
        self._seats = seats
        self._url = ""
        self._headers: dict[str, str] = {}
        self._facts = Progress()
        self._board = Board()
        self._received = 0
        self._counting = threading.Lock()
        self._ranges = True
        self._helpers: list[threading.Thread] = []
        self._ended = False
        self._notes: list[str] = []

    def run(self, url: str, headers: Mapping[str, str]) -> Fetched:
        """Leaves the whole body in the part's file. Raises FetchError, and OSError of the file."""
        self._url, self._headers = url, dict(headers)
        self._facts = self._part.load()
        self._board = Board(self._facts.spans)
        failures, spoilt, best = 0, False, self._board.here
        try:
            while not self._facts.whole:
                try:
                    self._once()
                except RangeFault as fault:
                    self._anew(str(fault))
                except Unavailable as error:
                    further = self._board.here - best if self._facts.validator else 0
                    failures = 1 if further >= _WORTH_BYTES else failures + 1
                    best += max(0, further)
                    self._rest(error, failures)
        except (Absent, Refused, WrongContent) as error:
            spoilt = error.reason != "cut"
            raise
        finally:
            self._stop()
            if not self._facts.whole:
                self._leave(spoilt=spoilt)
        facts = self._facts
        return Fetched(self._part.path, self._received, facts.name, facts.encoding, notes=self._notes)

    def _leave(self, *, spoilt: bool) -> None:
        """Leaves what another fetch can go on from, or nothing."""
        if spoilt or not self._facts.validator or not self._board.here:
            self._part.drop()
        else:
            self._save()

    def _once(self) -> None:
        """One request and what it brings, or the waiting for helpers that have all the rest; the end, if it is."""
        span = self._board.claim()
        with self._part.open() as file:
            if span is not None and self._ranges and self._facts.validator and self._board.here:
                self._go_on(span, file, leading=True)
            elif span is not None:
                self._board.give_back(span)
                self._begin(file)
            while self._helpers:
                self._helpers[0].join(1.0)
                self._helpers = [one for one in self._helpers if one.is_alive()]
                self._stage("receiving", self._received)
                self._save()
            if self._board.complete:
                self._close_up(file)

    def _begin(self, file: BinaryIO) -> None:
        """Asks for the whole file."""
        self._stage("downloading", self._received)
        self._whole(self._requester.get(self._url, self._headers), file)

    def _whole(self, answer: "Answer", file: BinaryIO) -> None:
        """Takes an answer that has the whole file, whatever was here before."""
        span = self._board.begin(None)
        try:
            if answer.status == 206:
                raise WrongContent("bad-answer", "it sent a part where the whole was asked for", status=206)
            self._facts = Progress(
                total=verdicts.length(answer.headers),
                validator=verdicts.validator(answer.headers),
                encoding=answer.headers.get("Content-Encoding"),
                name=verdicts.name(answer.headers),
            )
            self._check_size(self._facts.total or 0)
            span.end = self._facts.total
            self._ranges = self._ranges and answer.headers.get("Accept-Ranges", "").lower() != "none"
            file.truncate(0)
            self._receive(answer, span, file, leading=True)
        finally:
            self._let_go(answer, span)

    def _go_on(self, span: Span, file: BinaryIO, *, leading: bool) -> None:
        """Asks for what is missing of a span."""
        first = max(0, span.at - OVERLAP_BYTES)
        end = span.end or self._facts.total  # as it is now: others may split the span while the answer is on its way
        asked = f"bytes={first}-" if end == self._facts.total else f"bytes={first}-{(end or 0) - 1}"
        validator = self._facts.validator or ""
        if leading:
            self._stage("downloading", self._received)
        try:
            answer = self._requester.get(self._url, {**self._headers, "Range": asked, "If-Range": validator})
        except FetchError as error:
            self._board.give_back(span)
            if error.status == 416:
                raise RangeFault("it refused to give a part of the file") from None
            raise
        if answer.status == 200 and leading and not self._helpers:
            # The file has changed; if it has not, the server takes no ranges.
            self._ranges = verdicts.validator(answer.headers) != validator
            self._whole(answer, file)
            return
        try:
            self._check_span(answer, first, end)
            self._check_overlap(read(answer, span.at - first), span, file)
            self._receive(answer, span, file, leading=leading)
        finally:
            self._let_go(answer, span)

    def _let_go(self, answer: "Answer", span: Span) -> None:
        answer.close()
        if span.owned:
            self._board.give_back(span)

    def _check_span(self, answer: "Answer", first: int, end: int | None) -> None:
        """Raises RangeFault unless the answer is the part that was asked for, of the file that is here."""
        found = verdicts.span(answer.headers) if answer.status == 206 else None
        total = self._facts.total
        if found is None or found.start != first or found.end != (end or found.total):
            raise RangeFault("it answered with another part of the file than the one that was asked for")
        changed = verdicts.validator(answer.headers) not in (None, self._facts.validator)
        if (
            changed
            or total not in (None, found.total)
            or answer.headers.get("Content-Encoding") != self._facts.encoding
        ):
            raise RangeFault("the file changed while it was fetched")

    def _check_overlap(self, lead: bytes, span: Span, file: BinaryIO) -> None:
        if span.at == span.start:
            span.lead = lead
            return
        known = min(len(lead), span.at - span.start)
        file.seek(span.at - known)
        if file.read(known) != lead[len(lead) - known :]:
            raise RangeFault("two answers disagree about the same bytes")

    def _receive(self, answer: "Answer", span: Span, file: BinaryIO, *, leading: bool) -> None:
        began, had = time.monotonic(), self._received

        def heard(span: Span, piece: memoryview) -> None:
            if self._ended:
                raise Unavailable("cut", "another part of the file failed", status=answer.status)
            if not span.at and looks_like_html_in(piece, self._facts.encoding):
                raise _page(answer)
            self._check_size(span.at + len(piece))
            with self._counting:
                self._received += len(piece)
            if leading:
                self._stage("receiving", self._received)
                self._part.tick(self._progress)
                self._call_help(self._received - had, time.monotonic() - began)

        receive(answer, span, self._board, file=file, heard=heard)

    def _call_help(self, brought: int, seconds: float) -> None:
        """Begins with further spans, if the file will take long otherwise and the upstream has connections to spare."""
        left = self._board.left
        if not self._ranges or not self._facts.validator or left is None or left < 2 * SPLIT_BYTES:
            return
        if seconds < PATIENT_SECONDS / 2 or left / brought * seconds < PATIENT_SECONDS:
            return
        while self._seats.take():
            span = self._board.split(SPLIT_BYTES)
            if span is None:
                self._seats.leave()
                return
            helper = threading.Thread(target=self._help, args=(span,), name="pull-span", daemon=True)
            self._helpers.append(helper)
            helper.start()

    def _help(self, first: Span) -> None:
        """Fetches a span, and then halves of what others have left; the first trouble ends it."""
        span: Span | None = first
        try:
            with self._part.open() as file:
                while span is not None:
                    self._go_on(span, file, leading=False)
                    span = self._board.split(SPLIT_BYTES) if self._seats.fit else None
        except RangeFault as fault:
            self._ranges = False
            self._notes.append(str(fault))
        except (FetchError, OSError):
            pass  # whoever leads finds the span unfinished, and meets the same trouble if it lasts
        finally:
            self._seats.leave()

    def _close_up(self, file: BinaryIO) -> None:
        """All bytes are here: looks whether they fit together, and writes down that they do."""
        for span in self._board.snapshot():
            file.seek(span.start - len(span.lead))
            if file.read(len(span.lead)) != span.lead:
                raise RangeFault("two answers disagree about the same bytes")
        size = self._board.here
        file.truncate(size)
        self._facts.total, self._facts.whole = size, True
        self._save()

    def _anew(self, why: str) -> None:
        """From the beginning, in one piece."""
        self._stop()
        self._notes.append(why)
        self._ranges = False
        self._facts = Progress()
        self._board = Board()
        self._part.drop()

    def _stop(self) -> None:
        """Ends the helpers, and waits for them."""
        self._ended = True
        for helper in self._helpers:
            helper.join()
        self._helpers = []
        self._ended = False

    def _rest(self, error: Unavailable, failures: int) -> None:
        """Waits for the next try, or raises what the last one came to."""
        if self._pace.closed:
            raise Unavailable("closed", "the upstream was closed", status=error.status, sent=self._received) from None
        error.sent = self._received
        wait = error.retry_after if error.retry_after is not None else backoff(self._options.pause, failures)
        if failures >= self._options.tries or wait > PATIENCE_SECONDS:
            if error.reason == "cut" and error.status is not None:
                raise WrongContent("cut", str(error), status=error.status, sent=error.sent) from None
            raise error
        self._stage("retrying", self._received)
        self._pace.sleep(wait)

    def _progress(self) -> Progress:
        self._facts.spans = self._board.snapshot()
        return self._facts

    def _save(self) -> None:
        self._part.save(self._progress())

    def _check_size(self, size: int) -> None:
        limit = self._options.size_limit
        if limit is not None and size > limit:
            why = f"it is larger than the upstream's size_limit of {limit} bytes"
            raise Refused("too-big", why, status=200, sent=self._received)


def _page(answer: "Answer") -> FetchError:
    if answer.status == 203:
        return Refused("login-page", "it wants a sign-in: a page came in place of the file", status=203)
    return WrongContent("login-page", "a page came in place of the file: a sign-in, or an error", status=answer.status)
