"""What symstore.exe prints, to the byte, on stdout or into the log that `/d` names.

Lines end as this system ends them, CRLF on Windows and LF elsewhere, so that `^…$` matches in whatever reads them.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import click

from symsrv.commands.base import shown
from symsrv.model.records import digits

RUNTIME, SYNTAX = "Runtime", "Syntax"


class Report:
    """The lines of one run; `verbose` is `/o`."""

    def __init__(self, write: Callable[[str], object], *, verbose: bool = False) -> None:
        self._write = write
        self._verbose = verbose

    def identifier(self, number: int) -> None:
        """The number that the transaction got."""
        if self._verbose:
            self.say(f"LastId.txt reported id {number}")
            self.say(f"Final id is {digits(number)}")
        else:
            self.line(f"Finding ID...  {digits(number)}")

    def copying(self, source: str, target: str, *, force: bool, compress: bool) -> None:
        """A file that is in the store now."""
        self.say(f"Copying {source} to {target} [Force: {_letter(force)}, Compress: {_letter(compress)}]")

    def skipping(self, source: str, why: str) -> None:
        """A file that is passed over."""
        self.say(f"Skipping file {source} - {why}.")

    def say(self, sentence: str) -> None:
        """A message, which only `/o` shows."""
        if self._verbose:
            self.line(f"SYMSTORE MESSAGE: {sentence}")

    def error(self, sentence: str, kind: str = RUNTIME) -> None:
        """What went wrong."""
        self.line(f"SYMSTORE ERROR: Class: {kind}. Desc: {sentence}")

    def counters(self, counts: Mapping[str, int]) -> None:
        """The numbers at the end: what is counted, and how many."""
        self.line("")
        for what, number in counts.items():
            self.line(f"SYMSTORE: Number of {what} = {number}")

    def line(self, text: str) -> None:
        """A line as it is."""
        self._write(shown(text))


@contextmanager
def opened_report(log: str | None, *, verbose: bool = False) -> Iterator[Report]:
    """A report on stdout, or into a log, which is written anew; raises OSError if that cannot be written."""
    if log is None:
        yield Report(click.echo, verbose=verbose)
        return
    with Path(log).open("w", encoding="utf-8", errors="backslashreplace") as stream:
        yield Report(lambda text: stream.write(f"{text}\n"), verbose=verbose)


def _letter(yes: bool) -> str:
    return "T" if yes else "F"
