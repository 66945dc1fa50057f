"""How staff and machines see the mail room."""

import json
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.utils import timezone

from accounts.consent import purposes
from accounts.consent.purposes import MailKind
from notifications import checks, delivery, newsletter, outbox, personal_data, suppressions
from notifications.models import NewsletterIssue, OutgoingEmail, Suppression
from notifications.topics import Topic
from shop.personal_data import get_holdings
from tests import builders, cast
from tests.notifications import acts
from tests.notifications.acts import Kind

pytestmark = pytest.mark.django_db


@pytest.fixture
def staff(client):
    client.force_login(cast.sam())
    return client


@pytest.mark.django_db(transaction=True)  # the probe looks over a connection of its own
def test_ready_tells_what_waits(client):
    order = builders.paid_order()
    acts.queued(order, Kind.PLACED)
    acts.happened(order, Kind.APPROVED)
    OutgoingEmail.objects.update(created_at=timezone.now() - timedelta(seconds=90))
    waiting = client.get("/readyz").json()["outbox"]
    assert (waiting["unrelayed"], waiting["queued"]) == (1, 1)
    assert 90 <= waiting["oldest_seconds"] < 100


@pytest.mark.django_db(transaction=True)
def test_ready_tells_when_nothing_waits(client, sink):
    acts.queued(builders.paid_order(), Kind.PLACED)
    delivery.deliver_due_mail()
    assert client.get("/readyz").json()["outbox"] == {"unrelayed": 0, "queued": 0, "oldest_seconds": 0}


@pytest.mark.parametrize("state", outbox.WAITING_STATES)
def test_mail_a_worker_holds_still_waits(state):
    acts.queued(builders.paid_order(), Kind.PLACED)
    OutgoingEmail.objects.update(state=state)
    assert outbox.measure_backlog()["queued"] == 1


def test_the_outbox_command_tells_what_waits_what_was_skipped_and_what_needs_a_look():
    order = builders.paid_order()
    for kind in (Kind.PLACED, Kind.APPROVED):
        acts.queued(order, kind)
    failed = acts.queued(builders.paid_order(), Kind.PLACED)
    OutgoingEmail.objects.filter(pk=failed.pk).update(state="failed", last_error="550 no such user")
    out = StringIO()
    call_command("outbox", stdout=out)
    for words in ("Mails to hand over:     1", "Never asked for it", "550 no such user", str(failed.pk)):
        assert words in out.getvalue()
    out = StringIO()
    call_command("outbox", "--json", stdout=out)
    facts = json.loads(out.getvalue())
    assert facts["queued"] == 1
    assert facts["skipped"] == [{"topic": "order_approved", "reason": "not_opted_in", "count": 1}]


def test_staff_see_why_somebody_got_no_mail(staff):
    order = builders.paid_order()
    email = acts.queued(order, Kind.APPROVED)
    page = staff.get(f"/admin/notifications/outgoingemail/?q={order.number}").content.decode()
    assert "Not sent: never asked for it" in page
    assert staff.get(f"/admin/notifications/outgoingemail/{email.pk}/change/").status_code == 200
    assert staff.get("/admin/notifications/outgoingemail/?q=guest@example.com").status_code == 200


def test_staff_see_what_each_part_stands_on_and_can_change_nothing(staff):
    customer = cast.alice()
    email = acts.queued(builders.paid_order(customer=customer), Kind.APPROVED)
    address = f"/admin/notifications/outgoingemail/{email.pk}/change/"
    assert (
        str(customer.consents.get(purpose=purposes.MAIL_ORDER_APPROVED).record) in staff.get(address).content.decode()
    )
    assert staff.post(address, {"state": "sent"}).status_code == 403
    email.refresh_from_db()
    assert email.state == "queued"


def test_staff_stop_an_address_and_lift_it(staff):
    staff.post("/admin/notifications/suppression/add/", {"address": "a@example.com", "reason": "staff", "detail": ""})
    made = Suppression.objects.get()
    staff.post(f"/admin/notifications/suppression/{made.pk}/delete/", {"post": "yes"})
    assert not Suppression.objects.exists()


def test_an_address_sealed_by_an_erasure_is_found_again_by_typing_the_whole_of_it(staff):
    Suppression.objects.create(address="a@example.com", reason="bounced")
    suppressions.hash_suppression("a@example.com")
    page = "/admin/notifications/suppression/"
    for typed, is_found in {"A@example.com ": True, "a@example": False, "b@example.com": False}.items():
        assert (staff.get(page, {"q": typed}).context["cl"].result_count == 1) is is_found, typed


