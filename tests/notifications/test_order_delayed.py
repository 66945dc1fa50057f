"""The mail that tells of a delay: sorry, the new day, what silence means, and a link that changes nothing."""

import pytest

from notifications.models import OutgoingEmail
from notifications.topics import ORDER_DELAYED
from orders.delays import announcing
from orders.delays.answering import CANCELLED_BY_BUYER, cancel_for_delay
from orders.delays.delay_words import describe_silence, describe_slip, list_told_delays
from orders.delays.finding import see_to_delays
from orders.fulfilment import splitting
from orders.models import DelayNotice, Order, Refund
from tests.delays.late import DAY, TODAY, awaiting, half_gone, late_order, order_due, packed, ship, told
from tests.notifications.acts import relay_and_deliver
from tests.orders.test_splitting import together
from tests.paying import standin, standin_process

__all__ = ["standin", "standin_process"]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("standin")]


def find_mail(sink):
    relay_and_deliver()
    found = [mail for mail in sink.received if mail.topic == ORDER_DELAYED.key]
    return found[-1] if found else None


def test_it_goes_before_the_day_with_the_new_one_and_what_silence_means(sink):
    order = late_order()
    notice = told(order)
    mail = find_mail(sink)
    [said] = list_told_delays(order.events.all())
    assert mail.to == "pat@example.com"
    assert TODAY() < notice.was_by_on
    for part in (mail.text, mail.html):
        for words in (order.number, "We are sorry.", describe_slip(said, TODAY()), describe_silence(said, TODAY())):
            assert words in " ".join(part.split())
        assert f"/orders/{order.number}/delay/open/" in part


def test_nobody_needs_a_switch_for_it():
    told(late_order())
    relay_and_deliver()
    mail = OutgoingEmail.objects.get(topic=ORDER_DELAYED.key)
    assert mail.state == OutgoingEmail.State.SENT


def test_without_a_day_it_says_so_and_until_when_to_answer(sink):
    told(awaiting(None))
    text = " ".join(find_mail(sink).text.split())
    assert "We do not know yet when it will be with you" in text
    assert "If we do not hear from you by the end of" in text


def test_staffs_words_are_in_it(sink):
    order = order_due(TODAY() + 9 * DAY)
    announcing.set_later_day(order.pk, leaves_on=TODAY() + 12 * DAY, words="The kiln broke.", actor="Sam")
    assert "The kiln broke." in find_mail(sink).text


def test_of_what_has_left_it_offers_no_choice(sink):
    order = late_order()
    ship(packed(order))
    assert told(order).rule == DelayNotice.Rule.HAS_LEFT
    mail = find_mail(sink)
    assert "/delay/open/" not in mail.text
    assert "nothing you need to do" in " ".join(mail.text.split())


def test_of_an_order_that_has_half_left_it_speaks_of_the_rest(sink):
    order = half_gone()
    number = told(order).number
    mail = find_mail(sink)
    [said] = list_told_delays(order.events.all())
    assert mail.message["Subject"] == f"The rest of order {order.number} will be late"
    for part in (mail.text, mail.html):
        assert describe_silence(said, TODAY(), is_rest=True) in " ".join(part.split())
        assert "Wait, or cancel the rest" in part
    cancel_for_delay(order.pk, number=number)
    assert CANCELLED_BY_BUYER in Refund.objects.get().reason  # which the mail about the money says


def test_who_cancelled_or_got_it_meanwhile_is_not_asked(sink):
    cancelled, left = late_order(), late_order()
    see_to_delays()
    cancel_for_delay(cancelled.pk, number=1)
    Order.objects.filter(pk=left.pk).update(fulfilment_status="dispatched")
    assert find_mail(sink) is None
    assert OutgoingEmail.objects.filter(topic=ORDER_DELAYED.key).count() == 2


def test_an_order_that_ends_at_once_gets_the_cancellation_alone(sink):
    order = late_order()
    announcing.set_date_essential(order.pk, is_essential=True, actor="Sam")
    see_to_delays()
    assert find_mail(sink) is None
    [mail] = [mail for mail in sink.received if mail.topic == "order_cancelled"]
    assert announcing.ENDED_REASON in mail.text


def test_divided_before_it_goes_it_is_about_the_rest(sink):
    order = together(TODAY() + 2 * DAY)
    told(order)
    splitting.split_order(order.pk, actor="Sam")
    text = " ".join(find_mail(sink).text.split())
    assert "we cancel the Kettle and give the money for that back." in text
    assert "Wait, or cancel that parcel" in text
    assert "cancel the order" not in text
