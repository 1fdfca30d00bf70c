"""Whether somebody has a file open for writing, where the system can tell."""

import os
import signal

try:
    import fcntl
except ImportError:  # Windows: who writes keeps others from reading, and that shows as an error
    fcntl = None  # type: ignore[assignment]


def being_written(path: str) -> bool:
    """Whether somebody has the file open for writing; False where the system does not say.

    Linux grants a read lease only while nobody has: a linker that pauses for longer than the quiet time is still
    seen. Only for files of our own user, on local disks. test_writing.py
    """
    if fcntl is None or not hasattr(fcntl, "F_SETLEASE"):
        return False
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    except OSError:
        return False
    try:
        # Whoever opens the file for writing during these microseconds breaks the lease, and we are told by a signal.
        # The default one, SIGIO, would end the process; SIGURG is ignored unless somebody asks for it.
        fcntl.fcntl(descriptor, fcntl.F_SETSIG, signal.SIGURG)
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_RDLCK)
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    except BlockingIOError:
        return True
    except OSError:
        return False
    finally:
        os.close(descriptor)
    return False
