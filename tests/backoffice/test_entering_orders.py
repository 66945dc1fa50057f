"""The form in which staff enter what came by phone, by post or by e-mail."""

import re
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import AccessLogEntry
from orders.models import Order, Payment, Refund
from shop.catalog import listing
from shop.catalog.models import StockRecord
from tests import builders
from tests.backoffice.test_access import signed_in, staff_member
from tests.page import Page, read_words
from tests.paying import BUYER, standin, standin_process

__all__ = ["standin", "standin_process"]

pytestmark = pytest.mark.django_db

ENTER = reverse("admin:orders_order_enter")
LIST = reverse("admin:orders_order_changelist") + "?queue=any"


@pytest.fixture
def staff() -> Client:
    return signed_in(staff_member(role="Staff: orders"))


def goods(title: str, **fields):
    made = builders.product(title, **fields)
    listing.refresh_listings()
    return made


def typed(staff: Client, *rows: dict[str, Any], **fields: Any) -> dict[str, str]:
    """What the page holds once these rows are typed into it."""
    method = builders.shipping_method()
    key = staff.get(ENTER).context["form"]["key"].value()
    sent: dict[str, Any] = {**BUYER, "channel": "phone", "method": method.pk, "paid": "link", "key": key, **fields}
    sent |= {"line-TOTAL_FORMS": 5, "line-INITIAL_FORMS": 0}
    for place, row in enumerate(rows):
        sent |= {f"line-{place}-{name}": value for name, value in row.items()}
    return {name: str(value) for name, value in sent.items()}


def enter(staff: Client, *rows: dict[str, Any], **fields: Any) -> str:
    return staff.post(ENTER, {**typed(staff, *rows, **fields), "enter": "1"}, follow=True).text


def test_looked_up_by_sku_and_words_it_says_what_it_comes_to_before_it_is_entered(staff):
    mug = goods("Tin mug", price="14.00").variants.get()
    goods("Wool throw", price="60.00")
    sent = typed(staff, {"what": mug.sku.lower(), "quantity": 2}, {"what": "wool throws"})
    page = read_words(staff.post(ENTER, sent).text)
    assert "2 × Tin mug" in page
    assert "1 × Wool throw" in page
    assert "£91.50" in page
    assert "Ships" in page
    assert not Order.objects.exists()
    staff.post(ENTER, {**sent, "enter": "1"})
    order = Order.objects.get()
    assert (order.total, order.source, order.email) == (Decimal("91.50"), "staff", "pat@example.com")
    assert AccessLogEntry.objects.filter(detail="Entered").exists()


@pytest.mark.parametrize(
    ("quantity", "is_said", "is_not"),
    [
        (3, "3 × Tin mug", ("here, more", "can be had")),
        (6, "3 of 6 here, more are on their way", ("can be had",)),
        (13, "only 12 can be had", ("here, more",)),
    ],
)
def test_of_what_is_here_in_part_it_says_how_many(staff, quantity, is_said, is_not):
    mug = goods("Tin mug", on_hand=3).variants.get()
    StockRecord.objects.filter(variant=mug).update(backorder_limit=9)
    page = " ".join(read_words(staff.post(ENTER, typed(staff, {"what": mug.sku, "quantity": quantity})).text).split())
    assert is_said in page
    assert [words for words in is_not if words in page] == []
    assert not Order.objects.exists()


@pytest.mark.parametrize(
    ("typed_id", "kept"),
    [("gb 980 7806 84", "GB980780684"), ("GB980780685", None)],  # pragma: allowlist secret
)
def test_a_business_that_rings_gets_its_name_and_number_on_the_order(staff, typed_id, kept):
    goods("Tin mug")
    page = enter(staff, {"what": "tin mug"}, company_name="Otter & Sons", vat_id=typed_id)
    entered = [(each.company_name, each.vat_id) for each in Order.objects.all()]
    assert entered == ([("Otter & Sons", kept)] if kept else [])
    assert ("not a VAT number" in page) is (kept is None)


