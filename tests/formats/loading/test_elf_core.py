"""Modules of ELF cores: built ones of every shape, the corpus', and those that this machine's kernel and gdb write."""

import contextlib
import json
import shutil
import struct
import subprocess
import sys
import time
import tracemalloc
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from symsrv.formats.base import BytesReader
from symsrv.formats.loading.elf_core import core_modules, is_core
from symsrv.model.errors import NotIdentified
from symsrv.model.ids import SymbolId
from symsrv.model.modules import Module
from tests.made import corpus
from tests.made.core_builder import ENTRY, EXECFN, PHDR, VDSO, Mapped, build_core
from tests.made.elf_builder import BUILD_ID, build_elf, note
from tests.made.pe_builder import Entry, build_pe, rsds

BUDGET = 1 << 26
MAIN, LIBRARY, KERNEL, STACK = 0x400000, 0x10000000, 0x20000000, 0x30000000
OTHER_ID = bytes(range(1, 21))
SHAPES = [(False, "<"), (False, ">"), (True, "<"), (True, ">")]


def image(raw: bytes = BUILD_ID, *, wide: bool = True, order: str = "<") -> bytes:
    return build_elf(wide=wide, order=order, notes=note(raw, order=order), sections=False)


def mappings(*, wide: bool = True, order: str = "<") -> list[Mapped]:
    shape = {"wide": wide, "order": order}
    return [
        Mapped("/bin/crash", MAIN, image(**shape)),
        Mapped("/bin/crash", MAIN + 0x1000, offset=0x1000, executable=True),
        Mapped("/usr/lib/locale/locale-archive", 0x8000000, b"\x09\x01\x02\xde" * 8),
        Mapped("/lib/libc.so.6", LIBRARY, image(OTHER_ID, **shape)),
        Mapped("/lib/libc.so.6", LIBRARY + 0x3000, offset=0x1000, executable=True),
        Mapped("", KERNEL, image(b"vdso" * 5, **shape), executable=True),
        Mapped("", STACK, b"./crash\0PATH=/bin\0"),
    ]


AUXILIARY = {PHDR: MAIN + 64, EXECFN: STACK, VDSO: KERNEL}


def listed(data: bytes) -> list[Module]:
    return list(core_modules(BytesReader(data, BUDGET)))


def survives(data: bytes) -> list[Module]:
    found = []
    with contextlib.suppress(NotIdentified):
        for one in core_modules(BytesReader(data, BUDGET)):
            json.dumps(one.to_record())
            found.append(one)
    return found


def refusal(data: bytes) -> str:
    with pytest.raises(NotIdentified) as caught:
        listed(data)
    assert str(caught.value)
    return caught.value.reason


def in_short(data: bytes) -> list[tuple[str, int | None, str | None]]:
    return [(one.path, one.base, one.build_id) for one in listed(data)]


@pytest.mark.parametrize("extended", [False, True])
@pytest.mark.parametrize(("wide", "order"), SHAPES)
def test_cores_of_every_shape(wide, order, extended):
    data = build_core(mappings(wide=wide, order=order), wide=wide, order=order, auxv=AUXILIARY, extended=extended)

    assert is_core(data[:64])
    assert in_short(data) == [
        ("/bin/crash", MAIN, BUILD_ID.hex()),
        ("/lib/libc.so.6", LIBRARY, OTHER_ID.hex()),
        ("[vdso]", KERNEL, (b"vdso" * 5).hex()),
    ]


def test_a_module_has_all_that_the_build_id_gives():
    first, second, _ = listed(build_core(mappings(), auxv=AUXILIARY))

    assert first.to_record() == {
        "name": "crash",
        "path": "/bin/crash",
        "code_id": BUILD_ID.hex(),
        "debug_id": "E45DB8DFAF2D09FD640C8FE377D572DE0",
        "debug_file": None,
        "build_id": BUILD_ID.hex(),
        "version": None,
        "base": MAIN,
        "size": 0x2000,
    }
    assert first.code_ids == (SymbolId("build", BUILD_ID.hex()),)
    assert first.debug_ids == (SymbolId("build", BUILD_ID.hex()), SymbolId("debug", first.debug_id.lower()))
    assert second.size == 0x4000


def test_the_program_comes_first_though_it_lies_above():
    # A position-independent program lies below the libraries on x86-64, but not everywhere.
    data = build_core(mappings(), auxv={ENTRY: LIBRARY + 0x3010})

    assert in_short(data)[0] == ("/lib/libc.so.6", LIBRARY, OTHER_ID.hex())


