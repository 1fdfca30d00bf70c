"""File names from outside: checked once, here, before they may become part of a path."""

import re
import unicodedata

from symsrv.model.errors import BadName

NAME_LIMIT_BYTES = 255  # one path segment on ext4, NTFS, APFS; clients skip longer names

_FORBIDDEN = re.compile(r'[\x00-\x1f\x7f/\\:*?"<>|\ud800-\udfff]')
# Windows opens a device for these, whatever the extension; a store must survive a copy to Windows.
_RESERVED = re.compile(r"(?:con|prn|aux|nul|conin\$|conout\$|(?:com|lpt)[0-9¹²³])(?: *\..*)?", re.IGNORECASE)


def checked_name(text: str) -> str:
    """Returns `text` in NFC if it can be one path segment on every system, else raises BadName."""
    name = unicodedata.normalize("NFC", text)
    if not name or name in (".", ".."):
        raise BadName(text, "it is empty or a dot segment")
    if _FORBIDDEN.search(name):
        raise BadName(text, 'it has a separator, a control character or one of : * ? " < > |')
    if name[-1] in ". ":
        raise BadName(text, "it ends in a dot or a space, which Windows drops")
    if _RESERVED.fullmatch(name):
        raise BadName(text, "Windows reserves it for a device")
    if len(name.encode()) > NAME_LIMIT_BYTES:
        raise BadName(text, f"it is longer than {NAME_LIMIT_BYTES} bytes")
    return name


def base_name(path: str) -> str:
    """The last component of a path of any system: `C:\\out\\a.pdb` and `out/a.pdb` give `a.pdb`."""
    return re.split(r"[/\\]", path)[-1]


def fold(name: str) -> str:
    """The form in which names are compared: NFC, lower case, independent of any locale."""
    if name.isascii():
        return name.lower()
    # Lower case may compose anew: H with a macron below has no precomposed form, h has. test_names.py::test_fold
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).lower())
