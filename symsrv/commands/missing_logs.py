"""`symsrv missing --access-log`: what web servers' logs say was not found becomes wants."""

from pathlib import Path
from typing import Any

from symsrv.commands.base import Context, outcome, shown
from symsrv.model.errors import Exit, SymsrvError


def of_logs(context: Context, paths: tuple[Path, ...], *, prefix: str) -> Exit:
    """Reads each log on from where it was read last; a file of a folder that is no log is passed over."""
    from symsrv.mirror.access_logs import LogFile, forget_old, learn, log_files

    assembly = context.assembly()
    store, state = assembly.store, assembly.state
    store.catch_up()
    good = bad = 0
    for path, named in log_files(paths):
        log = LogFile(path, prefix=prefix)
        try:
            learn(state, log, here=lambda ask: bool(store.find(ask)), dry_run=context.dry_run)
        except (SymsrvError, OSError) as error:
            if isinstance(error, SymsrvError) and error.reason == "unknown-format" and not named:
                continue
            bad += 1
            _refuse(context, path, error)
            continue
        good += 1
        record = _record(log)
        context.answer(record, text=_text(record))
        if log.broken is not None:
            context.warn(f"{path}: it breaks off: {log.broken}")
    if not context.dry_run:
        forget_old(state)
    return outcome(good=good, bad=bad)


def _record(log: Any) -> dict[str, Any]:
    tally = log.tally
    return {
        "path": str(log.path),
        "format": log.kind or None,
        "lines": tally.lines,
        "misses": tally.misses,
        "forbidden": tally.forbidden,
        "other": tally.other,
        "bad": tally.bad,
        "broken": log.broken is not None,
    }


def _text(record: dict[str, Any]) -> str:
    words = [f"{record['misses']} misses of symbols in {record['lines']} new lines"]
    if record["forbidden"]:
        words.append(f"{record['forbidden']} of them 403, which a bucket that may not be listed says for what it lacks")
    words += [
        f"{record[name]} {what}" for name, what in (("other", "other misses"), ("bad", "bad lines")) if record[name]
    ]
    return f"{shown(record['path'])}: {', '.join(words)}"


def _refuse(context: Context, path: Path, error: SymsrvError | OSError) -> None:
    if isinstance(error, SymsrvError):
        sentence, reason = str(error), error.reason
    else:
        sentence = (error.strerror or str(error)).lower()
        reason = "missing" if isinstance(error, FileNotFoundError) else "unreadable"
    context.answer({"path": str(path), "error": sentence, "reason": reason})
    if not context.json:
        context.warn(f"{path}: {sentence} ({reason})")
