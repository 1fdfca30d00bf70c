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
