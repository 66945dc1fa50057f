"""What somebody without an account can do: a link in a mail opens what it is about, and can only take back."""

import re
from collections.abc import Iterator

import pytest
from django.urls import URLPattern, URLResolver, get_resolver

from accounts.consent import consent, purposes
from accounts.models import Consent, Customer
from accounts.people import tokens
from accounts.privacy import erasure
from orders import order_access
from orders.models import Order, OrderTick
from tests import builders
from tests.guest import let_in
from tests.journeys.walks import TOPIC_OF, buy, choose, link_in, sign_up, steps_between, work
from tests.person import Person

EMAIL = "pat@example.com"
FOR_STRANGERS = "/account/link/"
EXAMPLES = {"slug": purposes.NEWSLETTER, "int": "1", "uuid": "00000000-0000-0000-0000-000000000000"}


def account_pages(patterns: list[URLPattern | URLResolver] | None = None, before: str = "/") -> Iterator[str]:
    """Every address of an account page, with something for its parameters."""
    for each in patterns if patterns is not None else get_resolver().url_patterns:
        path = before + re.sub(r"<(\w+):\w+>", lambda found: EXAMPLES.get(found[1], "x"), str(each.pattern))
        if isinstance(each, URLResolver):
            yield from account_pages(each.url_patterns, path)
        elif path.startswith("/account/") and not path.startswith(FOR_STRANGERS):
            yield path


def is_a_visitors(text: str) -> bool:
    """The page of switches as somebody unknown sees it: with none of a customer's."""
    return EMAIL not in text and not any(f'name="{purpose.key}"' in text for purpose in purposes.PURPOSES)


def open_nothing_else(reader: Person, other_order: str) -> None:
    """With nothing but what is in this browser, every account page asks who this is."""
    pages = list(account_pages())
    assert len(pages) > 10
    here = reader.url
    form = [("csrfmiddlewaretoken", reader.open(FOR_STRANGERS).road.client.cookies["csrf"].value)]
    for page in pages:
        for method in ("GET", "POST"):
            answer = reader.send(method, page, form)
            asks = answer.status == 302 and answer.headers["location"].startswith(FOR_STRANGERS)
            says_nothing = (method, page) == ("GET", "/account/preferences/") and is_a_visitors(answer.text)
            assert asks or says_nothing or answer.status == 405, (method, page, answer.status)
    for doing in ("", "cancellation/", f"news/{purposes.MAIL_ORDER_PACKED}/removal/"):
        assert reader.send("POST" if doing else "GET", f"/orders/{other_order}/{doing}", form).status == 404
    reader.open(here)


@pytest.fixture
def history(shop) -> Customer:
    """A guest with much to see: another order, and switches that are on."""
    customer = builders.customer(EMAIL, with_login=False, ticks=(purposes.NEWSLETTER, purposes.COUNT_IN_ALSO_BOUGHT))
    builders.paid_order(customer=customer)
    return customer


def test_an_orders_link_shows_that_order_and_nothing_else(history):
    mine, other = builders.paid_order(email=EMAIL), history.orders.get()
    reader = Person().open(order_access.build_order_link(mine))
    assert reader.path == f"/orders/{mine.number}/"
    open_nothing_else(reader, other.number)


def test_the_link_that_leaves_a_mail_shows_that_switch_and_nothing_else(history):
    link = f"/mail/unsubscribe/{tokens.sign_token('unsubscribe', purpose=purposes.NEWSLETTER, customer=history.pk)}/"
    reader = Person().open(link)
    assert reader.sees("The newsletter")
    for purpose in purposes.PURPOSES:
        assert purpose.key == purposes.NEWSLETTER or purpose.title not in reader.words
    assert EMAIL not in reader.text
    open_nothing_else(reader, history.orders.get().number)
    reader.press("Turn it off")
    assert not consent.allows(history, purposes.NEWSLETTER)
    reader.send("POST", link, [(purposes.NEWSLETTER, "on"), ("answer", "on")])
    assert not consent.allows(history, purposes.NEWSLETTER)
    assert consent.allows(history, purposes.COUNT_IN_ALSO_BOUGHT)
    open_nothing_else(reader, history.orders.get().number)


def test_a_double_opt_ins_link_says_that_one_yes_and_opens_nothing_else(guest, mailbox):
    number = buy(guest, ticks=("The newsletter",))
    reader = Person().open(link_in(mailbox.latest(EMAIL, "consent_confirmation"), "/consents/confirm/"))
    reader.press("Yes, turn it on")
    assert list(Consent.objects.values_list("purpose", "granted")) == [(purposes.NEWSLETTER, True)]
    open_nothing_else(reader, number)


