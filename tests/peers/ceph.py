"""A whole Ceph on this machine: one monitor, one OSD in memory, one S3 gateway. Ready in about two seconds.

Needs Debian's `ceph-mon ceph-osd radosgw ceph-common`. Works as root and as an ordinary user. No manager is needed.
"""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "AKIAEXAMPLEKEY000001",
    "AWS_SECRET_ACCESS_KEY": "secretsecret0001",
    "AWS_DEFAULT_REGION": "us-east-1",
}
PROGRAMS = ("ceph", "ceph-authtool", "monmaptool", "ceph-mon", "ceph-osd", "radosgw", "radosgw-admin")
_START_SECONDS = 30.0
_NAMES = ("client.admin", "client.rgw.a", "osd.0")
# tcp_nodelay: without it each answer waits 40 ms for an acknowledgement.
_CONFIGURATION = """\
[global]
fsid = {fsid}
mon_initial_members = a
mon_host = v2:127.0.0.1:{monitor_port}
public_addr = 127.0.0.1
auth_cluster_required = cephx
auth_service_required = cephx
auth_client_required = cephx
keyring = {folder}/keyring
mon_data_avail_warn = 1
mon_data_avail_crit = 0
osd_pool_default_size = 1
osd_pool_default_min_size = 1
mon_allow_pool_size_one = true
osd_pool_default_pg_num = 1
osd_pool_default_pg_autoscale_mode = off
osd_crush_chooseleaf_type = 0
mon_warn_on_pool_no_redundancy = false
mon_data = {folder}/mon
osd_data = {folder}/osd
osd_objectstore = memstore
memstore_device_bytes = 4294967296
run_dir = {folder}
admin_socket = {folder}/$name.asok
log_file = {folder}/$name.log
pid_file = {folder}/$name.pid
mon_pg_warn_min_per_osd = 0
ms_bind_ipv6 = false
ms_bind_ipv4 = true
paxos_propose_interval = 0.05
mon_max_pg_per_osd = 1000
[client.rgw.a]
rgw_frontends = beast endpoint=127.0.0.1:{port} tcp_nodelay=1
rgw_data = {folder}/rgw
rgw_enable_usage_log = false
rgw_crypt_require_ssl = false
"""


@contextlib.contextmanager
def ceph_server() -> Iterator[str]:
    """Starts Ceph; gives the URL of its S3 gateway."""
    folder = Path(tempfile.mkdtemp(prefix="ceph-", dir="/tmp"))  # a short path: sockets take 107 bytes
    try:
        port = _Cluster(folder).start()
        yield f"http://127.0.0.1:{port}"
    finally:
        _stop(folder)
        shutil.rmtree(folder, ignore_errors=True)


class _Cluster:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.deadline = time.monotonic() + _START_SECONDS
        self.port, self.monitor_port = _free_port(), _free_port()
        self.fsid = str(uuid.uuid4())

    def start(self) -> int:
        for name in ("mon", "osd", "rgw"):
            (self.folder / name).mkdir()
        values = {"fsid": self.fsid, "folder": self.folder, "port": self.port, "monitor_port": self.monitor_port}
        (self.folder / "ceph.conf").write_text(_CONFIGURATION.format(**values))
        self._keys()
        self._monitor()
        self._osd()
        self._gateway()
        return self.port

    def _keys(self) -> None:
        self._run("ceph-authtool", "--create-keyring", "keyring", "--gen-key", "-n", "mon.", "--cap", "mon", "allow *")
        rights = [word for service in ("mon", "osd", "mgr", "mds") for word in ("--cap", service, "allow *")]
        for name in _NAMES:
            self._run("ceph-authtool", "keyring", "--gen-key", "-n", name, *rights)

    def _monitor(self) -> None:
        place = f"[v2:127.0.0.1:{self.monitor_port}]"
        self._run("monmaptool", "--create", "--fsid", self.fsid, "--addv", "a", place, "monmap")
        self._run("ceph-mon", "--mkfs", "-i", "a", "--monmap", "monmap", "--keyring", "keyring")
        self._run("ceph-mon", "-i", "a")
        self._until(lambda: self._answers("ceph", "-s"), "the monitor")

    def _osd(self) -> None:
        identity = str(uuid.uuid4())
        number = self._run("ceph", "osd", "new", identity).strip()
        self._run("ceph-osd", "-i", number, "--mkfs", "--osd-uuid", identity)
        self._run("ceph-osd", "-i", number)
        self._until(lambda: "1 up" in self._run("ceph", "osd", "stat"), "the OSD")

    def _gateway(self) -> None:
        self._run("radosgw", "-n", "client.rgw.a")
        self._until(lambda: _listening(self.port), "the gateway")
        keys = ("--access-key", CREDENTIALS["AWS_ACCESS_KEY_ID"], "--secret-key", CREDENTIALS["AWS_SECRET_ACCESS_KEY"])
        self._run("radosgw-admin", "user", "create", "--uid", "t", "--display-name", "t", *keys)

    def _run(self, *command: str) -> str:
        done = self._process(command)
        assert done.returncode == 0, f"{' '.join(command)}: {done.stderr}"
        return done.stdout

    def _answers(self, *command: str) -> bool:
        return self._process(command).returncode == 0

    def _process(self, command: tuple[str, ...]) -> "subprocess.CompletedProcess[str]":
        environment = {**os.environ, "CEPH_CONF": str(self.folder / "ceph.conf")}
        # Daemons keep what they are given for output: a pipe would never end.
        with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
            left = max(1.0, self.deadline - time.monotonic())
            done = subprocess.run(
                command, cwd=self.folder, env=environment, stdout=out, stderr=err, timeout=left, check=False
            )
            out.seek(0)
            err.seek(0)
            return subprocess.CompletedProcess(command, done.returncode, out.read(), err.read())

    def _until(self, ready: Callable[[], bool], what: str) -> None:
        while not ready():
            assert time.monotonic() < self.deadline, f"{what} of Ceph did not start; see {self.folder}"
            time.sleep(0.05)


def _stop(folder: Path) -> None:
    # An OSD whose monitor is gone ignores TERM for seconds, and a gateway waits for its OSD: so all are killed,
    # the gateway first. Nothing of theirs is kept.
    for name in ("client.rgw.a", "osd.0", "mon.a"):
        with contextlib.suppress(OSError, ValueError):
            process = int((folder / f"{name}.pid").read_text())
            os.kill(process, signal.SIGKILL)
            _wait_for_end(process)


def _wait_for_end(process: int) -> None:
    for _ in range(100):
        if Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
            return  # where no init is, nobody reaps it
        time.sleep(0.02)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _listening(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True
