"""What `watch` and `up` have in common: which folders are watched, and what is told of each publish."""

from typing import TYPE_CHECKING

from symsrv.commands.base import Context
from symsrv.model.errors import UsageError

if TYPE_CHECKING:
    from symsrv.ingest import Receipt, WatchedFolder


def folders_to_watch(context: Context, folders: tuple[str, ...], given: dict[str, object]) -> list["WatchedFolder"]:
    """The folders that were named, or else those of the configuration, with the options that were given."""
    from symsrv.config import WatchFolder
    from symsrv.ingest import WatchedFolder

    options = {key: value for key, value in given.items() if value not in (None, ())}
    for name in ("quiet", "sweep"):
        if name in options:
            options[name] = seconds_of(f"--{name}", str(options[name]))
    configured = [WatchFolder.model_validate({"path": folder}) for folder in folders] or context.config.watch
    if not configured:
        raise UsageError("no folder to watch: name one, or list folders under 'watch:' in symsrv.yaml")
    settled = [folder.model_copy(update=options) for folder in configured]
    return [
        WatchedFolder(
            path=str(folder.path),
            quiet_seconds=folder.quiet,
            sweep_seconds=folder.sweep,
            ready_file=folder.ready_file,
            include=folder.include,
            exclude=folder.exclude,
            product=folder.product,
            version=folder.version,
            comment=folder.comment,
            tag=folder.tag,
        )
        for folder in settled
    ]


def seconds_of(option: str, text: str | None) -> float | None:
    """The duration that an option was given, if it was; raises UsageError."""
    from symsrv.config import seconds

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
