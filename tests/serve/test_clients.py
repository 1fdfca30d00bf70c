"""Every client with the lines to paste into it."""

import json

from symsrv.serve.clients import CLIENTS, Client


def test_every_client_has_its_lines():
    for client in CLIENTS:
        assert client.name
        assert any("http://x:1" in line for line in client.lines_for("http://x:1/"))
        assert not any("{url}" in line or "x:1//" in line for line in client.lines_for("http://x:1/"))


def test_a_url_with_a_path_and_a_final_slash_is_put_in_once_and_whole():
    client = Client("x", "y", ("a {url}", "b {url}/", "c"))

    assert client.lines_for("https://h/symbols/") == ("a https://h/symbols", "b https://h/symbols/", "c")


def test_sentrys_line_is_json():
    (sentry,) = [client for client in CLIENTS if client.name.startswith("Sentry")]
    (line,) = sentry.lines_for("http://x:1")

    assert json.loads(line)["url"] == "http://x:1/"
