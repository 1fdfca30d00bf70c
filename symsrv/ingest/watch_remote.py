"""Whether a folder lies on another machine: there changes are heard of late or never, and it is looked at often."""

import os
import re
import sys
from pathlib import Path

_REMOTE = frozenset(
    {"9p", "afs", "beegfs", "ceph", "cifs", "coda", "davfs", "drvfs", "glusterfs", "gpfs", "lustre", "nfs", "nfs4"}
    | {"prl_fs", "smb3", "smbfs", "vboxsf", "virtiofs", "vmhgfs"}
)
_LOCAL_FUSE = frozenset({"fuse.fuse-overlayfs", "fuse.ntfs-3g", "fuse.exfat", "fuse.mergerfs", "fuse.lxcfs"})
_MOUNTS = Path("/proc/self/mountinfo")
_DRIVE_REMOTE = 4


def is_remote(folder: str, *, mounts: Path = _MOUNTS) -> bool:
    """Whether a folder, or the place where it would be, is on a network disk or one shared by a host with its guest.

    False where that cannot be told: on macOS.
    """
    if sys.platform == "win32":
        return _is_remote_drive(folder)
    kind = _kind(os.path.realpath(folder), mounts)
    return kind in _REMOTE or (kind.startswith("fuse.") and kind not in _LOCAL_FUSE)


def _kind(path: str, mounts: Path) -> str:
    """The type of the file system that a path lies on: of the longest mount point, and of those the last."""
    best, kind = -1, ""
    try:
        text = os.fsdecode(mounts.read_bytes())
    except OSError:
        return ""
    for line in text.splitlines():
        head, dash, tail = line.partition(" - ")
        fields = head.split(" ")
        if not dash or len(fields) < 5:
            continue
        point = re.sub(r"\\([0-7]{3})", lambda match: chr(int(match[1], 8)), fields[4])
        inside = path == point or path.startswith(point.rstrip("/") + "/")
        if inside and len(point) >= best:
            best, kind = len(point), tail.split(" ")[0]
    return kind


def _is_remote_drive(folder: str) -> bool:
    import ctypes

    drive = os.path.splitdrive(os.path.abspath(folder))[0]  # noqa: PTH100
    if drive.startswith("\\\\"):
        return True
    windll = getattr(ctypes, "windll", None)
    return windll is not None and windll.kernel32.GetDriveTypeW(f"{drive}\\") == _DRIVE_REMOTE
