"""Mail on the wire: a message's bytes, and the hand-off to the mail server.

Two callers only: `notifications.delivery`, and `accounts.people.adapter` for mail that somebody awaits at the screen.
"""

import re
import smtplib
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from email.utils import formatdate, parseaddr
from enum import StrEnum
from functools import cache, cached_property
from types import TracebackType
from typing import Any, Self

from django.conf import settings
from django.core import mail as django_mail
from django.core.mail.message import sanitize_address
from django.template.loader import render_to_string

from shop.wire_format import encode_part, fold_mailbox, fold_text, fold_tokens, get_mail_domain

SMTP_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
_BLANK_LINES = re.compile(r"\n[ \t]*\n\s*\n")


@dataclass(frozen=True)
class Message:
    """One mail, written. `message_id` without brackets; by itself it is random, as for mail awaited at the screen."""

    to: str
    subject: str
    text: str
    html: str
    topic: str
    message_id: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)

    def all_headers(self) -> dict[str, str]:
        return {
            "X-Topic": self.topic,
            "Auto-Submitted": "auto-generated",
            "Message-ID": f"<{self.message_id or make_message_id(uuid.uuid4())}>",
            **self.headers,
        }

    @cached_property
    def content(self) -> bytes:
        """The message as it goes over the wire.

        Put together by hand: the standard library's generator takes longer than the whole hand-off.
        Raises ValueError for a header of ours with a line break in it.
        """
        boundary = f"=_{uuid.uuid4().hex}"
        headers = {
            "Date": formatdate(localtime=False),
            **self.all_headers(),
            "MIME-Version": "1.0",
            "Content-Type": f'multipart/alternative; boundary="{boundary}"',
        }
        lines = [
            _format_from_header(settings.DEFAULT_FROM_EMAIL),
            fold_mailbox("To", _encode_address(self.to)),
            fold_text("Subject", self.subject),
            *(fold_tokens(name, value) for name, value in headers.items()),
        ]
        return b"".join(
            (
                "\r\n".join(lines).encode("ascii"),
                b"\r\n\r\n",
                encode_part(boundary, "plain", self.text),
                encode_part(boundary, "html", self.html),
                f"--{boundary}--\r\n".encode(),
            )
        )

    def as_django(self) -> django_mail.EmailMultiAlternatives:
        """The same for Django's connections, which over SMTP send our own bytes."""
        made = _DjangoMessage(self)
        made.attach_alternative(self.html, "text/html")
        return made


class _DjangoMessage(django_mail.EmailMultiAlternatives):
    """Services with an interface of their own read its fields; whatever speaks SMTP sends `content`."""

    def __init__(self, written: Message) -> None:
        super().__init__(subject=written.subject, body=written.text, to=[written.to], headers=written.all_headers())
        self._written = written

    def message(self, *, policy: Any = None) -> Any:
        return _WireMessage(self._written.content)


@dataclass(frozen=True)
class _WireMessage:
    content: bytes

    def as_bytes(self, unixfrom: bool = False, linesep: str = "\r\n") -> bytes:
        return self.content


def make_message_id(row_id: uuid.UUID) -> str:
    """The Message-ID of an outbox row: the same at every attempt."""
    return f"{row_id}@{get_mail_domain(settings.SITE_URL)}"


def render_message(template: str, context: Mapping[str, object]) -> tuple[str, str, str]:
    """Subject, text and HTML of `templates/emails/<template>`. Templates are compiled once a process."""
    text_name, html_name = list_template_names(template)
    subject = " ".join(render_to_string(text_name, {**context, "is_subject": True}).split())
    values = {**context, "subject": subject}
    text = _BLANK_LINES.sub("\n\n", render_to_string(text_name, values)).strip() + "\n"
    return subject, text, render_to_string(html_name, values)


def list_template_names(template: str) -> tuple[str, str]:
    """That of the text, which has the subject as a block, and that of the HTML."""
    return f"emails/{template}.txt", f"emails/{template}.html"


def send_message(message: Message) -> None:
    """Hands one message over at once. For mail that somebody waits for; raises what the mail server says."""
    message.as_django().send()


def _encode_address(value: str) -> str:
    return value if value.isascii() else sanitize_address(value, "utf-8")


@cache
def _format_from_header(value: str) -> str:
    display_name, address = parseaddr(value)
    return fold_mailbox("From", _encode_address(address), display_name)


