"""What the operating system refused, as errors of the store."""

import contextlib
import errno
import os
from collections.abc import Iterator

from symsrv.model.errors import BackendError

_REASONS = {
    errno.ENOSPC: "disk-full",
    errno.EDQUOT: "disk-full",
    errno.EACCES: "no-access",
    errno.EPERM: "no-access",
    errno.EROFS: "no-access",
    errno.EMFILE: "unavailable",
    errno.ENFILE: "unavailable",
    errno.ENOMEM: "unavailable",
    errno.EAGAIN: "unavailable",
    errno.EBUSY: "unavailable",
    errno.ESTALE: "unavailable",
    errno.ETIMEDOUT: "unavailable",
    errno.EHOSTDOWN: "unavailable",
}

ABSENT = (errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG, errno.ELOOP, errno.EISDIR)
"""Codes that say: there is no file of this name. A symbolic link and a folder are no files."""


def backend_error(exc: OSError | ValueError, doing: str) -> BackendError:
    """The store's error for a system's; `doing` says what was tried, on which path."""
    code = exc.errno if isinstance(exc, OSError) else None
    reason = _REASONS.get(code, "backend") if code is not None else "backend"
    # On Windows "access denied" mostly means that somebody has the file open just now.
    transient = reason == "unavailable" or (reason == "no-access" and os.name == "nt")
    sentence = f"{doing}: {os.strerror(code) if code is not None else exc}"
    return BackendError(reason, sentence, transient=transient)


@contextlib.contextmanager
def refusals(doing: str) -> Iterator[None]:
    """Turns what the system refuses inside into BackendError; ValueError is a NUL in a path."""
    try:
        yield
    except (OSError, ValueError) as exc:
        raise backend_error(exc, doing) from exc
