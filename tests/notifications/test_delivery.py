"""What delivery promises when the mail server is difficult. Every mail stays accounted for."""

import uuid
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from accounts.consent import purposes
from notifications import audience, claims, delivery
from notifications.models import NewsletterIssue, OutgoingEmail, OutgoingItem, SkipReason, Suppression
from tests import builders, cast
from tests.notifications import acts
from tests.notifications.acts import Kind

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True, params=[True, False], ids=["envelope at once", "word by word"])
def quick(request, settings, monkeypatch, sink) -> None:
    sink.offers_pipelining = request.param
    settings.MAIL_RETRY_SECONDS = 60
    monkeypatch.setattr(delivery, "HAND_OFF_SECONDS", 0.6)


def receipt(address: str) -> OutgoingEmail:
    return acts.queued(builders.paid_order(email=address), Kind.PLACED)


def newsletter(*addresses: str) -> list[OutgoingEmail]:
    for address in addresses:
        builders.customer(address, ticks=(purposes.NEWSLETTER,))
    NewsletterIssue.objects.create(subject="The mugs are back", body="Come and see.", released_at=timezone.now())
    audience.fan_out_released_issues()
    return list(OutgoingEmail.objects.filter(topic="newsletter"))


def time_passes(seconds: float = 3600) -> None:
    """All that waits has waited that much longer."""
    for email in OutgoingEmail.objects.all():
        email.due_at -= timedelta(seconds=seconds)
        email.save(update_fields=["due_at"])


def test_a_refusal_for_now_is_tried_again_after_a_pause_that_doubles(sink):
    email = receipt("busy@example.com")
    sink.at_rcpt["busy@example.com"] = "451 4.3.0 try later"
    pauses = []
    for _ in range(3):
        before = timezone.now()
        assert delivery.deliver_due_mail() == 0
        email.refresh_from_db()
        assert email.state == "queued"
        pauses.append(round((email.due_at - before).total_seconds(), -1))
        assert delivery.deliver_due_mail() == 0  # not before its time
        time_passes(pauses[-1] + 1)
    assert pauses == [60, 120, 240]
    sink.at_rcpt.clear()
    assert delivery.deliver_due_mail() == 1
    email.refresh_from_db()
    assert (email.state, email.attempt_count) == ("sent", 4)
    assert len(sink.received) == 1


def test_the_longest_pause_is_an_hour_and_after_days_staff_are_told(sink):
    email = receipt("busy@example.com")
    sink.at_rcpt["busy@example.com"] = "451 try later"
    OutgoingEmail.objects.update(attempt_count=15)
    delivery.deliver_due_mail()
    email.refresh_from_db()
    assert timezone.now() + timedelta(minutes=59) < email.due_at < timezone.now() + timedelta(minutes=61)
    OutgoingEmail.objects.update(created_at=timezone.now() - timedelta(days=6))
    time_passes(4000)
    delivery.deliver_due_mail()
    email.refresh_from_db()
    assert email.state == "failed"
    assert "451 try later" in email.last_error


def test_an_address_that_is_refused_for_good_is_suppressed_and_others_flow(sink):
    gone, fine = receipt("gone@example.com"), receipt("fine@example.com")
    sink.at_rcpt["gone@example.com"] = "550 5.1.1 no such user"
    assert delivery.deliver_due_mail() == 1
    gone.refresh_from_db()
    assert gone.state == "failed"
    assert "no such user" in gone.last_error
    assert Suppression.objects.get().address == "gone@example.com"
    again = receipt("Gone@Example.com")
    assert (again.state, again.skip_reason) == ("skipped", SkipReason.SUPPRESSED)
    fine.refresh_from_db()
    assert fine.state == "sent"
    assert [mail.to for mail in sink.received] == ["fine@example.com"]


def test_a_refusal_that_is_about_us_suppresses_nobody(sink):
    email = receipt("strict@example.com")
    sink.at_rcpt["strict@example.com"] = "550 5.7.1 we do not like your network"
    delivery.deliver_due_mail()
    email.refresh_from_db()
    assert email.state == "failed"
    assert not Suppression.objects.exists()
    assert sink.received == []


def test_a_server_that_hangs_holds_up_nobody_else_and_the_mail_comes_once(sink):
    hung, fine = receipt("slow@example.com"), receipt("fine@example.com")
    sink.at_rcpt["slow@example.com"] = "hang"
    assert delivery.deliver_due_mail() == 1
    hung.refresh_from_db()
    assert hung.state == "queued"
    sink.at_rcpt.clear()
    time_passes()
    assert delivery.deliver_due_mail() == 1
    assert [mail.to for mail in sink.received] == ["fine@example.com", "slow@example.com"]
    fine.refresh_from_db()
    assert fine.state == "sent"