@pytest.mark.parametrize(("country", "is_said"), [("US", True), ("GB", False)])
def test_what_customs_may_ask_is_there_to_be_said_before_it_is_ordered(staff, country, is_said):
    goods("Tin mug")
    sent = typed(
        staff, {"what": "tin mug"}, country=country, region="NY", postcode="LS1 1AA" if country == "GB" else "10001"
    )
    page = " ".join(read_words(staff.post(ENTER, sent).text).split())
    assert ("Tax and duty may be asked there of whoever receives it" in page) is is_said
    assert not Order.objects.exists()


def test_the_page_of_the_order_has_the_link_and_the_next_step(staff):
    mug = goods("Tin mug").variants.get()
    page = enter(staff, {"what": mug.sku}, email="")
    order = Order.objects.get()
    assert f"/orders/{order.number}/open/" in page
    assert "Mark paid" in page
    staff.post(LIST, {"action": "mark_paid", "_selected_action": order.pk, "confirm": "1", "how": "Cash"})
    order.refresh_from_db()
    assert (order.status, Payment.objects.get().note) == ("confirmed", "Cash")


def test_without_saying_how_nothing_is_marked_paid(staff):
    enter(staff, {"what": goods("Tin mug").variants.get().sku})
    order = Order.objects.get()
    page = staff.post(LIST, {"action": "mark_paid", "_selected_action": order.pk, "confirm": "1", "how": " "})
    assert "Say how it was paid." in page.text
    assert not Payment.objects.exists()


def test_cancelled_before_it_is_paid_its_goods_are_free_again(staff):
    enter(staff, {"what": goods("Tin mug").variants.get().sku})
    order = Order.objects.get()
    staff.post(LIST, {"action": "cancel", "_selected_action": order.pk, "confirm": "1", "reason": "Not wanted"})
    order.refresh_from_db()
    assert order.status == "cancelled"
    assert StockRecord.objects.get().allocated == 0


def test_money_owed_by_hand_is_marked_given_back(staff):
    enter(staff, {"what": goods("Tin mug").variants.get().sku}, paid="hand", paid_how="Cash")
    order = Order.objects.get()
    staff.post(LIST, {"action": "cancel", "_selected_action": order.pk, "confirm": "1", "reason": ""})
    page = staff.get(reverse("admin:orders_order_change", args=[order.pk])).text
    assert "Mark given back by hand" in page
    assert Refund.objects.get().status == "requested"
    staff.post(LIST, {"action": "mark_given_back", "_selected_action": order.pk})
    assert Refund.objects.get().status == "succeeded"
    again = staff.post(LIST, {"action": "mark_given_back", "_selected_action": order.pk}, follow=True).text
    assert "nothing of it is to be given back by hand" in read_words(again)


def test_each_field_of_a_line_says_which_and_of_what_line_it_is(staff):
    page = Page(staff.get(ENTER).text)
    names = {
        each.name: each.labels for each in page.fields if each.name.startswith("line-1-") and each.kind != "hidden"
    }
    assert names == {
        "line-1-what": ["SKU or words, line 2"],
        "line-1-quantity": ["How many, line 2"],
        "line-1-unit_price": ["Price of your own, line 2"],
        "line-1-price_reason": ["Why that price, line 2"],
    }


def test_words_that_fit_several_are_asked_about_and_the_choice_is_kept(staff):
    socks = goods("Wool socks", sizes=("S", "M", "L"))
    sent = typed(staff, {"what": "wool socks", "quantity": 1})
    page = staff.post(ENTER, {**sent, "enter": "1"})
    assert "That may be several. Choose one." in page.text
    assert not Order.objects.exists()
    medium = socks.variants.get(size="M")
    sent |= {"line-0-variant": str(medium.pk), "line-0-asked": "wool socks", "enter": "1"}
    staff.post(ENTER, sent)
    assert Order.objects.get().lines.get().sku == medium.sku


