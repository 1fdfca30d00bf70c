"""How upstreams are shown: sizes, tables, flags, no secrets."""

from pathlib import Path

import pytest

from symsrv.commands.upstreaming import absolute, as_flags, place, size, table
from symsrv.mirror.settings import UpstreamOptions


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0 B"), (1023, "1023 B"), (1536, "1.5 KiB"), (5 << 20, "5.0 MiB"), (3 << 40, "3.0 TiB")]
)
def test_bytes_are_readable(count, text):
    assert size(count) == text


def test_a_table_has_columns_and_no_control_characters():
    assert (
        table(("a", "long title"), [("x\x1b[0m", ""), ("y", "z")]) == "a         long title\nx\\x1b[0m  -\ny         z"
    )


def test_proposed_options_are_told_as_one_would_give_them():
    assert as_flags({"a": True, "layouts": ["two-tier", "ssqp"]}) == "--set a=true --set layouts=[two-tier,ssqp]"


def test_a_query_may_be_a_secret():
    assert place(UpstreamOptions(name="a", url="https://a.example/x?sig=hunter2")) == "https://a.example/x"
    assert place(UpstreamOptions(name="a", kind="convert")) == "our own store"


def test_folders_are_made_absolute_and_urls_are_left(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    assert absolute("share") == str(tmp_path / "share")
    assert absolute("https://a.example/") == "https://a.example/"
    assert absolute("~/x") == str(Path("~/x").expanduser())
