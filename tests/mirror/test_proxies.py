"""The way out: by the options, else by the environment, and not for who is excepted."""

import pytest

from symsrv.mirror.proxies import Way, Ways, is_excepted
from symsrv.mirror.settings import Proxy
from symsrv.model.errors import UsageError
from symsrv.options import Secret

VARIABLES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch):
    for name in (*VARIABLES, *(one.lower() for one in VARIABLES), "REQUEST_METHOD"):
        monkeypatch.delenv(name, raising=False)


def test_nothing_said_is_a_straight_way():
    assert Ways(Proxy()).out_to("https://symbols.example/a") is None


def test_the_environment_says_it_by_scheme(monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", "http://me:pa%40ss@proxy.example:3128")
    monkeypatch.setenv("ALL_PROXY", "socks5h://socks.example")
    monkeypatch.setenv("NO_PROXY", "inside.example, 10.0.0.0/8")
    ways = Ways(Proxy())

    assert ways.out_to("https://symbols.example/a") == Way("http://proxy.example:3128", "me", "pa@ss")
    assert ways.out_to("http://symbols.example/a") == Way("socks5h://socks.example:1080")
    assert ways.out_to("https://symbols.inside.example/a") is None
    assert ways.out_to("http://10.1.2.3:8000/a") is None


def test_options_come_before_the_environment(monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", "http://other.example:3128")
    monkeypatch.setenv("NO_PROXY", "*")
    monkeypatch.setenv("PROXY_PASSWORD", "hush")
    options = Proxy(
        url="http://proxy.example", user="me", password=Secret(env="PROXY_PASSWORD"), except_for=("inside.example",)
    )
    ways = Ways(options)

    assert ways.out_to("https://symbols.example/a") == Way("http://proxy.example:80", "me", "hush")
    assert ways.out_to("https://inside.example/a") is None
    assert Ways(Proxy(url="")).out_to("https://symbols.example/a") is None


@pytest.mark.parametrize("url", ["ftp://proxy.example", "http://", "socks5h:///"])
def test_what_is_no_proxy_is_refused(url):
    with pytest.raises(UsageError, match="http://host:port"):
        Ways(Proxy(url=url))


def test_a_password_is_not_shown():
    way = Way("http://proxy.example:80", "me", "hush")

    assert "hush" not in repr(way)
    assert "hush" not in str(way)
    assert way.headers() == {"Proxy-Authorization": "Basic bWU6aHVzaA=="}
    assert Way("http://proxy.example:80").headers() == {}


@pytest.mark.parametrize(
    ("host", "port", "pattern", "excepted"),
    [
        ("a.corp", None, "corp", True),
        ("a.corp", None, ".corp", True),
        ("a.corp", None, "*.corp", True),
        ("corp", None, "corp", True),
        ("acorp", None, "corp", False),
        ("A.Corp.", None, "a.corp", True),
        ("a.corp", 8080, "a.corp:8080", True),
        ("a.corp", 80, "a.corp:8080", False),
        ("10.1.2.3", None, "10.0.0.0/8", True),
        ("11.1.2.3", None, "10.0.0.0/8", False),
        ("10.1.2.3", None, "10.1.2.3", True),
        ("::1", None, "[::1]", True),
        ("fd00::1", None, "fd00::/8", True),
        ("anything", None, "*", True),
        ("anything", None, "", False),
        ("anything", None, ".", False),
    ],
)
def test_exceptions_are_those_of_no_proxy(host, port, pattern, excepted):
    assert is_excepted(host, port, patterns=("unlike.example", pattern)) is excepted
