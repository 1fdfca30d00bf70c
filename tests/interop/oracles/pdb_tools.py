"""What other tools say of PDBs, and what the program says that a PDB belongs to."""

import re
from collections.abc import Iterable
from pathlib import Path

from symstore import symstore

from tests.interop.oracles import pe_tools
from tests.interop.oracles.answers import DEBUG_ID, Answer, guid_and_age, plain
from tests.interop.oracles.running import output

_GUID = re.compile(r"^  Guid:\s+'\{(.*)\}'$", re.MULTILINE)
_AGE = re.compile(r"^  Age:\s+(\d+)$", re.MULTILINE)


def llvm_pdbutil(program: str, files: Iterable[Path]) -> dict[Path, Answer]:
    """LLVM prints the two ages apart: its answer is the one of DBI."""
    found = {}
    for path in files:
        stdout, stderr = output([program, "pdb2yaml", "--pdb-stream", "--dbi-stream", path])
        info, _, dbi = stdout.partition("\nDbiStream:")
        guid, dbi_age = _GUID.search(info), _AGE.search(dbi)
        if guid is None:
            found[path] = Answer(refused=stderr.strip() or "no PDB stream")
            continue
        # The info stream's age is not the program's; a PDB without DBI has none.
        shown = guid_and_age(guid[1], int(dbi_age[1])) if dbi_age else plain(guid[1])
        found[path] = Answer({DEBUG_ID: shown})
    return found


def symstore_package(files: Iterable[Path]) -> dict[Path, Answer]:
    """The Python package symstore: the folder that it would file a PDB under."""
    found = {}
    for path in files:
        try:
            found[path] = Answer({DEBUG_ID: plain(symstore._file_hash(str(path)))})
        except Exception as error:  # it has no errors of its own for damaged files
            found[path] = Answer(refused=repr(error))
    return found


def program_of(pdb: Path) -> Path | None:
    """The program of the same name in the same folder. A corpus keeps files together that do not belong together."""
    beside = (pdb.with_suffix(suffix) for suffix in (".dll", ".exe", ".pyd"))
    return next((one for one in beside if one.is_file()), None)


def program_beside(files: Iterable[Path]) -> dict[Path, Answer]:
    """What the programs beside the PDBs say, as pefile reads them."""
    found = {}
    for path in files:
        program = program_of(path)
        assert program
        says = pe_tools.pefile_reads([program])[program]
        found[path] = Answer({DEBUG_ID: says.fields[DEBUG_ID]}, says.more)
    return found
