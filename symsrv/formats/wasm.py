"""WebAssembly modules: known by the custom section `build_id` that wasm-ld writes.

Rules: the WebAssembly core specification, "Modules"; tool-conventions, BuildId.md and DynamicLinking.md; for components
the component model's Binary.md.
"""

from dataclasses import dataclass

from symsrv.formats.base import Reader
from symsrv.formats.structures.guid import GUID_BYTES, breakpad_id
from symsrv.model.errors import NotIdentified
from symsrv.model.identity import BOTH, CODE, DEBUG_INFO, Identity
from symsrv.model.ids import wasm_id

SECTIONS_LIMIT = 1024
BUILD_ID_LIMIT_BYTES = 256
IMPORTS_LIMIT_BYTES = 16 * 1024

_MAGIC = b"\0asm"
_CORE, _COMPONENT = b"\1\0\0\0", b"\x0d\0\1\0"
_CUSTOM, _IMPORT, _MEMORY, _CODE = 0, 2, 5, 10
_BUILD_ID = b"build_id"
_DEBUG = b".debug_"
_LENGTH_LIMIT_BYTES = 5  # of a LEB128 number of 32 bits
_HEADER_BYTES = 1 + _LENGTH_LIMIT_BYTES + _LENGTH_LIMIT_BYTES + 8
_MEMORY_64 = 4  # memory64: the flag in a memory's limits


@dataclass(slots=True)
class _Found:
    """What the sections had."""

    build_id: bytes | None = None
    code: bool = False
    debug: bool = False
    wide: bool = False
    broken: str | None = None


class Wasm:
    """Modules of 32 and 64 bits; components are recognised, and have an id if they carry one themselves."""

    name = "wasm"

    def sniff(self, head: bytes) -> bool:
        """The four magic bytes."""
        return head[:4] == _MAGIC

    def identify(self, data: Reader, name: str) -> tuple[Identity, ...]:
        """The one module. A module without functions and without debug information counts as code: engines load it."""
        version = data.at(4, 4)
        if version not in (_CORE, _COMPONENT):
            raise NotIdentified("malformed", f"a WebAssembly file of an unknown version ({version.hex()})")
        found = _look_through(data, component=version == _COMPONENT)
        if found.build_id is None:
            if found.broken:
                raise NotIdentified(found.broken, "a WebAssembly file whose sections lead outside it or are broken")
            raise NotIdentified("no-id", "a WebAssembly file without a build id; link it with -Wl,--build-id")
        raw, spellings = _readings(found.build_id)
        kind = (BOTH if found.code else DEBUG_INFO) if found.debug else CODE
        identity = Identity(
            format=self.name,
            kind=kind,
            name=name,
            ids=tuple(wasm_id(one) for one in spellings),
            arch="wasm64" if found.wide else "wasm32",
            code_id=raw.hex(),
            debug_id=breakpad_id(raw[:GUID_BYTES].ljust(GUID_BYTES, b"\0").hex(), 0),  # nothing is swapped here
            build_id=raw.hex(),
            symbol_kind="bin" if kind == CODE else "pri",
            notes=("its sections are broken or lead outside the file",) if found.broken else (),
        )
        return (identity,)


def _readings(payload: bytes) -> tuple[bytes, tuple[bytes, ...]]:
    """The build id of a section, and every spelling that a client asks by.

    Linkers write a LEB128 length before it; .NET's tools and symbolic ask with the length, lldb and binaryen without.
    Other producers write none, so a length counts only if exactly as many bytes follow.
    """
    length, start = _number(payload, 0)
    prefixed = start > 0 and length == len(payload) - start
    raw = payload[start:] if prefixed else payload
    if len(raw) > BUILD_ID_LIMIT_BYTES or not any(raw):
        raise NotIdentified("no-id", "a WebAssembly file whose build id is empty, of zeros or longer than 256 bytes")
    return raw, (raw, payload) if prefixed and len(payload) <= BUILD_ID_LIMIT_BYTES else (raw,)


def _number(raw: bytes, at: int) -> tuple[int, int]:
    """An unsigned LEB128 number of 32 bits and the offset behind it; offset 0 if it is cut or too long."""
    value = 0
    for index, byte in enumerate(raw[at : at + _LENGTH_LIMIT_BYTES]):
        value |= (byte & 0x7F) << 7 * index
        if byte < 0x80:
            return (value, at + index + 1) if value < 1 << 32 else (0, 0)
    return 0, 0


def _look_through(data: Reader, *, component: bool) -> _Found:
    """Walks the sections; `broken` says why it ended before the file did."""
    found = _Found()
    at = 8
    for _ in range(SECTIONS_LIMIT):
        if at == data.size:
            return found
        head = data.up_to(at, _HEADER_BYTES)
        size, start = _number(head, 1)
        end = at + start + size
        if not start or end > data.size:
            found.broken = "truncated" if start or len(head) < 1 + _LENGTH_LIMIT_BYTES else "malformed"
            return found
        if head[0] == _CUSTOM:
            name_size, name_at = _number(head, start)
            if not name_at or at + name_at + name_size > end:
                # .NET's tools go on behind a custom section whose name is cut, but zeros behind the last are none.
                if not size:
                    found.broken = "malformed"
                    return found
            else:
                _take_custom(data, found, head[name_at:][: min(name_size, 8)], name_size, at + name_at + name_size, end)
        elif component:
            found.code = True
        elif head[0] == _CODE:
            found.code = found.code or size > 1
        elif head[0] in (_MEMORY, _IMPORT):
            found.wide = found.wide or _is_wide(data.at(at + start, min(size, IMPORTS_LIMIT_BYTES)), head[0])
        at = end
    found.broken = "too-complex"
    return found


def _take_custom(data: Reader, found: _Found, name: bytes, name_size: int, at: int, end: int) -> None:
    """Looks at a custom section; `name` is the beginning of its name, its content lies between `at` and `end`."""
    if name == _BUILD_ID and name_size == len(_BUILD_ID) and found.build_id is None:
        found.build_id = data.at(at, min(end - at, BUILD_ID_LIMIT_BYTES + _LENGTH_LIMIT_BYTES + 1))
    elif name.startswith(_DEBUG) and end > at:
        found.debug = True


def _is_wide(raw: bytes, section: int) -> bool:
    """Whether the first memory that a section defines or imports has addresses of 64 bits."""
    count, at = _number(raw, 0)
    if section == _MEMORY:
        return bool(at and count and raw[at : at + 1] and raw[at] & _MEMORY_64)
    while count and at:
        for _ in range(2):  # the names of the module and of the field
            size, at = _number(raw, at)
            at = at + size if at else 0
        if not at or at + 2 > len(raw):
            return False
        kind = raw[at]
        if kind == 2:
            return bool(raw[at + 1] & _MEMORY_64)
        at = _behind_import(raw, at + 1, kind)
        count -= 1
    return False


def _behind_import(raw: bytes, at: int, kind: int) -> int:
    """The offset behind the description of an import that is no memory; 0 if it cannot be read."""
    if kind == 0:  # a function: the index of its type
        return _number(raw, at)[1]
    if kind == 1:  # a table: the type of its elements, flags, one or two limits
        flags = raw[at + 1 : at + 2]
        at = _number(raw, at + 2)[1] if flags else 0
        return _number(raw, at)[1] if at and flags[0] & 1 else at
    if kind == 3:  # a global: its type, whether it may change
        return at + 2
    return _number(raw, at + 1)[1] if kind == 4 else 0  # a tag: 0, the index of its type