def test_whoever_comes_back_to_a_sealed_address_reads_of_it_in_their_copy():
    Suppression.objects.create(address="a@example.com", reason="bounced", detail="550 no such user")
    suppressions.hash_suppression("a@example.com")
    [holding] = [each for each in get_holdings() if each.key == "suppression"]
    [row] = holding.export(builders.customer("a@example.com"))
    assert (row["address"], row["why"], row["detail"]) == ("a@example.com", "bounced", "")
    assert holding.export(builders.customer("b@example.com")) == []


def test_staff_write_look_and_send_the_newsletter_once(staff):
    builders.customer(ticks=(purposes.NEWSLETTER,))
    staff.post(
        "/admin/notifications/newsletterissue/add/",
        {"subject": "Mugs", "body": "They are\n\nback <b>now</b>: http://localhost:8000/ ."},
    )
    issue = NewsletterIssue.objects.get()
    look = f"/admin/notifications/newsletterissue/{issue.pk}/preview/"
    page = staff.get(look).content.decode()
    assert "Send to 1" in page
    assert "&lt;b&gt;now" in page
    assert '<a href="http://localhost:8000/">' in page
    issue.refresh_from_db()
    assert issue.released_at is None
    assert staff.post(look).status_code == 302
    issue.refresh_from_db()
    first = issue.released_at
    assert first
    staff.post(look)
    issue.refresh_from_db()
    assert issue.released_at == first
    change = f"/admin/notifications/newsletterissue/{issue.pk}/change/"
    assert staff.post(change, {"subject": "Other", "body": "Other"}).status_code == 403
    assert "Preview and send" not in staff.get(change).content.decode()


def test_the_newsletter_links_to_nobody_else(staff):
    for link in ("https://elsewhere.example/", "http://localhost:8000.evil.example/", "www.elsewhere.example"):
        page = staff.post("/admin/notifications/newsletterissue/add/", {"subject": "x", "body": f"See {link} now"})
        assert "Take out" in page.content.decode()
    assert not NewsletterIssue.objects.exists()
    staff.post("/admin/notifications/newsletterissue/add/", {"subject": "x", "body": "See http://localhost:8000/ now"})
    assert NewsletterIssue.objects.exists()


@pytest.mark.parametrize("who", ["nobody", "customer"])
def test_only_staff_see_or_send_a_newsletter(client, who):
    issue = NewsletterIssue.objects.create(subject="x", body="y")
    if who == "customer":
        client.force_login(cast.bob().user)
    look = f"/admin/notifications/newsletterissue/{issue.pk}/preview/"
    assert client.get(look).status_code == 302
    assert client.post(look).status_code == 302
    issue.refresh_from_db()
    assert issue.released_at is None
    assert newsletter.count_issue_mails(issue) == []


def test_a_topic_without_a_purpose_fails_a_check(monkeypatch):
    assert checks.check_topics_have_purposes(None) == []
    broken = {
        "a": Topic("a", MailKind.PROMOTIONAL, title="A"),
        "b": Topic("b", MailKind.SERVICE, "nonsense", title="B"),
        "c": Topic("c", MailKind.ESSENTIAL, title="C"),
    }
    monkeypatch.setattr(checks, "TOPICS", broken)
    assert [error.id for error in checks.check_topics_have_purposes(None)] == [
        "notifications.E001",
        "notifications.E001",
        "notifications.E002",
    ]


def test_old_records_are_retired_and_what_waits_is_kept():
    waiting = acts.queued(builders.paid_order(), Kind.PLACED)
    done = acts.queued(builders.paid_order(), Kind.PLACED)
    OutgoingEmail.objects.filter(pk=done.pk).update(state="sent")
    OutgoingEmail.objects.update(created_at=timezone.now() - timedelta(days=500))
    young = acts.queued(builders.paid_order(), Kind.APPROVED)
    assert personal_data.retire_mail() == 3  # the mail and its two parts
    assert set(OutgoingEmail.objects.values_list("pk", flat=True)) == {waiting.pk, young.pk}


def test_what_the_mail_room_keeps_is_registered():
    assert {"mail", "suppression"} <= {holding.key for holding in get_holdings()}
