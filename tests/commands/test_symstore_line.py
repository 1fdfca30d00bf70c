"""symstore.exe's command line: every spelling, and every refusal with what mends it."""

import pytest

from symsrv.commands.symstore_line import _FLAGS, _VALUES, Call, own_words, parse, spelled
from symsrv.model.errors import UsageError
from tests.conftest import REPOSITORY

ADD = ["/f", "a.pdb", "/s", "store", "/t", "App"]


def add(*words):
    return parse(["add", *ADD, *words])


def refusal(*words):
    with pytest.raises(UsageError) as caught:
        parse(words)
    return str(caught.value)


def test_the_whole_of_an_add():
    call = parse(
        [
            "add",
            "/r",
            "/f",
            "a.pdb",
            "/f",
            "@list.txt",
            "/s",
            "\\\\server\\symbols",
            "/t",
            "App",
            "/v",
            "1.2",
            "/c",
            "why",
            "/d",
            "log.txt",
            "/o",
            "/z",
            "pub",
            "/h",
            "PRI",
            "/compress",
            "/3",
            "-:NOREFS",
            "-:NOFORCECOPY",
        ]
    )

    assert call == Call(
        "add",
        files=("a.pdb", "@list.txt"),
        store="\\\\server\\symbols",
        product="App",
        version="1.2",
        comment="why",
        log="log.txt",
        recursive=True,
        verbose=True,
        compress=True,
        two_tier=True,
        only="pub",
        prefer="pri",
        force_copy=False,
        refs=False,
    )


def test_what_is_not_said():
    assert add() == Call("add", files=("a.pdb",), store="store", product="App")


@pytest.mark.parametrize("sign", ["/", "-", "//"])
@pytest.mark.parametrize("change", [str.lower, str.upper])
def test_options_begin_with_a_slash_or_a_dash_in_any_case_and_order(sign, change):
    words = [f"{sign}{change(one)}" for one in "tsrf"]

    call = parse([change("add"), words[0], "App", words[1], "store", words[2], words[3], "a.pdb"])

    assert call == Call("add", files=("a.pdb",), store="store", product="App", recursive=True)


def test_a_value_may_look_like_a_path_of_this_system():
    assert parse(["query", "/f", "/out/a.pdb", "/s", "/srv/symbols"]).files == ("/out/a.pdb",)


def test_texts_may_be_empty_and_hold_anything():
    call = add("/v", "", "/c", 'he said "yes", twice')

    assert (call.version, call.comment) == ("", 'he said "yes", twice')


def test_a_delete_and_a_query():
    assert parse(["DEL", "-I", "0000000004", "-s", "x"]) == Call("del", store="x", transaction=4)
    assert parse(["query", "/r", "/f", "a", "/s", "x"]) == Call("query", files=("a",), store="x", recursive=True)


@pytest.mark.parametrize("words", [["/?"], ["-?"], ["add", "/?"], ["//?"], ["add", *ADD, "/?"]])
def test_asking_for_help(words):
    assert parse(words) == Call("help")


@pytest.mark.parametrize("more", [["cab"], ["CAB"], ["-:NOREFS"], ["/o"], []])
def test_compress_takes_a_kind_or_none(more):
    assert add("/compress", *more).compress


def test_what_follows_compress_is_an_option_of_its_own():
    assert add("/compress", "/v", "1", "/o").version == "1"
    assert not add("/compress", "-:NOREFS").refs


@pytest.mark.parametrize(
    ("words", "mends"),
    [
        ([], "add, del or query"),
        (["put"], "add, del or query"),
        (["add", "/s", "x", "/t", "y"], "/f"),
        (["add", "/f", "a", "/t", "y"], "/s"),
        (["add", "/f", "a", "/s", "x"], "/t"),
        (["add", "/f", "a", "/s", "x", "/t", " "], "/t is empty"),
        (["add", "/f", ""], "/f is empty"),
        (["add", *ADD, "/t", "again"], "/t is given twice"),
        (["add", *ADD, "/nope"], "/?"),
        (["add", *ADD, "a", "b"], "quotes"),
        (["add", *ADD, "/v"], '""'),
        (["add", *ADD, "/v", "/compress"], '""'),
        (["add", *ADD, "/c", "-:NOREFS"], '""'),
        (["add", *ADD, "/i", "4"], "leave it away"),
        (["add", *ADD, "/z", "both"], "pub or pri"),
        (["add", *ADD, "/compress", "LZX"], "Invalid compression type 'LZX'"),
        (["add", *ADD, "/compress", "zip"], "say /compress"),
        (["del", "/s", "x"], "/i"),
        (["del", "/i", "one", "/s", "x"], "0000000004"),
        (["del", "/i", "0", "/s", "x"], "0000000004"),
        (["query", "/f", "a", "/s", "x", "/t", "App"], "leave it away"),
        (["add", "/f", 'C:\\out\\" /s x /t App'], "$(TargetDir)."),
        (["add", "/f", "a", "/s", 'C:\\symbols"', "/t", "App"], "$(TargetDir)."),
    ],
)
def test_what_cannot_be_obeyed_is_refused_with_what_mends_it(words, mends):
    assert mends in refusal(*words)


@pytest.mark.parametrize("option", ["/x", "/y", "/a", "/q", "/yi", "/g", "/p", "/m", "-:REL", "-:MSG"])
def test_what_only_windows_could_tell_is_refused(option):
    assert refusal("add", *ADD, option, "value").startswith(f"{option} is not taken: ")


@pytest.mark.parametrize("word", ["F:/", "C:/Program Files/Git/f", "C:/Program Files/Git/compress", "C:/msys64/3"])
def test_what_git_bash_made_of_an_option_is_recognised(word):
    assert "MSYS_NO_PATHCONV" in refusal("add", word, "a.pdb")


def test_own_options_are_taken_out_and_values_are_not():
    words = ["add", "/c", "--strict", "--strict", "--config", "x.yaml", "--config=y.yaml", "/o", "--help", "/v"]

    assert own_words(words) == (
        ["--strict", "--config", "x.yaml", "--config=y.yaml", "--help"],
        ["add", "/c", "--strict", "/o", "/v"],
    )
    assert own_words(["--config"]) == (["--config"], [])


def test_spelling():
    assert [spelled("f"), spelled(":norefs")] == ["/f", "-:NOREFS"]


def test_the_page_has_every_option():
    page = (REPOSITORY / "docs" / "symstore.md").read_text(encoding="utf-8")

    assert [name for name in sorted(_VALUES | _FLAGS) if f"`{spelled(name)}" not in page] == []
