"""Clients by what they call themselves."""

import pytest

from symsrv.serve.agents import KINDS, Agents, kind_of


@pytest.mark.parametrize(
    ("agent", "kind"),
    [
        (b"Microsoft-Symbol-Server/10.0.22621.1", "windbg"),
        (b"Microsoft-Symbol-Server/6.13.0009.1140", "perfview"),
        (b"Microsoft-Symbol-Server/6.3.0.0", "dump-syms"),
        (b"symbolicator/25.1.0", "symbolicator"),
        (b"elfutils/0.188,Linux/x86_64,debian/12", "debuginfod"),
        (b"Ghidra_HttpSymbolServer_client", "ghidra"),
        (b"Mozilla/5.0 (X11)", "browser"),
        (b"  curl/8.0 ", "curl"),
        (b"something else", "other"),
        (b"", "unnamed"),
    ],
)
def test_the_kind_of_a_client(agent, kind):
    assert kind_of(agent) == kind


def test_what_says_more_comes_first():
    starts = [start for start, _ in KINDS]

    assert not [(one, other) for at, one in enumerate(starts) for other in starts[at + 1 :] if other.startswith(one)]


def test_the_kind_by_header_lines():
    agents = Agents()

    assert agents.kind(b"Host: a\r\nUser-Agent: curl/8.0\r\nAccept: */*\r\n\r\n") == "curl"
    assert agents.kind(b"user-agent:ghidra\r\n\r\n") == "ghidra"
    assert agents.kind(b"Host: a\r\nX-User-Agent: curl\r\n\r\n") == "unnamed"
    assert agents.kind(b"") == "unnamed"


def test_what_is_remembered_is_bounded():
    agents = Agents(limit=40)

    for number in range(100):
        assert agents.kind(b"User-Agent: curl/%d\r\n\r\n" % number) == "curl"
    assert agents.kind(b"X: " + b"y" * 100 + b"\r\nUser-Agent: wget\r\n\r\n") == "wget"

    assert len(agents._known) <= 40
