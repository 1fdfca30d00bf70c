"""Elsewhere: buckets that are not our store and are only read from, for who fetches from other people's."""

from collections.abc import Callable
from typing import Protocol

from symsrv.backends.access import Access
from symsrv.backends.base import Opened, Stat
from symsrv.model.errors import UsageError


class Place(Protocol):
    """A bucket, or a part of one; keys are relative to it. Safe to share between threads; raises StoreError."""

    url: str

    def head(self, key: str) -> Stat | None:
        """What is known of an object, or None if there is none."""

    def get(self, key: str, start: int = 0, length: int | None = None) -> Opened:
        """Opens an object at `start`, for at most `length` bytes; raises Missing. Close what it gives."""

    def close(self) -> None:
        """Lets go of connections."""


def open_place(url: str, access: Access | None = None) -> Place:
    """Opens `s3://bucket/prefix` or `gs://bucket/prefix` for reading; a bucket that is not there shows itself later.

    Raises UsageError for other URLs, for credentials that cannot be used, and without the package that it needs.
    """
    scheme = url.partition("://")[0].lower()
    if scheme not in PLACES:
        raise UsageError(f"{url}: a bucket is {' or '.join(f'{one}://bucket/prefix' for one in PLACES)}")
    return PLACES[scheme](url, access or Access())


def _s3(url: str, access: Access) -> Place:
    from symsrv.backends.s3 import read_s3

    return read_s3(url, access)


def _gcs(url: str, access: Access) -> Place:
    from symsrv.backends.gcs import read_gcs

    return read_gcs(url, access)


PLACES: dict[str, Callable[[str, Access], Place]] = {"s3": _s3, "gs": _gcs}
"""How a bucket of each scheme is opened."""
