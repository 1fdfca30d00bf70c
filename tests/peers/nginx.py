"""nginx as a process of its own, with any configuration: plain, over TLS, with Basic."""

import contextlib
import subprocess
from collections.abc import Iterator
from pathlib import Path

from tests.peers.certificates import Certificate
from tests.peers.ports import end, free_port, wait_until_listening

_TEMPORARY = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")


@contextlib.contextmanager
def nginx_server(program: str, folder: Path, http: str) -> Iterator[tuple[str, int]]:
    """Starts nginx with the text of an `http` block, whose `listen 80` becomes a free port; gives its address."""
    port = free_port()
    conf = folder / "nginx.conf"
    paths = "".join(f"{name}_temp_path {folder}/{name};\n" for name in _TEMPORARY)
    http = http.replace("listen 80", f"listen 127.0.0.1:{port}")
    conf.write_text(
        f"pid {folder}/pid;\nerror_log {folder}/error.log;\ndaemon off;\nuser root;\nevents {{ }}\n"
        f"http {{\naccess_log {folder}/access.log;\n{paths}{http}\n}}\n"
    )
    command = [program, "-c", str(conf), "-p", str(folder), "-e", str(folder / "start.log")]
    checked = subprocess.run([*command, "-t"], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_until_listening(process, port)
        yield "127.0.0.1", port
    finally:
        end(process)


def server(
    root: Path, *, tls: Certificate | None = None, users: Path | None = None, client_ca: Path | None = None
) -> str:
    """The `server` block of a plain host of a folder, nothing of ours in it.

    `tls` is its certificate, `users` the file of who may come in (`name:{PLAIN}password`), `client_ca` what a client's
    own certificate must be signed by.
    """
    lines = [f"listen 80{' ssl' if tls else ''};", f"root {root};"]
    if tls:
        lines += [f"ssl_certificate {tls.certificate};", f"ssl_certificate_key {tls.key};"]
    if users:
        lines += ['auth_basic "symbols";', f"auth_basic_user_file {users};"]
    if client_ca:
        lines += [f"ssl_client_certificate {client_ca};", "ssl_verify_client on;"]
    return "server {\n    " + "\n    ".join(lines) + "\n}\n"
