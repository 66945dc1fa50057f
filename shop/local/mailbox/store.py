"""Mails on disk: `<id>.eml` as it came off the wire, and `<id>.json` with the envelope. Ids sort by arrival."""

import itertools
import json
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.utils import parseaddr
from pathlib import Path

_PREVIEW_CHARACTERS = 140


@dataclass(frozen=True)
class Attachment:
    name: str
    kind: str
    content: bytes

    @property
    def size(self) -> int:
        return len(self.content)


@dataclass(frozen=True)
class Mail:
    """One mail as it arrived. `recipients` are the envelope's, which is who really got it."""

    id: str
    raw: bytes
    sender: str
    recipients: tuple[str, ...]
    received_at: datetime
    message: EmailMessage

    @property
    def subject(self) -> str:
        return self.header("Subject") or "(no subject)"

    @property
    def topic(self) -> str:
        return self.header("X-Topic")

    @property
    def from_name(self) -> str:
        name, address = parseaddr(self.header("From"))
        return name or address or self.sender

    @property
    def text(self) -> str:
        return _read_text_content(self.message.get_body(("plain",)))

    @property
    def html(self) -> str:
        return _read_text_content(self.message.get_body(("html",)))

    @property
    def preview(self) -> str:
        return " ".join(self.text.split())[:_PREVIEW_CHARACTERS]

    @property
    def headers(self) -> list[tuple[str, str]]:
        return [(name, str(value)) for name, value in self.message.items()]

    @property
    def attachments(self) -> list[Attachment]:
        return [_make_attachment(part) for part in self.message.iter_attachments() if isinstance(part, EmailMessage)]

    def header(self, name: str) -> str:
        return str(self.message.get(name, ""))

    def summary(self) -> dict[str, object]:
        return {
            "id": self.id,
            "received_at": self.received_at.isoformat(),
            "from": self.header("From"),
            "to": list(self.recipients),
            "subject": self.subject,
            "topic": self.topic,
            "message_id": self.header("Message-ID"),
            "attachments": [attachment.name for attachment in self.attachments],
        }

    def details(self) -> dict[str, object]:
        return {**self.summary(), "headers": self.headers, "text": self.text, "html": self.html}


class MailStore:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._count = itertools.count()
        self._cache: dict[str, Mail] = {}
        self._lock = threading.Lock()

    def add(self, raw: bytes, *, sender: str, recipients: Sequence[str]) -> str:
        """Keeps the mail and returns its id. When this returns the mail is on disk under its name."""
        mail_id = f"{time.time_ns() // 1_000_000:013d}{next(self._count) % 10000:04d}"
        envelope = {"sender": sender, "recipients": list(recipients), "received_at": datetime.now(UTC).isoformat()}
        (self._folder / f"{mail_id}.json").write_text(json.dumps(envelope))
        arriving = self._folder / f"{mail_id}.arriving"
        arriving.write_bytes(raw)
        arriving.rename(self._folder / f"{mail_id}.eml")
        return mail_id

    def ids(self) -> list[str]:
        """Newest first."""
        return sorted((path.stem for path in self._folder.glob("*.eml")), reverse=True)

    def find(self, words: str = "", *, to: str = "", topic: str = "") -> list[Mail]:
        """Newest first: mails holding the words in subject, recipient, topic or text."""
        mails = (self.get(mail_id) for mail_id in self.ids())
        return [mail for mail in mails if mail and _matches_search(mail, words.lower(), to.lower(), topic)]

    def get(self, mail_id: str) -> Mail | None:
        with self._lock:
            if mail_id not in self._cache:
                mail = self._read(mail_id)
                if mail is None:
                    return None
                self._cache[mail_id] = mail
            return self._cache[mail_id]

    def empty(self) -> int:
        """Throws every mail away. Returns how many there were."""
        mail_ids = self.ids()
        with self._lock:
            self._cache.clear()
        for mail_id in mail_ids:
            (self._folder / f"{mail_id}.eml").unlink(missing_ok=True)
            (self._folder / f"{mail_id}.json").unlink(missing_ok=True)
        return len(mail_ids)

    def _read(self, mail_id: str) -> Mail | None:
        if not mail_id.isdigit():
            return None
        try:
            raw = (self._folder / f"{mail_id}.eml").read_bytes()
            envelope = json.loads((self._folder / f"{mail_id}.json").read_text())
        except OSError:
            return None
        return Mail(
            id=mail_id,
            raw=raw,
            sender=envelope["sender"],
            recipients=tuple(envelope["recipients"]),
            received_at=datetime.fromisoformat(envelope["received_at"]).astimezone(),
            message=message_from_bytes(raw, policy=policy.default),
        )


def _matches_search(mail: Mail, words: str, to: str, topic: str) -> bool:
    if to and to not in (recipient.lower() for recipient in mail.recipients):
        return False
    if topic and mail.topic != topic:
        return False
    return not words or words in " ".join((mail.subject, *mail.recipients, mail.topic, mail.text)).lower()


def _read_text_content(part: object) -> str:
    if not isinstance(part, EmailMessage):
        return ""
    try:
        return str(part.get_content())
    except (LookupError, ValueError):  # a charset nobody knows
        payload = part.get_payload(decode=True)
        return payload.decode("utf-8", "replace") if isinstance(payload, bytes) else ""


def _make_attachment(part: EmailMessage) -> Attachment:
    payload = part.get_payload(decode=True)
    content = payload if isinstance(payload, bytes) else part.as_bytes()
    return Attachment(part.get_filename() or "attachment", part.get_content_type(), content)
