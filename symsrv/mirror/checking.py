"""Checking: whether what came is what was asked for, by its own content, before anything is kept."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from symsrv.formats import identify_path
from symsrv.mirror.base import Fetched, WrongContent
from symsrv.mirror.checksums import matches
from symsrv.mirror.decoding import unwrapped
from symsrv.mirror.progress import forget
from symsrv.mirror.verdicts import HEAD_BYTES, looks_like_html
from symsrv.model.ask import Ask, Wants
from symsrv.model.errors import BadName, NotIdentified
from symsrv.model.identity import Identity
from symsrv.model.names import base_name, checked_name
from symsrv.model.wants import wanted

_BROKEN = ("truncated", "malformed", "too-complex")


@dataclass(frozen=True, slots=True)
class Checked:
    """A plain file that answers the ask. `name` is the one to publish it under: the asker's, if the ask has one."""

    path: Path
    name: str
    size: int
    identities: tuple[Identity, ...]
    notes: tuple[str, ...] = ()


def check(fetched: Fetched, ask: Ask, *, size_limit: int | None = None, checksum: str | None = None) -> Checked:
    """The plain file, beside what was fetched or that itself. What is refused is deleted.

    `checksum` is what the program says of its portable PDB, `SHA256:<hex>`; other files are not held against it.
    Raises WrongContent (`empty`, `damaged`, `several-files`, `too-big`, `login-page`, `wrong-file`, `wrong-checksum`,
    `bad-name`, or a reason of `Identity.unfit`), and OSError of the folder.
    """
    plain = fetched.path
    try:
        plain, notes = unwrapped(fetched.path, fetched.encoding, limit=size_limit)
        size = plain.stat().st_size
        name = _name(ask, fetched.name)
        identities = _identified(plain, name)
        _answering(identities, wanted(ask))
        if checksum and matches(plain, checksum) is False:
            raise WrongContent("wrong-checksum", "it has the right id, and is not the file that the program names")
    except WrongContent:
        for path in {plain, fetched.path}:
            forget(path)
        raise
    return Checked(plain, name, size, identities, (*fetched.notes, *notes))


def _identified(path: Path, name: str) -> tuple[Identity, ...]:
    try:
        return identify_path(path, name)
    except BadName as error:
        raise WrongContent("bad-name", str(error)) from error
    except NotIdentified as error:
        with path.open("rb") as file:
            page = looks_like_html(file.read(HEAD_BYTES))
        if page:
            raise WrongContent("login-page", "a page came in place of the file: a sign-in, or an error") from error
        if error.reason == "empty":
            raise WrongContent("empty", "it has no bytes") from error
        if error.reason in _BROKEN:
            raise WrongContent("damaged", f"it is broken: {error}") from error
        raise WrongContent("wrong-file", f"it is another file than the one asked for: {error}") from error


def _answering(identities: Sequence[Identity], ask: Ask) -> None:
    """Raises WrongContent unless one of the file's identities answers the ask."""
    right = [one for one in identities if set(ask.ids) & {*one.ids, *one.also}]
    if not right:
        ids = ", ".join(dict.fromkeys(one.debug_id or one.code_id or one.ids[0].value for one in identities))
        raise WrongContent("wrong-file", f"it carries another id: {ids[:200]}")
    fit = [one for one in right if one.answers(ask.wants)]
    if not fit:
        raise WrongContent("wrong-file", f"it is {right[0].format}, {right[0].role}, where {ask.wants} was asked for")
    if all(one.unfit for one in fit):
        unfit = fit[0]
        raise WrongContent(str(unfit.unfit), "; ".join(unfit.notes[:1]) or "it is of no use elsewhere")


def _name(ask: Ask, called: str | None) -> str:
    """The asker's name for the file. Where the ask has none, the server's if it may be one, else one made of the id."""
    if ask.wants is Wants.SYM and ask.name is not None:
        return ask.detail or f"{ask.name.removesuffix('.pdb')}.sym"
    if ask.name is not None:
        return ask.name
    try:
        return checked_name(base_name(called or ""))
    except BadName:
        return ask.ids[0].value + ("" if ask.wants is Wants.CODE else ".debug")
