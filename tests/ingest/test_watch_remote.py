"""Which folders lie on another machine."""

import pytest

from symsrv.ingest.watch_remote import is_remote
from tests.ingest.files import written

MOUNTS = rb"""22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
30 22 0:40 / /mnt/builds rw - nfs4 server:/builds rw
31 30 0:41 / /mnt/builds/fast rw - tmpfs tmpfs rw
32 22 0:42 / /mnt/with\040space rw - cifs //server/share rw
33 22 0:43 / /over rw - ext4 /dev/sdb rw
34 22 0:44 / /over rw - fuse.sshfs me@there: rw
35 22 0:45 / /container rw - fuse.fuse-overlayfs fuse-overlayfs rw
torn line
"""


@pytest.mark.parametrize(
    ("folder", "expected"),
    [
        ("/home/me/out", False),
        ("/mnt/builds", True),
        ("/mnt/builds/nightly/out", True),
        ("/mnt/buildserver", False),
        ("/mnt/builds/fast/out", False),
        ("/mnt/with space/out", True),
        ("/over/out", True),
        ("/container/out", False),
    ],
)
@pytest.mark.skipif("os.name == 'nt'", reason="paths as POSIX has them")
def test_by_the_longest_and_last_mount_point(tmp_path, folder, expected):
    assert is_remote(folder, mounts=written(tmp_path / "mountinfo", MOUNTS)) is expected


def test_where_nothing_is_told_it_is_here(tmp_path):
    assert not is_remote(str(tmp_path), mounts=tmp_path / "none")
