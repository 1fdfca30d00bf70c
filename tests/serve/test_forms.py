"""A posted dump, as Breakpad and Crashpad send it and as curl does, and what is no dump."""

import asyncio
import gzip

import pytest

from symsrv.serve.forms import FIELD_LIMIT_BYTES, FIELDS_LIMIT, Rejected, take
from symsrv.serve.pools import Pools
from tests.made.minidump_builder import build_minidump

DUMP = build_minidump() + b"\r\n--x\r\n\r" * 1000
CRASHPAD = b"---MultipartBoundary-Ax0fJ8kQ1pXwYz2b7c9dEfGhIjKlMnOp---"
BREAKPAD = b"------------------------d74496d66958873e"


def part(name, value, *, file_name=None):
    head = f'Content-Disposition: form-data; name="{name}"'
    if file_name is not None:
        head += f'; filename="{file_name}"\r\nContent-Type: application/octet-stream'
    return head.encode() + b"\r\n\r\n" + value + b"\r\n"


def form(boundary, *parts):
    """As HTTPMultipartBuilder and libcurl write it."""
    return b"".join(b"--" + boundary + b"\r\n" + one for one in parts) + b"--" + boundary + b"--\r\n"


def crashpad(dump=DUMP):
    return form(
        CRASHPAD,
        part("guid", b"5b8a1f0a-0000-4000-8000-1a2b3c4d5e6f"),
        part("prod", b"App"),
        part("attachment_log.txt", b"not for us", file_name="log.txt"),
        part("upload_file_minidump", dump, file_name="5b8a1f0a-3f2d-4d2c-9a53-1a2b3c4d5e6f.dmp"),
    )


@pytest.fixture
def pools():
    one = Pools(io_threads=2, cpu_threads=1)
    yield one
    one.close()


