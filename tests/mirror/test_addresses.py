"""No address inside of anybody's network is connected to on somebody else's word."""

import socket

import pytest

from symsrv.mirror.addresses import Guard, is_public
from symsrv.mirror.base import Refused, Unavailable

PRIVATE = [
    "127.0.0.1",
    "127.9.9.9",
    "10.1.2.3",
    "172.16.0.1",
    "192.168.0.1",
    "169.254.169.254",
    "100.64.0.1",
    "0.0.0.0",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "192.0.2.1",
    "198.18.0.1",
    "::1",
    "::",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "fc00::1",
    "fd12:3456::1",
    "ff02::1",
    "2001:db8::1",
    "::ffff:10.0.0.1",
    "::ffff:127.0.0.1",
    "::127.0.0.1",
    "64:ff9b::10.0.0.1",
    "2002:7f00:1::",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    "not an address",
    "",
]
PUBLIC = ["8.8.8.8", "13.107.42.14", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8"]


@pytest.mark.parametrize("address", PRIVATE)
def test_private_addresses_are_known(address):
    assert not is_public(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_are_known(address):
    assert is_public(address)


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.1", "0x7f000001", "2130706433", "[::1]", "localhost", "LOCALHOST.", "a.localhost"]
)
def test_a_host_that_is_private_by_its_spelling_is_refused(host):
    with pytest.raises(Refused) as caught:
        Guard("symbols.example").look_at(host)

    assert caught.value.reason == "private-address"


@pytest.mark.parametrize("host", ["symbols.example", "8.8.8.8", "127.symbols.example", "1e100.example"])
def test_a_host_that_may_be_public_is_not(host):
    Guard("upstream.example").look_at(host)


def test_what_was_named_is_not_looked_at():
    Guard("10.0.0.1").look_at("10.0.0.1")
    Guard("LocalHost.").look_at("localhost")
    Guard(None, everything=True).look_at("127.0.0.1")


def test_a_name_is_judged_by_what_it_resolves_to_and_that_is_connected_to():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

        with pytest.raises(Refused) as caught:
            Guard("symbols.example").connect("localhost", port, seconds=5)
        with Guard("localhost").connect("localhost", port, seconds=5) as made:
            peer = made.getpeername()

    assert caught.value.reason == "private-address"
    assert "127.0.0.1" in str(caught.value)
    assert peer == ("127.0.0.1", port)


def test_only_public_addresses_of_a_name_are_left(monkeypatch):
    stream = (socket.SOCK_STREAM, 6, "")
    answers = [
        (socket.AF_INET, *stream, ("10.0.0.1", 80)),
        (socket.AF_INET, *stream, ("8.8.8.8", 80)),
        (socket.AF_INET6, *stream, ("::1", 80, 0, 0)),
    ]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_args, **_more: answers)

    assert Guard("upstream.example").addresses("symbols.example", 80) == [(socket.AF_INET, ("8.8.8.8", 80))]


def test_the_next_address_is_tried_where_one_does_not_answer(monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as closed:
        dead = closed.getsockname()
    with socket.create_server(("127.0.0.1", 0)) as server:
        alive = server.getsockname()
        answers = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", address) for address in (dead, alive)]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_args, **_more: answers)

        with Guard("named").connect("named", 1, seconds=5) as made:
            assert made.getpeername() == alive


def test_nobody_listening_is_told_from_no_such_name():
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]

    with pytest.raises(Unavailable) as unreachable:
        Guard("127.0.0.1").connect("127.0.0.1", port, seconds=5)
    with pytest.raises(Unavailable) as nameless:
        Guard("a").connect("no-such-host.invalid", 80, seconds=5)

    assert (unreachable.value.reason, nameless.value.reason) == ("unreachable", "no-such-host")


def test_a_connection_that_is_not_taken_in_time_is_given_up():
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full:
        address = full.getsockname()
        waiting = [socket.socket() for _ in range(8)]
        for one in waiting:  # until no more fit into the queue
            one.setblocking(False)
            one.connect_ex(address)

        with pytest.raises(Unavailable) as caught:
            Guard("127.0.0.1").connect(*address, seconds=0.2)

        for one in waiting:
            one.close()
    assert caught.value.reason == "connect-timeout"