def test_news_of_an_order_is_turned_off_on_its_page_and_not_on_again(guest, staff, mailbox):
    number = buy(guest, ticks=tuple(TOPIC_OF))
    foot = link_in(mailbox.latest(EMAIL, "receipt"), "#news")
    reader = Person().open(foot)
    assert reader.path == f"/orders/{number}/"
    title = purposes.get_purpose(purposes.MAIL_ORDER_APPROVED).title
    reader.press(f"Turn off “{title}”")
    assert reader.sees(f"{title}: off")
    assert not reader.has_button(f"Turn off “{title}”")
    assert set(OrderTick.objects.filter(granted=False).values_list("purpose", flat=True)) == {
        purposes.MAIL_ORDER_APPROVED
    }
    work(staff, number, *steps_between("Approve", "Mark picked"))
    assert mailbox.topics(EMAIL) == ["receipt", "order_picked"]
    reader.click("your switches")
    assert reader.path == FOR_STRANGERS
    assert not Consent.objects.exists()


def test_an_account_switch_said_later_decides_and_the_orders_page_shows_it(history):
    order = builders.paid_order(customer=history)
    key = purposes.MAIL_ORDER_PACKED
    OrderTick.objects.create(order=order, purpose=key, granted=False, wording_version=1)
    consent.set_consent(history, key, granted=True, source="test")
    reader = Person().open(order_access.build_order_link(order))
    title = purposes.get_purpose(key).title
    assert reader.sees(f"{title}: on")
    reader.press(f"Turn off “{title}”")
    assert reader.sees(f"{title}: off")
    assert consent.allows(history, key)  # the account's own answer is not the link's to change


def test_whoever_joins_later_with_the_proved_address_finds_it_all_again(guest, mailbox):
    number = buy(guest, ticks=("The newsletter",))
    asker = Person().open("/account/orders/").write("E-mail", EMAIL).press("Mail me a link")
    link = link_in([mail for mail in mailbox.collect(EMAIL) if "/link/open/" in mail.text][-1], "/link/open/")
    assert asker.open("/account/").path == FOR_STRANGERS
    reader = choose(Person().open(link).press("Show me"), "The newsletter", "Suggestions from what I bought")
    reader.open("/account/").write("Your name", "Pat Reader").press("Save the name")
    allowed = consent.get_granted_purposes(Customer.objects.get(email=EMAIL))

    member = sign_up(Person(), mailbox, EMAIL)
    customer = Customer.objects.get(email=EMAIL)
    assert customer.user is not None
    assert consent.get_granted_purposes(customer) == allowed
    assert number in member.open("/account/orders/").text
    assert member.open("/account/").sees("Hello, Pat Reader")
    assert member.open("/account/preferences/").is_ticked("Suggestions from what I bought")
    assert reader.open("/account/").path == FOR_STRANGERS  # the link's hour ends where the account begins
    assert Order.objects.get().customer == customer


def test_a_sign_up_that_proved_nothing_sees_nothing(history, mailbox):
    impostor = Person().open("/accounts/signup/").write("E-mail", EMAIL).write("Password", builders.PASSWORD)
    impostor.press("Sign up")
    open_nothing_else(impostor, history.orders.get().number)
    impostor.open("/accounts/login/").write("E-mail", EMAIL).write("Password", builders.PASSWORD).press("Sign in")
    open_nothing_else(impostor, history.orders.get().number)
    history.refresh_from_db()
    assert history.user is None


def test_a_guest_let_in_opens_every_room_of_the_account(client, history):
    let_in(client, history)
    pages = [page for page in account_pages() if not re.search(r"/(1|x|newsletter|0000)", page)]
    rooms = {page: client.get(page, follow=True) for page in pages}
    assert all(answer.status_code in (200, 405) for answer in rooms.values())
    opened = {page for page, answer in rooms.items() if answer.status_code == 200}
    assert {"/account/", "/account/orders/", "/account/consents/", "/account/access/", "/account/data/"} <= opened
    for page in opened:
        led_to = [step for step, _ in rooms[page].redirect_chain]
        assert not [step for step in led_to if step.startswith((FOR_STRANGERS, "/accounts/"))], page


def test_a_guest_has_a_copy_made_and_everything_erased(client, history, mailbox):
    history.orders.update(fulfilment_status=Order.FulfilmentStatus.DELIVERED)  # an erasure waits for what is on its way
    let_in(client, history)
    client.post("/account/data/copies/")
    assert history.data_exports.count() == 1
    number = history.pk
    client.post("/account/data/erasure/", {"when": "now", "word": "erase"})
    assert "erasure" in " ".join(mailbox.topics(EMAIL))  # told first
    assert erasure.erase_due_customers() == 1
    assert not Customer.objects.filter(pk=number).exists()
    assert client.get("/account/").headers["Location"].startswith(FOR_STRANGERS)
