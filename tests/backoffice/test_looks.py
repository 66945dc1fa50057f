"""What staff see of a customer, what they have to ask for, and what of it the customer reads afterwards."""

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.consent import consent, purposes
from accounts.models import AccessLogEntry, Address, Customer
from accounts.privacy import access_log
from notifications.models import OutgoingEmail, Suppression
from notifications.topics import TOPICS
from orders.models import Order
from tests import builders
from tests.backoffice.steps import LIST, order_at, page_of, take
from tests.backoffice.test_access import signed_in, staff_member

pytestmark = pytest.mark.django_db

CUSTOMERS = reverse("admin:accounts_customer_changelist")


@pytest.fixture
def packer() -> Client:
    return signed_in(staff_member(role="Staff: orders"))


@pytest.fixture
def bob() -> Customer:
    bob = builders.customer("bob@example.com", name="Bob Tarn", ticks=(purposes.NEWSLETTER,))
    Address.objects.create(customer=bob, full_name="Bob", line1="9 Tarn Lane", city="Keswick", country="GB")
    return bob


def customer_page(customer: Customer) -> str:
    return reverse("admin:accounts_customer_change", args=[customer.pk])


def show(client: Client, page: str, reason: str = "They called about a parcel"):
    return client.post(page.replace("/change/", "/showing/"), {"reason": reason}, follow=True)


def log(customer: Customer) -> list[tuple[str, str]]:
    return [(entry.kind, entry.about) for entry in access_log.get_access_log(customer).order_by("at", "pk")]


# -- The least that will do -----------------------------------------------------------------------------------


def test_without_an_order_in_hand_only_the_name_is_there(packer, bob):
    page = packer.get(customer_page(bob)).text
    assert "Bob Tarn" in page
    assert "b…@e….com" in page
    for hidden in ("bob@example.com", "9 Tarn Lane", "What they had allowed on a day"):
        assert hidden not in page


def test_an_order_in_hand_opens_address_and_e_mail(packer, bob):
    order = builders.placed_order(customer=bob)
    page = packer.get(customer_page(bob)).text
    for needed in ("bob@example.com", "9 Tarn Lane", order.number):
        assert needed in page
    Order.objects.update(status="completed")
    assert "bob@example.com" not in packer.get(customer_page(bob)).text


def test_a_finished_order_no_longer_says_where_it_went(packer, bob):
    order = builders.placed_order(customer=bob, gift_note="From your aunt")
    told = ("1 High Street", "bob@example.com", "From your aunt")
    assert all(words in packer.get(page_of(order)).text for words in told)
    for status in ("completed", "cancelled"):
        Order.objects.update(status=status)
        page = packer.get(page_of(order)).text
        assert not any(words in page for words in told), status
        assert "Pat Reader" in page


@pytest.mark.parametrize("what", ["customer", "order"])
def test_a_button_shows_the_rest_for_a_reason_and_a_while(packer, bob, what, monkeypatch):
    order = builders.placed_order(customer=bob)
    Order.objects.update(status="completed")
    page = customer_page(bob) if what == "customer" else page_of(order)
    assert "bob@example.com" in show(packer, page).text
    entry = access_log.get_access_log(bob).get(kind="shown")
    assert (entry.staff_name, entry.detail) == ("Kit", "They called about a parcel")
    assert "bob@example.com" in packer.get(page).text
    monkeypatch.setattr("accounts.admin.masked.time.time", lambda: timezone.now().timestamp() + 16 * 60)
    assert "bob@example.com" not in packer.get(page).text


def test_showing_one_shows_no_other(packer, bob):
    other = builders.customer("other@example.com")
    show(packer, customer_page(bob))
    assert "other@example.com" not in packer.get(customer_page(other)).text


@pytest.mark.parametrize("reason", ["", "  ", "x"])
def test_without_a_reason_nothing_is_shown(packer, bob, reason):
    response = show(packer, customer_page(bob), reason)
    assert "Say why" in response.text
    assert "bob@example.com" not in response.text
    assert not access_log.get_access_log(bob).filter(kind="shown").exists()


def test_looking_at_the_button_shows_nothing(packer, bob):
    response = packer.get(customer_page(bob).replace("/change/", "/showing/"), follow=True)
    assert "bob@example.com" not in response.text


def test_who_may_not_see_customers_is_shown_none(bob):
    client = signed_in(staff_member(role="Staff: catalogue"))
    order = builders.placed_order(customer=bob)
    for page in (customer_page(bob), page_of(order)):
        assert client.post(page.replace("/change/", "/showing/"), {"reason": "Let me see"}).status_code == 403
    assert not AccessLogEntry.objects.exists()


def test_what_somebody_had_allowed_on_a_day_is_told_to_those_whose_role_it_is(bob):
    consent.set_consent(bob, purposes.NEWSLETTER, granted=False, source="preferences")
    keeper = signed_in(staff_member(role="Staff: privacy"))
    today = timezone.localdate().isoformat()
    page = keeper.get(customer_page(bob), {"on": today})
    standing = {each.title: each.granted for each in page.context["standings"]}
    assert standing[purposes.get_purpose(purposes.NEWSLETTER).title] is False
    assert len(standing) == len(purposes.PURPOSES)
    assert "bob@example.com" not in page.text
    packer = signed_in(staff_member("pack@example.com", role="Staff: orders"))
    assert "standings" not in packer.get(customer_page(bob), {"on": today}).context
    assert keeper.get(customer_page(bob), {"on": "yesterday"}).status_code == 200