def test_a_choice_made_for_other_words_does_not_count(staff):
    socks = goods("Wool socks", sizes=("S", "M"))
    mug = goods("Tin mug").variants.get()
    sent = typed(staff, {"what": "tin mug", "variant": socks.variants.first().pk, "asked": "wool socks"})
    staff.post(ENTER, {**sent, "enter": "1"})
    assert Order.objects.get().lines.get().sku == mug.sku


@pytest.mark.parametrize(
    ("row", "fields", "words"),
    [
        ({"what": "zzzz-nothing"}, {}, "Nothing that is for sale is called so."),
        ({"quantity": 3}, {}, "Of what?"),
        ({"what": "MUG", "quantity": 0}, {}, "greater than or equal to 1"),
        ({"what": "MUG", "unit_price": "9.00"}, {}, "Say why"),
        ({"what": "MUG", "unit_price": "9.999", "price_reason": "x"}, {}, "9.999 will not do"),
        ({"what": "MUG", "quantity": 400}, {}, "cannot be had in that number"),
        ({"what": "MUG"}, {"paid": "hand"}, "Say how it was paid."),
        ({"what": "MUG"}, {"email": "nobody"}, "e-mail"),
        ({"what": "MUG"}, {"country": "DE", "postcode": "10115"}, "That one does not go there."),
        ({"what": "MUG"}, {"full_name": ""}, "required"),
        ({"what": "MUG"}, {"key": "x"}, ""),
        ({}, {}, "name at least one thing"),
    ],
)
def test_bad_input_says_what_to_do_and_enters_nothing(staff, row, fields, words):
    builders.shipping_method(countries=["GB"])
    mug = goods("Tin mug").variants.get()
    mug.sku = "MUG"
    mug.save()
    page = enter(staff, row, **fields)
    assert words in page
    assert not Order.objects.exists()
    assert not StockRecord.objects.filter(allocated__gt=0).exists()


def test_a_page_that_is_full_comes_back_longer(staff):
    mugs = [goods(f"Mug {word}").variants.get() for word in ("one", "two", "three", "four", "five")]
    page = staff.post(ENTER, typed(staff, *({"what": mug.sku} for mug in mugs)))
    assert 'name="line-9-what"' in page.text
    assert 'name="line-10-what"' not in page.text


def test_who_may_not_change_orders_may_not_enter_any(staff):
    reader = signed_in(staff_member("ann@example.com", role="Staff: catalogue"))
    assert reader.get(ENTER).status_code == 403
    assert reader.post(ENTER, {"enter": "1"}).status_code == 403
    assert not Order.objects.exists()


def test_who_has_yet_to_pay_stands_in_a_queue_of_their_own(staff):
    enter(staff, {"what": goods("Tin mug").variants.get().sku})
    number = Order.objects.get().number
    assert number in staff.get(LIST.replace("any", "by_link")).text
    assert number not in staff.get(LIST.replace("any", "under_way")).text
    assert "To be paid by link" in staff.get("/admin/").text


def test_a_link_that_went_by_mail_is_its_buyers_alone(staff):
    page = enter(staff, {"what": goods("Tin mug").variants.get().sku})
    assert "Waits for its payment until" in page
    assert "/open/" not in page
    assert "pat@example.com" not in page


def test_the_list_leads_to_the_form(staff):
    assert f'href="{ENTER}"' in staff.get(LIST).text


NOBODY_YET = dict.fromkeys(BUYER, "") | {"country": "GB"}


