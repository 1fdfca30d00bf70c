"""What every format of access logs promises, on the same requests as each server writes them."""

import random

import pytest

from symsrv.mirror.access_logs import wished
from symsrv.mirror.logs import ACCESS_LOGS
from symsrv.mirror.logs.base import Request
from tests.mirror.logs.samples import BEGUN, SERVERS, Asked, log

ASKED = [
    Asked("/crash.pdb/3249D99D0C4049318610F4E4FB0B69361/crash.pdb"),
    Asked("/libstdc++.so.6/elf-buildid-" + "ab" * 20 + "/libstdc++.so.6", method="HEAD", second=3),
    Asked("/a.exe/5AB380779000/a.exe", status=200, second=4),
    Asked("/a%20b.exe/5AB380779000/a%20b.exe?code_file=a", status=403, second=61),
]


def formats_of(server):
    """The formats that would read a log, with how."""
    head = log(server, ASKED).splitlines()
    found = {one.name: parser for one in ACCESS_LOGS if (parser := one.parser(head)) is not None}
    return found, head


@pytest.mark.parametrize("server", SERVERS)
def test_one_format_reads_a_log(server):
    found, _ = formats_of(server)

    assert list(found) == [SERVERS[server][0]]


@pytest.mark.parametrize("server", SERVERS)
def test_every_line_is_read(server):
    found, head = formats_of(server)
    parser = found[SERVERS[server][0]]

    read = [one for line in head if (one := parser(line)) is not None]

    assert [(one.method, one.status) for one in read] == [("GET", 404), ("HEAD", 404), ("GET", 200), ("GET", 403)]
    assert [(one.when - BEGUN).total_seconds() for one in read] == [0, 3, 4, 61]
    assert read[0].target == ASKED[0].target
    # What a server decodes before it writes it down comes encoded again; IIS writes a space as a plus.
    spelled = [one.target.partition("?")[0] for one in read]
    assert spelled[1] in (ASKED[1].target, ASKED[1].target.replace("+", "%2B"))
    assert spelled[3] == (ASKED[3].path.replace("%20", "+") if server == "iis" else ASKED[3].path)


def test_every_format_is_tried_by_a_server():
    assert {kind for kind, _, _ in SERVERS.values()} == {one.name for one in ACCESS_LOGS}


@pytest.mark.parametrize("kind", ACCESS_LOGS, ids=lambda one: one.name)
@pytest.mark.parametrize("text", ["", "#", "{", "{}", "[]", "MDMP\0\0", "a b c [d] e", '"', "\x00" * 100, "x" * 10_000])
def test_what_is_no_log_is_not_read(kind, text):
    assert kind.parser([text]) is None
    assert kind.parser([]) is None


@pytest.mark.parametrize("server", SERVERS)
def test_a_broken_line_is_told_and_breaks_nothing(server):
    found, head = formats_of(server)
    parser = found[SERVERS[server][0]]
    chance = random.Random(server)

    for line in head:
        for _ in range(300):
            broken = list(line)
            for _ in range(chance.randrange(1, 6)):
                at = chance.randrange(len(broken))
                broken[at : at + chance.randrange(3)] = chance.choice(
                    ['"', "\\", "\t", " ", "[", "{", "\x00", "é", "9"]
                )
            read = parser("".join(broken))
            assert read is None or isinstance(read, Request)


@pytest.mark.parametrize("server", SERVERS)
def test_a_cut_line_never_wishes_for_another_symbol(server):
    found, head = formats_of(server)
    parser = found[SERVERS[server][0]]
    whole = parser(head[-1])

    for end in range(len(head[-1])):
        read = parser(head[-1][:end])
        assert read is None or wished(read.target) in (None, wished(whole.target))
