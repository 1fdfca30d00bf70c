"""Who serves which .NET runtime, and under which names."""

import pytest

from symsrv.formats import identify
from symsrv.formats.base import BytesReader
from symsrv.ingest.companions import Placed, companions
from symsrv.ingest.publish import publish
from symsrv.ingest.sources import discover
from symsrv.layouts import keys, parse_any
from symsrv.upkeep.verify import Tally, verify
from tests.ingest.files import written, zipped
from tests.made.elf_builder import BUILD_ID, build_elf, note
from tests.made.pe_builder import build_pe
from tests.made.version_builder import versioned

VERSION = (4, 6, 25505, 0)
ARM64 = 0xAA64


def placed(where, data):
    name = where.replace("\\", "/").rsplit("/")[-1].rsplit("!")[-1]
    return Placed(where, identify(BytesReader(data), name))


def dll(folder, name, *, stamp=2, **more):
    return placed(f"{folder}{name}", build_pe(stamp=stamp, **more))


def found(*files, version=VERSION):
    """The further keys of each file, by its name."""
    further = companions(files, lambda _position: version)
    return {
        files[position].identities[0].name: [keys(one)[0] for one in identities]
        for position, identities in further.items()
    }


@pytest.mark.parametrize("folder", ["/out/", "C:\\out\\", "/out/a.zip!", "/out/a.zip!bin/"])
def test_the_dac_of_coreclr_has_its_id_and_a_long_name(folder):
    runtime = dll(folder, "coreclr.dll", stamp=0x595EBCD5, image_size=0x538000)

    assert found(runtime, dll(folder, "mscordaccore.dll"), dll(folder, "mscordbi.dll"), dll(folder, "other.dll")) == {
        "mscordaccore.dll": [
            "mscordaccore.dll/595EBCD5538000/mscordaccore.dll",
            "mscordaccore_amd64_amd64_4.6.25505.00.dll/595EBCD5538000/mscordaccore_amd64_amd64_4.6.25505.00.dll",
        ],
        "mscordbi.dll": ["mscordbi.dll/595EBCD5538000/mscordbi.dll"],
    }


def test_full_clr_has_sos_by_its_long_name_only():
    files = [dll("/out/", name, machine=0x14C) for name in ("clr.dll", "mscordacwks.dll", "sos.dll")]

    assert found(*files, version=(4, 8, 4300, 12)) == {
        "mscordacwks.dll": [
            "mscordacwks.dll/000000023000/mscordacwks.dll",
            "mscordacwks_x86_x86_4.8.4300.12.dll/000000023000/mscordacwks_x86_x86_4.8.4300.12.dll",
        ],
        "sos.dll": ["sos_x86_x86_4.8.4300.12.dll/000000023000/sos_x86_x86_4.8.4300.12.dll"],
    }


def test_files_with_long_names_keep_them():
    names = [
        "mscordaccore_amd64_arm64_4.6.25505.00.dll",
        "mscordaccore_arm64_arm64_4.6.25505.00.chk.dll",
        "mscordaccore_amd64_arm64_4.6.99999.00.dll",
        "mscordaccore_amd64_amd64_4.6.25505.00.dll",
        "mscordbi_amd64_arm64_4.6.25505.00.dll",
    ]
    files = [dll("/out/", name) for name in names]

    assert list(found(dll("/out/", "CoreCLR.dll", machine=ARM64), *files)) == names[:2]
    assert list(found(dll("/out/", "CoreCLR.dll", machine=ARM64), *files, version=None)) == names[:3]


def test_without_a_version_there_is_no_long_name():
    files = [dll("/out/", "coreclr.dll"), dll("/out/", "mscordaccore.dll")]

    assert found(*files, version=None) == {"mscordaccore.dll": ["mscordaccore.dll/000000023000/mscordaccore.dll"]}


def test_other_folders_are_other_runtimes():
    here, there = dll("/a/", "coreclr.dll", stamp=1), dll("/b/", "coreclr.dll", stamp=3)

    assert found(here, there, dll("/c/", "mscordbi.dll")) == {}
    assert found(here, there, dll("/b/", "mscordbi.dll")) == {
        "mscordbi.dll": ["mscordbi.dll/000000033000/mscordbi.dll"]
    }


def test_linux_has_a_kind_of_id_of_its_own():
    short = placed("/out/libcoreclr.so", build_elf(notes=note(BUILD_ID)))
    files = [placed(f"/out/{name}", build_elf(notes=note(b"\1" * 20))) for name in ("libmscordaccore.so", "libsos.so")]

    assert found(short, *files, dll("/out/", "mscordbi.dll"), dll("/out/", "sos.dll")) == {
        name: [f"{name}/elf-buildid-coreclr-{BUILD_ID.hex()}/{name}"]
        for name in ("libmscordaccore.so", "libsos.so", "mscordbi.dll")
    }


def test_nothing_is_read_where_there_is_no_runtime():
    assert companions([dll("/out/", "mscordbi.dll")], lambda position: pytest.fail(str(position))) == {}


RUNTIME = {
    "coreclr.dll": versioned(VERSION, stamp=0x595EBCD5, image_size=0x538000),
    "mscordaccore.dll": build_pe(stamp=2),
    "libcoreclr.so": build_elf(notes=note(BUILD_ID)),
    "libmscordaccore.so": build_elf(notes=note(b"\1" * 20)),
}


@pytest.mark.parametrize("packed", [False, True])
def test_a_published_runtime_has_its_companions_found(disk, tmp_path, spools, packed):
    if packed:
        written(tmp_path / "out" / "a.zip", zipped({f"bin/{name}": data for name, data in RUNTIME.items()}))
    else:
        for name, data in RUNTIME.items():
            written(tmp_path / "out" / name, data)

    receipt = publish(disk.store, discover([str(tmp_path / "out")]))

    assert receipt.failed == 0
    assert "mscordaccore.dll/000000023000/mscordaccore.dll" in disk.files()
    disk.store.catch_up()
    for path, home in (
        ("mscordaccore.dll/595EBCD5538000/mscordaccore.dll", "mscordaccore.dll/000000023000/mscordaccore.dll"),
        (
            "mscordaccore_amd64_amd64_4.6.25505.00.dll/595ebcd5538000/mscordaccore_amd64_amd64_4.6.25505.00.dll",
            "mscordaccore.dll/000000023000/mscordaccore.dll",
        ),
        (
            f"libmscordaccore.so/elf-buildid-coreclr-{BUILD_ID.hex()}/libmscordaccore.so",
            f"libmscordaccore.so/elf-buildid-{'01' * 20}/libmscordaccore.so",
        ),
        (
            f"mscordaccore.dll/elf-buildid-coreclr-{BUILD_ID.hex()}/mscordaccore.dll",
            "mscordaccore.dll/000000023000/mscordaccore.dll",
        ),
    ):
        assert [file.home for file in disk.store.find(parse_any(path))] == [home]
    assert list(verify(disk.store, Tally())) == []
