"""Quirks: what real symbol servers have been seen to do, each a function between a request and its plain answer.

They are put around each other in the order in which they are named, the first outermost. Those that do something
"for the first requests" count the requests for each path, so that the same tests give the same answers.
"""

import gzip
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

from symsrv.mirror.faking.base import CLOSE, RESET, STALL, Got, Next, Reply
from symsrv.mirror.faking.folder import Folder, plain, ranged
from symsrv.options import seconds
from symsrv.packing import write_cab

PAGE = b"<!DOCTYPE html>\n<html><head><title>Sign in</title></head><body>Sign in to your account</body></html>\n"
_MOVED = "~moved/"


def early(got: Got, value: str) -> bool:
    """Whether a request is one of the first `value` for its path, `always` being all."""
    return value == "always" or got.number < int(value)


def half(reply: Reply, ending: str) -> Reply:
    """A reply that ends at half of its body."""
    return replace(reply, cut=reply.size // 2, ending=ending) if found(reply) else reply


def found(reply: Reply) -> bool:
    """Whether it has a file, or a part of one."""
    return reply.status in (200, 206)


def slow_first_byte(got: Got, answer: Next, value: str) -> Reply:
    """Waits before it answers anything (=TIME)."""
    return replace(answer(got), pause=float(str(seconds(value))))


def trickle(got: Got, answer: Next, value: str) -> Reply:
    """Sends so few bytes at a time, a hundredth of a second apart (=BYTES)."""
    return replace(answer(got), piece=int(value), step=0.01)


def stall(got: Got, answer: Next, value: str) -> Reply:
    """Sends half of a file and then nothing, for the first requests for it (=NUMBER or =always)."""
    return half(answer(got), STALL) if early(got, value) else answer(got)


def reset(got: Got, answer: Next, value: str) -> Reply:
    """Resets the connection at half of a file, for the first requests for it (=NUMBER or =always)."""
    return half(answer(got), RESET) if early(got, value) else answer(got)


def wrong_length(got: Got, answer: Next, value: str) -> Reply:
    """Announces more bytes than it sends, for the first requests for a file (=NUMBER or =always)."""
    reply = answer(got)
    if not found(reply) or not early(got, value):
        return reply
    return replace(reply, length=reply.size + 100, cut=reply.size, ending=CLOSE)


def short_length(got: Got, answer: Next, _value: str) -> Reply:
    """Announces half of the bytes that it sends."""
    reply = answer(got)
    return replace(reply, length=reply.size // 2) if found(reply) else reply


def html(got: Got, answer: Next, _value: str) -> Reply:
    """Answers 200 with a page for people in place of every file, there or not."""
    return Reply(200, {"Content-Type": "text/html; charset=utf-8"}, PAGE)


def html_for_absent(got: Got, answer: Next, _value: str) -> Reply:
    """Answers 200 with a page for people where it has no file."""
    reply = answer(got)
    return reply if reply.status != 404 else html(got, answer, "")


def sign_in(got: Got, answer: Next, _value: str) -> Reply:
    """Redirects everything to a page for people."""
    return html(got, answer, "") if got.path == "~sign-in" else _redirect("/~sign-in")


def status_203(got: Got, answer: Next, _value: str) -> Reply:
    """Answers 203 with a page for people, as Azure DevOps does without credentials."""
    return replace(html(got, answer, ""), status=203)


def forbidden(got: Got, answer: Next, _value: str) -> Reply:
    """Answers 403 for what it does not have, as buckets do that may not be listed."""
    reply = answer(got)
    return plain(403) if reply.status == 404 else reply


def errors(got: Got, answer: Next, value: str) -> Reply:
    """Answers 500, 502, 503, 504 in turn, for the first requests for a path (=NUMBER or =always)."""
    return plain((500, 502, 503, 504)[got.number % 4]) if early(got, value) else answer(got)


def busy(got: Got, answer: Next, value: str) -> Reply:
    """Answers the first request for a path with 429 and Retry-After (=TIME)."""
    if got.number:
        return answer(got)
    reply = plain(429)
    reply.headers["Retry-After"] = f"{float(str(seconds(value))):g}"
    return reply


def redirect(got: Got, answer: Next, _value: str) -> Reply:
    """Redirects every file to another path, where it is."""
    if got.path.startswith(_MOVED):
        return answer(got.at(got.path.removeprefix(_MOVED)))
    return _redirect(f"/{_MOVED}{quote(got.path)}")


def redirect_loop(got: Got, answer: Next, _value: str) -> Reply:
    """Redirects in a circle of two."""
    return _redirect("/~a" if got.path != "~a" else "/~b")


def redirect_endless(got: Got, answer: Next, _value: str) -> Reply:
    """Redirects to a new path each time."""
    step = got.path.removeprefix("~")
    return _redirect(f"/~{int(step) + 1 if step.isdecimal() else 0}")


def redirect_private(got: Got, answer: Next, value: str) -> Reply:
    """Redirects to a private address (=URL)."""
    return _redirect(value)


def gzipped(got: Got, answer: Next, _value: str) -> Reply:
    """Sends everything with Content-Encoding gzip, and says so."""
    return _encoded(got, answer, "gzip", lambda data: gzip.compress(data, mtime=0))


def gzip_lie(got: Got, answer: Next, _value: str) -> Reply:
    """Says Content-Encoding gzip, and sends plain files."""
    return _encoded(got, answer, "gzip", lambda data: data)


def gzip_unsaid(got: Got, answer: Next, _value: str) -> Reply:
    """Sends gzipped files, and does not say so."""
    return _encoded(got, answer, "", lambda data: gzip.compress(data, mtime=0))


def gzip_cut(got: Got, answer: Next, _value: str) -> Reply:
    """Sends the first half of gzipped files as if it were all."""
    return _encoded(got, answer, "gzip", lambda data: (whole := gzip.compress(data, mtime=0))[: len(whole) // 2])


def encoding_unknown(got: Got, answer: Next, _value: str) -> Reply:
    """Says Content-Encoding br, which nobody asked for, and sends plain files."""
    return _encoded(got, answer, "br", lambda data: data)


def cab_only(got: Got, answer: Next, _value: str) -> Reply:
    """Has `foo.pd_`, a cabinet, in place of every `foo.pdb`."""
    if not got.path.endswith("_"):
        return plain(404)
    # The letter that was replaced is the last of an ending that is known, or else any.
    for letter in "bleysgxdoicfr":
        reply = answer(got.at(got.path[:-1] + letter).without("range", "if-range"))
        if found(reply):
            return ranged(got, reply.carrying(_cabinet(reply.body(), got.path.rpartition("/")[2][:-1] + letter)))
    return plain(404)


def two_tier(got: Got, answer: Next, _value: str) -> Reply:
    """Has everything below a folder of the name's first two letters only, and `index2.txt`."""
    if got.path == "index2.txt":
        return plain(200, "")
    tier, _, rest = got.path.partition("/")
    right = tier.casefold() == rest.partition("/")[0][:2].casefold() and "/" in rest
    return answer(got.at(rest)) if right else plain(404)


def wrong_file(got: Got, answer: Next, _value: str) -> Reply:
    """Sends other bytes under the right path: those of another of its files, or what no file has."""
    reply = answer(got.without("range", "if-range"))
    if not found(reply) or reply.file is None:
        return reply
    other = Folder(_root_of(reply.file, got.path)).another(reply.file)
    return ranged(got, reply.carrying(other.read_bytes() if other else reply.body()[::-1]))


def case_sensitive(got: Got, answer: Next, _value: str) -> Reply:
    """Finds names only in the case in which they are stored."""
    reply = answer(got)
    if reply.file is None or reply.file.as_posix().endswith(f"/{got.path}"):
        return reply
    return plain(404)


def range_ignored(got: Got, answer: Next, _value: str) -> Reply:
    """Sends the whole file, whatever part is asked for."""
    return answer(got.without("range", "if-range"))


def range_wrong(got: Got, answer: Next, _value: str) -> Reply:
    """Answers with another part than the one that is asked for, and says so."""
    reply = answer(got)
    if reply.status == 206 and reply.size > 1 and reply.file is not None:
        total = reply.headers["Content-Range"].rpartition("/")[2]
        reply.start += 1
        reply.headers["Content-Range"] = f"bytes {reply.start}-{reply.end - 1}/{total}"
    return reply


def range_lie(got: Got, answer: Next, _value: str) -> Reply:
    """Says that it answers with the part that is asked for, and sends the beginning of the file."""
    reply = answer(got)
    if reply.status == 206 and reply.file is not None:
        reply.start, reply.end = 0, reply.size
    return reply


def changing(got: Got, answer: Next, _value: str) -> Reply:
    """Has another ETag at each request, and minds no condition."""
    reply = answer(got.without("if-range"))
    reply.headers["ETag"] = f'"{got.number}"'
    return reply


def no_validator(got: Got, answer: Next, _value: str) -> Reply:
    """Tells neither an ETag nor a date."""
    reply = answer(got)
    for name in ("ETag", "Last-Modified"):
        reply.headers.pop(name, None)
    return reply


def chunked(got: Got, answer: Next, _value: str) -> Reply:
    """Sends files in chunks, without telling their length."""
    return replace(answer(got.without("range", "if-range")), chunked=True)


def no_length(got: Got, answer: Next, _value: str) -> Reply:
    """Tells no length, and ends a file by closing the connection."""
    return replace(answer(got.without("range", "if-range")), length=-1)


def empty(got: Got, answer: Next, _value: str) -> Reply:
    """Sends files without bytes."""
    reply = answer(got)
    return reply.carrying(b"") if found(reply) else reply


def tls(got: Got, answer: Next, _value: str) -> Reply:
    """Speaks HTTPS, with the certificate of a private authority; see --ca."""
    return answer(got)


def ntlm(got: Got, answer: Next, _value: str) -> Reply:
    """Demands NTLM or Kerberos."""
    reply = plain(401)
    reply.headers["WWW-Authenticate"] = "Negotiate, NTLM"
    return reply


def basic(got: Got, answer: Next, value: str) -> Reply:
    """Demands Basic authentication (=BASE64 of user:password)."""
    if got.headers.get("authorization") == f"Basic {value}":
        return answer(got)
    reply = plain(401)
    reply.headers["WWW-Authenticate"] = 'Basic realm="symbols"'
    return reply


def _redirect(location: str) -> Reply:
    reply = plain(302)
    reply.headers["Location"] = location
    return reply


def _encoded(got: Got, answer: Next, encoding: str, encode: Callable[[bytes], bytes]) -> Reply:
    """The reply with another body; ranges are those of the encoded bytes, as they have to be."""
    reply = answer(got.without("range", "if-range"))
    if not found(reply):
        return reply
    if encoding:
        reply.headers["Content-Encoding"] = encoding
    return ranged(got, reply.carrying(encode(reply.body())))


def _cabinet(data: bytes, name: str) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        plain_file, packed = Path(folder, "plain"), Path(folder, "packed")
        plain_file.write_bytes(data)
        write_cab(plain_file, packed, name=name)
        return packed.read_bytes()


def _root_of(file: Path, path: str) -> Path:
    return file.parents[path.count("/")]
