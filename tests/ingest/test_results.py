from symsrv.ingest.results import FileResult, FileStatus, problem
from symsrv.model.errors import NotIdentified, SourceError


def test_a_file_that_is_simply_none_of_ours_is_ignored_and_a_broken_one_is_an_error():
    assert problem("a", NotIdentified("unknown-format", "no")).status is FileStatus.IGNORED
    assert problem("a", NotIdentified("no-id", "no")).status is FileStatus.IGNORED
    assert problem("a", NotIdentified("truncated", "no")).status is FileStatus.ERROR
    assert problem("a", SourceError("vanished", "no")).failed


def test_the_json_line_has_what_tools_rely_on():
    stored = FileResult("out/a.exe", FileStatus.STORED, key="a.exe/1/a.exe", sha256="ab", replaced=True)
    broken = problem("b.pdb", NotIdentified("truncated", "it ends early"))

    assert stored.to_record() == {
        "path": "out/a.exe",
        "key": "a.exe/1/a.exe",
        "status": "stored",
        "sha256": "ab",
        "replaced": True,
    }
    assert broken.to_record() == {
        "path": "b.pdb",
        "key": None,
        "status": "error",
        "reason": "truncated",
        "error": "it ends early",
    }


def test_the_line_for_people_names_the_file_once():
    assert str(FileResult("a", FileStatus.PRESENT, key="a/1/a")) == "present  a  a/1/a"
    assert str(FileResult("a", FileStatus.STORED, key="a/1/a", replaced=True)) == "replaced a  a/1/a"
    assert str(problem("b.pdb", NotIdentified("truncated", "it ends early"))) == "error    b.pdb: it ends early"
    assert str(problem("b.pdb", SourceError("vanished", "b.pdb went away"))) == "error    b.pdb went away"


def test_a_note_is_beside_what_is_well_and_identities_are_in_no_answer():
    noted = FileResult("a.exe", FileStatus.STORED, key="a.exe/1/a.exe", note="its PDB is missing")

    assert noted.to_record() == {
        "path": "a.exe",
        "key": "a.exe/1/a.exe",
        "status": "stored",
        "note": "its PDB is missing",
    }
    assert not noted.failed
    assert str(noted) == "stored   a.exe  a.exe/1/a.exe"


def test_a_fastlink_pdb_is_passed_over():
    assert problem("a.pdb", NotIdentified("fastlink", "link it otherwise")).status is FileStatus.IGNORED