def test_a_server_that_hangs_on_everybody_is_left_alone_until_the_next_run(sink):
    addresses = [f"slow{number}@example.com" for number in range(5)]
    for address in addresses:
        receipt(address)
        sink.at_rcpt[address] = "hang"
    assert delivery.deliver_due_mail() == 0
    assert len(sink.begun) == delivery.STUCK_LIMIT
    assert set(OutgoingEmail.objects.values_list("state", flat=True)) == {"queued"}
    assert OutgoingEmail.objects.filter(due_at__lte=timezone.now()).count() == 3
    assert sink.received == []


def test_a_server_out_of_reach_costs_no_mail_an_attempt(sink, settings):
    email = receipt("a@example.com")
    working, settings.EMAIL_PORT = settings.EMAIL_PORT, 1
    assert delivery.deliver_due_mail() == 0
    email.refresh_from_db()
    assert (email.state, email.attempt_count) == ("queued", 0)
    settings.EMAIL_PORT = working
    time_passes(delivery.UNREACHABLE_PAUSE_SECONDS + 1)
    assert delivery.deliver_due_mail() == 1


def test_order_mail_without_an_answer_after_the_dot_comes_again_under_the_same_message_id(sink):
    email = receipt("a@example.com")
    sink.after_dot["a@example.com"] = "drop"
    assert delivery.deliver_due_mail() == 0
    email.refresh_from_db()
    assert email.state == "queued"
    sink.after_dot.clear()
    time_passes()
    assert delivery.deliver_due_mail() == 1
    first, second = sink.received
    assert first.message_id == second.message_id


@pytest.mark.parametrize("most", [3, 12])
def test_a_server_that_never_answers_the_dot_gets_three_copies_and_then_staff_look(sink, monkeypatch, most):
    """Without the bound it goes on as often as it is tried."""
    if most != claims.MOST_UNANSWERED:
        monkeypatch.setattr(claims, "MOST_UNANSWERED", 1000)
    email, following = receipt("a@example.com"), receipt("b@example.com")
    sink.after_dot["a@example.com"] = "drop"
    for _ in range(12):
        delivery.deliver_due_mail()
        time_passes()
    assert len(sink.to("a@example.com")) == most
    assert len({mail.message_id for mail in sink.to("a@example.com")}) == 1
    email.refresh_from_db()
    following.refresh_from_db()
    assert (email.state, following.state) == ("uncertain" if most == 3 else "queued", "sent")


def test_answers_in_between_are_no_copies_and_do_not_use_them_up(sink):
    email = receipt("a@example.com")
    for reply in ["drop", "451 later", "451 later", "451 later", "drop", "250 OK"]:
        sink.after_dot["a@example.com"] = reply
        delivery.deliver_due_mail()
        time_passes()
    email.refresh_from_db()
    assert (email.state, email.unanswered_count) == ("sent", 2)


def test_a_service_that_never_says_whether_it_took_a_mail_is_asked_three_times(sink, settings, monkeypatch):
    settings.EMAIL_BACKEND = "tests.notifications.test_delivery.Silent"
    monkeypatch.setattr(Silent, "count", 0)
    email = receipt("a@example.com")
    for _ in range(8):
        delivery.deliver_due_mail()
        time_passes()
    email.refresh_from_db()
    assert (email.state, Silent.count) == ("uncertain", 3)


class Silent:
    """A mail service of another kind, whose answers are lost."""

    count = 0

    def __init__(self, **options) -> None:
        pass

    def send_messages(self, messages) -> int:
        Silent.count += 1
        raise ConnectionError


def test_a_claim_takes_no_more_than_it_asked_for_where_the_planner_makes_a_loop():
    """Which may look for what is due once a row."""
    for number in range(6):
        receipt(f"a{number}@example.com")
    with connection.cursor() as cursor:
        for way in ("hashagg", "sort", "hashjoin", "indexscan", "bitmapscan", "material", "memoize"):
            cursor.execute(f"SET LOCAL enable_{way} = off")
    first, second = (claims.claim_due_mail(uuid.uuid4(), limit=2) for _ in range(2))
    assert (len(first), len(second)) == (2, 2)
    assert not set(first) & set(second)


def test_order_mail_whose_worker_dies_every_time_is_left_to_staff(sink):
    email = receipt("a@example.com")
    gone = timezone.now() - timedelta(seconds=1)
    for _ in range(2):
        OutgoingEmail.objects.update(state="sending", claim_token=email.pk, due_at=gone)
        assert claims.claim_due_mail(email.pk, limit=5) == [email.pk]
    OutgoingEmail.objects.update(state="sending", claim_token=email.pk, due_at=gone)
    assert delivery.deliver_due_mail() == 0
    email.refresh_from_db()
    assert (email.state, email.unanswered_count) == ("uncertain", 3)
    assert sink.begun == []


def test_mail_that_perhaps_arrived_is_on_the_staffs_first_page(sink, admin_client):
    receipt("a@example.com")
    OutgoingEmail.objects.update(state="uncertain")
    assert "Mail perhaps sent" in admin_client.get("/admin/").text


