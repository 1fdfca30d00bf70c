"""The connection test learns how an upstream says no and what would suit it, and keeps nothing."""

import contextlib

import pytest

from symsrv.mirror import open_upstream
from symsrv.mirror.probing import Found, probe
from symsrv.mirror.settings import UpstreamOptions
from tests.mirror.answering import Answering, ok, redirect
from tests.mirror.converters import fakes
from tests.peers import moto

KNOWN = "Ntdll.pdb/3249D99D0C4049318610F4E4FB0B69361/Ntdll.pdb"
DATA = b"Microsoft C/C++ MSF 7.00\r\n" + bytes(3 << 20)
MISSING = ok(b"Symbol Not Found", status="404 Not Found")
PAGE = ok(b"<!DOCTYPE html><html><body>Sign in</body></html>", "Content-Type: text/html")


def server(files, *, missing=MISSING, fold=str):
    """Answers for these files, and `missing` for all else; `fold` is how it compares."""
    known = {fold(f"/{path}"): answer for path, answer in files.items()}
    return Answering(lambda request: known.get(fold(request.target), missing))


def probed(url, **more):
    more = {"name": "a", "layouts": ("symstore",), "first_byte_timeout": "2s", "connect_timeout": "2s"} | more
    return probe(UpstreamOptions(url=url, **more), opener=open_upstream)


def words(report):
    return [finding.found for finding in report.findings]


def test_a_good_server_is_usable_and_asked_little():
    with server({KNOWN: ok(DATA)}, fold=str.lower) as one:
        report = probed(one.url, probe_known=KNOWN)

    assert words(report) == [Found.ABSENT_404, Found.KNOWN, Found.ANY_CASE, Found.NOT_PACKED]
    assert report.usable
    assert report.proposes == {}
    assert len(one.requests) <= 8
    assert 0 < report.milliseconds < 2000


def test_where_case_makes_no_difference_two_layouts_can_be_one_request():
    with server({KNOWN: ok(DATA)}, fold=str.lower) as one:
        report = probed(one.url, probe_known=KNOWN, layouts=("symstore", "ssqp"))
        again = probed(one.url, probe_known=KNOWN, layouts=("symstore", "ssqp"), **report.proposes)

    assert report.proposes == {"name_case": "lower", "id_case": "lower"}
    assert again.proposes == {}


def test_no_more_of_a_file_is_read_than_its_beginning():
    sent = []

    def large(connection):
        connection.sendall(ok(length=1 << 40))
        with contextlib.suppress(OSError):
            while True:
                sent.append(connection.send(bytes(1 << 16)))

    with server({KNOWN: large}) as one:
        report = probed(one.url, probe_known=KNOWN)

    assert Found.KNOWN in words(report)
    assert sum(sent) < 64 << 20


def test_403_for_what_cannot_exist_is_learned():
    with server({KNOWN: ok(DATA)}, missing=ok(status="403 Forbidden")) as one:
        certain, doubtful = probed(one.url, probe_known=KNOWN), probed(one.url)

    for report in (certain, doubtful):
        assert Found.ABSENT_403 in words(report)
        assert report.proposes == {"forbidden_is_absent": True}
        assert report.usable
    assert "means that it has no such file" in certain.findings[-1].sentence
    assert "may mean" in doubtful.findings[-1].sentence


@pytest.mark.parametrize(
    ("missing", "word", "reason"),
    [
        (PAGE, Found.ANSWERS_ANYTHING, "login-page"),
        (ok(b"anything", status="200 OK"), Found.ANSWERS_ANYTHING, None),
        (ok(status="401 Unauthorized"), Found.NO_ANSWER, "unauthorized"),
        (ok(b"", "WWW-Authenticate: NTLM", status="401 Unauthorized"), Found.NO_ANSWER, "ntlm"),
        (ok(b"<html></html>", status="203 Non-Authoritative Information"), Found.ANSWERS_ANYTHING, "login-page"),
        (ok(status="500 Internal Server Error"), Found.NO_ANSWER, "server-error"),
        (ok(status="429 Too Many Requests"), Found.NO_ANSWER, "busy"),
        (redirect("http://127.0.0.1:1/"), Found.NO_ANSWER, "unreachable"),
    ],
)
def test_a_server_that_cannot_be_used_is_asked_once(missing, word, reason):
    with server({}, missing=missing) as one:
        report = probed(one.url, probe_known=KNOWN)

    assert (words(report), report.findings[0].reason) == ([word], reason)
    assert not report.usable
    assert len(one.requests) == 1


def test_a_server_that_is_not_there_says_so():
    report = probed("http://127.0.0.1:1/")

    assert (words(report), report.findings[0].reason) == ([Found.NO_ANSWER], "unreachable")


def test_lower_case_keys_are_found_out():
    with server({KNOWN.lower(): ok(DATA)}) as one:
        report = probed(one.url, probe_known=KNOWN)

    assert Found.LOWER_CASE in words(report)
    assert report.proposes == {"name_case": "lower", "id_case": "lower"}


