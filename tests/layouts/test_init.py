"""Homes and keys: where a file belongs, and under which paths its clients ask for it."""

from symsrv.layouts import LAYOUTS, home, keys, parse_any
from symsrv.model.ask import Wants
from symsrv.model.identity import BOTH, CODE, DEBUG_INFO, Identity
from symsrv.model.ids import build_id, debug_id, pe_id

GUID = "3249D99D0C4049318610F4E4FB0B6936"
BUILD = bytes(range(1, 17))


def test_homes_are_spelled_as_symstore_does_it():
    assert home(Identity("pe", CODE, "App.exe", (pe_id(0x0A1B2C3D, 0x9ABC),))) == "App.exe/0A1B2C3D9abc/App.exe"
    assert home(Identity("pdb", DEBUG_INFO, "App.pdb", (debug_id(GUID, 26),))) == f"App.pdb/{GUID}1a/App.pdb"


def test_homes_of_elf_files_are_ssqp_keys():
    hexadecimal = BUILD.hex()

    assert home(Identity("elf", CODE, "libA.so", (build_id(BUILD),))) == f"liba.so/elf-buildid-{hexadecimal}/liba.so"
    assert home(Identity("elf", BOTH, "App", (build_id(BUILD),))) == f"app/elf-buildid-{hexadecimal}/app"
    debug = Identity("elf", DEBUG_INFO, "libA.so.debug", (build_id(BUILD),))
    assert home(debug) == f"_.debug/elf-buildid-sym-{hexadecimal}/_.debug"


def test_keys_begin_with_the_home_and_know_padding():
    both = Identity("elf", BOTH, "app", (build_id(BUILD),))
    padded = BUILD.hex() + "00000000"

    found = keys(both)

    assert found[0] == home(both)
    assert f"app/elf-buildid-{padded}/app" in found
    assert f"_.debug/elf-buildid-sym-{padded}/_.debug" in found
    assert len(found) == len(set(found))


def test_every_key_is_read_back_by_some_layout():
    for identity in (
        Identity("pe", CODE, "App.exe", (pe_id(1, 2),)),
        Identity("pdb", DEBUG_INFO, "vc140.pdb", (debug_id(GUID, None), debug_id(GUID, 0), debug_id(GUID, 3))),
        Identity("elf", BOTH, "app", (build_id(BUILD),)),
    ):
        for key in keys(identity):
            ask = parse_any(key)
            assert ask is not None
            assert identity.ids[0] in ask.ids or any(one in identity.ids for one in ask.ids)
            assert identity.answers(ask.wants)


def test_sections_are_asked_for_by_build_id():
    ask = parse_any(f"buildid/{BUILD.hex()}/section/.debug_line")

    assert ask is not None
    assert (ask.wants, ask.detail) == (Wants.SECTION, ".debug_line")


def test_the_table_has_a_name_for_each():
    assert len({layout.name for layout in LAYOUTS}) == len(LAYOUTS)
