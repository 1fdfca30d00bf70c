"""docs/fake-upstream.md lists the quirks that there are."""

import re
from pathlib import Path

from symsrv.mirror.faking import QUIRKS

PAGE = Path(__file__).resolve().parents[3] / "docs" / "fake-upstream.md"


def test_the_page_lists_every_quirk_with_its_words():
    rows = re.findall(r"^\| `([\w-]+)` \| (.+) \| (?:`(.+)`)? ?\|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)

    assert rows == [(name, quirk.help.rstrip("."), quirk.value) for name, quirk in QUIRKS.items()]
