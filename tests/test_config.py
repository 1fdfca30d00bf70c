"""The configuration: found, read, refused, and held to its documentation."""

from pathlib import Path

import pytest
import yaml

from symsrv.config import Config, ServeOptions, WatchFolder, host_and_port, load, parse
from symsrv.mirror.settings import MirrorOptions, Pattern, TellOptions, UpstreamOptions
from symsrv.model.errors import UsageError
from symsrv.options import Secret, masked, part_of, plain, seconds, size, unsigned

EXAMPLE = Path(__file__).resolve().parent.parent / "config" / "symsrv.yaml"
HERE = Path("/etc/symsrv/symsrv.yaml")


def refused(text: str) -> str:
    with pytest.raises(UsageError) as caught:
        parse(text, origin=Path("symsrv.yaml"))
    return str(caught.value)


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("text", "meaning"),
    [("30s", 30), ("5m", 300), ("5min", 300), ("1h30m", 5400), ("500ms", 0.5), ("1.5 h", 5400), ("2d", 172800)],
)
def test_durations_are_written_with_their_unit(text, meaning):
    assert seconds(text) == meaning


@pytest.mark.parametrize("text", ["", "soon", "5", "5 parsecs", "s", "-5s", "5s and more"])
def test_what_is_not_a_duration_is_refused(text):
    with pytest.raises(ValueError, match="is not a duration"):
        seconds(text)


@pytest.mark.parametrize(
    ("text", "meaning"), [("2GiB", 2 << 30), ("64 kib", 65536), ("10MB", 10**7), ("512", 512), ("1.5KiB", 1536)]
)
def test_sizes_are_written_with_their_unit(text, meaning):
    assert size(text) == meaning


@pytest.mark.parametrize("text", ["", "big", "5 apples", "-1B"])
def test_what_is_not_a_size_is_refused(text):
    with pytest.raises(ValueError, match="is not a size"):
        size(text)


def test_numbers_are_left_to_the_model():
    assert seconds(5) == 5
    assert size(5) == 5


def test_an_address_is_taken_apart():
    assert host_and_port("127.0.0.1:8390") == ("127.0.0.1", 8390)
    assert host_and_port("[::1]:80") == ("::1", 80)
    assert host_and_port(":80") == ("", 80)


@pytest.mark.parametrize("text", ["8390", "localhost", "localhost:http", "localhost:70000", "::1:80"])
def test_what_is_not_an_address_is_refused(text):
    with pytest.raises(ValueError, match="HOST:PORT"):
        host_and_port(text)


def test_a_password_in_a_url_is_masked():
    assert masked("postgresql://me:secret@db:5432/symbols") == "postgresql://me:***@db:5432/symbols"
    assert masked("postgresql://:secret@db/symbols") == "postgresql://***@db/symbols"
    assert masked("postgresql://me@db/symbols") == "postgresql://me@db/symbols"
    assert masked("C:\\symbols") == "C:\\symbols"


def test_a_query_of_a_web_address_is_not_shown():
    assert unsigned("https://host/symbols?sig=secret") == "https://host/symbols?***"
    assert unsigned("https://me:secret@host/symbols?sig=secret") == "https://me:***@host/symbols?***"
    assert unsigned("https://host/symbols") == "https://host/symbols"
    assert unsigned("postgresql://me@db/symbols?options=x") == "postgresql://me@db/symbols?options=x"
    assert unsigned("what? no address") == "what? no address"


def test_nothing_at_all_is_a_configuration():
    assert load() == Config()
    assert parse("", origin=HERE) == Config()
    assert parse("# only a comment\n", origin=HERE) == Config()


