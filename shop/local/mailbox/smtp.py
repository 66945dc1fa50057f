"""The SMTP side: accepts every mail from this machine and keeps it."""

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from shop.local.mailbox.store import MailStore

_LARGEST_MAIL_BYTES = 30 * 1024 * 1024


class MailHandler:
    def __init__(self, store: MailStore) -> None:
        self._store = store

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802  (aiosmtpd's name)
        mail_id = self._store.add(
            bytes(envelope.original_content or b""),
            sender=envelope.mail_from or "",
            recipients=[str(recipient) for recipient in envelope.rcpt_tos],
        )
        return f"250 Kept as {mail_id}"


def make_smtp_server(store: MailStore, *, port: int) -> Controller:
    return Controller(
        MailHandler(store), hostname="127.0.0.1", port=port, data_size_limit=_LARGEST_MAIL_BYTES, enable_SMTPUTF8=True
    )
