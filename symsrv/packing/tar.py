"""Tar archives that are not compressed."""

import os
from collections.abc import Iterator
from pathlib import Path

from symsrv.packing.base import Limits, Member
from symsrv.packing.streams import Plain
from symsrv.packing.tar_entries import looks_like_tar, tar_members


class Tar:
    """Files that begin with a tar header. An empty tar is only zeros, and so are other files: it is none."""

    name = "tar"

    def sniff(self, head: bytes) -> bool:
        """By the first header's magic or checksum."""
        return looks_like_tar(head)

    def members(self, path: Path, limits: Limits) -> Iterator[Member]:
        """One pass; what is not wanted is not read."""
        with path.open("rb") as file:
            yield from tar_members(Plain(file, os.fstat(file.fileno()).st_size), limits)