def test_a_case_sensitive_server_with_packed_files_is_found_out():
    with server({KNOWN: ok(DATA), KNOWN[:-1] + "_": ok(DATA)}) as both, server({KNOWN[:-1] + "_": ok(DATA)}) as packed:
        two, one = probed(both.url, probe_known=KNOWN), probed(packed.url, probe_known=KNOWN)

    assert words(two)[1:] == [Found.KNOWN, Found.EXACT_CASE, Found.PACKED]
    assert words(one)[1:] == [Found.PACKED]
    assert one.proposes == {"packed": True}


def test_a_known_file_that_is_gone_is_no_reason_not_to_use_it():
    with server({}) as one:
        report = probed(one.url, probe_known=KNOWN)

    assert words(report) == [Found.ABSENT_404, Found.KNOWN_MISSING]
    assert report.usable


def test_a_known_file_that_is_refused_is():
    with server({KNOWN: ok(status="401 Unauthorized")}) as one:
        report = probed(one.url, probe_known=KNOWN)

    assert (words(report)[-1], report.findings[-1].reason, report.usable) == (
        Found.KNOWN_MISSING,
        "unauthorized",
        False,
    )


def test_two_tiers_are_told_with_the_layouts_to_set():
    with server({"index2.txt": ok(b"\r\n"), "000Admin/lastid.txt": ok(b"0000000007")}) as one:
        report = probed(one.url, layouts=("symstore", "ssqp", "breakpad"))

    assert words(report) == [Found.ABSENT_404, Found.KNOWN_UNKNOWN, Found.TWO_TIER, Found.TRANSACTIONS]
    assert report.proposes == {"layouts": ["two-tier", "breakpad"]}
    assert UpstreamOptions(name="a", url=one.url, **report.proposes).layouts == ("two-tier", "breakpad")


def test_a_slow_server_is_said_to_be_slow(monkeypatch):
    monkeypatch.setattr("symsrv.mirror.probing._SLOW_SECONDS", 0.0)
    with server({}) as one:
        report = probed(one.url)

    assert words(report)[-1] == Found.SLOW


def test_plain_http_on_the_way_out_is_said():
    report = probed("http://symbols.invalid/", proxy={"url": "http://127.0.0.1:1"})

    assert words(report)[0] == Found.PLAIN_HTTP


def test_debuginfod_is_asked_by_build_id_and_has_no_case():
    known = "buildid/4880bb013184e34a6a3ee3187e1d6282b6abcf2e/debuginfo"
    with server({known: ok(DATA)}) as one:
        report = probed(one.url, layouts=("debuginfod",), probe_known=known)

    assert words(report) == [Found.ABSENT_404, Found.KNOWN]
    assert one.requests[0].target == "/buildid/" + "5eed" * 10 + "/debuginfo"


@pytest.mark.parametrize(
    "layout", ["ssqp", "two-tier", "breakpad", "native", "lldb", "unified", "slashsymbols", "symbold"]
)
def test_every_layout_has_a_key_that_cannot_exist(layout):
    with server({}) as one:
        assert words(probed(one.url, layouts=(layout,)))[0] == Found.ABSENT_404
    assert "symsrv-absent" in one.requests[0].target or "5eed" in one.requests[0].target.lower()


def test_a_folder_is_probed_too(tmp_path):
    place = tmp_path / KNOWN
    place.parent.mkdir(parents=True)
    place.write_bytes(DATA)

    report = probed(str(tmp_path), probe_known=KNOWN)
    gone = probed(str(tmp_path / "not-mounted"))

    assert words(report) == [Found.ABSENT_404, Found.KNOWN, Found.ANY_CASE, Found.NOT_PACKED]
    assert (words(gone), gone.usable) == ([Found.NO_ANSWER], False)


def test_a_bucket_is_probed_too(monkeypatch):
    monkeypatch.setenv("UPSTREAM_SECRET", "hidden")
    with moto.moto_server() as endpoint, contextlib.closing(moto.client(endpoint)) as client:
        name = moto.new_bucket(endpoint)
        client.put_object(Bucket=name, Key=KNOWN, Body=DATA)
        credentials = {"access_key": "AKIAMINE", "secret_key": {"env": "UPSTREAM_SECRET"}, "endpoint": endpoint}

        report = probed(f"s3://{name}", probe_known=KNOWN, credentials=credentials)
        wrong = probed("s3://no-such-bucket", credentials=credentials)

    assert words(report) == [Found.ABSENT_404, Found.KNOWN, Found.EXACT_CASE, Found.NOT_PACKED]
    assert (wrong.findings[0].reason, wrong.usable) == ("no-bucket", False)


def test_of_a_converter_its_tool_is_looked_for(tmp_path):
    tool = fakes.dump_syms(tmp_path / "dump_syms")

    there = probed(str(tool), kind="convert")
    absent = probed(str(tmp_path / "nothing"), kind="convert")

    assert (words(there), there.usable) == ([Found.KNOWN], True)
    assert "9.9.9" in there.findings[0].sentence
    assert (absent.findings[0].reason, absent.usable) == ("no-converter", False)


def test_what_was_asked_is_told_in_json():
    with server({}) as one:
        report = probed(one.url)

    assert report.findings[0].to_record() == {
        "found": "absent-404",
        "sentence": "it says that it has no such file, as it should",
        "bad": False,
        "proposes": {},
        "reason": None,
    }
    assert [asked.path for asked in report.probes] == [request.target[1:] for request in one.requests]
