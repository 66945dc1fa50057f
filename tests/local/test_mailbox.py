"""The local mailbox: what arrives by SMTP is kept, shown and listed."""

import json
import smtplib
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path

import pytest

from tests.local.ports import free_port
from tests.patience import PATIENCE_SECONDS, wait_until


@dataclass
class MailboxProcess:
    smtp_port: int
    port: int
    folder: Path

    def send(self, subject: str, *, to: str = "alice@saywhen.example", html: str = "<p>Hello</p>") -> None:
        message = EmailMessage()
        message["Subject"], message["From"], message["To"] = subject, "Say When <shop@saywhen.example>", to
        message["X-Topic"] = "receipt"
        message.set_content("Hello in words")
        message.add_alternative(html, subtype="html")
        message.add_attachment(b"%PDF-1", maintype="application", subtype="pdf", filename="slip.pdf")
        with smtplib.SMTP("127.0.0.1", self.smtp_port) as connection:
            connection.send_message(message)

    def open(self, path: str, *, method: str = "GET", **headers: str) -> tuple[int, dict[str, str], bytes]:
        request = urllib.request.Request(f"http://localhost:{self.port}{path}", method=method, headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE_SECONDS) as answer:  # noqa: S310
                return answer.status, dict(answer.headers), answer.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, dict(error.headers), error.read()

    def messages(self, query: str = "") -> list[dict[str, object]]:
        return json.loads(self.open(f"/api/messages{query}")[2])["messages"]


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MailboxProcess]:
    box = MailboxProcess(free_port(), free_port(), tmp_path_factory.mktemp("mailbox"))
    flags = ["--smtp-port", str(box.smtp_port), "--port", str(box.port), "--data", str(box.folder)]
    process = subprocess.Popen([sys.executable, "-m", "shop.local.mailbox", *flags])
    try:
        wait_until(lambda: box.open("/healthz")[0] == 200, "the mailbox answers")
        yield box
    finally:
        process.terminate()
        assert process.wait(PATIENCE_SECONDS) == 0


@pytest.fixture
def mailbox(running: MailboxProcess) -> MailboxProcess:
    running.open("/api/messages", method="DELETE")
    return running


def test_a_mail_sent_by_smtp_is_listed_newest_first_with_its_topic_and_recipient(mailbox: MailboxProcess) -> None:
    mailbox.send("First")
    mailbox.send("Second", to="bob@saywhen.example")

    newest, oldest = mailbox.messages()

    assert (newest["subject"], newest["to"], newest["topic"]) == ("Second", ["bob@saywhen.example"], "receipt")
    assert oldest["subject"] == "First"
    assert [message["subject"] for message in mailbox.messages("?to=alice@saywhen.example")] == ["First"]
    assert mailbox.messages("?topic=newsletter") == []


def test_one_mail_can_be_read_as_html_text_headers_attachment_and_raw(mailbox: MailboxProcess) -> None:
    mailbox.send("Your order")
    mail_id = mailbox.messages()[0]["id"]

    details = json.loads(mailbox.open(f"/api/messages/{mail_id}")[2])

    assert details["text"].strip() == "Hello in words"
    assert ["X-Topic", "receipt"] in details["headers"]
    assert b"Hello in words" in mailbox.open(f"/messages/{mail_id}/?view=text")[2]
    assert b"X-Topic" in mailbox.open(f"/messages/{mail_id}/?view=headers")[2]
    assert mailbox.open(f"/messages/{mail_id}/attachments/0")[2] == b"%PDF-1"
    assert b"Subject: Your order" in mailbox.open(f"/messages/{mail_id}/raw.eml")[2]


def test_a_mail_runs_and_loads_nothing_where_it_is_shown(mailbox: MailboxProcess) -> None:
    mailbox.send(
        "Nasty <script>alert(1)</script>", html="<script>alert(1)</script><img src=http://elsewhere.example/a.png>"
    )
    mail_id = mailbox.messages()[0]["id"]

    _, headers, page = mailbox.open(f"/messages/{mail_id}/")
    _, mail_headers, _ = mailbox.open(f"/messages/{mail_id}/html")

    assert b"<script>alert" not in page
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert b'sandbox="allow-popups allow-popups-to-escape-sandbox"' in page
    assert mail_headers["Content-Security-Policy"].startswith("sandbox ")
    assert "allow-scripts" not in mail_headers["Content-Security-Policy"]
    assert "img-src data:" in mail_headers["Content-Security-Policy"]


def test_mails_outlive_a_restart_because_they_are_on_disk(mailbox: MailboxProcess) -> None:
    from shop.local.mailbox.store import MailStore

    mailbox.send("Kept")

    assert [mail.subject for mail in MailStore(mailbox.folder).find()] == ["Kept"]


def test_a_strange_page_cannot_empty_the_box(mailbox: MailboxProcess) -> None:
    mailbox.send("Still here")

    status, _, _ = mailbox.open("/empty", method="POST", Origin="http://elsewhere.example")

    assert status == 403
    assert len(mailbox.messages()) == 1


def test_the_owner_can_empty_the_box(mailbox: MailboxProcess) -> None:
    mailbox.send("Gone soon")

    mailbox.open("/empty", method="POST", Origin=f"http://localhost:{mailbox.port}")

    assert mailbox.messages() == []


@pytest.mark.parametrize("path", ["/messages/123/", "/messages/..%2fx/", "/api/messages/nothing", "/assets/web.py"])
def test_what_is_not_there_is_a_404(mailbox: MailboxProcess, path: str) -> None:
    assert mailbox.open(path)[0] == 404


def test_another_host_name_is_refused(mailbox: MailboxProcess) -> None:
    assert mailbox.open("/", Host="rebound.example")[0] == 400
