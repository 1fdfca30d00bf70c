"""Sources of portable PDBs: the names of the documents, which of them are embedded, and the Source Link map."""

from symsrv.formats.base import Reader
from symsrv.formats.structures.clr_tables import CUSTOM, DOCUMENT, MODULE, PARENT_BITS, PARENTS, Tables, compressed
from symsrv.model.errors import NotIdentified

NAME_LIMIT_BYTES = 32 * 1024  # the longest path that Windows knows
NAMES_LIMIT_BYTES = 8 << 20  # of all documents together
PARTS_LIMIT = 1 << 18  # of all names together: folders and files
SOURCE_LINK_LIMIT_BYTES = 1 << 20

# Kinds of custom debug information (Portable PDB 1.0).
_SOURCE_LINK = "cc110556a0914d389fec25ab9a351a6a"
_EMBEDDED_SOURCE = "0e8a571b6926466eb4ab8ab04611f5fe"


def source_link(data: Reader) -> str | None:
    """The JSON text of the Source Link map, as it stands there; None if there is none.

    Raises NotIdentified for what is no portable PDB, is broken, or takes more than the reader's budget.
    """
    tables = Tables(data)
    wanted = 1 << PARENT_BITS | PARENTS.index(MODULE)
    for number in range(1, tables.rows.get(CUSTOM, 0) + 1):
        parent, kind, value = tables.row(CUSTOM, number)
        if parent == wanted and tables.guid(kind) == _SOURCE_LINK:
            try:
                return tables.blob(value, SOURCE_LINK_LIMIT_BYTES).decode("utf-8-sig")
            except UnicodeDecodeError as error:
                raise NotIdentified("malformed", "its Source Link map is not UTF-8") from error
        if parent > wanted and tables.is_sorted(CUSTOM):
            break
    return None


def documents(data: Reader) -> tuple[str, ...]:
    """The names of all documents, in their order: the paths or URLs under which the compiler knew its sources.

    Raises as `source_link` does.
    """
    tables = Tables(data)
    names = _Names(tables)
    return tuple(names.document(number) for number in range(1, tables.rows.get(DOCUMENT, 0) + 1))


def embedded_sources(data: Reader) -> tuple[str, ...]:
    """The names of the documents whose text is in the PDB itself, each once. Raises as `source_link` does."""
    tables = Tables(data)
    names = _Names(tables)
    tag = PARENTS.index(DOCUMENT)
    last = tables.rows.get(DOCUMENT, 0) << PARENT_BITS | tag
    found: dict[int, None] = {}
    for number in range(1, tables.rows.get(CUSTOM, 0) + 1):
        parent, kind, _ = tables.row(CUSTOM, number)
        if parent & (1 << PARENT_BITS) - 1 == tag and tables.guid(kind) == _EMBEDDED_SOURCE:
            found[parent >> PARENT_BITS] = None
        if parent > last and tables.is_sorted(CUSTOM):
            break  # the methods, which come behind, are many
    return tuple(names.document(number) for number in found)


class _Names:
    """Names of documents, and how much they have come to: a small heap can spell very many long ones."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self._parts: dict[int, str] = {0: ""}
        self._parts_left = PARTS_LIMIT
        self._bytes_left = NAMES_LIMIT_BYTES

    def document(self, number: int) -> str:
        """The name of a document: a separator, then the blobs of its parts (Portable PDB 1.0, "Document name blob").

        The separator is one character of UTF-8, or a zero byte for none.
        """
        raw = self._tables.blob(self._tables.row(DOCUMENT, number)[0], NAME_LIMIT_BYTES)
        if not raw:
            return ""
        width = next((width for width, end in ((1, 0x80), (2, 0xE0), (3, 0xF0)) if raw[0] < end), 4)
        separator = _text(raw[:width]).replace("\0", "")
        parts, at, length = [], width, 0
        while at < len(raw):
            index, taken = compressed(raw[at : at + 4])
            at += taken
            parts.append(self._part(index))
            length += len(parts[-1]) + 1
            self._parts_left -= 1
            if length > NAME_LIMIT_BYTES or self._parts_left < 0:
                raise NotIdentified("too-complex", "the names of its documents are too long or too many")
        self._bytes_left -= length
        if self._bytes_left < 0:
            raise NotIdentified("too-complex", "the names of its documents are too long or too many")
        return separator.join(parts)

    def _part(self, index: int) -> str:
        if index not in self._parts:
            self._parts[index] = _text(self._tables.blob(index, NAME_LIMIT_BYTES))
            self._bytes_left -= len(self._parts[index])
        return self._parts[index]


def _text(raw: bytes) -> str:
    """UTF-8 as far as it is; a name is for people."""
    return raw.decode("utf-8", "replace")
