"""A mail server for tests: a real one, on a real socket, that can be told to be difficult."""

import asyncio
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.layout import drop_layout
from tests.notifications.wire import find_faults
from tests.page import read_words


@dataclass(frozen=True)
class Received:
    to: str
    message: EmailMessage
    at: float  # monotonic
    content: bytes  # as it came, the dots of the hand-off taken out

    @property
    def topic(self) -> str:
        return self.message["X-Topic"]

    @property
    def message_id(self) -> str:
        return self.message["Message-ID"]

    @property
    def text(self) -> str:
        return self.message.get_body(("plain",)).get_content()

    @property
    def html(self) -> str:
        return drop_layout(self.message.get_body(("html",)).get_content())

    @property
    def words(self) -> str:
        """What a reader sees in either part: a sealed address may spell any short word by chance."""
        return re.sub(r"https?://\S+", "", self.text) + read_words(self.html)


@dataclass
class Sink:
    """`at_rcpt` and `after_dot` hold what to do for an address: a reply, "hang" or "drop".

    "after 1.5 250 OK" is a reply that takes so many seconds. `begun` are the moments of MAIL FROM.
    """

    offers_pipelining: bool = True
    at_rcpt: dict[str, str] = field(default_factory=dict)
    after_dot: dict[str, str] = field(default_factory=dict)
    at_mail: list[str] = field(default_factory=list)
    received: list[Received] = field(default_factory=list)
    begun: list[float] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    connection_count: int = 0
    spy: Callable[[str, str], None] = lambda moment, address: None

    async def handle_EHLO(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        session.host_name = hostname
        self.connection_count += 1
        return [*responses[:-1], "250-PIPELINING", responses[-1]] if self.offers_pipelining else responses

    async def handle_MAIL(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        self.begun.append(time.monotonic())
        reply = self.at_mail.pop(0) if self.at_mail else "250 OK"
        envelope.mail_from = address
        return await _said(reply, server)

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        self.spy("rcpt", address)
        reply = self.at_rcpt.get(address, "250 OK")
        if "250" in reply:
            envelope.rcpt_tos.append(address)
        return await _said(reply, server)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        [address] = envelope.rcpt_tos
        message = message_from_bytes(envelope.content, policy=policy.default)
        self.received.append(Received(address, message, time.monotonic(), envelope.content))
        self.faults += find_faults(envelope.content)
        self.spy("dot", address)
        return await _said(self.after_dot.get(address, "250 OK"), server)

    def to(self, address: str) -> list[Received]:
        return [mail for mail in self.received if mail.to == address]

    @property
    def topics(self) -> list[str]:
        return [mail.topic for mail in self.received]


async def _said(reply: str, server: SMTP) -> str:
    if reply == "hang":
        await asyncio.sleep(60)
    if reply == "drop":
        server.transport.abort()
        await asyncio.sleep(60)
    if reply.startswith("after "):
        _, seconds, reply = reply.split(" ", 2)
        await asyncio.sleep(float(seconds))
    return reply


class Server(Controller):
    def __init__(self, sink: Sink, port: int) -> None:
        super().__init__(sink, hostname="127.0.0.1", port=port, ready_timeout=120)
