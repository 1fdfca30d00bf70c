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
