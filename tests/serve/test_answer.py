from dataclasses import replace

import pytest

from symsrv.serve.answer import Facts, File, Miss, Reason, answer, conditions, whole

SIZE = 1000
MODIFIED_NS = 1_700_000_000_500_000_000
DATE = b"Tue, 14 Nov 2023 22:13:20 GMT"
FACTS = Facts("foo.pdb", SIZE, MODIFIED_NS, "abc")
UNHASHED = Facts("foo.pdb", SIZE, MODIFIED_NS)


def decided(facts=FACTS, method="GET", **headers):
    pairs = [(name.replace("_", "-").encode(), value) for name, value in headers.items()]
    return answer(method, conditions(pairs), facts)


def value(file, name):
    found = dict(file.headers)
    assert len(found) == len(file.headers)
    return found.get(name)


@pytest.mark.parametrize(
    ("text", "status", "span"),
    [
        (b"bytes=0-99", 206, (0, 100)),
        (b"bytes=0-134217727", 206, (0, 1000)),
        (b"bytes=500-", 206, (500, 500)),
        (b"bytes=999-999", 206, (999, 1)),
        (b"bytes=-1", 206, (999, 1)),
        (b"bytes=-1000", 206, (0, 1000)),
        (b"bytes=-5000", 206, (0, 1000)),
        (b"BYTES=0-0", 206, (0, 1)),
        (b" bytes= 5-6 ", 206, (5, 2)),
        (b"bytes=0-99999999999999999999999999", 206, (0, 1000)),
        (b"bytes=1000-", 416, None),
        (b"bytes=1000-2000", 416, None),
        (b"bytes=99999999999999999999999999-", 416, None),
        (b"bytes=-0", 416, None),
        (b"bytes=-", 200, (0, 1000)),
        (b"bytes=5-2", 200, (0, 1000)),
        (b"bytes=5000-2000", 200, (0, 1000)),
        (b"bytes=0-1,5-6", 200, (0, 1000)),
        (b"bytes=0-0-0-", 200, (0, 1000)),
        (b"bytes", 200, (0, 1000)),
        (b"", 200, (0, 1000)),
        (b"lines=0-5", 200, (0, 1000)),
        (b"bytes=a-b", 200, (0, 1000)),
        ("bytes=\u0661-".encode(), 200, (0, 1000)),
        (b"bytes=" + b"1" * 100_000 + b"-", 416, None),
    ],
)
def test_range(text, status, span):
    file = decided(range=text)

    assert file.status == status
    if span is None:
        assert value(file, b"content-range") == b"bytes */1000"
        assert (value(file, b"content-length"), file.length) == (b"0", 0)
        return
    assert (file.offset, file.length) == span
    assert value(file, b"content-length") == b"%d" % span[1]
    last = span[0] + span[1] - 1
    assert value(file, b"content-range") == (b"bytes %d-%d/1000" % (span[0], last) if status == 206 else None)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"if_none_match": b'"abc"'}, 304),
        ({"if_none_match": b'W/"abc"'}, 304),
        ({"if_none_match": b'"x", "abc"'}, 304),
        ({"if_none_match": b"*"}, 304),
        ({"if_none_match": b'"x"'}, 200),
        ({"if_none_match": b"abc"}, 200),
        ({"if_none_match": b""}, 200),
        ({"if_modified_since": DATE}, 304),
        ({"if_modified_since": b"Wed, 15 Nov 2023 00:00:00 GMT"}, 304),
        ({"if_modified_since": b"Tue, 14 Nov 2023 22:13:19 GMT"}, 200),
        ({"if_modified_since": b"yesterday"}, 200),
        ({"if_modified_since": b"Mon, 99 Foo 99999999999999 99:99:99 GMT"}, 200),
        ({"if_none_match": b'"x"', "if_modified_since": DATE}, 200),
        ({"if_none_match": b'"abc"', "if_modified_since": b"Tue, 14 Nov 2013 22:13:19 GMT"}, 304),
        ({"if_none_match": b'"abc"', "range": b"bytes=0-1"}, 304),
        ({"if_none_match": b'"x"', "range": b"bytes=0-1"}, 206),
        ({"if_range": b'"abc"', "range": b"bytes=0-1"}, 206),
        ({"if_range": b'"x"', "range": b"bytes=0-1"}, 200),
        ({"if_range": b'W/"abc"', "range": b"bytes=0-1"}, 200),
        ({"if_range": DATE, "range": b"bytes=0-1"}, 206),
        ({"if_range": b"Tue, 14 Nov 2023 22:13:21 GMT", "range": b"bytes=0-1"}, 200),
        ({"if_range": b"rubbish", "range": b"bytes=5000-"}, 200),
        ({"if_match": b'"x"'}, 200),
        ({"if_unmodified_since": b"Tue, 14 Nov 2000 22:13:19 GMT"}, 200),
        ({"x_debuginfod_maxsize": b"1"}, 200),
    ],
)
def test_conditions(headers, status):
    assert decided(**headers).status == status


