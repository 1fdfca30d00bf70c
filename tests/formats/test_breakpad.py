import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from symsrv.formats.base import BytesReader
from symsrv.formats.breakpad import HEAD_LIMIT_BYTES, Breakpad
from symsrv.layouts import keys
from symsrv.model.errors import NotIdentified
from symsrv.model.identity import BREAKPAD, SYM
from symsrv.model.ids import BUILD, DEBUG, PE, UUID
from tests.formats.checks import needs_symbolic, symbolic_object
from tests.made import corpus

ID = "3249D99D0C4049318610F4E4FB0B69361"
GUID = ID[:32].lower()
SAMPLE = f"MODULE windows x86 {ID} crash.pdb\nINFO CODE_ID 5AB380779000 crash.exe\nFILE 1 c:\\a.c\n".encode()
relaxed = settings(deadline=None, max_examples=100, suppress_health_check=[HealthCheck.too_slow])


def identified(data, name="made.sym"):
    reader = BytesReader(data)
    (found,) = Breakpad().identify(reader, name)
    assert reader.bytes_read <= 2 * HEAD_LIMIT_BYTES
    return found


def module(line, rest=""):
    return identified(f"MODULE {line}\n{rest}".encode())


def refused(data):
    with pytest.raises(NotIdentified) as caught:
        identified(data)
    assert str(caught.value)
    return caught.value.reason


def pairs(ids):
    return [(one.kind, one.value) for one in ids]


@pytest.mark.parametrize("entry", corpus.entries("sym"))
def test_corpus(entry):
    if entry.where == "broken/sym-cut.sym":
        assert refused(entry.path.read_bytes()) == "truncated"
        return
    found = identified(entry.path.read_bytes(), entry.name)
    expected = entry.expected

    assert (found.name, found.debug_file, found.arch) == (entry.name, expected["debug_file"], entry.arch)
    assert found.debug_id.lower() == expected["debug_id"].lower()
    assert (found.code_id or "").lower() == (expected.get("code_id") or "").lower()
    assert found.notes == (f"made for {expected['module_os']}",)
    if found.ids[0].kind == DEBUG:
        assert {one["key"].lower() for one in entry.keys} <= {key.lower() for key in keys(found)}


@needs_symbolic
@pytest.mark.parametrize("entry", corpus.entries("sym"))
def test_corpus_as_symbolic_reads_it(entry):
    if entry.where == "broken/sym-cut.sym":
        return
    other = symbolic_object(entry.path)

    found = identified(entry.path.read_bytes())

    if len(found.debug_id) > 32:
        guid, _, age = other.debug_id.rpartition("-") if other.debug_id.count("-") == 5 else (other.debug_id, "", "0")
        assert found.debug_id == guid.replace("-", "").upper() + age
    assert found.arch == other.arch


def test_first_line_and_code_id():
    found = identified(SAMPLE, "whatever.sym")

    assert (found.format, found.role, found.symbol_kind) == (BREAKPAD, SYM, "pri")
    assert (found.name, found.debug_file, found.asked_name) == ("whatever.sym", "crash.pdb", "crash.pdb")
    assert pairs(found.ids) == [(DEBUG, GUID + "1")]
    assert pairs(found.also) == [(PE, "5ab380779000")]
    assert (found.arch, found.debug_id, found.code_id) == ("x86", ID, "5AB380779000")


@pytest.mark.parametrize(
    ("text", "ids", "printed"),
    [
        (ID, (DEBUG, GUID + "1"), ID),
        (ID.lower(), (DEBUG, GUID + "1"), ID),
        (ID[:32] + "0000001A", (DEBUG, GUID + "1a"), ID[:32] + "1a"),
        (ID[:32] + "0", (DEBUG, GUID + "0"), ID[:32] + "0"),
        (ID[:32], (DEBUG, GUID), ID[:32]),
        ("222222222", (PE, "222222222"), "222222222"),
        ("5555CD4F0000001A", (PE, "5555cd4f1a"), "5555CD4F1a"),
    ],
)
def test_debug_ids(text, ids, printed):
    found = module(f"windows x86 {text} a.pdb")

    assert pairs(found.ids) == [ids]
    assert found.debug_id == printed


@pytest.mark.parametrize("text", ["12345678", "1" * 17, "1" * 31, "1" * 41, "xyz", "-", "0x" + ID])
def test_what_is_no_debug_id(text):
    assert refused(f"MODULE windows x86 {text} a.pdb\n".encode()) == "malformed"


def test_id_of_zeros():
    assert refused(f"MODULE Linux x86 {'0' * 33} a.so\n".encode()) == "no-id"


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("Slack Helper (GPU)", "Slack Helper (GPU)"),
        ("a.pdb\r", "a.pdb"),
        ("a.pdb  ", "a.pdb"),
        ("C:\\out\\a.pdb", "a.pdb"),
        ("/usr/lib/libé.so", "libé.so"),
        ("c++filt", "c++filt"),
    ],
)
def test_name_runs_to_the_end_of_the_line(line, name):
    assert module(f"Linux x86_64 {ID} {line}").debug_file == name


