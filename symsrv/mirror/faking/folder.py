"""The folder that a fake upstream has: answered as a plain web server would, names in any case, ranges and all."""

import re
from email.utils import formatdate
from http import HTTPStatus
from pathlib import Path

from symsrv.mirror.faking.base import Got, Reply

_RANGE = re.compile(r"bytes=(\d*)-(\d*)")


class Folder:
    """Answers GET and HEAD from below a folder."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def answer(self, got: Got) -> Reply:
        """The file, a part of it, or 404."""
        if got.method not in ("GET", "HEAD"):
            return plain(HTTPStatus.METHOD_NOT_ALLOWED)
        found = self.find(got.path)
        if found is None:
            return plain(HTTPStatus.NOT_FOUND)
        facts = found.stat()
        reply = Reply(
            headers={
                "Content-Type": "application/octet-stream",
                "Accept-Ranges": "bytes",
                "ETag": f'"{facts.st_size:x}-{facts.st_mtime_ns:x}"',
                "Last-Modified": formatdate(facts.st_mtime, usegmt=True),
            },
            file=found,
            end=facts.st_size,
        )
        return ranged(got, reply)

    def find(self, path: str, *, exact: bool = False) -> Path | None:
        """The file at a path; every segment in any case unless `exact`."""
        at = self.root
        for segment in path.split("/"):
            if segment in ("", ".", "..") or "\\" in segment or "\0" in segment:
                return None
            here = _named(at, segment, exact=exact)
            if here is None:
                return None
            at = here
        return at if at.is_file() else None

    def another(self, path: Path | None) -> Path | None:
        """Another file than this one, of the same ending if there is one."""
        others = sorted(one for one in self.root.rglob("*") if one.is_file() and one != path)
        alike = [one for one in others if path is not None and one.suffix == path.suffix]
        return next(iter(alike or others), None)


def ranged(got: Got, reply: Reply) -> Reply:
    """The part that a request wants of a reply with a whole file, if it wants one (RFC 9110, 14.2)."""
    wanted = _RANGE.fullmatch(got.headers.get("range", ""))
    condition = got.headers.get("if-range")
    if wanted is None or reply.status != HTTPStatus.OK or not (wanted[1] or wanted[2]):
        return reply
    if condition not in (None, reply.headers.get("ETag"), reply.headers.get("Last-Modified")):
        return reply
    size = reply.size
    if wanted[1]:
        start, last = int(wanted[1]), min(size - 1, int(wanted[2]) if wanted[2] else size - 1)
    else:
        start, last = max(0, size - int(wanted[2])), size - 1
    if start > last:
        refused = plain(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE)
        refused.headers["Content-Range"] = f"bytes */{size}"
        return refused
    reply.headers["Content-Range"] = f"bytes {start}-{last}/{size}"
    reply.status = HTTPStatus.PARTIAL_CONTENT
    if reply.file is None:
        reply.data = reply.data[start : last + 1]
    else:
        reply.start, reply.end = start, last + 1
    return reply


def plain(status: int, text: str | None = None) -> Reply:
    """A reply with a line of text; the status' own words unless given."""
    words = HTTPStatus(status).phrase if text is None else text
    return Reply(status, {"Content-Type": "text/plain"}, f"{words}\n".encode())


def _named(folder: Path, name: str, *, exact: bool) -> Path | None:
    try:
        here = {one.name: one for one in folder.iterdir()}
    except OSError:
        return None
    if name in here or exact:
        return here.get(name)
    return next((one for other, one in sorted(here.items()) if other.casefold() == name.casefold()), None)
