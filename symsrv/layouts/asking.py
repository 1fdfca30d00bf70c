"""What a person asks for: a name and an id, or a path or address of any client's dialect, as an ask."""

from urllib.parse import unquote, urlsplit

from symsrv.layouts import parse_any
from symsrv.model.ask import Ask
from symsrv.model.names import base_name

_ID_NOISE = str.maketrans("", "", "-{} ")


def asked(text: str, symbol_id: str | None = None) -> Ask | None:
    """The ask that a text means, with an id as a name; None if no client's dialect reads it."""
    return _by_path(text.strip()) if symbol_id is None else _by_name(base_name(text.strip()), symbol_id.strip())


def _by_name(name: str, text: str) -> Ask | None:
    """Ids as they stand in keys come with their prefix; people paste them with dashes and braces, too."""
    for one in (text, text.translate(_ID_NOISE)):
        if one and "/" not in one and (ask := parse_any(f"{name}/{one}/{name}")) is not None:
            return ask
    return None


def _by_path(text: str) -> Ask | None:
    """The longest end of the path that a dialect reads: before it is what a server or a share is called."""
    path = unquote(urlsplit(text).path) if "://" in text else text
    segments = [one for one in path.replace("\\", "/").split("/") if one]
    ends = ("/".join(segments[start:]) for start in range(len(segments) - 1))
    return next((ask for end in ends if (ask := parse_any(end)) is not None), None)