def test_several_spaces():
    assert module(f" Linux   x86_64  {ID}  a b").debug_file == "a b"


@pytest.mark.parametrize("name", ["con", "a:b", "a\0b", "..", "/", "x" * 300])
def test_names_that_no_store_can_hold(name):
    assert refused(f"MODULE Linux x86_64 {ID} {name}\n".encode()) == "malformed"


@pytest.mark.parametrize(
    ("system", "text", "code_id", "also"),
    [
        ("windows", "5AB380770009000", "5AB380779000", (PE, "5ab380779000")),
        ("windows", "ffffffff", "FFFFFFFF", None),
        ("Linux", "F1C3BCC0279865FE", "f1c3bcc0279865fe", (BUILD, "f1c3bcc0279865fe")),
        ("Android", "AB" * 16, "ab" * 16, (BUILD, "ab" * 16)),
        ("Fuchsia", "AB" * 8, "ab" * 8, (BUILD, "ab" * 8)),
        ("Linux", "ABC", "abc", None),
        ("Mac", "AB" * 16, "ab" * 16, (UUID, "ab" * 16)),
        ("iOS", "AB" * 16, "ab" * 16, (UUID, "ab" * 16)),
        ("mac", "AB" * 20, "ab" * 20, None),
    ],
)
@pytest.mark.parametrize("tail", ["", " a.exe", " a b.exe\r"])
def test_code_ids(system, text, code_id, also, tail):
    found = module(f"{system} x86_64 {ID} a", f"INFO URL http://x\nINFO CODE_ID {text}{tail}\nPUBLIC 1 0 f\n")

    assert found.code_id == code_id
    assert pairs(found.also) == ([also] if also else [])


@pytest.mark.parametrize(
    "rest",
    ["", "PUBLIC 1 0 f\nINFO CODE_ID AB\n", "INFO CODE_ID\n", "INFO CODE_ID \n", "INFO CODE_ID xyz\n", "INFO CODE"],
)
def test_without_a_code_id(rest):
    assert (module(f"Linux x86 {ID} a", rest).code_id, module(f"Linux x86 {ID} a", rest).also) == (None, ())


@pytest.mark.parametrize("system", ["Linux", "mac", "windows", "Android", "iOS", "solaris", "Fuchsia", "CrOS", "PS3"])
def test_every_system(system):
    assert module(f"{system} x86 {ID} a").notes == (f"made for {system}",)


@pytest.mark.parametrize(
    ("word", "arch"),
    [
        ("x86", "x86"),
        ("x86_64", "x86_64"),
        ("AMD64", "x86_64"),
        ("arm64e", "arm64e"),
        ("armv7s", "armv7s"),
        ("aarch64", "arm64"),
        ("riscv", "riscv32"),
        ("unknown", None),
    ],
)
def test_machine_words(word, arch):
    assert module(f"Linux {word} {ID} a").arch == arch


@pytest.mark.parametrize("line", ["", "Linux", "Linux x86", f"Linux x86 {ID}", f"Linux x86 {ID} ", "\x1b[m x86 1 a"])
def test_lines_that_lack_something(line):
    assert refused(f"MODULE {line}\n".encode()) == "malformed"


def test_line_that_is_not_utf_8():
    assert refused(f"MODULE Linux x86 {ID} ".encode() + b"\xe9\n") == "malformed"


def test_line_without_an_end():
    assert refused(SAMPLE.split(b"\n")[0]) == "truncated"
    assert refused(b"MODULE Linux x86 " + b"a" * 2 * HEAD_LIMIT_BYTES) == "malformed"


def test_only_the_beginning_is_read():
    assert identified(SAMPLE + b"FUNC 1 2 3 f\n" * 100_000).code_id


def test_sniff():
    # Breakpad's parser compares the beginnings of lines, so that a byte order mark makes a file unreadable for it.
    assert Breakpad().sniff(SAMPLE[:64])
    for head in (b"", b"MODULE", b"MODULES ", b"\xef\xbb\xbfMODULE ", b"module ", b"\nMODULE "):
        assert not Breakpad().sniff(head)


def test_cut_anywhere():
    whole = identified(SAMPLE)
    for size in range(7, len(SAMPLE)):
        if b"\n" not in SAMPLE[:size]:
            assert refused(SAMPLE[:size]) == "truncated"
            continue
        found = identified(SAMPLE[:size])
        assert (found.ids, found.debug_file) == (whole.ids, whole.debug_file)


@relaxed
@given(data=st.data())
def test_flipped_bytes(data):
    sample = bytearray(SAMPLE)
    for _ in range(data.draw(st.integers(1, 5))):
        sample[data.draw(st.integers(7, len(sample) - 1))] = data.draw(st.integers(0, 255))
    try:
        found = identified(bytes(sample))
    except NotIdentified:
        return
    assert json.dumps(found.to_record()).isprintable()
    assert keys(found)