def test_without_the_list_of_files_the_images_are_found():
    data = build_core(mappings(), auxv=AUXILIARY, files=False)

    assert in_short(data) == [
        ("./crash", MAIN, BUILD_ID.hex()),
        ("", LIBRARY, OTHER_ID.hex()),
        ("[vdso]", KERNEL, (b"vdso" * 5).hex()),
    ]


@pytest.mark.parametrize(("wide", "order"), SHAPES)
def test_a_program_that_is_not_mapped_is_named_by_the_kernels_note(wide, order):
    data = build_core(mappings(wide=wide, order=order)[3:5], wide=wide, order=order)

    assert in_short(data) == [("crash", None, None), ("/lib/libc.so.6", LIBRARY, OTHER_ID.hex())]


def test_pages_that_the_core_lacks():
    bare = [replace(one, data=b"") for one in mappings()]

    found = in_short(build_core(bare, auxv=AUXILIARY))

    # What is never executed may be anything, so it is left out.
    assert found == [("/bin/crash", MAIN, None), ("/lib/libc.so.6", LIBRARY, None)]


def test_first_page_mapped_twice_is_one_module():
    # The data segment of a file smaller than a page; then the whole file, read as data.
    small = image()
    data = build_core(
        [
            Mapped("/lib/small.so", LIBRARY, executable=True),
            Mapped("/lib/small.so", LIBRARY + 0x1000, small),
            Mapped("/lib/small.so", LIBRARY + 0x100000, small),
        ],
        program=None,
    )

    assert in_short(data) == [("/lib/small.so", LIBRARY, None)]


def test_library_inside_an_archive():
    data = build_core(
        [
            Mapped("/data/app/base.apk", 0x5000000, b"PK\3\4" * 8),
            Mapped("/data/app/base.apk", 0x6000000, image(), offset=0x40000),
            Mapped("/data/app/base.apk", 0x6001000, offset=0x41000, executable=True),
        ],
        program=None,
    )

    assert in_short(data) == [("/data/app/base.apk", 0x6000000, BUILD_ID.hex())]


def test_deleted_files_and_names_of_any_bytes():
    data = build_core([Mapped("/tmp/ü.so (deleted)", LIBRARY, image())], program=None)

    (one,) = listed(data)

    assert (one.path, one.name) == ("/tmp/ü.so (deleted)", "ü.so")


def test_mapped_pe_files_have_their_ids():
    dll = build_pe([Entry(rsds())])
    data = build_core([Mapped("/app/app.dll", LIBRARY, dll, size=len(dll))], program=None)

    (one,) = listed(data)

    assert one.name == "app.dll"
    assert one.code_ids[0].kind == "pe"
    assert one.debug_id
    assert one.base == LIBRARY


def test_what_is_no_core():
    assert refusal(build_elf()) == "unknown-format"
    assert refusal(build_core([], program=None)) == "malformed"
    assert not is_core(build_elf()[:64])
    assert not is_core(b"")


@pytest.mark.parametrize("count", [0, 1, 1 << 16, 0xFFFFFFFF, (1 << 64) - 1])
def test_a_list_of_files_that_lies_about_its_length(count):
    found = survives(build_core(mappings(), auxv=AUXILIARY, count=count))

    assert found


def test_segments_beyond_any_systems_end_at_once():
    data = bytearray(build_core(mappings(), extended=True))
    section_at = struct.unpack_from("<Q", data, 0x28)[0]
    struct.pack_into("<I", data, section_at + 44, 0xFFFFFFF0)

    assert refusal(bytes(data)) == "too-complex"


def test_many_images_in_the_same_bytes_end_at_the_budget():
    one = image().ljust(0x1000, b"\0")
    many = build_core([Mapped(f"/lib/{index}.so", 0x1000 * index, one[:16]) for index in range(1, 6000)], program=None)
    # All segments show the same page.
    data = bytearray(many + one)
    for index in range(1, 6000):
        struct.pack_into("<Q", data, 64 + 56 * index + 8, len(many))
        struct.pack_into("<Q", data, 64 + 56 * index + 32, len(one))
    began = time.monotonic()
    tracemalloc.start()

    with pytest.raises(NotIdentified) as caught:
        list(core_modules(BytesReader(bytes(data), 1 << 23)))

    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert caught.value.reason == "too-complex"
    assert peak < 1 << 26
    assert time.monotonic() - began < 30


