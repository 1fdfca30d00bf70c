"""`symsrv config`."""

import json
import re

import yaml

from symsrv.config import Config


def test_show_prints_what_is_in_effect_with_secrets_masked(run, tmp_path, monkeypatch):
    (tmp_path / "symsrv.yaml").write_text("store: s3://bucket\nlock_timeout: 5m\n")
    monkeypatch.setenv("SYMSRV_INDEX", "postgresql://me:secret@db/symbols")

    done = run("config", "-c", tmp_path / "symsrv.yaml")

    shown = yaml.safe_load(done.out)
    assert (shown["store"], shown["lock_timeout"]) == ("s3://bucket", "300s")
    assert shown["index"] == "postgresql://me:***@db/symbols"
    assert "secret" not in done.out + done.err
    assert str(tmp_path / "symsrv.yaml") in done.err


def test_show_can_be_json(run):
    assert run("config", "--show", "--json").lines[0]["listen"] == "127.0.0.1:8390"


def test_check_says_where_it_looked(run, tmp_path):
    (tmp_path / "symsrv.yaml").write_text("store: x\n")

    assert run("config", "--check", "-c", tmp_path / "symsrv.yaml").out == f"{tmp_path / 'symsrv.yaml'}: ok\n"
    assert run("config", "--check", "--json").lines == [{"file": None, "ok": True}]


def test_a_mistake_is_2_with_its_line(run, tmp_path):
    (tmp_path / "symsrv.yaml").write_text("stoer: x\n")

    done = run("config", "--check", "--json", "-c", tmp_path / "symsrv.yaml")

    assert done.code == 2
    assert done.lines[0]["reason"] == "usage"
    assert "symsrv.yaml:1: unknown key 'stoer'; did you mean 'store'?" in done.err


def test_the_schema_is_one(run):
    schema = json.loads(run("config", "--schema").out)

    assert list(schema["properties"]) == list(Config.model_fields)


def test_only_one_thing_at_a_time(run):
    assert run("config", "--check", "--schema").code == 2


def test_check_tells_what_is_most_likely_not_meant(run, tmp_path):
    (tmp_path / "symsrv.yaml").write_text("watch: [{path: nowhere}]\n")

    done = run("config", "--check", "-c", tmp_path / "symsrv.yaml", "--json")

    assert done.code == 0
    assert [line.split(";")[0] for line in done.lines[0]["warnings"]] == [
        f"watch: {tmp_path / 'nowhere'} is not a folder",
        "watch: there are folders to publish from, and no store to publish to",
    ]
    assert done.err.count("warning: watch:") == 2


def test_the_schema_takes_numbers_with_their_unit(run):
    schema = json.loads(run("config", "--schema").out)
    folder = schema["$defs"]["WatchFolder"]["properties"]

    number, text = folder["quiet"]["anyOf"]
    assert number["type"] == "number"
    for good, bad in (("5s", "5"), ("1h 30m", "soon"), ("1.5min", "")):
        assert re.search(text["pattern"], good)
        assert not re.search(text["pattern"], bad)
    assert re.search(folder["poll"]["anyOf"][1]["pattern"], "auto")
    assert folder["quiet"]["default"] == 5.0
    assert all(one["description"] for one in folder.values())
    assert schema["$schema"].endswith("2020-12/schema")


def test_no_secret_is_printed(run, tmp_path):
    text = "mirror: {daily_limit: 3GiB}\nupstreams:\n- name: a\n  url: https://h\n  rate: 2.5\n"
    (tmp_path / "symsrv.yaml").write_text(text + "  credentials: {headers: {X-Team: core, X-Token: {env: T}}}\n")

    shown = yaml.safe_load(run("config", "-c", tmp_path / "symsrv.yaml").out)

    assert shown["upstreams"][0]["credentials"]["headers"] == {"X-Team": "core", "X-Token": {"env": "T", "file": None}}
    assert shown["upstreams"][0]["rate"] == 2.5
    assert shown["mirror"]["daily_limit"] == "3GiB"


def test_check_doubts_upstreams_without_a_store_and_secrets_that_are_not_there(run, tmp_path, monkeypatch):
    monkeypatch.setenv("THERE", "x")
    (tmp_path / "symsrv.yaml").write_text(
        "mirror: {fetch_through: true}\n"
        "upstreams:\n"
        "- name: a\n"
        "  url: https://h\n"
        "  credentials: {password: {env: NOWHERE}, token: {env: THERE}, headers: {X-Key: {file: nowhere}}}\n"
    )

    warnings = run("config", "--check", "-c", tmp_path / "symsrv.yaml", "--json").lines[0]["warnings"]

    assert [line.split(",")[0] for line in warnings] == [
        "upstreams: there are upstreams to fetch from",
        "mirror: fetch_through is on",
        "upstreams[0].credentials.password: the environment variable NOWHERE",
        f"upstreams[0].credentials.headers.X-Key: {tmp_path / 'nowhere'}",
    ]


def test_the_schema_takes_what_an_upstream_may_say(run):
    schema = json.loads(run("config", "--schema").out)
    upstream = schema["$defs"]["UpstreamOptions"]

    assert upstream["required"] == ["name"]
    assert all(one["description"] for one in upstream["properties"].values())
    either = schema["$defs"]["MirrorOptions"]["properties"]["skip_for"]["anyOf"]
    assert "never" in [one.get("const") for one in either]
    assert any(re.search(one.get("pattern", "$^"), "12h") for part in either for one in (part, *part.get("anyOf", ())))