def test_nobody_is_found_by_a_part_of_their_address(packer, bob):
    builders.placed_order(customer=bob)
    for page in (CUSTOMERS, LIST, reverse("admin:notifications_outgoingemail_changelist")):
        assert list(packer.get(page, {"q": "bob@"}).context["cl"].result_list) == []
    assert list(packer.get(CUSTOMERS, {"q": "Bob@Example.com"}).context["cl"].result_list) == [bob]


@pytest.mark.parametrize("field", ["customer", "cart", "shipping_method"])
def test_the_look_up_while_typing_serves_its_own_fields_only(staff, bob, field):
    asked = {"app_label": "orders", "model_name": "order", "field_name": field, "term": "bob"}
    assert staff.get(reverse("admin:autocomplete"), asked).status_code == 403
    makers = {"app_label": "catalog", "model_name": "product", "field_name": "maker", "term": "fell"}
    builders.maker()
    assert staff.get(reverse("admin:autocomplete"), makers).json()["results"]


def test_the_admins_own_log_knows_people_by_number(staff, bob):
    staff.post(customer_page(bob), {"name": "Robert Tarn"})
    bob.refresh_from_db()
    assert bob.name == "Robert Tarn"
    entry = LogEntry.objects.get()
    assert entry.object_repr == f"customer {bob.pk}"
    assert "Tarn" not in entry.object_repr + entry.change_message
    assert ("change", "Your account") in log(bob)


# -- Every look is written down --------------------------------------------------------------------------------


def test_each_look_at_a_customer_is_written_down(packer, bob):
    page = customer_page(bob)
    for path in (page, page, page.replace("/change/", "/history/")):
        assert packer.get(path).status_code == 200
    assert log(bob) == [("look", "Your account")] * 3


def test_an_order_worked_through_tells_its_customer_all_of_it(packer, bob):
    order = builders.placed_order(customer=bob)
    about = f"Order {order.number}"
    packer.get(f"{LIST}?queue=approve")
    packer.get(page_of(order))
    take(packer, "approve", order, back=page_of(order))
    take(packer, "pick_list", order)
    told = access_log.get_access_log(bob).order_by("at", "pk").values_list("kind", "about", "detail")
    assert list(told) == [
        ("list", about, ""),
        ("look", about, ""),
        ("change", about, "Approved"),
        ("look", about, ""),
        ("print", about, "Pick list"),
    ]


def test_a_step_that_is_refused_is_no_change(packer, bob):
    order = builders.placed_order(customer=bob)
    take(packer, "mark_packed", order)
    assert not access_log.get_access_log(bob).filter(kind="change").exists()


def test_a_search_is_written_down_each_time_and_a_list_once_a_day(packer, bob):
    for _ in range(2):
        packer.get(CUSTOMERS)
        packer.get(CUSTOMERS, {"q": "tarn"})
        packer.get(CUSTOMERS, {"q": "nobody"})
    assert sorted(kind for kind, _ in log(bob)) == ["list", "search", "search"]
    assert not AccessLogEntry.objects.filter(detail__contains="tarn").exists()


def test_looks_at_a_guests_order_wait_for_the_guest(packer):
    order = builders.placed_order(email="guest@example.com")
    packer.get(page_of(order))
    assert list(AccessLogEntry.objects.values_list("customer", "order_number")) == [(None, order.number)]


def test_mail_payments_logins_and_refusals_are_looks_too(staff, bob):
    order = builders.placed_order(customer=bob)
    email = OutgoingEmail.objects.create(
        key="k",
        topic="receipt",
        kind="essential",
        to_address=bob.email,
        customer=bob,
        last_error="550 <Bob@example.com>: no such user",
    )
    refusal = Suppression.objects.create(address=bob.email, reason="staff")
    payment = order.payments.get()
    pages = {
        reverse("admin:notifications_outgoingemail_change", args=[email.pk]): "Mail to you",
        reverse("admin:orders_payment_change", args=[payment.pk]): f"The payment for order {order.number}",
        reverse("admin:accounts_user_change", args=[bob.user_id]): "Your login",
        reverse("admin:notifications_suppression_delete", args=[refusal.pk]): "That your address refuses our mail",
    }
    for path, about in pages.items():
        page = staff.get(path)
        assert page.status_code == 200, path
        assert log(bob)[-1] == ("look", about)
    mail = staff.get(next(iter(pages))).text
    assert "bob@example.com" not in mail.lower()
    assert "550 &lt;b…@e….com&gt;" in mail


def test_mail_is_listed_and_filtered_by_what_it_is(packer, bob):
    for topic in ("receipt", "order_dispatched", "gone_since"):
        OutgoingEmail.objects.create(key=topic, topic=topic, kind="essential", to_address=bob.email, customer=bob)
    path = reverse("admin:notifications_outgoingemail_changelist")
    page = packer.get(path)
    for words in ("Receipt", "Order on its way", "gone_since"):
        assert f'<td class="field-what_it_is">{words}</td>' in page.text
    assert "order_dispatched</a>" not in page.text
    only = packer.get(path, {"topic": "order_dispatched"}).context["cl"].result_list
    assert [email.topic for email in only] == ["order_dispatched"]


def test_every_mail_has_a_title_of_its_own():
    titles = [topic.title for topic in TOPICS.values()]
    assert all(titles)
    assert len(set(titles)) == len(titles)


# -- Cost ------------------------------------------------------------------------------------------------------


def test_writing_looks_down_costs_one_statement_a_page(staff, bob, django_assert_max_num_queries):
    for _ in range(5):
        order_at("packed")
        builders.placed_order(customer=bob)
    for page in (LIST, CUSTOMERS):
        staff.get(page)
        with django_assert_max_num_queries(6):
            staff.get(page)
    staff.get(customer_page(bob))
    with django_assert_max_num_queries(11):
        staff.get(customer_page(bob))