def test_an_unknown_key_names_its_line_and_the_nearest_known_one():
    assert refused("store: x\n\nlisten-on: y\n") == "symsrv.yaml:3: unknown key 'listen-on'; did you mean 'listen'?"
    assert refused("log:\n  fromat: json\n") == "symsrv.yaml:2: unknown key 'log.fromat'; did you mean 'format'?"
    sentence = refused("watch:\n  - path: a\n  - path: b\n    produkt: p\n")
    assert sentence == "symsrv.yaml:4: unknown key 'watch[1].produkt'; did you mean 'product'?"


def test_an_unknown_key_that_resembles_nothing_gets_the_list():
    assert refused("serve:\n  zzzzzz: 1\n").endswith("known here: " + ", ".join(ServeOptions.model_fields))


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("lock_timeout: soon", "symsrv.yaml:1: lock_timeout: 'soon' is not a duration"),
        ("serve:\n  workers: 0", "symsrv.yaml:2: serve.workers: input should be greater than or equal to 1"),
        ("watch:\n  - product: x", "symsrv.yaml:2: watch[0].path: field required"),
        ("listen: nowhere", "symsrv.yaml:1: listen: 'nowhere' is not HOST:PORT"),
        ("log: {format: xml}", "symsrv.yaml:1: log.format: input should be 'auto', 'text' or 'json'"),
        ("- a list", "symsrv.yaml: a configuration is 'key: value' lines"),
        ("a: [1", "symsrv.yaml:1: not YAML"),
        ("store: a\nstore: b", "symsrv.yaml:2: 'store' is written twice"),
        ("watch:\n  - path: a\n    path: b", "symsrv.yaml:3: 'path' is written twice"),
        ("index: postgresql://me:secret@db/x", "symsrv.yaml:1: index: a password does not belong"),
        ("\ndatabase: postgresql://me:secret@db/x", "symsrv.yaml:2: database: a password does not belong"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(text, sentence):
    said = refused(text)

    assert sentence in said
    assert "secret" not in said


def test_bytes_that_are_not_text_are_refused():
    with pytest.raises(UsageError, match="not YAML"):
        parse(b"store: \xff\xfe\x00", origin=HERE)


def test_folders_in_a_file_are_relative_to_it(tmp_path):
    text = "store: symbols\nstate: state\nwatch: [{path: build}, {path: /abs}]\n"

    config = parse(text, origin=tmp_path / "symsrv.yaml")

    assert config.store == str(tmp_path / "symbols")
    assert config.state == tmp_path / "state"
    assert [folder.path for folder in config.watch] == [tmp_path / "build", Path(tmp_path / "/abs")]


def test_a_bucket_is_left_as_it_is():
    assert parse("store: s3://bucket/prefix", origin=HERE).store == "s3://bucket/prefix"


def test_the_file_is_looked_for_in_order(tmp_path, monkeypatch):
    for name in ("named", "variable", "symsrv"):
        (tmp_path / f"{name}.yaml").write_text(f"store: s3://{name}")
    monkeypatch.setenv("SYMSRV_CONFIG", str(tmp_path / "variable.yaml"))

    assert load(tmp_path / "named.yaml").store == "s3://named"
    assert load().store == "s3://variable"
    monkeypatch.delenv("SYMSRV_CONFIG")
    assert load().store == "s3://symsrv"


def test_the_users_folder_comes_before_the_systems(tmp_path, monkeypatch):
    for name in ("user", "system"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "symsrv.yaml").write_text(f"store: s3://{name}")
    monkeypatch.setattr("platformdirs.user_config_dir", lambda *_, **__: str(tmp_path / "user"))
    monkeypatch.setattr("platformdirs.site_config_dir", lambda *_, **__: str(tmp_path / "system"))

    assert load().store == "s3://user"
    (tmp_path / "user" / "symsrv.yaml").unlink()
    assert load().store == "s3://system"


def test_a_named_file_that_is_not_there_is_an_error(tmp_path, monkeypatch):
    with pytest.raises(UsageError, match="named by -c"):
        load(tmp_path / "none.yaml")
    monkeypatch.setenv("SYMSRV_CONFIG", "none.yaml")
    with pytest.raises(UsageError, match="named by SYMSRV_CONFIG"):
        load()


def test_the_environment_goes_before_the_file(tmp_path, monkeypatch):
    (tmp_path / "symsrv.yaml").write_text("store: a\nlisten: 127.0.0.1:1")
    monkeypatch.setenv("SYMSRV_STORE", "s3://from-environment")
    monkeypatch.setenv("SYMSRV_INDEX", "postgresql://me:secret@db/x")
    monkeypatch.setenv("SYMSRV_DATABASE", "postgresql://me:secret@db/y")

    config = load()

    assert (config.store, config.listen) == ("s3://from-environment", "127.0.0.1:1")
    assert (config.index, config.database) == ("postgresql://me:secret@db/x", "postgresql://me:secret@db/y")


def test_a_wrong_variable_is_named(monkeypatch):
    monkeypatch.setenv("SYMSRV_LISTEN", "nowhere")

    with pytest.raises(UsageError, match=r"\$SYMSRV_LISTEN: listen: 'nowhere' is not HOST:PORT"):
        load()


def test_override_changes_what_is_given_and_nothing_else():
    config = parse("store: s3://x\nserve: {workers: 2, io_threads: 5}", origin=HERE)

    changed = config.override(listen="0.0.0.0:1", store=None, serve={"workers": 4})

    assert (changed.store, changed.listen) == ("s3://x", "0.0.0.0:1")
    assert changed.serve == ServeOptions(workers=4, io_threads=5)
    assert config.override() is config
    with pytest.raises(UsageError, match="listen"):
        config.override(listen="nowhere")


def test_a_store_is_required_only_when_one_is_used():
    assert Config(store="x").required_store() == "x"
    with pytest.raises(UsageError, match="give --store URL"):
        Config().required_store()


def test_the_state_folder_is_the_users_own(own_home):
    assert Config().state_folder().name == "symsrv"
    assert Config(state=Path("/var/lib/symsrv")).state_folder() == Path("/var/lib/symsrv")


def test_plain_is_what_a_file_would_say():
    config = parse("lock_timeout: 1h\nwatch: [{path: /b, quiet: 500ms}]", origin=HERE)

    shown = plain(config)

    assert shown["lock_timeout"] == "1h"
    assert shown["watch"][0]["quiet"] == "500ms"
    assert parse(yaml.safe_dump(shown), origin=HERE) == config


def test_the_shipped_file_is_made_from_the_options(run):
    assert run("config", "--example").out == EXAMPLE.read_text(encoding="utf-8")


def test_the_shipped_file_says_the_defaults():
    assert parse(EXAMPLE.read_text(encoding="utf-8"), origin=EXAMPLE).model_dump() == Config().model_dump()


def commented(name: str) -> str:
    """An example in the shipped file, without its comments' marks."""
    lines = EXAMPLE.read_text(encoding="utf-8").split(f"{name}: []\n")[1].split("\n\n")[0].splitlines()
    return "".join(f"{line.strip().removeprefix('# ')}\n" for line in lines if line.strip().startswith("#"))


@pytest.mark.parametrize(
    ("name", "part", "given"),
    [
        ("watch", WatchFolder, {"path"}),
        ("upstreams", UpstreamOptions, {"name", "url"}),
        ("tell", TellOptions, {"name", "url"}),
    ],
)
def test_the_shipped_file_shows_every_option_of_what_may_be_many(name, part, given):
    ((only,),) = yaml.safe_load(commented(name)).values()

    assert list(only) == list(part.model_fields)
    shown, least = part.model_validate(only), part.model_validate({key: only[key] for key in given})
    assert shown == least


def test_a_form_of_telling_that_there_is_not_is_refused():
    text = "mirror:\n  tell:\n  - {name: ci, url: https://ci.example/, form: sentri}\n"

    assert "symsrv.yaml:1: mirror: ci: there is no form 'sentri' of telling; there are generic" in refused(text)


def test_a_mistake_in_a_receiver_names_its_line():
    text = "mirror:\n  tell:\n  - name: ci\n    url: https://ci.example/\n    secrt: {env: HOOK}\n"

    assert refused(text) == "symsrv.yaml:5: unknown key 'mirror.tell[0].secrt'; did you mean 'secret'?"


def test_upstreams_are_named_once_and_know_their_preset():
    text = "upstreams:\n- {name: a, url: https://a.example/}\n- {name: %s, preset: %s}\n"

    assert parse(text % ("b", "mozilla"), origin=HERE).upstreams[1].preset == "mozilla"
    assert "a is listed twice" in refused(text % ("a", "mozilla"))
    assert "there is no preset mozila; did you mean mozilla?" in refused(text % ("b", "mozila"))


@pytest.mark.parametrize(
    ("option", "sentence"),
    [
        ("colour: red", "symsrv.yaml:4: unknown key 'upstreams[0].colour'"),
        ("use_alow: true", "did you mean 'use_allow'?"),
        (
            "credentials: {pasword: {env: A}}",
            "unknown key 'upstreams[0].credentials.pasword'; did you mean 'password'?",
        ),
        ("credentials: {password: hunter2}", "upstreams[0].credentials.password"),
        ("proxy: {passwort: {env: A}}", "did you mean 'password'?"),
        ("pause: soon", "symsrv.yaml:4: upstreams[0].pause: 'soon' is not a duration"),
        ("layouts: [symstor]", "'symstor' is no layout"),
        ("allow: [{nam: a}]", "unknown key 'upstreams[0].allow[0].nam'; did you mean 'name'?"),
    ],
)
def test_what_an_upstream_may_not_say(option, sentence):
    said = refused(f"upstreams:\n- name: a\n  url: https://a.example/\n  {option}\n")

    assert sentence in said
    assert "hunter2" not in said


def test_the_words_of_symbolds_users_are_taken():
    lists = "use_whitelist: true, whitelist: [{name: x}], blacklist: [{name: y}]"

    (found,) = parse(f"upstreams:\n- {{name: a, url: https://a.example/, {lists}}}\n", origin=HERE).upstreams

    assert (found.use_allow, found.allow[0].name, found.block[0].name) == (True, "x", "y")


def test_numbers_that_are_no_durations_are_shown_without_a_unit():
    shown = plain(UpstreamOptions(name="a", url="x", rate=0.5, pause="500ms"))

    assert (shown["rate"], shown["pause"], shown["credentials"]["headers"]) == (0.5, "500ms", {})
    assert plain(MirrorOptions(skip_for="never"))["skip_for"] == "never"
    assert plain(MirrorOptions())["skip_for"] == "12h"
    assert plain(MirrorOptions())["keep_free"] == "1GiB"


def parts(model):
    yield model
    for field in model.model_fields.values():
        if (part := part_of(field.annotation)) is not None:
            yield from parts(part)


def test_every_option_has_a_sentence():
    every = set(parts(Config))
    assert {WatchFolder, ServeOptions, MirrorOptions, TellOptions, UpstreamOptions, Pattern, Secret} <= every
    for model in every:
        for name, field in model.model_fields.items():
            assert field.description, name
            assert field.description.endswith("."), name


def test_every_mistake_is_told_at_once():
    said = refused("lock_timeout: soon\nwatch:\n  - path: a\n    quite: 5s\n")

    assert said.split("; ")[0].startswith("symsrv.yaml:1: lock_timeout")
    assert "symsrv.yaml:4: unknown key 'watch[0].quite'; did you mean 'quiet'?" in said


@pytest.mark.parametrize(
    ("option", "sentence"),
    [
        ("version: '{gti}'", "watch[0].version: unknown part '{gti}' in '{gti}'; did you mean '{git}'?"),
        ("version: '1}'", "a brace that means itself is written twice"),
        ("poll: often", "watch[0].poll: 'often' is not a duration; write 30s, 5m, 1h30m or 500ms, or auto"),
        ("poll: 0s", "watch[0].poll"),
    ],
)
def test_what_a_watched_folder_may_not_say(option, sentence):
    said = refused(f"watch:\n  - path: a\n    {option}\n")

    assert said.startswith("symsrv.yaml:3: ")
    assert sentence in said


def test_a_watched_folder_has_a_version_of_its_own_and_is_listed_once():
    text = "watch:\n- {path: a, version: '{pe}-{git}', poll: 1s}\n- {path: b, poll: auto}\n"
    one, two = parse(text, origin=HERE).watch
    assert (one.version, one.poll, two.poll) == ("{pe}-{git}", 1.0, "auto")
    assert "a is listed twice" in refused("watch: [{path: a}, {path: a}]")


def test_folders_for_pointers_are_relative_to_the_file_and_printed(tmp_path):
    config = parse("pointer_roots: [builds, /abs]\n", origin=tmp_path / "symsrv.yaml")

    assert config.pointer_roots == (tmp_path / "builds", Path("/abs"))
    assert plain(config)["pointer_roots"] == [str(tmp_path / "builds"), "/abs"]
    assert Config().pointer_roots == ()
    assert "pointer_roots" in refused("pointer_roots: builds")


UPSTREAM = """\
upstreams:
  - name: one
    url: https://symbols.example.com
  - name: two
    {}
"""


@pytest.mark.parametrize(
    ("option", "sentence"),
    [
        ("layuots: [ssqp]", "unknown key 'upstreams[1].layuots'; did you mean 'layouts'?"),
        ("layouts: [ssqp, ssq]", "upstreams[1].layouts: 'ssq' is no layout; there are symstore, ssqp, breakpad, "),
        ("layouts: []", "upstreams[1].layouts: an upstream speaks one layout at least"),
        ("kind: ftp", "upstreams[1].kind: 'ftp' is no kind of upstream; there are http, bucket, folder, convert"),
        ("url: https:///path", "upstreams[1].url: 'https:///path' names no host"),
        ("url: https://me:secret@host/", "upstreams[1].url: a password does not belong into the URL"),
        ("proxy: {url: http://me:secret@proxy}", "upstreams[1].proxy.url: a password does not belong into the URL"),
        ("credentials: {password: secret}", "upstreams[1].credentials.password: a secret is not written down here"),
        ("credentials: {headers: {Authorization: secret}}", "upstreams[1].credentials.headers: the value of Author"),
        (
            "credentials: {password: {evn: X}}",
            "unknown key 'upstreams[1].credentials.password.evn'; did you mean 'env'?",
        ),
        ("credentials: {headers: {X: {evn: X}}}", "unknown key 'upstreams[1].credentials.headers.X.evn'; did you mean"),
        ("credentials: {headers: {X: 5}}", "upstreams[1].credentials.headers.X: input should be a valid string"),
        ("whitelist: [{nmae: x}]", "unknown key 'upstreams[1].allow[0].nmae'; did you mean 'name'?"),
        ("rate: 0", "upstreams[1].rate: input should be greater than 0"),
        ("tail: {evry: 5s}", "unknown key 'upstreams[1].tail.evry'; did you mean 'every'?"),
        ("size_limit: much", "upstreams[1].size_limit: 'much' is not a size; write 2GiB, 64KiB or 10MB"),
        ("miss_ttl: long", "upstreams[1].miss_ttl: 'long' is not a duration; write 30s"),
        ("window: late", "upstreams[1].window: string should match pattern"),
    ],
)
def test_what_is_wrong_with_an_upstream_is_said_with_its_line(option, sentence):
    said = refused(UPSTREAM.format(option))

    assert said.startswith("symsrv.yaml:5: ")
    assert sentence in said
    assert "secret@" not in said


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            "mirror:\n  skip_for: evr",
            "symsrv.yaml:2: mirror.skip_for: 'evr' is not a duration; write 30s, 5m, 1h30m or",
        ),
        ("mirror:\n  rounds: 0", "symsrv.yaml:2: mirror.rounds: input should be greater"),
        ("mirror: {cocnurrency: 1}", "symsrv.yaml:1: unknown key 'mirror.cocnurrency'; known here: downloads, every"),
        ("mirror:\n  tell:\n  - name: a", "symsrv.yaml:3: mirror.tell[0]: say where it is told, by url or by exec"),
        ("upstreams: [{name: a}, {name: a}]", "symsrv.yaml:1: upstreams: a is listed twice"),
        ("upstreams: [{name: a, allow: [], whitelist: []}]", "upstreams[0]: allow is written twice, once as whitelist"),
        ("upstreams: [{url: x}]", "symsrv.yaml:1: upstreams[0].name: field required"),
        ("upstreams: all", "symsrv.yaml:1: upstreams: input should be a valid tuple"),
    ],
)
def test_what_is_wrong_with_fetching_is_said_with_its_line(text, sentence):
    assert sentence in refused(text)


