"""One section of an ELF file: from which file, where it lies, and nothing left open."""

import uuid

import pytest

from symsrv.formats.base import FileReader
from symsrv.model.records import StoredFile
from symsrv.serve.sections import RemoteReader, open_section
from symsrv.store import open_store
from tests.made.elf_builder import BUILD_ID, Part, build_elf
from tests.serve.site import CODE, LINES

CODE_FILE = StoredFile("app/elf-buildid-1/app", 0)
DEBUG_FILE = StoredFile("app.debug/elf-buildid-sym-1/app.debug", 0)
ABSENT = StoredFile("gone/elf-buildid-1/gone", 0)


@pytest.fixture(params=["disk", "bucket"])
def store(request, tmp_path):
    if request.param == "disk":
        made = open_store(str(tmp_path / "store"), create=True, state=tmp_path / "state")
    else:
        made = open_store(f"memory://{uuid.uuid4().hex}", create=True, index_url="sqlite://")
    made._backend.write(CODE_FILE.home, build_elf((Part(".text", CODE, flags=2),), file_type=2))
    debug = build_elf((Part(".text", b"", kind=8, flags=2, size=80), Part(".debug_line", LINES), Part(".empty")))
    made._backend.write(DEBUG_FILE.home, debug)
    yield made
    made.close()


def found(store, name, *files):
    hit = open_section(store, files, name)
    if hit is None:
        return None
    opened, file, (offset, size) = hit
    try:
        return file, opened.stream.read()[offset:][:size]
    finally:
        opened.close()


def test_the_first_file_that_has_the_bytes_gives_them(store):
    assert found(store, ".debug_line", DEBUG_FILE, CODE_FILE) == (DEBUG_FILE, LINES)
    assert found(store, ".debug_line", CODE_FILE, DEBUG_FILE) == (DEBUG_FILE, LINES)
    assert found(store, ".text", DEBUG_FILE, CODE_FILE) == (CODE_FILE, CODE), "a debug file has it as NOBITS"


def test_a_section_that_is_nowhere_or_empty_is_none(store, descriptors):
    before = descriptors()

    assert found(store, ".nothing", DEBUG_FILE, CODE_FILE) is None
    assert found(store, ".empty", DEBUG_FILE) is None
    assert found(store, ".text") is None

    assert descriptors() == before


def test_files_that_are_gone_broken_or_no_elf_are_passed_over(store, descriptors):
    whole = build_elf((Part(".text", CODE, flags=2),), file_type=2)
    broken = []
    for number, data in enumerate((b"", b"MZ", b"\x7fELF", whole[:70], whole[:-10])):
        broken.append(StoredFile(f"broken/{number}", 0))
        store._backend.write(broken[-1].home, data)
    before = descriptors()

    assert found(store, ".text", ABSENT, *broken, CODE_FILE) == (CODE_FILE, CODE)
    assert found(store, ".text", ABSENT, *broken) is None

    assert descriptors() == before


def test_a_remote_file_reads_as_a_local_one_does(store, tmp_path):
    data = build_elf()
    (tmp_path / "lib.so").write_bytes(data)
    store._backend.write("lib.so", data)

    remote = RemoteReader(store, StoredFile("lib.so", len(data)), len(data))
    with (tmp_path / "lib.so").open("rb") as file:
        local = FileReader(file.fileno(), 1 << 20)
        for offset, size in ((0, 4), (len(data) - 3, 3), (10, 100)):
            assert remote.at(offset, size) == local.at(offset, size) == data[offset : offset + size]
    assert BUILD_ID in remote.at(0, len(data))
