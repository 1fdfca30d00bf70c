"""docs/reasons.md lists every reason word that the code can say, and none that it cannot."""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

from symsrv.mirror.outcomes import NotAsked
from symsrv.mirror.probing import Found
from symsrv.mirror.published import NotFollowed
from symsrv.serve.answer import Reason
from symsrv.store.needs import State
from symsrv.store.prospects import Prospect
from symsrv.store.whereabouts import ORDER, Why

REPOSITORY = Path(__file__).resolve().parent.parent
PAGE = REPOSITORY / "docs" / "reasons.md"
WORD = re.compile(r"[a-z]+(?:-[a-z0-9]+)*")
BY_WORD = ("NotIdentified", "SourceError", "ArchiveError", "BackendError", "ConversionError", "NotTold")
BY_WORD += ("Absent", "Refused", "Unavailable", "WrongContent")
"""The errors that are told their reason word, as their first argument."""
BY_SECOND = ("_complain", "Rejected")
"""What is told it as the second."""


SECTIONS = {
    Why: "## Why a symbol is or is not to be had",
    Prospect: "## What is done about a file that is not here",
    State: "## The state of a dump's module",
    Reason: "## What the server answers",
    Found: "## What the connection test finds",
    NotAsked: "## Why an upstream is not asked",
    NotFollowed: "## What is not followed of an upstream",
}


def words_of(node: ast.expr | None) -> Iterator[str]:
    """The words that an expression can be: a constant, either side of a condition, a mapping's values."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str) and WORD.fullmatch(node.value):
        yield node.value
    for part in (
        [node.body, node.orelse] if isinstance(node, ast.IfExp) else node.values if isinstance(node, ast.Dict) else []
    ):
        yield from words_of(part)


def is_reason(name: str) -> bool:
    return name.strip("_").lower() in ("reason", "reasons", "unfit")


def said_in(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            if any(isinstance(one, ast.Name) and is_reason(one.id) for one in targets):
                yield from words_of(node.value)
        elif isinstance(node, ast.Call):
            name = node.func.id if isinstance(node.func, ast.Name) else ""
            places = [one.value for one in node.keywords if is_reason(one.arg or "")]
            places += node.args[:1] if name in BY_WORD else node.args[1:2] if name in BY_SECOND else []
            for place in places:
                yield from words_of(place)
        elif isinstance(node, ast.FunctionDef) and node.name.startswith("unfit"):
            for inner in ast.walk(node):
                yield from words_of(inner.value if isinstance(inner, ast.Return) else None)


def said() -> dict[str, set[str]]:
    """Every word outside of the enumerations, with the modules that say it."""
    found: dict[str, set[str]] = defaultdict(set)
    for path in (REPOSITORY / "symsrv").rglob("*.py"):
        for word in said_in(ast.parse(path.read_text(encoding="utf-8"))):
            found[word].add(path.relative_to(REPOSITORY).as_posix())
    return found


def listed() -> dict[str, list[str]]:
    """The words of each section of the page, in its order."""
    found: dict[str, list[str]] = {}
    section = ""
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        if line.startswith("## "):
            section = line
        elif match := re.match(r"\| `([^`]+)` \|", line):
            found.setdefault(section, []).append(match[1])
    return found


@pytest.mark.parametrize("words", SECTIONS)
def test_each_enumeration_is_a_section(words):
    assert sorted(listed()[SECTIONS[words]]) == sorted(words)


def test_every_word_that_the_code_says_is_on_the_page():
    page = {word for section, words in listed().items() if section not in SECTIONS.values() for word in words}

    unlisted = {word: where for word, where in said().items() if word not in page}

    assert not unlisted, "docs/reasons.md does not list these"


def test_the_page_lists_no_word_that_the_code_does_not_say():
    page = {word for section, words in listed().items() if section not in SECTIONS.values() for word in words}

    assert page <= set(said())


def test_no_section_lists_a_word_twice():
    assert all(len(words) == len(set(words)) for words in listed().values())


def test_the_words_in_the_errors_own_page_are_listed():
    text = (REPOSITORY / "symsrv" / "model" / "errors.py").read_text(encoding="utf-8")
    told = {
        word
        for part in re.findall(r"Reasons: (.*?)\"\"\"", text, re.DOTALL)
        for word in re.findall(r"`([a-z-]+)`", part)
    }

    assert "archive-depth" in told
    assert told <= {word for words in listed().values() for word in words}


def test_reasons_are_tried_in_the_order_of_the_page():
    order = listed()[SECTIONS[Why]]

    assert [one for one in order if one in ORDER] == list(ORDER)
