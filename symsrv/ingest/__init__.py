"""Bytes in: from paths, folders and builds under way to one transaction in a store."""

from symsrv.ingest.publish import Receipt, preview, publish
from symsrv.ingest.results import FileResult, FileStatus
from symsrv.ingest.sources import Source, discover
from symsrv.ingest.watch import WatchedFolder, Watcher

__all__ = [
    "FileResult",
    "FileStatus",
    "Receipt",
    "Source",
    "WatchedFolder",
    "Watcher",
    "discover",
    "preview",
    "publish",
]
