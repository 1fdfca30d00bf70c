"""What other tools say of PE images: stamp and size, the PDBs they were linked with, the libraries they name."""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pefile
from symstore import symstore

from symsrv.model.ids import swapped
from tests.interop.oracles.answers import (
    CODE_ID,
    DEBUG_ID,
    LOADS,
    NONE,
    PDB_IDS,
    PDB_NAME,
    Answer,
    guid_and_age,
    joined,
    plain,
)
from tests.interop.oracles.running import by_file

_DEBUG, _IMPORT, _DELAY_IMPORT = 6, 1, 13
_FIELD = re.compile(r"\s+(\w+): (.*)$")
_HEX = re.compile(r"0x([0-9A-F]+)")
_BYTES = re.compile(r"\(((?:[0-9A-F]{2} ?)+)\)")

# GUID, age, path, stamp of the directory entry, its minor version
Record = tuple[str, int, str, int, int]


def pefile_reads(files: Iterable[Path]) -> dict[Path, Answer]:
    """The Python package pefile."""
    return {path: _by_pefile(path) for path in files}


def _by_pefile(path: Path) -> Answer:
    try:
        image = pefile.PE(str(path), fast_load=True)
    except pefile.PEFormatError as error:
        return Answer(refused=str(error))
    with image:
        image.parse_data_directories([_DEBUG, _IMPORT, _DELAY_IMPORT])
        records = []
        for one in getattr(image, "DIRECTORY_ENTRY_DEBUG", ()):
            if one.struct.Type == 2 and one.entry is not None and hasattr(one.entry, "PdbFileName"):
                records.append(_pefile_record(one))
        tables = ("DIRECTORY_ENTRY_IMPORT", "DIRECTORY_ENTRY_DELAY_IMPORT")
        loads = [one.dll.decode() for table in tables for one in getattr(image, table, ()) if one.dll]
        size = image.OPTIONAL_HEADER.SizeOfImage
        return _answer(image.FILE_HEADER.TimeDateStamp, size, records, loads)


def _pefile_record(one: Any) -> Record:
    entry = one.entry
    if hasattr(entry, "Signature_Data1"):
        last = f"{entry.Signature_Data4:02x}{entry.Signature_Data5:02x}{entry.Signature_Data6.hex()}"
        guid = f"{entry.Signature_Data1:08x}{entry.Signature_Data2:04x}{entry.Signature_Data3:04x}{last}"
    else:
        guid = f"{entry.Signature:08x}"  # NB10
    path = entry.PdbFileName.split(b"\0", 1)[0].decode("utf-8", "replace")
    return guid, entry.Age, path, one.struct.TimeDateStamp, one.struct.MinorVersion


def llvm_readobj(program: str, files: Iterable[Path]) -> dict[Path, Answer]:
    """LLVM."""
    command = [program, "--file-headers", "--coff-debug-directory", "--coff-imports"]
    found = by_file(command, files, heading=lambda line: line[6:] if line.startswith("File: ") else None)
    return {path: _by_llvm(lines) for path, lines in found.items()}


def _by_llvm(lines: Sequence[str]) -> Answer:
    records: list[Record] = []
    stamp = size = 0
    loads = []
    entry: dict[str, str] = {}
    block = ""
    for line in lines:
        word = line.strip()
        if word.endswith("{"):
            block = word[:-2]
        match = _FIELD.match(line)
        if word == "DebugEntry {":
            entry = {}
        if not match:
            continue
        name, value = match.groups()
        if block == "ImageFileHeader" and name == "TimeDateStamp":
            stamp = _number(value)
        elif block == "ImageOptionalHeader" and name == "SizeOfImage":
            size = int(value)
        elif block in ("Import", "DelayImport") and name == "Name":
            loads.append(value)
        elif block in ("DebugEntry", "PDBInfo"):
            entry[name] = value
            if name == "PDBFileName":
                records.append(_llvm_record(entry))
    return _answer(stamp, size, records, loads)


def _llvm_record(entry: dict[str, str]) -> Record:
    """LLVM prints the GUID's bytes as they stand in the file."""
    raw = "".join(_BYTES.findall(entry["PDBGUID"])[0].split())
    minor = _number(entry["MinorVersion"])
    return swapped(raw), int(entry["PDBAge"]), entry["PDBFileName"], _number(entry["TimeDateStamp"]), minor


def _number(text: str) -> int:
    """A number as LLVM prints it: hexadecimal, perhaps behind what it means."""
    match = _HEX.search(text)
    return int(match[1], 16) if match else int(text)


def _answer(stamp: int, size: int, records: Sequence[Record], loads: Sequence[str]) -> Answer:
    ids = [guid_and_age(guid, age) for guid, age, *_ in records]
    fields = {
        CODE_ID: f"{stamp:08x}{size:x}",
        DEBUG_ID: ids[0] if ids else NONE,
        PDB_IDS: joined(ids),
        PDB_NAME: re.split(r"[/\\]", records[0][2])[-1] if records else NONE,
        LOADS: joined(one.lower() for one in loads),
    }
    portable = [f"{plain(guid)}:{when:x}" for guid, _, _, when, minor in records if minor == 0x504D]
    return Answer(fields, {"portable": " ".join(portable)})


def symstore_package(files: Iterable[Path]) -> dict[Path, Answer]:
    """The Python package symstore: the folder that it would file an image under."""
    found = {}
    for path in files:
        try:
            found[path] = Answer({CODE_ID: symstore._file_hash(str(path)).lower()})
        except Exception as error:  # it has no errors of its own for damaged files
            found[path] = Answer(refused=repr(error))
    return found