def test_promotional_mail_without_an_answer_after_the_dot_is_left_to_staff(sink):
    [email] = newsletter("a@example.com")
    sink.after_dot["a@example.com"] = "drop"
    assert delivery.deliver_due_mail() == 0
    sink.after_dot.clear()
    time_passes()
    assert delivery.deliver_due_mail() == 0
    email.refresh_from_db()
    assert email.state == "uncertain"
    assert len(sink.received) == 1


def test_promotional_mail_refused_before_the_dot_is_tried_again(sink):
    [email] = newsletter("a@example.com")
    sink.at_rcpt["a@example.com"] = "451 later"
    delivery.deliver_due_mail()
    sink.at_rcpt.clear()
    time_passes()
    assert delivery.deliver_due_mail() == 1
    email.refresh_from_db()
    assert email.state == "sent"


def test_a_refusal_after_the_dot_is_believed(sink):
    email = receipt("a@example.com")
    sink.after_dot["a@example.com"] = "554 5.6.0 not like this"
    delivery.deliver_due_mail()
    email.refresh_from_db()
    assert email.state == "failed"
    assert not Suppression.objects.exists()


def test_a_connection_the_server_has_closed_is_opened_again(sink):
    for number in range(3):
        receipt(f"a{number}@example.com")
    sink.at_mail += ["250 OK", "421 enough for one connection"]
    assert delivery.deliver_due_mail() == 3
    assert len(sink.received) == 3
    assert sink.connection_count == 2


def test_a_batch_uses_one_connection(sink):
    for number in range(5):
        receipt(f"a{number}@example.com")
    assert delivery.deliver_due_mail() == 5
    assert sink.connection_count == 1


def test_essential_and_order_mail_goes_before_letters(sink):
    newsletter("a@example.com", "b@example.com")
    receipt("c@example.com")
    delivery.deliver_due_mail()
    assert sink.topics == ["receipt", "newsletter", "newsletter"]


def test_news_of_an_order_waits_for_the_news_before_it(sink):
    order = builders.paid_order(customer=cast.alice())
    acts.queued(order, Kind.PLACED)
    acts.queued(order, Kind.APPROVED)
    sink.at_rcpt["alice@example.com"] = "451 later"
    assert delivery.deliver_due_mail() == 0
    assert len(sink.begun) == 1
    sink.at_rcpt.clear()
    time_passes()
    assert delivery.deliver_due_mail() == 2
    assert sink.topics == ["receipt", "order_approved"]


def test_a_mail_that_cannot_be_written_holds_up_nobody(sink, monkeypatch):
    broken, fine = receipt("broken@example.com"), receipt("fine@example.com")
    real = delivery.render_email
    monkeypatch.setattr(
        delivery, "render_email", lambda letter: 1 / 0 if letter.email.pk == broken.pk else real(letter)
    )
    assert delivery.deliver_due_mail() == 1
    broken.refresh_from_db()
    fine.refresh_from_db()
    assert (broken.state, fine.state) == ("queued", "sent")
    assert "ZeroDivisionError" in broken.last_error


def test_promotional_mail_whose_worker_died_is_parked_and_order_mail_is_taken_again(sink):
    [letter] = newsletter("a@example.com")
    order_mail = receipt("b@example.com")
    gone = timezone.now() - timedelta(seconds=1)
    OutgoingEmail.objects.update(state="sending", claim_token=letter.pk, due_at=gone)
    assert delivery.deliver_due_mail() == 1
    letter.refresh_from_db()
    order_mail.refresh_from_db()
    assert (letter.state, order_mail.state) == ("uncertain", "sent")
    assert sink.topics == ["receipt"]


def test_all_places_to_deliver_from_being_taken_nothing_happens(sink, monkeypatch):
    receipt("a@example.com")
    monkeypatch.setattr(claims, "SLOTS", 0)
    assert delivery.deliver_due_mail() == 0
    assert sink.begun == []


def test_a_fallen_item_is_dropped_and_the_essential_mail_goes_without_it(sink):
    order = builders.paid_order(customer=cast.alice())
    product = builders.product("Rust socks")
    email = acts.queued(order, Kind.PLACED)
    consent = order.customer.consents.get(purpose=purposes.RECEIPT_OFFER)
    offer = OutgoingItem.objects.create(
        email=email,
        block="offer",
        position=1,
        product=product,
        why="It goes with what you bought.",
        purpose=purposes.RECEIPT_OFFER,
        consent_record=consent.record,
        stands_since_at=consent.changed_at,
    )
    acts.say_no(order.customer, purposes.RECEIPT_OFFER)
    assert delivery.deliver_due_mail() == 1
    [mail] = sink.received
    assert "Rust socks" not in mail.text + mail.html
    offer.refresh_from_db()
    assert (offer.is_dropped, offer.drop_reason) == (True, SkipReason.WITHDRAWN)
