"""Transaction documents: JSON lines, a header and then one line an entry. Their creation is the commit."""

import json
from datetime import UTC, datetime
from typing import Any

from symsrv.backends.base import Backend
from symsrv.model.errors import DamagedDocument, Missing, NewerFormat
from symsrv.model.identity import Identity
from symsrv.model.records import Entry, Evidence, Status, Transaction
from symsrv.store import places


def dump(transaction: Transaction) -> bytes:
    """A transaction as its document; empty fields are left out."""
    header = {
        "format": places.FORMAT,
        "number": transaction.number,
        "type": transaction.kind,
        "time": transaction.when.astimezone(UTC).isoformat(),
        "local": transaction.local_stamp,
        "product": transaction.product,
        "version": transaction.version,
        "comment": transaction.comment,
        "tag": transaction.tag,
        "who": transaction.who,
        "host": transaction.host,
        "deletes": list(transaction.deletes),
        "lines": len(transaction.entries),
    }
    lines = [header, *map(_entry_record, transaction.entries)]
    return "".join(json.dumps(_without_empty(line), ensure_ascii=False) + "\n" for line in lines).encode(
        "utf-8", "surrogatepass"
    )


def load(data: bytes, path: str) -> Transaction:
    """The transaction that a document describes; raises DamagedDocument or NewerFormat."""
    try:
        lines = [json.loads(line) for line in data.decode("utf-8", "surrogatepass").split("\n") if line]
        header = lines[0]
        if header["format"] > places.FORMAT:
            raise NewerFormat(path, header["format"], places.FORMAT)
        if header["lines"] != len(lines) - 1:
            raise DamagedDocument(path, f"{header['lines']} entries announced, {len(lines) - 1} there")
        return Transaction(
            number=header["number"],
            kind=header["type"],
            when=datetime.fromisoformat(header["time"]),
            local_stamp=header.get("local", ""),
            product=header.get("product", ""),
            version=header.get("version", ""),
            comment=header.get("comment", ""),
            tag=header.get("tag"),
            who=header.get("who"),
            host=header.get("host"),
            deletes=tuple(header.get("deletes", ())),
            entries=tuple(map(_entry, lines[1:])),
        )
    except (ValueError, KeyError, TypeError, IndexError, AttributeError) as exc:
        raise DamagedDocument(path, f"{type(exc).__name__}: {exc}") from exc


def read(backend: Backend, number: int) -> Transaction | None:
    """The transaction with this number, or None if it has no document."""
    path = places.document(number)
    try:
        return load(backend.read(path), path)
    except Missing:
        return None


def _entry_record(entry: Entry) -> dict[str, Any]:
    return {
        "home": entry.home,
        "source": entry.source,
        "status": entry.status.value,
        "size": entry.size,
        "sha256": entry.sha256,
        "modified_ns": entry.modified_ns,
        "kind": entry.symbol_kind,
        "evidence": entry.evidence.value,
        "kept_sha256": entry.kept_sha256,
        "handle": entry.handle,
        "encoding": entry.encoding,
        "plain_size": entry.plain_size,
        "plain_sha256": entry.plain_sha256,
        "identities": [identity.to_record() for identity in entry.identities],
    }


def _entry(record: dict[str, Any]) -> Entry:
    return Entry(
        home=record["home"],
        source=record.get("source", ""),
        status=Status(record["status"]),
        size=record.get("size", 0),
        sha256=record.get("sha256"),
        modified_ns=record.get("modified_ns"),
        symbol_kind=record.get("kind", "bin"),
        evidence=Evidence(record.get("evidence", Evidence.CONTENT)),
        identities=tuple(Identity.from_record(one) for one in record.get("identities", ())),
        kept_sha256=record.get("kept_sha256"),
        handle=record.get("handle"),
        encoding=record.get("encoding"),
        plain_size=record.get("plain_size"),
        plain_sha256=record.get("plain_sha256"),
    )


def _without_empty(record: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in record.items() if value not in (None, "", [])}
