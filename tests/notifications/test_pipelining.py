"""The envelope in one write, where the server offers it (RFC 2920). Whatever it answers, the next mail gets its own."""

import socket
import threading
from collections.abc import Callable
from typing import BinaryIO

import pytest

from shop.mail import MailConnection, Message, SendOutcome

LATER, SENT = SendOutcome.LATER, SendOutcome.SENT
OK, READY = "250 OK", "354 go on"
TAKEN = [OK, OK, READY, OK]


class ScriptedServer:
    """Says after each command what its script has next, "" being nothing, and hangs up at the script's end.

    One script for each connection. `heard` are the commands.
    """

    def __init__(self, *scripts: list[str], offers: str = "PIPELINING") -> None:
        self.scripts = scripts
        self.offers = offers
        self.heard: list[str] = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.thread = threading.Thread(target=self._serve)
        self.thread.start()

    def _serve(self) -> None:
        with self.listener:
            for script in self.scripts:
                line, _ = self.listener.accept()
                line.settimeout(10)
                with line, line.makefile("rb") as sent:
                    line.sendall(b"220 hello\r\n")
                    self._answer(line, sent, [f"250-here\r\n250 {self.offers}", *script])

    def _answer(self, line: socket.socket, sent: BinaryIO, script: list[str]) -> None:
        before = ""
        for reply in script:
            command = read_content(sent) if before.endswith(READY) else sent.readline()
            self.heard.append(command.decode().strip())
            if reply and command:
                line.sendall(f"{reply}\r\n".encode())
            before = reply


def read_content(sent: BinaryIO) -> bytes:
    """Reads as far as the lone dot. Returns the first line."""
    first = line = sent.readline()
    while line and line != b".\r\n":
        line = sent.readline()
    return first


@pytest.fixture
def hand_off(settings) -> Callable[..., list[SendOutcome]]:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_HOST_USER = "127.0.0.1", ""
    settings.EMAIL_USE_TLS = settings.EMAIL_USE_SSL = False

    def hand_off_to(server: ScriptedServer, *addresses: str) -> list[SendOutcome]:
        settings.EMAIL_PORT = server.listener.getsockname()[1]
        with MailConnection(seconds=2) as line:
            outcomes = [line.hand_off(write_message(to), may_begin=lambda: True).outcome for to in addresses]
        server.thread.join(20)
        return outcomes

    return hand_off_to


def write_message(to: str) -> Message:
    return Message(to=to, subject="Mugs", text="Come.", html="<p>Come.</p>", topic="test")


def test_the_envelope_comes_before_the_first_answer(hand_off):
    server = ScriptedServer(["", "", "250 OK\r\n250 OK\r\n354 go on", OK])
    assert hand_off(server, "a@example.com") == [SENT]
    assert server.heard[2:] == ["RCPT TO:<a@example.com>", "DATA", "From: Say When <shop@saywhen.example>"]


def test_a_server_that_does_not_offer_it_is_sent_each_command_after_the_answer_to_the_one_before(hand_off):
    """It would wait for all three; only the first comes."""
    server = ScriptedServer(["", "", "250 OK\r\n250 OK\r\n354 go on", OK], offers="HELP")
    assert hand_off(server, "a@example.com") == [LATER]
    assert [command.partition(":")[0] for command in server.heard if command][1:] == ["MAIL FROM"]


@pytest.mark.parametrize(
    ("replies", "outcome"),
    [
        (["451 later", "503 no sender", "503 no sender"], LATER),
        ([OK, "451 later", "503 nobody"], LATER),
        ([OK, "550 5.1.1 unknown", "554 nobody"], SendOutcome.NO_SUCH_ADDRESS),
        ([OK, OK, "452 no room"], LATER),
    ],
    ids=["sender", "recipient for now", "recipient for good", "content"],
)
def test_after_a_refusal_all_answers_are_read_and_the_next_mail_gets_its_own(hand_off, replies, outcome):
    server = ScriptedServer([*replies, "250 reset", *TAKEN])
    assert hand_off(server, "refused@example.com", "fine@example.com") == [outcome, SENT]
    assert server.heard[4:7:2] == ["RSET", "RCPT TO:<fine@example.com>"]


def test_a_server_that_refused_the_recipient_and_wants_the_content_all_the_same_gets_none(hand_off):
    """Not even a lone dot: it would have sent an empty mail to whomever it had accepted."""
    server = ScriptedServer([OK, "550 5.1.1 unknown", READY, ""], TAKEN)
    assert hand_off(server, "refused@example.com", "fine@example.com") == [SendOutcome.NO_SUCH_ADDRESS, SENT]
    assert server.heard[3:5] == ["DATA", ""]


def test_a_refusal_stands_although_the_server_hangs_up_before_it_has_answered_everything(hand_off):
    server = ScriptedServer([OK, "550 5.1.1 unknown"], TAKEN)
    assert hand_off(server, "gone@example.com", "fine@example.com") == [SendOutcome.NO_SUCH_ADDRESS, SENT]


def test_a_line_break_in_an_address_never_makes_a_command(hand_off):
    server = ScriptedServer([""])
    with pytest.raises(ValueError, match="line break"):
        hand_off(server, "a@example.com>\r\nRCPT TO:<b@example.com")
    assert "RCPT TO:<b@example.com>" not in server.heard
