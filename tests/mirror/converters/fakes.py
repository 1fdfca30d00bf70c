"""Programs that pass for converters, and one real that is here or not."""

import sys
from pathlib import Path

VERSION = "dump_syms 9.9.9"


def script(path: Path, body: str, *, version: str = VERSION) -> Path:
    """A program at `path` that answers `--version`, and otherwise does `body` with its `arguments`."""
    text = f"""#!{sys.executable}
import sys
arguments = sys.argv[1:]
if arguments == ["--version"]:
    print({version!r})
    sys.exit(0)
{body}
"""
    path.write_text(text, encoding="utf-8")
    path.chmod(0o755)
    return path


# What Mozilla's tool says first: the module's id and name, its program's; and one symbol.
_SYMBOLS = f"""
sys.path[:0] = {[str(Path(__file__).resolve().parents[3])]!r}
from pathlib import Path
from symsrv.formats import identify_path
from symsrv.formats.base import NotIdentified
out = arguments[arguments.index("-o") + 1]
files = [Path(one) for one in arguments[arguments.index("-o") + 2:] if "/" in one]
try:
    identity = identify_path(files[0], files[0].name)[0]
except NotIdentified as error:
    sys.exit(str(error))
programs = [files[0].with_suffix(one) for one in (".dll", ".exe")] if identity.format == "pdb" else files[1:]
programs = [identify_path(one, one.name)[0] for one in programs if one.is_file()]
system = {{"pdb": "windows", "elf": "Linux", "macho": "Mac"}}[identity.format]
lines = [f"MODULE {{system}} {{identity.arch}} {{identity.debug_id}} {{files[0].name}}"]
for program in programs or ([identity] if identity.format != "pdb" else []):
    lines.append(f"INFO CODE_ID {{program.code_id.upper()}} {{program.name}}")
lines += ["PUBLIC 1000 0 main"] + ["STACK CFI INIT 0 1 .cfa: $rsp 8 +"] * len(programs)
Path(out).write_text("\\n".join(lines) + "\\n")
"""


def dump_syms(path: Path) -> Path:
    """A program that makes the first lines of text symbols, of real files; it reads them by our own formats."""
    return script(path, _SYMBOLS)
