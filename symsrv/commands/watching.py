"""What `watch` and `up` have in common: which folders are watched, what is told of them, and reloading them."""

import logging
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from symsrv.commands.base import Context, shown
from symsrv.model.errors import UsageError

if TYPE_CHECKING:
    from symsrv.commands.mirroring import Mirror
    from symsrv.commands.signals import Signals
    from symsrv.config import Config, WatchFolder
    from symsrv.ingest import Receipt, WatchedFolder, Watcher
    from symsrv.ingest.watch import WatchStatus

logger = logging.getLogger(__name__)

_DURATIONS = ("quiet", "sweep", "pair", "poll")
_DRAW_SECONDS = 0.5
_COLUMNS = 79


def folders_to_watch(context: Context, folders: tuple[str, ...], given: dict[str, object]) -> list["WatchedFolder"]:
    """The folders that were named, or else those of the configuration, with the options that were given."""
    return _settled(context.config, folders, given)


def _settled(config: "Config", folders: tuple[str, ...], given: dict[str, object]) -> list["WatchedFolder"]:
    from symsrv.config import WatchFolder

    options = {key: value for key, value in given.items() if value not in (None, (), False)}
    for name in _DURATIONS:
        if name in options:
            options[name] = seconds_of(f"--{name}", str(options[name]))
    if "version" in options:
        _check_version(str(options["version"]))
    configured = [WatchFolder.model_validate({"path": folder}) for folder in dict.fromkeys(folders)] or config.watch
    if not configured:
        raise UsageError("no folder to watch: name one, or list folders under 'watch:' in symsrv.yaml")
    return [_watched(folder.model_copy(update=options)) for folder in configured]


def _watched(folder: "WatchFolder") -> "WatchedFolder":
    from symsrv.ingest import WatchedFolder

    return WatchedFolder(
        path=str(folder.path),
        quiet_seconds=folder.quiet,
        sweep_seconds=folder.sweep,
        poll_seconds=None if folder.poll == "auto" else folder.poll,
        pair_seconds=folder.pair,
        ready_file=folder.ready_file,
        include=folder.include,
        exclude=folder.exclude,
        product=folder.product,
        version=folder.version,
        comment=folder.comment,
        tag=folder.tag,
        replace=folder.replace,
    )


def _check_version(template: str) -> None:
    from symsrv.ingest.watch_version import check

    try:
        check(template)
    except ValueError as error:
        raise UsageError(f"--version: {error}") from error


def seconds_of(option: str, text: str | None) -> float | None:
    """The duration that an option was given, if it was; raises UsageError."""
    from symsrv.options import seconds

    if text is None:
        return None
    try:
        found = seconds(text)
    except ValueError as error:
        raise UsageError(f"{option}: {error}") from error
    if not isinstance(found, float | int):
        raise UsageError(f"{option} {text} is not a duration; write 30s or 5m")
    return float(found)


def tell(context: Context, receipt: "Receipt") -> None:
    """Says what became of each file of a publish, and of all."""
    for result in receipt.results:
        if result.failed and not context.json:
            context.say(str(result))
        else:
            context.answer(result.to_record(), text=str(result))
    context.answer(receipt.to_record(), text=str(receipt))


class Reloading:
    """Reads the configuration again and gives the watcher its folders; what cannot change while running is told.

    A configuration with a mistake changes nothing. With a `mirror`, that is given its part, and there may be nothing to
    watch.
    """

    def __init__(
        self,
        context: Context,
        folders: tuple[str, ...],
        given: dict[str, object],
        *,
        mirror: "Mirror | None" = None,
    ) -> None:
        self._mirror = mirror
        self._file = context.config_file
        self._folders = folders
        self._given = given
        self._before = self._loaded()

    def __call__(self, watcher: "Watcher") -> None:
        """Does it."""
        try:
            fresh = self._loaded()
            idle = self._mirror is not None and not (self._folders or fresh.watch)
            settled = [] if idle else _settled(fresh, self._folders, self._given)
        except (UsageError, OSError) as error:
            logger.error("kept the configuration as it was", extra={"error": str(error)})
            return
        live = ("watch",) if self._mirror is None else ("watch", "mirror", "upstreams")
        fixed = [name for name in type(fresh).model_fields if name not in live]
        if changed := [name for name in fixed if getattr(fresh, name) != getattr(self._before, name)]:
            logger.warning("changes that a restart puts in force", extra={"options": ", ".join(changed)})
        watcher.reload(settled)
        if self._mirror is not None:
            self._mirror.reload(fresh)

    def _loaded(self) -> "Config":
        from symsrv.config import load

        return load(self._file)


class Beside:
    """What goes on beside the watching, in a thread: the status line on a terminal, and reloading at a hangup."""

    def __init__(
        self, watcher: "Watcher", signals: "Signals", reload: Callable[["Watcher"], object], line: "StatusLine"
    ) -> None:
        self._watcher = watcher
        self._signals = signals
        self._reload = reload
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="beside", daemon=True)
        self._line = line

    def __enter__(self) -> Self:
        self._line.open()
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()
        self._line.close()

    def _run(self) -> None:
        while not self._over.wait(_DRAW_SECONDS):
            if self._signals.reload.is_set():
                self._signals.reload.clear()
                self._reload(self._watcher)
            self._line.draw(sentence(self._watcher.status(), stopping=self._signals.stop.is_set()))


class StatusLine:
    """One line at the foot of a terminal that other lines push on; silent where stderr is not a terminal."""

    def __init__(self) -> None:
        self.shown = False
        self._lock = threading.RLock()
        self._text = ""
        self._handlers: list[logging.Handler] = []

    def open(self) -> None:
        """Makes way for log lines from now on."""
        self.shown = sys.stderr is not None and sys.stderr.isatty()
        if self.shown:
            self._handlers = logging.getLogger().handlers[:]
            for handler in self._handlers:
                handler.addFilter(self._make_way)

    def close(self) -> None:
        """Takes the line away."""
        self.clear()
        for handler in self._handlers:
            handler.removeFilter(self._make_way)
        self.shown = False

    def draw(self, text: str) -> None:
        """Shows a text instead of the one before."""
        if self.shown:
            with self._lock:
                cut = shown(text)[:_COLUMNS]
                if cut == self._text:
                    return
                sys.stderr.write(f"\r{cut.ljust(len(self._text))}")
                sys.stderr.flush()
                self._text = cut

    def clear(self) -> None:
        """Leaves an empty line for others to write on."""
        if self.shown and self._text:
            with self._lock:
                sys.stderr.write(f"\r{' ' * len(self._text)}\r")
                sys.stderr.flush()
                self._text = ""

    def _make_way(self, _record: logging.LogRecord) -> bool:
        self.clear()
        return True


def sentence(status: "WatchStatus", *, stopping: bool = False) -> str:
    """What the status line says."""
    said = f"watching {_counted(status.folders, 'folder')}, {_counted(status.files, 'file')}"
    if status.missing:
        said += f", {_counted(status.missing, 'folder')} not there"
    said += f", {_counted(status.published, 'transaction')}"
    if status.waiting is not None:
        more = f" and {status.pending - 1:,} more" if status.pending > 1 else ""
        said += f"; waiting for {Path(status.waiting).name}{more}"
    return said + ("; stopping, once more stops at once" if stopping else "")


def _counted(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"
