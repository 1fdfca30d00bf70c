"""A server is tested before it is connected; what is saved is what was said, and no secret."""

import json

import pytest

from symsrv.model.errors import Exit
from tests.mirror.answering import Answering, ok

MISSING = ok(b"Symbol Not Found", status="404 Not Found")


@pytest.fixture
def server():
    with Answering(lambda request: MISSING) as one:
        yield one


@pytest.fixture
def forbidding():
    with Answering(lambda request: ok(status="403 Forbidden")) as one:
        yield one


def test_a_server_that_answers_well_is_saved(run, state, server):
    done = run("upstream", "add", "ours", server.url, "--rate", "5", "--size-limit", "1GiB", "--json")

    (told,) = done.lines
    assert (done.code, told["saved"], told["usable"]) == (0, True, True)
    assert [finding["found"] for finding in told["findings"]] == ["absent-404", "known-unknown"]
    assert state.upstreams.all() == [{"name": "ours", "url": server.url, "rate": 5.0, "size_limit": 1 << 30}]
    assert server.requests


def test_one_that_does_not_is_not(run, state):
    done = run("upstream", "add", "gone", "http://127.0.0.1:1/", "--connect-timeout", "1s")

    assert done.code == Exit.FAILED
    assert "no-answer" in done.err
    assert "unreachable" in done.err
    assert "gone was not saved; see --no-test" in done.out
    assert state.upstreams.all() == []


def test_without_a_test_nothing_is_asked(run, state, server):
    done = run("upstream", "add", "ours", server.url, "--no-test")

    assert (done.code, len(server.requests), len(state.upstreams.all())) == (0, 0, 1)


def test_a_dry_run_asks_and_saves_nothing(run, state, server):
    done = run("upstream", "add", "ours", server.url, "--dry-run")

    assert "would be added" in done.out
    assert (server.requests, state.upstreams.all()) == ([], [])


def test_what_the_test_proposes_is_taken_over_when_asked(run, state, forbidding):
    said = run("upstream", "add", "first", forbidding.url)
    run("upstream", "add", "second", forbidding.url, "--adopt")

    assert "--set forbidden_is_absent=true" in said.err
    first, second = state.upstreams.all()
    assert "forbidden_is_absent" not in first
    assert second["forbidden_is_absent"] is True


def test_a_preset_is_meant_by_its_name(run, state):
    done = run("upstream", "add", "mozilla", "--no-test", "--concurrency", "2")

    assert done.code == 0
    assert state.upstreams.all() == [{"name": "mozilla", "preset": "mozilla", "concurrency": 2}]
    assert "https://symbols.mozilla.org/" in done.out


def test_a_template_is_filled_in(run, state):
    wrong = run("upstream", "add", "azure", "--preset", "azure-artifacts", "--no-test")
    done = run("upstream", "add", "azure", "--preset", "azure-artifacts", "--place", "org=contoso", "--no-test")

    assert (wrong.code, done.code) == (Exit.USAGE, 0)
    assert "needs org" in wrong.err
    assert state.upstreams.all()[0]["url"] == "https://artifacts.dev.azure.com/contoso/_apis/symbol/symsrv"


def test_another_address_of_a_preset(run, state):
    run("upstream", "add", "try", "https://symbols.mozilla.org/try", "--preset", "mozilla", "--no-test")

    assert state.upstreams.all() == [{"name": "try", "preset": "mozilla", "url": "https://symbols.mozilla.org/try"}]


def test_secrets_are_named_by_where_they_lie(run, state, tmp_path):
    (tmp_path / "token").write_text("hunter2")
    run(
        *("upstream", "add", "a", "https://a.example/", "--no-test", "--user", "ci"),
        *("--password-env", "PASSWORD", "--header-env", "X-Key=KEY", "--header", "X-Team=engine"),
        *("--proxy", "http://proxy:3128", "--proxy-user", "me", "--proxy-password-file", "token"),
    )

    (kept,) = state.upstreams.all()
    assert kept["credentials"] == {
        "user": "ci",
        "password": {"env": "PASSWORD"},
        "headers": {"X-Key": {"env": "KEY"}, "X-Team": "engine"},
    }
    assert kept["proxy"]["password"] == {"file": str(tmp_path / "token")}
    assert "hunter2" not in json.dumps(kept)


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["a", "https://me:hunter2@a.example/"], "password does not belong into the URL"),
        (["a", "https://a.example/", "--header", "Authorization=Bearer hunter2"], "is a secret"),
        (["a", "https://a.example/", "--set", "credentials.password=hunter2"], "password"),
        (["a", "https://a.example/", "--set", "colour=red"], "colour"),
        (["a", "https://a.example/", "--tries", "0"], "tries: "),
        (["a", "https://a.example/", "--layout", "symstor"], "no layout"),
        (["a", "https://a.example/", "--place", "org=x"], "--preset"),
        (["a"], "needs a url"),
        (["a", "--preset", "mozila"], "did you mean mozilla"),
        (["a", "ftp://a.example/"], "no kind for ftp"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_asked(run, state, arguments, why):
    done = run("upstream", "add", *arguments, "--no-test")

    assert done.code == Exit.USAGE
    assert why in done.err
    assert "hunter2" not in done.err + done.out
    assert state.upstreams.all() == []


def test_a_name_is_taken_once(run, state, tmp_path):
    (tmp_path / "symsrv.yaml").write_text("upstreams:\n- {name: mozilla, preset: mozilla}\n")
    run("upstream", "add", "a", "https://a.example/", "--no-test")

    for name in ("a", "mozilla"):
        done = run("upstream", "add", name, "https://b.example/")
        assert done.code == Exit.USAGE
        assert f"there is an upstream {name}" in done.err


def test_a_folder_is_meant_from_wherever_it_is_read(run, state, tmp_path):
    (tmp_path / "share").mkdir()

    done = run("upstream", "add", "share", "share")

    assert done.code == 0
    assert state.upstreams.all()[0]["url"] == str(tmp_path / "share")


def test_an_edit_changes_what_it_names(run, state, server):
    run("upstream", "add", "a", server.url, "--no-test", "--order", "5", "--user", "me")

    done = run(
        "upstream", "edit", "a", "--rate", "2.5", "--password-env", "P", "--unset", "order", "--no-test", "--json"
    )

    assert done.lines[0]["saved"]
    assert state.upstreams.all() == [
        {"name": "a", "url": server.url, "rate": 2.5, "credentials": {"user": "me", "password": {"env": "P"}}}
    ]


def test_an_edit_tests_what_has_to_do_with_the_connection(run, state, server):
    run("upstream", "add", "a", server.url, "--no-test")

    run("upstream", "edit", "a", "--order", "7")
    untested = len(server.requests)
    run("upstream", "edit", "a", "--layout", "ssqp")
    refused = run("upstream", "edit", "a", "--url", "http://127.0.0.1:1/")

    assert untested == 0
    assert server.requests
    assert (refused.code, state.upstreams.all()[0]["url"]) == (Exit.FAILED, server.url)


def test_what_the_configuration_names_is_read_only(run, stored, tmp_path):
    (tmp_path / "symsrv.yaml").write_text("upstreams:\n- {name: a, url: https://a.example/}\n")

    done = run("upstream", "edit", "a", "--order", "7", "--no-test")

    assert done.code == Exit.USAGE
    assert "named in the configuration file: change it there" in done.err