def test_a_mistake_is_told_once_whatever_types_an_option_may_have():
    assert refused("mirror: {skip_for: -5}").count("mirror.skip_for") == 1
    assert refused("upstreams: [{name: a, tail: 5}]").count("upstreams[0].tail") == 1


def test_paths_of_upstreams_and_databases_are_relative_to_the_file(tmp_path):
    text = """
database: sqlite:///state/kept.sqlite
index: sqlite:////abs/index.sqlite
upstreams:
- name: folder
  url: ../symbols
- name: server
  url: https://symbols.example.com
  credentials:
    ca_bundle: certificates/ca.pem
    password: {file: secrets/password}
    headers: {X-Team: {file: /abs/team}, X-Key: {file: key}, X-Plain: a/b}
mirror: {tell: [{name: hook, url: "https://h", secret: {file: secrets/hook}}]}
"""
    config = parse(text, origin=tmp_path / "symsrv.yaml")

    folder, server = config.upstreams
    assert Path(folder.url).resolve() == tmp_path.parent / "symbols"
    assert server.url == "https://symbols.example.com"
    assert server.credentials.ca_bundle == tmp_path / "certificates" / "ca.pem"
    assert server.credentials.password == Secret(file=tmp_path / "secrets" / "password")
    files = {"X-Team": Secret(file=Path("/abs/team")), "X-Key": Secret(file=tmp_path / "key")}
    assert server.credentials.headers == files | {"X-Plain": "a/b"}
    assert config.mirror.tell[0].secret == Secret(file=tmp_path / "secrets" / "hook")
    assert config.database == f"sqlite:///{tmp_path}/state/kept.sqlite"
    assert config.index == "sqlite:////abs/index.sqlite"
    assert parse("database: 'sqlite:///:memory:'", origin=HERE).database == "sqlite:///:memory:"


def test_what_is_printed_is_read_back():
    text = "mirror: {keep_log: 30d, keep_free: 1500, skip_for: never, window: '22:00-06:00'}\n"
    text += "upstreams: [{name: a, url: 's3://b/c', rate: 0.5, size_limit: 3GiB, pause: 250ms, miss_ttl: 36h}]\n"
    config = parse(text, origin=HERE)

    shown = plain(config)

    assert (shown["mirror"]["keep_log"], shown["mirror"]["keep_free"]) == ("30d", 1500)
    assert {shown["upstreams"][0][name] for name in ("rate", "size_limit", "pause", "miss_ttl")} == {
        0.5,
        "3GiB",
        "250ms",
        "36h",
    }
    assert parse(yaml.safe_dump(shown), origin=HERE) == config
