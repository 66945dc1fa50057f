"""The acknowledgement of a withdrawal: at once, with content, date and time, to whoever should hear of it."""

from datetime import timedelta

import pytest
from django.utils import timezone

from notifications.models import OutgoingEmail
from notifications.topics import WITHDRAWAL_RECEIVED
from orders.models import Order, Withdrawal
from orders.returns import statements, wording
from orders.returns.declaring import Declaration, declare_withdrawal
from tests import builders
from tests.notifications.acts import relay_and_deliver

pytestmark = pytest.mark.django_db


def delivered(**fields) -> Order:
    fields.setdefault("delivered_at", timezone.now())
    fields.setdefault("email", "pat@example.com")
    return builders.sent_order(builders.product("Tin mug").variants.get(), **fields)


def declare(order: Order, *, to: str = "pat@example.com") -> Withdrawal:
    declaration = Declaration("Pat Reader", to)
    return declare_withdrawal(order.pk, declaration, way=Withdrawal.Way.ORDER).withdrawal


def acknowledged() -> set[str]:
    return set(OutgoingEmail.objects.filter(topic=WITHDRAWAL_RECEIVED.key).values_list("to_address", flat=True))


def find_mails(sink):
    relay_and_deliver()
    return {mail.to: mail for mail in sink.received if mail.topic == WITHDRAWAL_RECEIVED.key}


def test_it_goes_at_once_with_what_was_declared_and_when(sink):
    order = delivered()
    made = declare(order)
    [mail] = find_mails(sink).values()
    assert mail.to == "pat@example.com"
    for part in (mail.text, mail.html):
        assert order.number in part
        assert "Pat Reader" in part
        assert "1 × Tin mug" in part
        assert wording.format_moment(made.declared_at) in part
        assert wording.format_whole_day(made.due_on) in part
        assert "£14.00" in part


def test_it_acknowledges_that_it_was_received_and_accepts_nothing(sink):
    declare(delivered())
    [mail] = find_mails(sink).values()
    assert "It says nothing yet of what we make of it." in mail.text
    assert "accept" not in mail.words


def test_of_what_staff_entered_it_says_so_and_when_it_was_said(sink):
    order, said_at = delivered(), timezone.now() - timedelta(days=3)
    said = Declaration("Pat Reader", order.email)
    declare_withdrawal(order.pk, said, way=Withdrawal.Way.STAFF, declared_at=said_at, actor="Sam")
    [mail] = find_mails(sink).values()
    for part in (mail.text, mail.html):
        assert "You told us on" in part
        assert wording.format_moment(said_at) in part
        assert wording.ENTERED_FOR_BUYER in part
        assert "It reached us on" not in part


def test_of_what_buyers_declare_themselves_it_does_not_speak_of_the_shop(sink):
    declare(delivered())
    [mail] = find_mails(sink).values()
    for part in (mail.text, mail.html):
        assert "It reached us on" in part
        assert wording.ENTERED_FOR_BUYER not in part


def test_nobody_who_said_no_to_everything_goes_without_it():
    bob = builders.customer("bob@example.com")
    declare(delivered(customer=bob, email="bob@example.com"), to="bob@example.com")
    relay_and_deliver()
    assert acknowledged() == {"bob@example.com"}


def test_to_another_address_it_goes_as_well_as_to_the_orders_own_and_opens_nothing_there(sink):
    declare(delivered(), to="office@example.com")
    mails = find_mails(sink)
    assert mails.keys() == {"pat@example.com", "office@example.com"}
    assert "/open/" in mails["pat@example.com"].text
    for part in (mails["office@example.com"].text, mails["office@example.com"].html):
        assert "1 × Tin mug" in part
        assert "/open/" not in part
        assert "/orders/" not in part


def test_by_number_and_e_mail_it_goes_to_the_orders_own_address_alone():
    order = delivered()
    statements.write_down_statement(number=order.number, email="pat@example.com", full_name="Mal")
    statements.write_down_statement(number=order.number, email="mal@example.com", full_name="Mal")
    statements.bring_statements_to_orders()
    relay_and_deliver()
    assert acknowledged() == {"pat@example.com"}


def test_declared_again_it_is_acknowledged_once():
    order = delivered()
    for _ in range(3):
        declare(order)
        relay_and_deliver()
    assert OutgoingEmail.objects.filter(topic=WITHDRAWAL_RECEIVED.key).count() == 1


def test_too_late_it_says_so_and_that_somebody_writes(sink):
    declare(delivered(delivered_at=timezone.now() - timedelta(days=60)))
    [mail] = find_mails(sink).values()
    assert "The 14 days for it had ended with" in mail.text
    assert "somebody here reads it and writes to you" in mail.text
    assert "Send the goods to" not in mail.text


def test_before_anything_left_it_asks_for_nothing_back(sink):
    declare(builders.placed_order(email="pat@example.com"))
    [mail] = find_mails(sink).values()
    assert "Nothing had left us, so there is nothing to send back." in mail.text
    assert "Send the goods to" not in mail.text


def test_the_receipt_holds_the_signed_link_by_which_one_withdraws(sink, client):
    order = builders.placed_order(email="pat@example.com")
    relay_and_deliver()
    [receipt] = sink.received
    for part in (receipt.text, receipt.html):
        assert "Withdraw from contract here" in part
    [link] = [word for word in receipt.text.split() if "/withdrawal/open/" in word]
    page = client.get(link.removeprefix("http://localhost:8000"), follow=True)
    assert page.redirect_chain[-1][0] == f"/orders/{order.number}/withdrawal/"
    assert page.status_code == 200
