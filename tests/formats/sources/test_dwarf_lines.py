import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from symsrv.formats.base import BytesReader
from symsrv.formats.sources import dwarf_lines
from symsrv.formats.sources.dwarf_lines import Dwarf, joined, source_files
from tests.made.dwarf_builder import ABBREV, info_unit, leb, line_unit, strings, unit

FILES = [("a.c", 0), ("b.h", 1), ("c.h", 2), ("/abs/d.h", 1), ("a.c", 0)]
FOLDERS = ["inc", "/usr/include"]
WANTED = ("/src/a.c", "/src/inc/b.h", "/usr/include/c.h", "/abs/d.h")
UNBOUNDED = 1 << 40


def found(line: bytes, *, order: str = "<", **sections: bytes) -> tuple[str, ...]:
    readers = {name: BytesReader(data, UNBOUNDED) for name, data in sections.items()}
    return source_files(Dwarf(BytesReader(line, UNBOUNDED), order == "<", **readers))


@pytest.mark.parametrize("wide", [False, True])
@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("version", [2, 3, 4])
def test_versions_2_to_4_take_the_folder_from_the_unit(version, order, wide):
    line = line_unit(FOLDERS, FILES, version=version, order=order, wide=wide)
    info = info_unit("/src", 0, version=version, order=order, wide=wide)

    assert found(line, order=order, info=info, abbreviations=ABBREV) == WANTED


@pytest.mark.parametrize("wide", [False, True])
@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("section", ["inline", "line_text", "text"])
def test_version_5_has_the_folder_itself(section, order, wide):
    folders = ["/src", *FOLDERS]
    text, places = strings(*folders, *(name for name, _ in FILES))
    line = line_unit(
        folders,
        FILES,
        version=5,
        order=order,
        wide=wide,
        places=None if section == "inline" else places,
        form={"inline": 0x08, "line_text": 0x1F, "text": 0x0E}[section],
    )

    assert found(line, order=order, **({} if section == "inline" else {section: text})) == WANTED


def test_units_come_one_after_the_other_each_with_its_folder():
    first, second = line_unit([], [("a.c", 0)], version=2), line_unit([], [("a.c", 0), ("b.c", 0)], version=3)
    third = line_unit(["/five"], [("a.c", 0)], version=5)
    info = info_unit("/one", 0) + info_unit("/two", len(first), version=3)

    assert found(first + second + third, info=info, abbreviations=ABBREV) == (
        "/one/a.c",
        "/two/a.c",
        "/two/b.c",
        "/five/a.c",
    )


def test_without_a_folder_paths_stay_relative():
    assert found(line_unit(FOLDERS, FILES)) == ("a.c", "inc/b.h", "/usr/include/c.h", "/abs/d.h")


def test_what_the_compiler_makes_up_is_left_out():
    assert found(line_unit([], [("<built-in>", 0), ("a.c", 0), ("<stdin>", 0)])) == ("a.c",)


def test_directories_that_are_not_there():
    assert found(line_unit(["inc"], [("a.c", 9), ("b.c", 1)])) == ("a.c", "inc/b.c")
    assert found(line_unit(["/src"], [("a.c", 9)], version=5)) == ("a.c",)


def test_names_that_are_not_utf_8():
    line = line_unit([], [("a.c", 0)]).replace(b"a.c", b"\xe4.c")

    assert found(line) == ("\ufffd.c",)


@pytest.mark.parametrize(
    ("folder", "name", "path"),
    [
        ("", "a.c", "a.c"),
        ("/src", "a.c", "/src/a.c"),
        ("/src/", "a.c", "/src/a.c"),
        ("/src", "../a.c", "/src/../a.c"),
        ("/src", "/a.c", "/a.c"),
        ("C:\\src", "a.c", "C:\\src\\a.c"),
        ("C:\\src\\", "a.c", "C:\\src\\a.c"),
        ("C:/src", "a.c", "C:/src/a.c"),
        ("C:\\src", "D:\\a.c", "D:\\a.c"),
        ("/src", "D:/a.c", "D:/a.c"),
    ],
)
def test_joined(folder, name, path):
    assert joined(folder.encode(), name.encode()).decode() == path


@pytest.mark.parametrize("version", [0, 1, 6, 0xFFFF])
def test_unknown_versions_are_passed_over(version):
    other = bytearray(line_unit([], [("x.c", 0)]))
    other[4:6] = version.to_bytes(2, "little")

    assert found(bytes(other) + line_unit([], [("a.c", 0)])) == ("a.c",)


