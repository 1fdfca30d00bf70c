"""What docs/conversion.md and docs/telling.md show is what the code takes and says."""

import base64
import json
import re
from pathlib import Path

import pytest

from symsrv.config import parse
from symsrv.mirror.forms.generic import signed
from symsrv.mirror.settings import TellOptions
from symsrv.mirror.telling import describing
from symsrv.store.reports import DATA

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGES = ("conversion", "telling")


def blocks(page, language):
    text = (DOCS / f"{page}.md").read_text(encoding="utf-8")
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


@pytest.mark.parametrize("page", PAGES)
def test_the_configuration_is_one(page):
    [text] = blocks(page, "yaml")

    config = parse(text, origin=Path("/etc/symsrv/symsrv.yaml"))

    assert config.upstreams or config.mirror.tell


def test_the_converter_of_the_page_says_its_defaults():
    [text] = blocks("conversion", "yaml")
    [shown] = parse(text, origin=Path("/etc/symsrv/symsrv.yaml")).upstreams

    for option in ("cpu_limit", "idle_timeout", "memory_limit"):
        assert getattr(shown, option) == type(shown).model_fields[option].default


def test_the_function_of_the_page_knows_our_signature():
    [source] = blocks("telling", "python")
    space: dict = {}
    exec(source, space)
    body, secret = b'{"type":"test"}', base64.b64encode(b"very secret").decode()

    def said(**changed):
        headers = dict(signed("key-1", body, secret=f"whsec_{secret}")) | changed
        return space["is_from_symsrv"](headers, body, b"very secret")

    assert said()
    assert not said(**{"webhook-id": "key-2"})
    assert not said(**{"webhook-timestamp": "1700000000"})


def test_the_events_of_the_page_are_those_that_are_told(store, state, add, tmp_path):
    from symsrv.mirror.telling import announce
    from symsrv.model.ask import Ask, Wants
    from symsrv.model.ids import SymbolId
    from symsrv.model.wants import Wish
    from tests.made.pdb_builder import build_pdb

    path = tmp_path / "crash.pdb"
    path.write_bytes(build_pdb())
    add(path)
    [file] = store.search("crash.pdb", limit=1)
    state.events.add("arrived", {"home": file.home, "transaction": 1, "wants": []})
    [number] = [
        state.reports.file("a", [Wish(Ask(Wants.DEBUG, (SymbolId("debug", "1" * 33),), "a.pdb"))], origin="b", data={})
    ]
    for want in state.reports.wants(number):
        state.wants.claim("me", 1, lease_seconds=60)
        state.wants.rest(want.id, "me", reason="absent", due=None, rounds=3)
    announce(state)

    for text, event in zip(blocks("telling", "json"), state.events.after(0), strict=True):
        [shown] = json.loads(text)["events"]
        told = describing(store)(event)
        assert set(shown) == set(told)
        assert {*shown.get("data", {})} <= {*DATA}
        if event.kind == "arrived":
            assert set(shown["identities"][0]) == set(told["identities"][0])


def test_the_example_names_options_that_there_are():
    [text] = blocks("telling", "yaml")
    config = parse(text, origin=Path("/etc/symsrv/symsrv.yaml"))

    assert [one.form for one in config.mirror.tell] == ["generic", "generic", "sentry", "socorro"]
    assert all(isinstance(one, TellOptions) for one in config.mirror.tell)
