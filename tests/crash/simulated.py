"""A file system as a crash leaves it: replays a prefix of recorded operations, with what was not synced kept or lost.

`Recorder` is a `Files` that does everything for real and writes it down. `Crash` says what of the unsynced part
survives; `surviving` and `lay_down` build the folder that the next process would find.
"""

from dataclasses import dataclass, field
from pathlib import Path

from symsrv.backends.files import Files


@dataclass(frozen=True)
class Op:
    verb: str
    path: str
    target: str = ""
    data: bytes = b""


class Recorder(Files):
    """Does each operation and appends it to `log`; `marks` are positions with a meaning, set by the scenario."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.log: list[Op] = []
        self.marks: dict[str, int] = {}

    def mark(self, name: str) -> None:
        self.marks[name] = len(self.log)

    def make_folder(self, path, *, mode=0o777):
        super().make_folder(path, mode=mode)
        self.log.append(Op("make_folder", path))

    def write_new(self, path, data):
        super().write_new(path, data)
        self.log.append(Op("write_new", path, data=bytes(data)))

    def copy_new(self, path, source):
        count = super().copy_new(path, source)
        self.log.append(Op("write_new", path, data=(self.root / path).read_bytes()))
        return count

    def append(self, path, data):
        super().append(path, data)
        self.log.append(Op("append", path, data=bytes(data)))

    def sync_file(self, path):
        super().sync_file(path)
        self.log.append(Op("sync_file", path))

    def sync_folder(self, path):
        super().sync_folder(path)
        self.log.append(Op("sync_folder", path))

    def sync_all(self):
        if super().sync_all():
            self.log.append(Op("sync_all", ""))
            return True
        return False

    def link(self, path, target):
        super().link(path, target)
        self.log.append(Op("link", path, target))

    def move(self, path, target):
        super().move(path, target)
        self.log.append(Op("move", path, target))

    def replace(self, path, target):
        super().replace(path, target)
        self.log.append(Op("move", path, target))

    def unlink(self, path):
        super().unlink(path)
        self.log.append(Op("unlink", path))

    def remove_folder(self, path):
        super().remove_folder(path)
        self.log.append(Op("remove_folder", path))


@dataclass(frozen=True)
class Crash:
    """What survives of what was not synced. `tear` cuts the last append, if it was the last operation, in half."""

    name: str
    keep_names: bool
    keep_bytes: bool
    tear: bool = False


CRASHES = (
    Crash("killed", keep_names=True, keep_bytes=True),
    Crash("torn", keep_names=True, keep_bytes=True, tear=True),
    Crash("power lost", keep_names=False, keep_bytes=False),
    Crash("power lost, names kept", keep_names=True, keep_bytes=False),
    Crash("power lost, bytes kept", keep_names=False, keep_bytes=True),
)


@dataclass
class _Inode:
    current: bytes = b""
    durable: bytes = b""


@dataclass
class _Change:
    """One deed on names: each path gets an inode, a folder, or nothing. Durable once one of its folders is synced."""

    sets: dict[str, _Inode | str | None]
    folders: frozenset[str]
    durable: bool = False


@dataclass
class _Disk:
    names: dict[str, _Inode | str] = field(default_factory=dict)
    changes: list[_Change] = field(default_factory=list)

    def change(self, sets: dict[str, _Inode | str | None]) -> None:
        self.changes.append(_Change(sets, frozenset(path.rpartition("/")[0] for path in sets)))
        _set(self.names, sets)

    def sync_folder(self, folder: str) -> None:
        for change in self.changes:
            if folder in change.folders:
                change.durable = True


def _set(names: dict[str, _Inode | str], sets: dict[str, _Inode | str | None]) -> None:
    for path, what in sets.items():
        if what is None:
            # A removed folder was empty: what an unsynced unlink took out of it does not come back without it.
            for below in [name for name in names if name == path or name.startswith(f"{path}/")]:
                del names[below]
        else:
            names[path] = what


def surviving(base: Path, log: list[Op], crash: Crash) -> dict[str, bytes | None]:
    """What a crash after `log` leaves over the durable state that `base` was: files by path, None for folders."""
    before: dict[str, _Inode | str] = {}
    for path in base.rglob("*"):
        data = "folder" if path.is_dir() else _Inode(path.read_bytes(), path.read_bytes())
        before[path.relative_to(base).as_posix()] = data
    disk = _Disk(dict(before))
    for op in log:
        _replay(disk, op)
    survivors = dict(before)
    for change in disk.changes:
        if change.durable or crash.keep_names:
            _set(survivors, change.sets)
    state: dict[str, bytes | None] = {}
    for path, what in survivors.items():
        state[path] = None if isinstance(what, str) else what.current if crash.keep_bytes else what.durable
    torn = log[-1] if crash.tear and log and log[-1].verb == "append" else None
    if torn is not None and torn.path in state:
        data = state[torn.path] or b""
        state[torn.path] = data[: len(data) - (len(torn.data) + 1) // 2]
    return state


def lay_down(state: dict[str, bytes | None], folder: Path) -> None:
    """Builds the folder that the next process finds."""
    folder.mkdir()
    for path, data in state.items():
        target = folder / path
        if data is None:
            target.mkdir(parents=True, exist_ok=True)
        else:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data)


def _replay(disk: _Disk, op: Op) -> None:
    if op.verb == "make_folder":
        disk.change({op.path: "folder"})
    elif op.verb == "remove_folder":
        disk.change({op.path: None})
    elif op.verb == "write_new":
        disk.change({op.path: _Inode(op.data)})
    elif op.verb == "append":
        if op.path not in disk.names:
            disk.change({op.path: _Inode()})
        disk.names[op.path].current += op.data
    elif op.verb == "sync_file":
        inode = disk.names[op.path]
        inode.durable = inode.current
    elif op.verb == "sync_folder":
        disk.sync_folder(op.path)
    elif op.verb == "sync_all":
        for change in disk.changes:
            change.durable = True
        for what in disk.names.values():
            if not isinstance(what, str):
                what.durable = what.current
    elif op.verb == "link":
        disk.change({op.target: disk.names[op.path]})
    elif op.verb == "move":
        disk.change({op.target: disk.names[op.path], op.path: None})
    elif op.verb == "unlink":
        disk.change({op.path: None})
    else:
        raise AssertionError(op)
