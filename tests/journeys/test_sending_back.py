"""Bought, come, and sent back: by a guest with the link in the receipt alone, and by a customer for another size."""

import pytest

from orders.models import Order, ReturnAuthorization
from shop.catalog import listing
from tests import builders
from tests.journeys.walks import STAGES, Mailbox, buy, link_in, sign_up, work
from tests.paying import check_books, check_stock
from tests.person import Person
from tests.returns.selling import take_back

LIST = "/admin/orders/returnauthorization/"


@pytest.fixture(autouse=True)
def _policy(shop):
    take_back(return_refund_days=7)


def take(staff: Person, number: str, action: str) -> Person:
    """A step from the list, found by the number on the slip."""
    staff.open(f"{LIST}?q={number}")
    box = next(field for field in staff.page.fields if field.name == "_selected_action")
    box.is_on = True
    field = next(field for field in staff.page.fields if field.name == "action")
    [field.value] = [value for value, shown in field.options.items() if shown == action]
    return staff.press("Go")


def test_a_guest_sends_something_back_and_has_the_money(guest, staff, mailbox: Mailbox, standin):
    order = buy(guest, "tin-mug")
    work(staff, order)
    person = Person().open(link_in(mailbox.latest("pat@example.com", "receipt"), f"/orders/{order}/open/"))
    person.click("Return or exchange something").choose("Why?", "Too small").press("Ask for the return")
    made = ReturnAuthorization.objects.get()
    assert person.sees(made.number)
    person.click("Slip to print")
    assert person.sees(made.number)
    for step in ("Received", "Inspect", "Refund"):
        take(staff, made.number, step)
        if step != "Received":
            staff.press(step)
        assert staff.status == 200
        assert "errornote" not in staff.text
    person.open(f"/orders/{order}/")
    for words in ("It is here", "We looked at it", "Your money is on its way back", "£12.50 refunded"):
        assert person.sees(words)
    assert mailbox.topics("pat@example.com") == ["receipt", "order_refunded"]  # the steps were not ticked
    check_books(standin)
    check_stock()


def test_a_customer_who_ticked_it_gets_another_size_and_a_mail_at_each_step(guest, staff, mailbox: Mailbox, standin):
    jumper = builders.product("Wool jumper", sizes=("S", "M"), slug="wool-jumper", price="40.00")
    listing.refresh_listings()
    sign_up(guest, mailbox, "grace@example.com")
    order = buy(guest, "wool-jumper", email="grace@example.com", ticks=("Tell me how a return goes",))
    work(staff, order)
    guest.open(f"/orders/{order}/").click("Return or exchange something")
    guest.choose("What would you like?", "Another size or colour").choose("Instead of size S", "size M, £40.00")
    guest.choose("Why?", "Too small").press("Ask for the return")
    made = ReturnAuthorization.objects.get()
    take(staff, made.number, "Received")
    take(staff, made.number, "Inspect").press("Inspect")
    take(staff, made.number, "Send the exchange or replacement")
    sent = Order.objects.get(source=Order.Source.EXCHANGE)
    work(staff, sent.number, *STAGES[1:])  # it is approved already
    guest.open(f"/orders/{order}/").click("Follow it")
    assert guest.path == f"/orders/{sent.number}/"
    assert guest.sees("size M")
    topics = mailbox.topics("grace@example.com")
    assert [topic for topic in topics if topic.startswith("return_")] == [
        "return_requested", "return_received", "return_settled",
    ]  # fmt: skip
    assert topics.count("receipt") == 2
    assert jumper.variants.get(size="S").stock.get().on_hand == 10
    assert jumper.variants.get(size="M").stock.get().on_hand == 9
    check_stock()
