"""Upstreams that are asked by HTTP."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from symsrv.mirror.base import Fetched, Stage, Try, unheard
from symsrv.mirror.downloading import Download
from symsrv.mirror.pace import Pace
from symsrv.mirror.pointers import brought
from symsrv.mirror.progress import Part
from symsrv.mirror.requesting import Requester
from symsrv.mirror.seats import Seats
from symsrv.mirror.settings import UpstreamOptions
from symsrv.mirror.spellings import location, tries
from symsrv.model.ask import Ask


class Http:
    """A symbol server, in whichever layout."""

    def __init__(self, options: UpstreamOptions, *, contact: str = "") -> None:
        # urllib3 takes a tenth of a second to import.
        from symsrv.mirror.connections import Connections

        self.options = options
        self._pace = Pace(options.rate)
        self._connections = Connections(options)
        self._seats = Seats(options.concurrency)
        self._requester = Requester(options, self._connections, self._pace, contact=contact)

    def tries(self, ask: Ask) -> Sequence[Try]:
        """By its layouts."""
        return tries(ask, self.options)

    def fetch(self, one: Try, into: Path, *, stage: Stage = unheard) -> Fetched:
        """One GET, and as many more as broken connections make necessary; what a pointer leads to, below the URL."""
        fetched = self._fetch(one, into, stage=stage)
        if not one.pointer:
            return fetched
        return brought(fetched, one, partial(self._fetch, into=into, stage=stage), url=self.options.url)

    def close(self) -> None:
        """Ends what is under way, too, as Unavailable (`closed`)."""
        self._pace.close()
        self._connections.close()

    def _fetch(self, one: Try, into: Path, *, stage: Stage) -> Fetched:
        url = location(self.options.url, one.path)
        part = Part(into, (self.options.url, one.path, *(f"{name}: {value}" for name, value in one.headers)))
        download = Download(self._requester, self._pace, self.options, part=part, stage=stage, seats=self._seats)
        with self._seats.file():
            fetched = download.run(url, dict(one.headers))
        fetched.address = one.address
        return fetched


def open_http(options: UpstreamOptions, *, contact: str = "") -> Http:
    """Connects to nothing yet. `contact` is the operator's URL or address, for User-Agent. Raises UsageError."""
    return Http(options, contact=contact)
