"""Downloading: one URL into one file, however often the connection breaks, and never anything but all of it."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, BinaryIO

from symsrv.mirror import verdicts
from symsrv.mirror.base import Fetched, FetchError, Refused, Stage, Unavailable, WrongContent
from symsrv.mirror.decoding import looks_like_html_in
from symsrv.mirror.pace import PATIENCE_SECONDS, Pace, backoff
from symsrv.mirror.progress import Part, Progress
from symsrv.mirror.requesting import Requester
from symsrv.mirror.settings import UpstreamOptions

if TYPE_CHECKING:
    from symsrv.mirror.connections import Answer

BUFFER_BYTES = 256 << 10
_WORTH_BYTES = 1 << 20
"""A try that brought so much is not counted as one that failed, if the next goes on from there."""


class Download:
    """The download of one Try. Used by one thread, once."""

    def __init__(self, requester: Requester, pace: Pace, options: UpstreamOptions, *, part: Part, stage: Stage) -> None:
        self._requester = requester
        self._pace = pace
        self._options = options
        self._part = part
        self._stage = stage
        self._progress = Progress()
        self._received = 0
        self._notes: list[str] = []

    def run(self, url: str, headers: Mapping[str, str]) -> Fetched:
        """Leaves the whole body in the part's file. Raises FetchError, and OSError of the file."""
        self._progress = self._part.load()
        tries = 1
        while not self._progress.whole:
            before = self._progress.at
            try:
                self._once(url, headers)
            except Unavailable as error:
                tries = 1 if self._progress.at - before >= _WORTH_BYTES else tries + 1
                self._rest(error, tries)
        progress = self._progress
        return Fetched(self._part.path, self._received, progress.name, progress.encoding, notes=self._notes)

    def _rest(self, error: Unavailable, number: int) -> None:
        """Waits for the next try, or raises what the last one came to."""
        if self._pace.closed:
            raise Unavailable("closed", "the upstream was closed", status=error.status, sent=self._received) from None
        error.sent = self._received
        wait = error.retry_after if error.retry_after is not None else backoff(self._options.pause, max(1, number - 1))
        if number > self._options.tries or wait > PATIENCE_SECONDS:
            if error.reason == "cut" and error.status is not None:
                raise WrongContent("cut", str(error), status=error.status, sent=error.sent) from None
            raise error
        self._stage("retrying", self._received)
        self._pace.sleep(wait)

    def _once(self, url: str, headers: Mapping[str, str]) -> None:
        """One request and what it brings."""
        progress = self._progress
        if not progress.at or progress.validator is None or progress.at == progress.total:
            self._progress = progress = Progress()
        asked = dict(headers)
        if progress.at and progress.validator:
            asked |= {"Range": f"bytes={progress.at}-", "If-Range": progress.validator}
        self._stage("downloading", self._received)
        try:
            answer = self._requester.get(url, asked)
        except Refused as error:
            if error.status != 416:
                raise
            self._restart("its range was refused")
            return
        try:
            if self._goes_on(answer):
                self._receive(answer)
        finally:
            answer.close()

    def _goes_on(self, answer: "Answer") -> bool:
        """Makes the progress fit the answer; False if the answer is of no use and the file is asked for anew."""
        progress = self._progress
        if answer.status == 206:
            found = verdicts.span(answer.headers)
            fits = found is not None and found.start == progress.at > 0 and found.end == found.total
            fits = fits and found is not None and progress.total in (None, found.total)
            if not fits or not self._same(answer):
                if not progress.at:
                    raise WrongContent("bad-answer", "it sent a part where the whole was asked for", status=206)
                self._restart("it answered with another part than the one asked for")
                return False
            return True
        self._progress = Progress(
            total=verdicts.length(answer.headers),
            validator=verdicts.validator(answer.headers),
            encoding=answer.headers.get("Content-Encoding"),
            name=verdicts.name(answer.headers),
        )
        self._check_size(self._progress.total or 0)
        return True

    def _same(self, answer: "Answer") -> bool:
        """Whether a part can belong to the bytes that are here: a server that ignores If-Range shows it so."""
        told = verdicts.validator(answer.headers)
        return told in (None, self._progress.validator) and self._progress.encoding == answer.headers.get(
            "Content-Encoding"
        )

    def _restart(self, why: str) -> None:
        self._notes.append(why)
        self._progress = Progress()
        self._part.drop()

    def _receive(self, answer: "Answer") -> None:
        """Writes the body behind what is there."""
        with self._part.open() as file:
            file.truncate(self._progress.at)
            file.seek(self._progress.at)
            try:
                self._copy(answer, file)
            except BaseException:  # who hears of the stages may end it, too
                if self._progress.validator and self._progress.at:
                    self._part.save(self._progress)
                raise
            self._progress.whole = True
            self._progress.total = self._progress.at
            self._part.save(self._progress)

    def _copy(self, answer: "Answer", file: BinaryIO) -> None:
        progress = self._progress
        view = memoryview(bytearray(min(BUFFER_BYTES, max(1, (progress.total or BUFFER_BYTES) - progress.at))))
        filled, count, failure = 0, 1, None
        while count:
            try:
                count = answer.take(view[filled:])
            except Unavailable as error:
                count, failure = 0, error
            filled += count
            if filled == len(view) or (filled and not count):
                self._write(file, view[:filled], answer)
                filled = 0
        if failure is not None:
            raise failure
        if not answer.whole:
            raise Unavailable("cut", f"{progress.at} bytes came of {progress.total}", status=answer.status)

    def _write(self, file: BinaryIO, piece: memoryview, answer: "Answer") -> None:
        progress = self._progress
        if not progress.at and looks_like_html_in(piece, progress.encoding):
            raise _page(answer)
        self._check_size(progress.at + len(piece))
        while piece:
            piece = piece[self._wrote(file.write(piece)) :]
        self._part.tick(progress)
        self._stage("receiving", self._received)

    def _wrote(self, count: int) -> int:
        self._progress.at += count
        self._received += count
        return count

    def _check_size(self, size: int) -> None:
        limit = self._options.size_limit
        if limit is not None and size > limit:
            why = f"it is larger than the upstream's size_limit of {limit} bytes"
            raise Refused("too-big", why, status=200, sent=self._received)


def _page(answer: "Answer") -> FetchError:
    if answer.status == 203:
        return Refused("login-page", "it wants a sign-in: a page came in place of the file", status=203)
    return WrongContent("login-page", "a page came in place of the file: a sign-in, or an error", status=answer.status)
