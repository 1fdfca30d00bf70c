"""`symsrv clients`."""

import socket

from symsrv.serve.clients import CLIENTS


def test_every_client_is_there_with_the_servers_address(run):
    done = run("clients", "--json", "--url", "http://symbols.example/")

    assert [line["client"] for line in done.lines] == [one.name for one in CLIENTS]
    assert all("http://symbols.example" in "".join(line["lines"]) for line in done.lines)


def test_one_can_be_asked_for(run):
    done = run("clients", "GDB")

    assert "export DEBUGINFOD_URLS=http://127.0.0.1:8390" in done.out
    assert "WinDbg" not in done.out


def test_an_unknown_one_gets_the_list(run):
    done = run("clients", "edlin")

    assert done.code == 2
    assert "gdb" in done.err


def test_a_server_for_everybody_is_reached_by_the_hosts_name(run, monkeypatch):
    monkeypatch.setenv("SYMSRV_LISTEN", "0.0.0.0:80")

    assert f"http://{socket.gethostname()}:80" in run("clients", "gdb").out
    monkeypatch.setenv("SYMSRV_LISTEN", "[::1]:80")
    assert "http://[::1]:80" in run("clients", "gdb").out