# -- The hand-off --------------------------------------------------------------------------------------------


class SendOutcome(StrEnum):
    SENT = "sent"
    NOT_BEGUN = "not_begun"  # permission was refused, nothing was handed over
    LATER = "later"  # the server says: not now; nothing was handed over
    REFUSED = "refused"  # for good
    NO_SUCH_ADDRESS = "no_such_address"  # for good, and because of the address
    UNKNOWN = "unknown"  # no answer after the final dot
    UNREACHABLE = "unreachable"  # no connection, so not this mail's fault


@dataclass(frozen=True)
class SendResult:
    outcome: SendOutcome
    detail: str = ""
    is_stuck: bool = False  # the server answered nothing until time was up


class MailConnection:
    """A connection to the mail server, reused from mail to mail; any other mail backend is spoken to through Django.

    `hand_off` asks `may_begin` before the first command of each mail and once more before its content leaves.
    No command waits longer than what is left of `seconds`, counted from the mail's first. A server that offers
    PIPELINING gets the envelope and the word DATA in one write.
    """

    def __init__(self, *, seconds: float) -> None:
        self.seconds = seconds
        self._smtp: smtplib.SMTP | None = None
        self._deadline = 0.0
        self._unread_count = 0  # replies still to come to what was sent at once

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    @property
    def is_open(self) -> bool:
        return self._smtp is not None

    def close(self) -> None:
        """Hangs up without a word: a QUIT could wait for an answer."""
        if self._smtp is not None:
            self._smtp.close()
            self._smtp, self._unread_count = None, 0

    def hand_off(
        self, message: Message, *, may_begin: Callable[[], bool], meanwhile: Callable[[], None] = lambda: None
    ) -> SendResult:
        """Hands one message over. Never raises for what a mail server or a network does.

        `meanwhile`: something short to do between the content and the server's answer to it; must not raise.
        """
        if settings.EMAIL_BACKEND != SMTP_BACKEND:
            return _send_through_django(message, may_begin)
        self._deadline = time.monotonic() + self.seconds
        was_open = self._smtp is not None
        result = self._attempt(message, may_begin, meanwhile)
        if was_open and self._smtp is None and result.outcome is SendOutcome.LATER and not result.is_stuck:
            return self._attempt(message, may_begin, meanwhile)  # the server was done with the old connection
        return result

    def _attempt(self, message: Message, may_begin: Callable[[], bool], meanwhile: Callable[[], None]) -> SendResult:
        try:
            smtp = self._get_connection()
        except (OSError, smtplib.SMTPException) as error:
            self.close()
            return SendResult(SendOutcome.UNREACHABLE, _describe_smtp_error(error))
        if not may_begin():
            return SendResult(SendOutcome.NOT_BEGUN)
        try:
            result = self._send_envelope(smtp, _encode_address(message.to))
        except (OSError, smtplib.SMTPException) as error:
            self.close()
            return SendResult(SendOutcome.LATER, _describe_smtp_error(error), is_stuck=self._is_over())
        if result is not None:
            self._reset_connection(result)
            return result
        if not may_begin():
            self.close()  # without the final dot the server forgets it
            return SendResult(SendOutcome.NOT_BEGUN)
        return self._send_content(smtp, message.content, meanwhile)

    def _get_connection(self) -> smtplib.SMTP:
        if self._smtp is None:
            self._smtp = _open_smtp(self.seconds)
        return self._smtp

    def _send_envelope(self, smtp: smtplib.SMTP, to: str) -> SendResult | None:
        """The envelope and the word DATA. None when the server is ready for the content."""
        commands = (f"MAIL FROM:{_get_quoted_sender()}", f"RCPT TO:{smtplib.quoteaddr(to)}", "DATA")
        if smtp.has_extn("pipelining"):
            self._send_at_once(smtp, commands)
        code, reply = self._get_reply(smtp, commands[0])
        if code != 250:
            return _make_refusal_result(code, reply)
        code, reply = self._get_reply(smtp, commands[1])
        if code not in (250, 251):
            return _make_refusal_result(code, reply, is_about_address=True)
        code, reply = self._get_reply(smtp, commands[2])
        return None if code == 354 else _make_refusal_result(code, reply)

    def _send_at_once(self, smtp: smtplib.SMTP, commands: Sequence[str]) -> None:
        """RFC 2920: one write, and the server answers each in turn. Raises ValueError for a line break in a command."""
        if any("\r" in each or "\n" in each for each in commands):
            raise ValueError("A line break in an SMTP command.")
        self._set_remaining_timeout(smtp)
        smtp.send("".join(f"{each}\r\n" for each in commands))
        self._unread_count = len(commands)

    def _get_reply(self, smtp: smtplib.SMTP, command: str) -> tuple[int, bytes]:
        """To a command that is on its way already, or is sent now."""
        return self._read_reply(smtp) if self._unread_count else self._command(smtp, command)

    def _read_reply(self, smtp: smtplib.SMTP) -> tuple[int, bytes]:
        self._unread_count -= 1
        self._set_remaining_timeout(smtp)
        return smtp.getreply()

    def _send_content(self, smtp: smtplib.SMTP, content: bytes, meanwhile: Callable[[], None]) -> SendResult:
        try:
            self._set_remaining_timeout(smtp)
            smtp.send(_stuff_dots(content))
            meanwhile()
            code, reply = smtp.getreply()
        except (OSError, smtplib.SMTPException) as error:
            self.close()
            return SendResult(SendOutcome.UNKNOWN, _describe_smtp_error(error), is_stuck=self._is_over())
        if code == 250:
            return SendResult(SendOutcome.SENT)
        result = _make_refusal_result(code, reply)
        self._reset_connection(result)
        return result

    def _command(self, smtp: smtplib.SMTP, words: str) -> tuple[int, bytes]:
        self._set_remaining_timeout(smtp)
        return smtp.docmd(words)

    def _set_remaining_timeout(self, smtp: smtplib.SMTP) -> None:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("the hand-off took too long")
        if smtp.sock is not None:
            smtp.sock.settimeout(left)

    def _is_over(self) -> bool:
        return time.monotonic() >= self._deadline - 0.05

    def _reset_connection(self, result: SendResult) -> None:
        """After a refusal the connection is used again if the server still wants it."""
        if self._smtp is None or result.detail.startswith("421"):
            return self.close()
        try:
            while self._unread_count:
                if self._read_reply(self._smtp)[0] == 354:
                    return self.close()  # it waits for content: without the final dot nobody gets any
            self._command(self._smtp, "RSET")
        except (OSError, smtplib.SMTPException):
            self.close()
        return None