@pytest.mark.parametrize(("wide", "order"), SHAPES)
def test_cut_anywhere_is_listed_or_refused(wide, order):
    data = build_core(mappings(wide=wide, order=order), wide=wide, order=order, auxv=AUXILIARY)
    true = {one.base: one for one in listed(data)}

    for size in range(len(data)):
        for one in survives(data[:size]):
            assert one.build_id in (None, true[one.base].build_id if one.base in true else None)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_flipped_bytes_are_listed_or_refused(data):
    wide, order = data.draw(st.sampled_from(SHAPES))
    sample = bytearray(build_core(mappings(wide=wide, order=order), wide=wide, order=order, auxv=AUXILIARY))
    for _ in range(data.draw(st.integers(1, 8))):
        at = data.draw(st.integers(0, len(sample) - 9))
        word = data.draw(st.one_of(st.sampled_from([0, 1, (1 << 63) - 1, (1 << 64) - 1]), st.integers(0, 1 << 63)))
        width = data.draw(st.sampled_from([1, 2, 4, 8]))
        sample[at : at + width] = word.to_bytes(8, "little")[:width]

    survives(bytes(sample))


@pytest.mark.parametrize(
    "entry", [one for one in corpus.entries("elf") if one.id in ("elf/test-core.core", "no-corpus")]
)
def test_core_of_the_corpus(entry):
    found = listed(entry.path.read_bytes())

    assert [(one.name, one.base, one.build_id) for one in found] == [
        ("test-core-main", 0x400000, None),
        ("ld-2.16.so", 0x37EF400000, None),
        ("libc-2.16.so", 0x37EFC00000, None),
        # elfutils takes the second mapping of this library's first page for its beginning.
        ("test-core-lib.so", 0x7F67F2AAF000, None),
        # elfutils' `eu-unstrip -n` reads the same id.
        ("linux-vdso.so.1", 0x7FFF1596C000, "a9cf37f53897b5468ee018655760be61b8633d3c"),
    ]


@pytest.fixture(scope="module")
def crashed(tmp_path_factory):
    """A program, and the folder where it is to crash."""
    gcc = shutil.which("gcc")
    if gcc is None or sys.platform != "linux":
        pytest.skip("needs gcc and Linux")
    folder = tmp_path_factory.mktemp("core")
    (folder / "crash.c").write_text("#include <stdlib.h>\nint main(void) { abort(); }\n", encoding="utf-8")
    subprocess.run([gcc, "-Wl,--build-id=sha1", "-o", "crash", "crash.c"], cwd=folder, check=True, timeout=120)
    return folder


def check_core(core, folder):
    found = listed(core.read_bytes())
    assert found[0].path == str(folder / "crash")
    assert found[0].build_id
    unstrip = shutil.which("eu-unstrip")
    if unstrip is None:
        pytest.skip("no eu-unstrip to compare with")
    done = subprocess.run(
        [unstrip, "-n", f"--core={core}"], capture_output=True, text=True, check=True, timeout=120
    ).stdout
    wanted = {}
    for line in done.splitlines():
        place, identity, *_ = line.split()
        wanted[int(place.partition("+")[0], 16)] = identity.partition("@")[0]
    assert wanted
    assert {one.base: one.build_id for one in found} == wanted


def test_core_of_gdb_as_elfutils_reads_it(crashed):
    gdb = shutil.which("gdb")
    if gdb is None:
        pytest.skip("no gdb")
    words = [gdb, "-nx", "-q", "-batch", "-ex", "run", "-ex", "generate-core-file gdb.core", "./crash"]
    done = subprocess.run(words, cwd=crashed, capture_output=True, text=True, check=False, timeout=120)
    core = crashed / "gdb.core"
    if not core.is_file():
        pytest.skip(f"gdb may not trace here: {done.stderr[-200:]}")

    check_core(core, crashed)


def test_core_of_the_kernel_as_elfutils_reads_it(crashed):
    with open("/proc/sys/kernel/core_pattern", encoding="utf-8") as file:
        if file.read().strip() != "core":
            pytest.skip("the kernel writes its cores elsewhere")
    resource = pytest.importorskip("resource")
    before = set(crashed.iterdir())
    subprocess.run(
        [str(crashed / "crash")],
        cwd=crashed,
        check=False,
        timeout=60,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CORE, resource.getrlimit(resource.RLIMIT_CORE)[1:] * 2),
    )
    cores = [one for one in set(crashed.iterdir()) - before if one.name.startswith("core")]
    if not cores or not cores[0].stat().st_size:
        pytest.skip("no core was written")

    check_core(cores[0], crashed)
