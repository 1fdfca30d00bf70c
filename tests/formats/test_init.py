"""The table, and what every format in it must do: the contract suite runs over FORMATS."""

import os
import sys

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from symsrv.formats import FORMATS, identify, identify_path, recognised
from symsrv.formats.base import HEAD_BYTES, BytesReader, FileReader
from symsrv.model.errors import BadName, NotIdentified
from symsrv.model.identity import BOTH, CODE, DEBUG_INFO, Identity
from tests.formats.checks import refused, survives
from tests.made import corpus
from tests.made.elf_builder import TEXT, build_elf
from tests.made.pdb_builder import build_pdb, write_sparse_pdb
from tests.made.samples import SAMPLES

# Known only to be refused, with a sentence that says what helps.
REFUSED = {"minidump": "not-symbols"}
WORDS = {"pdb2": "pdb"}
"""What `identify` prints where it is not the format's own name."""
MAGICS = [
    b"MZ",
    b"Microsoft C/C++ MSF 7.00\r\n\x1aDS\0\0\0",
    b"Microsoft C/C++ program database 2.00\r\n\x1aJG\0\0",
    b"Microsoft MSFZ Container\r\n\x1aALD\0\0",
    b"\x7fELF\2\1",
    b"\x7fELF\1\2",
    b"BSJB",
    b"MDMP\x93\xa7\0\0",
    b"\xca\xfe\xba\xbe",
    b"\xca\xfe\xba\xbf\0\0\0\1",
    b"\xcf\xfa\xed\xfe",
    b"\xfe\xed\xfa\xce",
    b"\0asm\1\0\0\0",
    b"MODULE ",
    b"FFFFFFFF 00 734D59D6DE0E96AA3C77B3E2ED498097\n",
]
relaxed = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


@pytest.mark.parametrize("one", FORMATS, ids=lambda one: one.name)
class TestContract:
    def test_has_a_sample(self, one):
        if one.name in REFUSED:
            assert refused(SAMPLES[one.name]) == REFUSED[one.name]
            return
        (found,) = identify(BytesReader(SAMPLES[one.name]), "made.bin")

        assert found.format == WORDS.get(one.name, one.name)
        assert found.name == "made.bin"
        assert found.kind in (CODE, DEBUG_INFO, BOTH)
        assert found.symbol_kind in ("bin", "pri", "pub", "typ")

    def test_sniffs_its_own_and_no_other(self, one):
        for name, sample in SAMPLES.items():
            assert one.sniff(sample[:HEAD_BYTES]) == (name == one.name)

    @relaxed
    @given(head=st.binary(max_size=HEAD_BYTES))
    def test_sniffing_never_raises(self, one, head):
        assert one.sniff(head) in (True, False)

    def test_identity_survives_its_record(self, one):
        if one.name in REFUSED:
            pytest.skip("it has no identity")
        (found,) = identify(BytesReader(SAMPLES[one.name]), "made.bin")

        assert Identity.from_record(found.to_record()) == found

    @relaxed
    @given(data=st.data())
    def test_mutated_samples_are_identified_or_not(self, one, data):
        sample = bytearray(SAMPLES[one.name])
        for _ in range(data.draw(st.integers(1, 8))):
            # Headers matter most, so half of the changes fall on the first 256 bytes.
            at = data.draw(st.one_of(st.integers(0, 255), st.integers(0, len(sample) - 5)))
            word = data.draw(
                st.one_of(st.sampled_from([0, 1, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF]), st.integers(0, 1 << 32))
            )
            width = data.draw(st.sampled_from([1, 2, 4]))
            sample[at : at + width] = (word & 0xFFFFFFFF).to_bytes(4, "little")[:width]
        survives(bytes(sample)[: data.draw(st.integers(0, len(sample)))])
        survives(bytes(sample))


@relaxed
@given(magic=st.sampled_from(MAGICS), rest=st.binary(max_size=4096))
def test_any_bytes_are_identified_or_not(magic, rest):
    survives(rest)
    survives(magic + rest)


@pytest.mark.parametrize("entry", corpus.entries())
def test_whole_corpus_is_identified_or_not(entry):
    with entry.path.open("rb") as file:
        reader = FileReader(file.fileno())
        try:
            found = identify(reader, entry.name)
        except NotIdentified:
            found = ()

    assert reader.bytes_read <= 64 * 1024
    if not (entry.expected or entry.keys):
        assert found == ()


@pytest.mark.parametrize(
    "entry",
    [one for one in corpus.entries("pe", "pdb7", "elf") if one.values[0] is None]
    or [one for one in corpus.entries("pe", "pdb7", "elf") if one.values[0].path.stat().st_size < 4096],
)
def test_corpus_cut_anywhere(entry):
    data = entry.path.read_bytes()
    for size in range(0, len(data), 7):
        survives(data[:size])


@pytest.mark.skipif(sys.platform == "win32", reason="NTFS would write gigabytes of zeros")
@pytest.mark.parametrize("name", [one.name for one in FORMATS if one.name not in REFUSED])
def test_reading_does_not_grow_with_the_file(name, tmp_path):
    read = {}
    for size in (1 << 20, 1 << 32):
        path = tmp_path / f"{size}.bin"
        if name == "pdb":
            write_sparse_pdb(path, size)
        else:
            path.write_bytes(SAMPLES[name])
            os.truncate(path, size)
        with path.open("rb") as file:
            reader = FileReader(file.fileno())
            assert identify(reader, "a.bin")
            read[size] = reader.bytes_read

    assert read[1 << 32] <= read[1 << 20] + 1024
    assert read[1 << 32] < 64 * 1024


def test_empty_and_unknown():
    assert refused(b"") == "empty"
    assert refused(b"notes") == "unknown-format"
    assert refused(bytes(4096)) == "unknown-format"


def test_the_first_bytes_tell_whether_the_rest_is_wanted():
    assert recognised(build_elf([TEXT]))
    assert recognised(build_pdb()[:HEAD_BYTES])
    assert not recognised(b"no debug file")
    assert not recognised(b"")


def test_path_gives_the_name(tmp_path):
    path = tmp_path / "a.pdb"
    path.write_bytes(SAMPLES["pdb"])

    assert identify_path(path)[0].name == "a.pdb"
    assert identify_path(str(path), "other.pdb")[0].name == "other.pdb"


def test_path_that_cannot_be_read_is_an_os_error(tmp_path):
    with pytest.raises(OSError, match=r"nosuch\.pdb"):
        identify_path(tmp_path / "nosuch.pdb")


def test_name_that_no_store_can_hold(tmp_path):
    path = tmp_path / "a.pdb"
    path.write_bytes(SAMPLES["pdb"])

    with pytest.raises(BadName):
        identify_path(path, "con.pdb")


@pytest.mark.skipif(sys.platform == "win32", reason="no named pipes in folders")
def test_neither_folders_nor_pipes_are_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.pdb")

    for path in (tmp_path, tmp_path / "pipe.pdb"):
        with pytest.raises(NotIdentified) as caught:
            identify_path(path, "pipe.pdb")
        assert caught.value.reason == "unknown-format"