def _open_smtp(seconds: float) -> smtplib.SMTP:
    kind = smtplib.SMTP_SSL if settings.EMAIL_USE_SSL else smtplib.SMTP
    smtp = kind(settings.EMAIL_HOST, settings.EMAIL_PORT, timeout=seconds)
    try:
        if settings.EMAIL_USE_TLS:
            smtp.starttls()
        if settings.EMAIL_HOST_USER:
            smtp.login(settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD)
        smtp.ehlo_or_helo_if_needed()
    except (OSError, smtplib.SMTPException):
        smtp.close()
        raise
    return smtp


@cache
def _get_quoted_sender() -> str:
    return smtplib.quoteaddr(parseaddr(settings.DEFAULT_FROM_EMAIL)[1])


def _stuff_dots(content: bytes) -> bytes:
    """RFC 5321, 4.5.2: a leading dot is doubled, a lone one ends the message."""
    return content.replace(b"\r\n.", b"\r\n..") + b".\r\n"


def _make_refusal_result(code: int, reply: bytes, *, is_about_address: bool = False) -> SendResult:
    """What a refusal means. A policy (5.7.x) is about us, not about the address."""
    words = f"{code} {reply.decode('utf-8', 'replace')}"[:300]
    if code < 500:
        return SendResult(SendOutcome.LATER, words)
    if is_about_address and not reply.startswith(b"5.7."):
        return SendResult(SendOutcome.NO_SUCH_ADDRESS, words)
    return SendResult(SendOutcome.REFUSED, words)


def _describe_smtp_error(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"[:300]


def _send_through_django(message: Message, may_begin: Callable[[], bool]) -> SendResult:
    connection = django_mail.get_connection()
    if not may_begin():
        return SendResult(SendOutcome.NOT_BEGUN)
    try:
        connection.send_messages([message.as_django()])
    except Exception as error:  # noqa: BLE001  (each service has its own; whether it took the mail is unknown)
        return SendResult(SendOutcome.UNKNOWN, _describe_smtp_error(error))
    return SendResult(SendOutcome.SENT)
