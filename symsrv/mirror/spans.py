"""Spans: which bytes of a file are here, which are on their way, and who fetches what of it."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(slots=True, eq=False)
class Span:
    """The bytes from `start` up to `end` (None: to wherever the file ends), of which those up to `at` are here.

    `lead` is what the server says stands just before `start`: it has to be there when all spans are. `owned`: a thread
    is at it.
    """

    start: int
    at: int
    end: int | None
    lead: bytes = b""
    owned: bool = False

    @property
    def left(self) -> int | None:
        """How many bytes are missing; None if nobody knows."""
        return None if self.end is None else self.end - self.at


class Board:
    """The spans of one file, without gaps from its beginning; safe to share between threads."""

    def __init__(self, spans: Sequence[Span] = ()) -> None:
        self._spans = list(spans) or [Span(0, 0, None)]
        self._lock = threading.Lock()

    @property
    def here(self) -> int:
        """How many bytes are here."""
        with self._lock:
            return sum(span.at - span.start for span in self._spans)

    @property
    def left(self) -> int | None:
        """How many bytes are missing; None if nobody knows."""
        with self._lock:
            end = self._spans[-1].end
            return None if end is None else end - sum(span.at - span.start for span in self._spans)

    @property
    def complete(self) -> bool:
        """Whether all bytes are here."""
        with self._lock:
            return all(span.left == 0 for span in self._spans)

    def snapshot(self) -> list[Span]:
        """The spans as they are now; whatever they say is here has been written."""
        with self._lock:
            return [Span(span.start, span.at, span.end, span.lead) for span in self._spans]

    def begin(self, total: int | None) -> Span:
        """Forgets everything; the one span that is left is the caller's."""
        with self._lock:
            self._spans = [Span(0, 0, total, owned=True)]
            return self._spans[0]

    def claim(self) -> Span | None:
        """An unfinished span that nobody is at; it is the caller's from now on."""
        with self._lock:
            found = next((span for span in self._spans if span.left != 0 and not span.owned), None)
            if found is not None:
                found.owned = True
            return found

    def split(self, least: int) -> Span | None:
        """The second half of the longest span that somebody is at, for the caller; None if halves get too small."""
        with self._lock:
            longest = max((span for span in self._spans if span.owned), key=lambda span: span.left or 0, default=None)
            if longest is None or longest.end is None or longest.end - longest.at < 2 * least:
                return None
            middle = longest.at + (longest.end - longest.at) // 2
            made = Span(middle, middle, longest.end, owned=True)
            longest.end = middle
            self._spans.insert(self._spans.index(longest) + 1, made)
            return made

    def advance(self, span: Span, count: int) -> None:
        """Says that more bytes of a span are here."""
        with self._lock:
            span.at += count

    def finish(self, span: Span) -> bool:
        """Lets go of a span that is complete; False if it was made longer meanwhile, and its owner may go on."""
        with self._lock:
            if span.left:
                return False
            if span.end is None:
                span.end = span.at
            span.owned = False
            return True

    def give_back(self, span: Span) -> None:
        """Lets go of an unfinished span. One that was not begun goes to whoever is at the bytes before it."""
        with self._lock:
            span.owned = False
            place = self._spans.index(span) if span in self._spans else 0
            before = self._spans[place - 1] if place else None
            if before is not None and before.owned and span.at == span.start:
                before.end = span.end
                self._spans.remove(span)