@pytest.fixture
def post(tmp_path, pools):
    def send(body, *, pieces=7, cut=None, limit=1 << 20, seconds=20.0, query=b"", **headers):
        step = max(1, len(body) // pieces)
        messages = [
            {"type": "http.request", "body": body[at : at + step], "more_body": at + step < len(body)}
            for at in range(0, len(body), step)
        ] or [{"type": "http.request", "body": b"", "more_body": False}]
        messages = messages[:cut]

        async def receive():
            return messages.pop(0) if messages else {"type": "http.disconnect"}

        pairs = [(name.replace("_", "-").encode(), value) for name, value in headers.items()]
        scope = {"headers": pairs, "query_string": query}
        (tmp_path / "dump").unlink(missing_ok=True)
        return asyncio.run(take(scope, receive, pools, folder=tmp_path, limit_bytes=limit, seconds=seconds))

    return send


def multipart(boundary):
    return b"multipart/form-data; boundary=" + boundary


@pytest.mark.parametrize("pieces", [1, 7, 5000])
def test_crashpads_form(post, pieces):
    found = post(crashpad(), pieces=pieces, content_type=multipart(CRASHPAD))

    assert found.path.read_bytes() == DUMP
    assert found.name == "5b8a1f0a-3f2d-4d2c-9a53-1a2b3c4d5e6f.dmp"
    assert found.fields == {"guid": "5b8a1f0a-0000-4000-8000-1a2b3c4d5e6f", "prod": "App"}


def test_crashpads_form_packed_with_gzip(post):
    body = gzip.compress(crashpad())

    found = post(body, content_type=multipart(CRASHPAD), content_encoding=b"gzip")

    assert found.path.read_bytes() == DUMP


def test_breakpads_form_with_the_dump_first(post):
    body = form(BREAKPAD, part("upload_file_minidump", DUMP, file_name="C:\\dumps\\a b;c.dmp"), part("ver", b"1.0"))

    found = post(body, content_type=multipart(BREAKPAD))

    assert (found.path.read_bytes(), found.name, found.fields) == (DUMP, "a b_c.dmp", {"ver": "1.0"})


@pytest.mark.parametrize("content_type", [b"application/octet-stream", b"application/x-dmp", b""])
def test_a_bare_dump(post, content_type):
    found = post(DUMP, content_type=content_type, query=b"crash_id=bp-1&crash_id=bp-2")

    assert (found.path.read_bytes(), found.name, found.fields) == (DUMP, "", {"crash_id": "bp-2"})


def test_a_bare_dump_packed_with_gzip(post):
    assert post(gzip.compress(DUMP), content_encoding=b"x-gzip").path.read_bytes() == DUMP


def test_a_field_of_the_form_goes_before_one_of_the_query(post):
    found = post(crashpad(), content_type=multipart(CRASHPAD), query=b"prod=Other&ver=2")

    assert (found.fields["prod"], found.fields["ver"]) == ("App", "2")


def refused(post, *arguments, **options):
    with pytest.raises(Rejected) as caught:
        post(*arguments, **options)
    return caught.value.status, caught.value.reason


def test_a_dump_that_is_too_large_is_refused_before_and_while_it_comes(post, tmp_path):
    kind = multipart(CRASHPAD)

    assert refused(post, DUMP, limit=100, content_length=b"%d" % len(DUMP)) == (413, "too-large")
    assert not (tmp_path / "dump").exists()
    assert refused(post, DUMP, limit=100) == (413, "too-large")
    assert refused(post, crashpad(), limit=1000, content_type=kind) == (413, "too-large")


def test_a_body_that_unpacks_to_too_much_is_refused(post, tmp_path):
    bomb = gzip.compress(bytes(64 << 20))
    assert len(bomb) < 100_000

    assert refused(post, bomb, limit=1 << 20, content_encoding=b"gzip") == (413, "too-large")
    assert (tmp_path / "dump").stat().st_size <= 1 << 20


@pytest.mark.parametrize(
    ("body", "headers", "status", "reason"),
    [
        (b"", {}, 400, "empty"),
        (b"x", {"content_encoding": b"br"}, 415, "unknown-encoding"),
        (b"x", {"content_encoding": b"gzip"}, 400, "broken-body"),
        (gzip.compress(DUMP, mtime=0)[:-9], {"content_encoding": b"gzip"}, 400, "broken-body"),
        (b"x", {"content_type": b"multipart/form-data"}, 400, "malformed-form"),
        (b"x", {"content_type": multipart(b"b" * 10_000)}, 400, "malformed-form"),
        (b"no form", {"content_type": multipart(CRASHPAD)}, 400, "malformed-form"),
        (crashpad()[:-60], {"content_type": multipart(CRASHPAD)}, 400, "broken-body"),
        (form(CRASHPAD, part("prod", b"App")), {"content_type": multipart(CRASHPAD)}, 400, "empty"),
        (
            form(CRASHPAD, *[part("upload_file_minidump", b"MDMP", file_name="a.dmp")] * 2),
            {"content_type": multipart(CRASHPAD)},
            400,
            "malformed-form",
        ),
        (
            b"--" + CRASHPAD + b"\r\n" + b"A: b\r\n" * 100_000,
            {"content_type": multipart(CRASHPAD)},
            400,
            "malformed-form",
        ),
    ],
)
def test_what_is_no_dump_is_refused_with_a_reason(post, body, headers, status, reason):
    assert refused(post, body, **headers) == (status, reason)


def test_a_client_that_goes_away_is_told_of(post):
    assert refused(post, DUMP, cut=2) == (400, "broken-body")


def test_a_client_that_sends_nothing_is_let_go(tmp_path, pools):
    async def run():
        never = asyncio.Event()
        await take({"headers": []}, never.wait, pools, folder=tmp_path, limit_bytes=10, seconds=0.02)

    with pytest.raises(Rejected) as caught:
        asyncio.run(run())

    assert (caught.value.status, caught.value.reason) == (408, "too-slow")


def test_fields_are_bounded(post):
    many = [part(f"field{number}", b"x") for number in range(FIELDS_LIMIT + 50)]
    long = part("long", b"y" * (FIELD_LIMIT_BYTES + 1))
    body = form(CRASHPAD, long, *many, part("upload_file_minidump", DUMP, file_name="a.dmp"))

    found = post(body, content_type=multipart(CRASHPAD))

    assert len(found.fields) == FIELDS_LIMIT
    assert "long" not in found.fields
    assert found.path.read_bytes() == DUMP