def test_a_304_repeats_the_validators_and_has_no_body():
    file = decided(if_none_match=b"*")

    assert value(file, b"etag") == b'"abc"'
    assert value(file, b"last-modified") == DATE
    assert value(file, b"cache-control") == b"public, max-age=31536000, immutable"
    assert value(file, b"content-length") is None
    assert file.length == 0


def test_a_hit_has_a_bare_type_and_is_kept_for_ever():
    assert dict(decided().headers) == {
        b"content-type": b"application/octet-stream",
        b"content-length": b"1000",
        b"last-modified": DATE,
        b"etag": b'"abc"',
        b"cache-control": b"public, max-age=31536000, immutable",
        b"accept-ranges": b"bytes",
    }


def test_without_a_hash_there_is_no_etag_and_no_tag_matches():
    assert value(decided(UNHASHED), b"etag") is None
    assert decided(UNHASHED, if_none_match=b'"abc", ""').status == 200
    assert decided(UNHASHED, if_none_match=b"*").status == 304
    assert decided(UNHASHED, if_range=b'""', range=b"bytes=0-1").status == 200


def test_range_means_nothing_for_head():
    assert decided(method="HEAD", range=b"bytes=0-1").status == 200
    assert decided(method="HEAD", range=b"bytes=5000-").status == 200


def test_an_empty_file_is_a_miss():
    assert decided(Facts("a", 0, MODIFIED_NS)) == Miss(Reason.EMPTY)
    assert decided(Facts("a", 0, MODIFIED_NS), range=b"bytes=0-1") == Miss(Reason.EMPTY)


@pytest.mark.parametrize(
    ("limit", "status"), [(b"999", 406), (b"1000", 200), (b"0", 200), (b"-1", 200), (b"x", 200), (b"9" * 400, 200)]
)
def test_debuginfod_clients_may_limit_the_size(limit, status):
    facts = Facts("a b", SIZE, MODIFIED_NS, "abc", debuginfod=True)

    found = decided(facts, x_debuginfod_maxsize=limit)

    assert found.status == status
    if isinstance(found, File):
        assert value(found, b"x-debuginfod-size") == b"1000"
        assert value(found, b"x-debuginfod-file") == b"a%20b"


def test_dates_beyond_what_can_be_printed_do_no_harm():
    for modified_ns in (-1, 1 << 80):
        assert decided(Facts("a", 5, modified_ns), if_modified_since=DATE).status in (200, 304)


def test_a_header_in_several_lines_is_one_list():
    asked = conditions([(b"if-none-match", b'"x"'), (b"host", b"h"), (b"if-none-match", b'"abc"')])

    assert answer("GET", asked, FACTS).status == 304
    assert conditions([(b"host", b"h"), (b"accept", b"*/*")]) is None


@pytest.mark.parametrize("value", [b"application/msfz0", b"*/*, Application/MSFZ0; q=1"])
def test_who_reads_compressed_containers_says_so(value):
    asked = conditions([(b"host", b"h"), (b"accept", value)])

    assert asked == {b"accept": value}
    assert answer("GET", asked, FACTS) == whole(FACTS)


@pytest.mark.parametrize("headers", [{}, {"range": b"bytes=0-1"}, {"if_none_match": b"*"}])
def test_what_not_everybody_is_given_says_so(headers):
    varying = replace(FACTS, varies=True)

    assert (b"vary", b"accept") in decided(varying, **headers).headers
    assert (b"vary", b"accept") not in decided(FACTS, **headers).headers
