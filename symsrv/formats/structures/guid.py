"""GUIDs as people read them, and the debug id that Breakpad builds on them."""

GUID_BYTES = 16


def guid_text(raw: bytes) -> str:
    """The 32 digits of a GUID: its first three fields are little-endian on disk and print the other way round.

    SSQP key conventions, "GUID"; the same as `uuid.UUID(bytes_le=raw).hex` without importing uuid.
    """
    return (raw[3::-1] + raw[5:3:-1] + raw[7:5:-1] + raw[8:16]).hex()


def breakpad_id(guid: str, age: int) -> str:
    """Breakpad's debug id: the GUID in upper case, then the age in lower-case hexadecimal without padding."""
    return f"{guid.upper()}{age:x}"