@pytest.mark.parametrize(
    ("rows", "fields", "focused"),
    [
        ([], NOBODY_YET, "line-0-what"),
        ([{"what": "MUG"}], NOBODY_YET, "line-1-what"),
        ([{"what": "MUG"}], NOBODY_YET | {"settled": 1}, "email"),
        ([{"what": "MUG"}, {"what": "wool socks"}], NOBODY_YET | {"settled": 1}, "line-1-variant"),
        ([{"what": "MUG", "quantity": 0}], NOBODY_YET, "line-0-quantity"),
        ([{"what": "MUG", "unit_price": "9.00"}], {}, "line-0-price_reason"),
        ([{"what": "zzzz"}], {}, "line-0-what"),
        ([{"what": "MUG"}], {"postcode": ""}, "postcode"),
        ([{"what": "MUG"}], NOBODY_YET | {"enter": 1}, "full_name"),
        ([{"what": "MUG"}], {}, "enter"),
        ([{"what": "MUG"}] * 100, NOBODY_YET | {"line-TOTAL_FORMS": 100}, None),
    ],
)
def test_looked_up_the_keys_go_on_where_something_is_lacking(staff, rows, fields, focused):
    mug = goods("Tin mug").variants.get()
    mug.sku = "MUG"
    mug.save()
    goods("Wool socks", sizes=("S", "M"))
    text = staff.post(ENTER, typed(staff, *rows) | {name: str(value) for name, value in fields.items()}).text
    tags = re.findall(r"<(?:input|select|button|textarea)[^>]*\bautofocus\b[^>]*>", text)
    assert [re.search(r'name="([^"]+)"', tag).group(1) for tag in tags] == ([focused] if focused else [])
    assert ("This field is required" in text) is (focused == "full_name")
    assert not Order.objects.exists()


def test_an_order_that_was_refused_is_not_one_key_away_from_being_entered(staff):
    page = enter(staff, {"what": goods("Tin mug").variants.get().sku, "quantity": 400})
    assert "cannot be had in that number" in page
    assert "autofocus" not in page
    assert not Order.objects.exists()


def test_the_first_page_leads_those_to_the_form_who_may_use_it(staff):
    reader = signed_in(staff_member("ann@example.com", role="Staff: catalogue"))
    assert f'href="{ENTER}"' in staff.get("/admin/").text
    assert f'href="{ENTER}"' not in reader.get("/admin/").text


ANOTHER = {
    "goods": {"line-0-what": "wool throw"},
    "number": {"line-0-quantity": "2"},
    "price": {"line-0-unit_price": "9.00", "line-0-price_reason": "Agreed"},
    "buyer": {"email": "sue@example.com"},
    "address": {"line1": "2 High Street"},
    "note": {"gift_note": "For Sue"},
    "money": {"paid": "hand", "paid_how": "Cash"},
}


@pytest.mark.parametrize("typed_over", ANOTHER.values(), ids=ANOTHER)
def test_gone_back_and_typed_over_it_is_another_order_that_is_asked_about_first(staff, typed_over):
    goods("Tin mug")
    goods("Wool throw", price="60.00")
    sent = typed(staff, {"what": "tin mug"}) | {"enter": "1"}
    for _ in range(2):
        staff.post(ENTER, sent)
    first = Order.objects.get()
    again = staff.post(ENTER, sent | typed_over)
    assert f"{first.number} was entered from this page already" in again.text
    assert Order.objects.get() == first
    for name, value in typed_over.items():
        assert value in again.text, name
    key = re.search(r'name="key" value="([^"]+)"', again.text).group(1)
    staff.post(ENTER, sent | typed_over | {"key": key})
    assert Order.objects.count() == 2


@pytest.mark.parametrize(("quantity", "price"), [(200, "99999999.99"), (101, "99999999.99")])
def test_a_sum_that_no_order_holds_is_refused_in_words(staff, quantity, price):
    mug = goods("Tin mug", on_hand=500).variants.get()
    row = {"what": mug.sku, "quantity": quantity, "unit_price": price, "price_reason": "Slipped"}
    assert "£" in staff.post(ENTER, typed(staff, row)).text
    assert "more than one order can come to" in enter(staff, row)
    assert not Order.objects.exists()
    assert StockRecord.objects.get().allocated == 0