def test_nonsense_ends_its_unit_and_no_other():
    broken = unit(b"\5\0\x08\0" + (200).to_bytes(4, "little") + b"\1\1\1\xfb\x0e\1" + b"\1\1\x77\1" + b"x" * 40)
    cut = line_unit(["/src"], [("a.c", 0)], version=5)[4:-30]

    assert found(broken + unit(cut) + line_unit([], [("b.c", 0)])) == ("b.c",)


def test_a_unit_that_leads_outside_gives_what_is_there():
    line = bytearray(line_unit([], [("a.c", 0), ("b.c", 0)]))
    line[0:4] = (1 << 30).to_bytes(4, "little")

    assert found(bytes(line)) == ("a.c", "b.c")
    assert found(bytes(line[: line.index(b"b.c") + 2])) == ("a.c",)
    assert found(b"\xf5\xff\xff\xff" + bytes(line)) == ()


def test_tables_that_claim_billions_of_entries_end():
    head = b"\5\0\x08\0" + (200).to_bytes(4, "little") + b"\1\1\1\xfb\x0e\1"
    without_content = head + b"\0" + leb(1 << 40) + b"\0" + leb(1 << 40)
    of_no_size = head + b"\1\1\x19" + leb(1 << 40)

    assert found(unit(without_content)) == ()
    assert found(unit(of_no_size)) == ()


def test_directories_are_bounded(monkeypatch):
    monkeypatch.setattr(dwarf_lines, "FOLDERS_LIMIT_BYTES", 1000)

    assert found(line_unit(["/src"] * 500, [("a.c", 0)], version=5)) == ()


@pytest.mark.parametrize("limit", ["SOURCES_LIMIT", "VALUES_LIMIT", "SOURCES_LIMIT_BYTES", "READ_LIMIT_BYTES"])
def test_lists_are_bounded(limit, monkeypatch):
    monkeypatch.setattr(dwarf_lines, limit, 30)
    line = b"".join(line_unit([], [(f"{index}.c", 0)] * 2) for index in range(100))

    assert 0 < len(found(line)) <= 30


def test_beyond_the_budget_the_list_is_shorter():
    line = b"".join(line_unit([], [(f"{index}.c", 0)], program=bytes(5000)) for index in range(100))
    reader = BytesReader(line, budget=100_000)

    assert 10 < len(source_files(Dwarf(reader, True))) < 50


def test_line_programs_are_not_read():
    line = b"".join(line_unit([], [(f"{index}.c", 0)], program=bytes(100_000)) for index in range(20))
    reader = BytesReader(line)

    assert len(source_files(Dwarf(reader, True))) == 20
    assert reader.bytes_read < 20 * 8192


@pytest.mark.parametrize("version", [2, 4, 5])
def test_cut_anywhere(version):
    line = line_unit(["/src", "inc"], FILES, version=version) + line_unit([], [("z.c", 0)])
    info = info_unit("/base", 0)
    whole = found(line, info=info, abbreviations=ABBREV)
    for size in range(len(line)):
        assert whole[: len(short := found(line[:size], info=info, abbreviations=ABBREV))] == short
    for size in range(len(info)):
        assert len(found(line, info=info[:size], abbreviations=ABBREV[: size // 2])) == len(whole)


changes = st.lists(st.tuples(st.integers(0, 4000), st.sampled_from([0, 1, 0x7F, 0x80, 0xFF, 5])), max_size=10)


@settings(deadline=None)
@given(st.sampled_from([2, 4, 5]), st.sampled_from([None, 0x1F, 0x0E]), changes, changes)
def test_any_bytes(version, form, in_line, in_info):
    text, places = strings("/src", "inc", "a.c", "b.h")
    files = [("a.c", 0), ("b.h", 1)]
    line = bytearray(
        line_unit(["/src", "inc"], files, version=version, places=places if form else None, form=form or 8) * 2
    )
    info, abbreviations = bytearray(info_unit("/src", 0) * 2), bytearray(ABBREV)
    for data, changed in ((line, in_line), (info, in_info), (abbreviations, in_info[:2])):
        for at, byte in changed:
            data[at % len(data)] = byte
    sections = {"line_text": text, "text": text, "info": bytes(info), "abbreviations": bytes(abbreviations)}

    assert all(isinstance(one, str) and one for one in found(bytes(line), **sections))


@settings(deadline=None)
@given(st.binary(max_size=300), st.binary(max_size=300), st.binary(max_size=100))
def test_random_bytes(line, info, abbreviations):
    assert len(found(line, info=info, abbreviations=abbreviations, text=info)) < 300
