"""A portable PDB is held against the checksum that its program has of it."""

import hashlib

import pytest

from symsrv.mirror.base import Fetched, WrongContent
from symsrv.mirror.checking import check
from symsrv.mirror.checksums import matches
from symsrv.model.ask import Ask, Wants
from symsrv.model.ids import debug_id
from tests.made.pdb_builder import build_pdb
from tests.made.pe_builder import GUID, GUID_TEXT
from tests.made.portable_builder import STAMP, build_portable

PDB = build_portable(["/src/a.cs"])
AT = PDB.index(GUID + STAMP.to_bytes(4, "little"))
RIGHT = hashlib.sha256(PDB[:AT] + bytes(20) + PDB[AT + 20 :]).hexdigest()
LONGER = hashlib.sha384(PDB[:AT] + bytes(20) + PDB[AT + 20 :]).hexdigest()
WRONG = hashlib.sha256(PDB).hexdigest()
ASK = Ask(Wants.DEBUG, (debug_id(GUID_TEXT, 0xFFFFFFFF),), "a.pdb")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"SHA256:{RIGHT}", True),
        (f"sha256:{RIGHT.upper()}", True),
        (f"SHA384:{LONGER}", True),
        (f"SHA256:{WRONG}, SHA384:{LONGER}", True),
        (f"SHA256:{WRONG}", False),
        ("SHA256:", False),
        ("MD5:00", None),
        ("", None),
    ],
)
def test_the_id_counts_as_zeros(tmp_path, text, expected):
    (tmp_path / "a.pdb").write_bytes(PDB)

    assert matches(tmp_path / "a.pdb", text) is expected


@pytest.mark.parametrize("data", [build_pdb(), PDB[:40], b"BSJB", b""])
def test_of_other_files_nothing_is_told(tmp_path, data):
    (tmp_path / "a.pdb").write_bytes(data)

    assert matches(tmp_path / "a.pdb", f"SHA256:{RIGHT}") is None


def test_a_file_of_the_same_id_with_another_checksum_is_refused(tmp_path):
    def came():
        (tmp_path / "body").write_bytes(PDB)
        return Fetched(tmp_path / "body", len(PDB))

    assert check(came(), ASK, checksum=f"SHA256:{RIGHT}").size == len(PDB)
    assert check(came(), ASK).size == len(PDB)
    with pytest.raises(WrongContent) as caught:
        check(came(), ASK, checksum=f"SHA256:{WRONG}")
    assert caught.value.reason == "wrong-checksum"
    assert not list(tmp_path.iterdir())
