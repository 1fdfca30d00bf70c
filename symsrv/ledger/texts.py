"""Texts and lists as any database takes them."""

import json
from collections.abc import Iterable, Iterator
from typing import Any

CHUNK = 500
_ESCAPED = "\x01"


def stored_text(text: str) -> str:
    """Text as any database takes it: NUL and lone surrogates (from foreign file systems) are escaped, reversibly."""
    if text.isascii() and "\0" not in text and not text.startswith(_ESCAPED):
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return _ESCAPED + json.dumps(text)
    return _ESCAPED + json.dumps(text) if "\0" in text or text.startswith(_ESCAPED) else text


def original_text(stored: str) -> str:
    """The inverse of `stored_text`."""
    return str(json.loads(stored[1:])) if stored.startswith(_ESCAPED) else stored


def chunks(items: Iterable[Any]) -> Iterator[list[Any]]:
    """Pieces short enough for the parameters of one statement."""
    batch: list[Any] = []
    for item in items:
        batch.append(item)
        if len(batch) == CHUNK:
            yield batch
            batch = []
    if batch:
        yield batch
