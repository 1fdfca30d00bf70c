import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from symsrv.model.errors import BadName
from symsrv.model.names import NAME_LIMIT_BYTES, base_name, checked_name, fold

ANY = st.text(st.characters(exclude_categories=()))


REAL = """crash.pdb|_|_.debug|.hidden|c++filt|libgallium-24.2.8-1~bpo12+rpt1.so|Slack Helper (GPU)|100%.dll|console.dll
com.dll|com10.dll|nul-device.dll|aux2|Größe.pdb|日本.dll|a b""".replace("\n", "|").split("|")
DANGEROUS = (
    """.;..;a/b;a\\b;C:;a:b;a*;a?;a";<;>;a|b;a.;a ;con;CON;nul.dll;Aux.tar.gz;com1;LPT9.txt;com¹;conin$;prn .x;...; """
)


@pytest.mark.parametrize("name", [*REAL, "x" * 255])
def test_real_names_pass(name: str):
    assert checked_name(name) == name


@pytest.mark.parametrize(
    "name", [*DANGEROUS.split(";"), "", "a\0", "a\n", "\x7f", "x" * 256, "ß" * 128, "\ud800", "a\udcff"]
)
def test_dangerous_names_do_not(name: str):
    with pytest.raises(BadName):
        checked_name(name)


def test_a_bad_name_is_quoted_and_cut():
    with pytest.raises(BadName) as caught:
        checked_name("\n" + "x" * 10_000)

    assert str(caught.value).startswith("'\\nxxx")
    assert len(str(caught.value)) < 250


def test_names_are_composed():
    assert checked_name("Gro\u0308ße") == "Größe"


@given(text=ANY)
def test_any_text_is_a_safe_segment_or_refused(text: str):
    try:
        name = checked_name(text)
    except BadName:
        return

    assert checked_name(name) == name
    assert unicodedata.is_normalized("NFC", name)
    assert 0 < len(name.encode()) <= NAME_LIMIT_BYTES
    assert not set(name) & set('/\\:*?"<>|\0')
    assert name not in (".", "..")
    assert name.rstrip(". ") == name
    assert base_name(name) == name


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("C:\\out\\a.pdb", "a.pdb"),
        ("out/a.pdb", "a.pdb"),
        ("a.pdb", "a.pdb"),
        ("\\\\server\\share/x\\y/a.pdb", "a.pdb"),
        ("a/", ""),
        ("", ""),
    ],
)
def test_base_name_of_any_system(path: str, name: str):
    assert base_name(path) == name


@pytest.mark.parametrize(
    ("left", "right"),
    [("CRASH.PDB", "crash.pdb"), ("GRÖSSE", "grösse"), ("Gro\u0308ße", "GRÖße"), ("H\u0331", "\u1e96"), ("I", "i")],
)
def test_fold(left: str, right: str):
    assert fold(left) == fold(right)


def test_fold_knows_no_locale():
    assert fold("TITLE.DLL") == "title.dll"
    assert fold("ı") != fold("i")


@given(text=ANY)
def test_folding_twice_changes_nothing(text: str):
    assert fold(fold(text)) == fold(text)
