"""The stand-in's memory: one SQLite file, one writer at a time.

Every change, the events it causes, their deliveries and the answer saved under the idempotency key are one
transaction, so a ``kill -9`` leaves either all of it or nothing. WAL without fsync: a killed process loses
nothing; a machine that loses power may lose the last second, which a stand-in can afford.
"""

import json
import sqlite3
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_TABLES = """
CREATE TABLE IF NOT EXISTS objects (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    parent TEXT,
    created INTEGER NOT NULL,
    body TEXT NOT NULL,
    private TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS objects_kind ON objects (kind, seq);
CREATE INDEX IF NOT EXISTS objects_parent ON objects (parent, kind);
CREATE INDEX IF NOT EXISTS objects_payment_intent ON objects (json_extract(body, '$.payment_intent'), kind);
CREATE INDEX IF NOT EXISTS objects_expiry
    ON objects (json_extract(body, '$.status'), json_extract(body, '$.expires_at'))
    WHERE kind = 'checkout.session';
CREATE TABLE IF NOT EXISTS answers (
    key TEXT PRIMARY KEY,
    path TEXT NOT NULL,
    request TEXT NOT NULL,
    status INTEGER NOT NULL,
    body TEXT NOT NULL,
    headers TEXT NOT NULL,
    created INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS deliveries (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    event TEXT NOT NULL,
    chain TEXT NOT NULL,
    due_at REAL NOT NULL,
    attempt_count INTEGER NOT NULL DEFAULT 0,
    state TEXT NOT NULL DEFAULT 'waiting',
    last_status INTEGER
);
CREATE INDEX IF NOT EXISTS deliveries_due ON deliveries (state, due_at);
CREATE INDEX IF NOT EXISTS deliveries_event ON deliveries (event, state);
"""


@dataclass
class StoredObject:
    """An object as the API shows it, and what only the stand-in knows about it."""

    body: dict[str, Any]
    private: dict[str, Any] = field(default_factory=dict)
    parent: str | None = None

    @property
    def id(self) -> str:
        identifier: str = self.body["id"]
        return identifier


class StandInStore:
    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        # Transactions are begun by hand below; threads take turns by the lock.
        self._connection = sqlite3.connect(
            folder / "stripe.sqlite3", isolation_level=None, check_same_thread=False, timeout=10
        )
        self._connection.row_factory = sqlite3.Row
        self._lock = threading.RLock()
        self._depth = 0
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute("PRAGMA synchronous=NORMAL")
        self._connection.executescript(_TABLES)

    def close(self) -> None:
        with self._lock:
            self._connection.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Everybody else waits; nested uses join the outer one."""
        with self._lock:
            outermost = self._depth == 0
            if outermost:
                self._connection.execute("BEGIN IMMEDIATE")
            self._depth += 1
            try:
                yield
            except BaseException:
                self._depth -= 1
                if outermost:
                    self._connection.execute("ROLLBACK")
                raise
            self._depth -= 1
            if outermost:
                self._connection.execute("COMMIT")

    def rows(self, sql: str, values: tuple[Any, ...] | dict[str, Any] = ()) -> list[sqlite3.Row]:
        with self._lock:
            return self._connection.execute(sql, values).fetchall()

    def clear(self) -> None:
        with self.transaction():
            self.rows("DELETE FROM objects")
            self.rows("DELETE FROM answers")
            self.rows("DELETE FROM deliveries")

    def add(self, body: dict[str, Any], *, private: dict[str, Any] | None = None, parent: str | None = None) -> None:
        self.rows(
            "INSERT INTO objects (id, kind, parent, created, body, private) VALUES (?, ?, ?, ?, ?, ?)",
            (
                body["id"],
                body["object"],
                parent,
                body.get("created", 0),
                json.dumps(body),
                json.dumps(private or {}),
            ),
        )

    def save(self, stored: StoredObject) -> None:
        self.rows(
            "UPDATE objects SET body = ?, private = ? WHERE id = ?",
            (json.dumps(stored.body), json.dumps(stored.private), stored.id),
        )

    def find(self, identifier: str, kind: str | None = None) -> StoredObject | None:
        rows = self.rows(
            "SELECT body, private, parent FROM objects WHERE id = ? AND (? IS NULL OR kind = ?)",
            (identifier, kind, kind),
        )
        return _make_stored_object(rows[0]) if rows else None

    def children(self, parent: str, kind: str) -> list[dict[str, Any]]:
        rows = self.rows("SELECT body FROM objects WHERE parent = ? AND kind = ? ORDER BY seq", (parent, kind))
        return [json.loads(row["body"]) for row in rows]

    def position(self, identifier: str, kind: str) -> int | None:
        rows = self.rows("SELECT seq FROM objects WHERE id = ? AND kind = ?", (identifier, kind))
        return rows[0]["seq"] if rows else None

    def page(
        self,
        kind: str,
        *,
        where: Mapping[str, Any],
        limit: int,
        oldest_first: bool = False,
    ) -> list[dict[str, Any]]:
        """`where` maps an SQL condition (ours, never input) with one placeholder to its value."""
        conditions = " AND ".join(["kind = ?", *where])
        direction = "ASC" if oldest_first else "DESC"
        rows = self.rows(
            f"SELECT body FROM objects WHERE {conditions} ORDER BY seq {direction} LIMIT ?",  # noqa: S608  # nosec B608
            (kind, *where.values(), limit),
        )
        return [json.loads(row["body"]) for row in rows]

    def due_sessions(self, now: int) -> list[str]:
        rows = self.rows(
            "SELECT id FROM objects WHERE kind = 'checkout.session' "
            "AND json_extract(body, '$.status') = 'open' AND json_extract(body, '$.expires_at') <= ?",
            (now,),
        )
        return [row["id"] for row in rows]


def _make_stored_object(row: sqlite3.Row) -> StoredObject:
    return StoredObject(json.loads(row["body"]), json.loads(row["private"]), row["parent"])
