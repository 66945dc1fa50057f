"""“It was a gift”, “Don’t use this purchase”: said on the order’s page by whose it is, and taken back there."""

from datetime import timedelta

import pytest
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from accounts.consent import consent, purposes
from accounts.models import Customer
from accounts.privacy import journal
from notifications import relay
from notifications.models import OutgoingEmail, OutgoingItem
from orders import line_marks, order_access
from orders.line_marks import LineMark
from orders.models import Order, OrderEvent, OrderLine
from orders.personal_data import export_orders
from recommendations import picks, training
from recommendations.models import Contribution
from shop.catalog import listing
from tests import builders, cast
from tests.guest import let_in
from tests.notifications import acts
from tests.orders.conftest import standin, standin_process
from tests.page import Page
from tests.recommendations.test_training import buyers
from tests.storefront.previewing import seen
from tests.storefront.swapping import swap

pytestmark = pytest.mark.django_db
__all__ = ["standin", "standin_process"]

BOUGHT, COUNTED = purposes.RECOMMEND_FROM_PURCHASES, purposes.COUNT_IN_ALSO_BOUGHT
BUTTONS = {
    LineMark.GIFT: ("It was a gift", "It was no gift"),
    LineMark.EXCLUSION: ("Don’t use this purchase", "Use this purchase again"),
}


@pytest.fixture
def goods():
    """Boots and socks, bought together by six."""
    builders.shipping_method()
    made = [builders.product(title, category=builders.category(title)) for title in ("Boots", "Socks")]
    listing.refresh_listings()
    return [product.variants.get() for product in made]


@pytest.fixture
def alice():
    return cast.alice()


@pytest.fixture
def order(alice, goods):
    return builders.paid_order(goods[0], customer=alice, placed_at=timezone.now() - timedelta(days=2))


@pytest.fixture
def owner(client, alice):
    client.force_login(alice.user)
    return client


def url(order: Order, mark: str, *, back: bool = False) -> str:
    return f"/orders/{order.number}/lines/{order.lines.get().pk}/{mark}/{'removal/' if back else ''}"


def marks(order: Order) -> tuple[bool, bool]:
    line = order.lines.get()
    return line.is_gift, line.is_excluded


def usable(order: Order) -> set[str]:
    """The purposes that may read the order's line."""
    return {key for key in (BOUGHT, COUNTED) if OrderLine.objects.usable_for(key).filter(order=order).exists()}


def press(client: Client, order: Order, name: str):
    """The button of that name on the order's page, as a browser without scripts sends it."""
    page = Page(client.get(f"/orders/{order.number}/").text)
    [form] = [form for form in page.forms if any(button.text.startswith(f"{name}:") for button in form.buttons)]
    return client.post(form.action, dict(form.data(form.buttons[0])), follow=True)


@pytest.mark.parametrize("mark", LineMark)
def test_a_mark_ends_the_use_at_once_says_so_and_is_taken_back_in_the_same_place(owner, order, mark):
    say, take_back = BUTTONS[mark]
    assert usable(order) == {BOUGHT, COUNTED}
    page = press(owner, order, say)
    assert "nothing we suggest draws on it" in page.text
    assert getattr(order.lines.get(), line_marks.FIELDS[mark])
    assert order.lines.get().set_aside_at is not None
    assert usable(order) == set()
    page = press(owner, order, take_back)
    assert "may be used again, as far as your switches allow" in page.text
    assert "next count" in page.text
    assert (marks(order), usable(order)) == ((False, False), {BOUGHT, COUNTED})
    assert order.lines.get().set_aside_at is None
    assert not OrderEvent.objects.exists()  # their own choice, no news of the order


def test_saying_it_twice_in_two_tabs_is_saying_it_once_and_each_mark_stands_for_itself(owner, order):
    for _ in range(2):
        assert owner.post(url(order, "exclusion")).status_code == 303
    set_aside_at = order.lines.get().set_aside_at
    owner.post(url(order, "gift"))
    assert marks(order) == (True, True)
    assert order.lines.get().set_aside_at == set_aside_at
    page = owner.post(url(order, "gift", back=True), follow=True)
    assert "You also asked us not to use it" in page.text
    assert (marks(order), usable(order)) == ((False, True), set())
    owner.post(url(order, "gift", back=True))
    assert marks(order) == (False, True)
    owner.post(url(order, "gift"))
    assert "is still a gift" in owner.post(url(order, "exclusion", back=True), follow=True).text
    assert usable(order) == set()


def test_a_gift_bought_as_one_can_be_no_gift_after_all(owner, alice, goods):
    order = builders.paid_order(goods[0], customer=alice, is_gift=True)
    page = press(owner, order, "It was no gift")
    assert "may be used again" in page.text
    assert usable(order) == {BOUGHT, COUNTED}


def test_in_place_the_page_becomes_what_a_fresh_look_shows(owner, order):
    before = owner.get(f"/orders/{order.number}/").text
    answer = owner.post(url(order, "gift"), headers={"HX-Request": "true"}, follow=True).text
    screen = swap(before, answer, root="ordered")
    assert "A gift: nothing we suggest draws on it." in screen
    assert "“Boots” was a gift, then." in screen
    for name in ("gift", "use"):  # the focus stays on the button that was pressed
        assert f'id="{name}-{order.lines.get().pk}"' in before
    assert f'id="gift-{order.lines.get().pk}"' in screen


# -- Whose it is -----------------------------------------------------------------------------------------------


def link(client: Client, order: Order) -> Client:
    client.get(order_access.build_order_link(order).removeprefix("http://localhost:8000"))
    assert client.get(f"/orders/{order.number}/").status_code == 200
    return client


def a_stranger(order: Order) -> Client:
    return Client()


def another_customer(order: Order) -> Client:
    client = Client()
    client.force_login(cast.bob().user)
    return client


def somebody_with_its_link(order: Order) -> Client:
    return link(Client(), order)


def another_customer_with_its_link(order: Order) -> Client:
    return link(another_customer(order), order)


def a_guest_of_another_address(order: Order) -> Client:
    return let_in(Client(), builders.customer(with_login=False))


NOT_THEIRS = (
    a_stranger,
    another_customer,
    somebody_with_its_link,
    another_customer_with_its_link,
    a_guest_of_another_address,
)


@pytest.mark.parametrize("who", NOT_THEIRS)
def test_nobody_else_says_anything_of_a_customers_purchase(order, who):
    client = who(order)
    for mark in LineMark:
        for back in (False, True):
            OrderLine.objects.update(is_gift=back, is_excluded=back)
            assert client.post(url(order, mark, back=back)).status_code == 404
            assert marks(order) == (back, back)
    assert "Don’t use this purchase" not in client.get(f"/orders/{order.number}/").text
    assert "It was a gift" not in client.get(f"/orders/{order.number}/").text


def test_nonsense_is_not_found_and_changes_nothing(owner, order, alice, goods):
    other = builders.paid_order(goods[1], customer=cast.bob()).lines.get()
    lines = f"/orders/{order.number}/lines"
    own = order.lines.get().pk
    for path in (
        f"{lines}/{other.pk}/gift/",
        f"{lines}/{own}/present/",
        f"{lines}/{own}/is_gift/removal/",
        f"{lines}/{9**30}/gift/",
    ):
        assert owner.post(path).status_code == 404
    assert owner.get(url(order, "gift")).status_code == 405
    Order.objects.update(placed_at=None, status=Order.Status.PENDING)
    assert owner.post(url(order, "gift")).status_code == 404
    assert not OrderLine.objects.filter(is_gift=True).exists()
    assert not OrderLine.objects.filter(is_excluded=True).exists()


def test_a_guest_whose_address_was_proved_by_a_link_says_it_of_their_own(goods):
    pat = builders.customer("pat@example.com", with_login=False)
    order = builders.paid_order(goods[0], customer=pat)
    press(let_in(Client(), pat), order, "Don’t use this purchase")
    assert marks(order) == (False, True)


def test_what_a_buyer_without_an_account_says_holds_when_the_address_is_proved(goods):
    order = builders.paid_order(goods[0], email="pat@example.com")
    guest = link(Client(), order)
    press(guest, order, "It was a gift")
    press(guest, order, "It was no gift")
    press(guest, order, "Don’t use this purchase")
    assert not Customer.objects.exists()
    pat = builders.customer("pat@example.com", ticks=(BOUGHT, COUNTED))
    order_access.join_orders_to_customer(pat)
    assert pat.orders.get() == order
    assert usable(order) == set()
    assert guest.post(url(order, "exclusion", back=True)).status_code == 404  # it has an owner now
    assert marks(order) == (False, True)


# -- What stood on it ------------------------------------------------------------------------------------------


def beside(variant) -> set[int]:
    return {pick.product_id for pick in picks.pick_frequently_bought_with([variant.product_id])}


@pytest.mark.parametrize("mark", LineMark)
def test_the_shelves_of_all_and_ones_own_lose_it_at_once_and_the_count_within_a_minute(owner, alice, goods, mark):
    boots, socks = goods
    buyers(4, boots, socks)
    order = builders.paid_order(boots, socks, customer=alice, placed_at=timezone.now() - timedelta(days=2))
    mug = builders.product("Mug")
    boots.product.goes_with.add(mug)
    listing.refresh_listings()
    training.train_epoch()
    assert boots.product_id in beside(socks)
    assert "Goes with Boots, which you bought" in owner.get("/account/recommendations/").text
    line = order.lines.get(product=boots.product)
    owner.post(f"/orders/{order.number}/lines/{line.pk}/{mark}/")
    assert "Goes with Boots, which you bought" not in owner.get("/account/recommendations/").text
    assert boots.product_id not in beside(socks)
    training.rebuild_without_withdrawn()
    assert not Contribution.objects.filter(customer=alice, product=boots.product_id).exists()
    owner.post(f"/orders/{order.number}/lines/{line.pk}/{mark}/removal/")
    assert "Goes with Boots, which you bought" in owner.get("/account/recommendations/").text
    assert boots.product_id not in beside(socks)  # the count of many waits
    training.train_epoch()
    assert boots.product_id in beside(socks)


def test_a_preview_of_the_switch_shows_nothing_that_came_from_it(client, goods):
    boots, socks = goods
    boots.product.goes_with.add(socks.product)
    listing.refresh_listings()
    bob = cast.bob()
    order = builders.paid_order(boots, customer=bob)
    client.force_login(bob.user)
    assert "which you bought" in seen(client, BOUGHT, "on")
    client.post(url(order, "exclusion"))
    assert "which you bought" not in seen(client, BOUGHT, "on")


def test_the_forgetting_beside_the_switch_counts_it_no_more(owner, order):
    assert "1 thing" in owner.get("/account/preferences/").text
    owner.post(url(order, "exclusion"))
    assert "1 thing" not in owner.get("/account/preferences/").text


def test_a_letter_that_waits_and_a_receipts_offer_lose_what_they_stood_on(owner, alice, goods):
    boots, socks = goods
    boots.product.goes_with.add(socks.product)
    order = builders.paid_order(boots, customer=alice)
    acts.happened(order, acts.Kind.PLACED)
    relay.relay_all_events()
    letter = OutgoingEmail.objects.create(
        key="letter", topic="recommendations", kind="promotional", to_address=alice.email, customer=alice
    )
    record = alice.consents.get(purpose=BOUGHT).record
    pick = OutgoingItem.objects.create(email=letter, block="pick", purpose=BOUGHT, consent_record=record)
    offer = OutgoingItem.objects.get(block="offer")
    assert offer.consent_record is not None
    owner.post(url(order, "exclusion"))
    for item in (pick, offer):
        item.refresh_from_db()
        assert item.consent_record is None


def test_the_page_of_what_we_used_leads_there_and_says_when_it_is_used_no_more(owner, order, alice, goods):
    boots, socks = goods
    boots.product.goes_with.add(socks.product)
    listing.refresh_listings()
    owner.get("/account/recommendations/")
    page = owner.get("/account/told/").text
    assert f"/orders/{order.number}/#line-{order.lines.get().pk}" in page
    assert "used only while its switch is on" in page
    owner.post(url(order, "gift"))
    page = owner.get("/account/told/").text
    assert "and used no more" in page


def test_the_copy_of_ones_data_holds_the_marks(owner, order, alice):
    owner.post(url(order, "gift"))
    owner.post(url(order, "exclusion"))
    [line] = export_orders(alice)[0]["lines"]
    assert (line["is_gift"], line["is_excluded"]) == (True, True)


def test_after_a_restore_what_was_marked_since_is_marked_again_and_what_was_taken_back_is_not(
    owner, order, alice, goods, settings, tmp_path, standin
):
    settings.JOURNAL_PATH = tmp_path / "journal"
    second = builders.paid_order(goods[1], customer=alice)
    owner.post(url(order, "exclusion"))
    owner.post(url(second, "gift"))
    owner.post(url(second, "gift", back=True))
    owner.post(url(second, "gift", back=True))  # says nothing new
    entries = list(journal.read_journal(settings.JOURNAL_PATH))
    assert [entry.what for entry in entries] == ["line_marked", "line_marked", "line_unmarked"]
    OrderLine.objects.update(is_gift=False, is_excluded=False)  # the backup is from before
    call_command("after_restore", journal=settings.JOURNAL_PATH)
    assert (marks(order), marks(second)) == ((False, True), (False, False))
    assert usable(order) == set()


def test_what_is_not_allowed_stays_so_whatever_is_taken_back(client, goods):
    bob = cast.bob()
    order = builders.paid_order(goods[0], customer=bob)
    client.force_login(bob.user)
    press(client, order, "It was a gift")
    press(client, order, "It was no gift")
    assert usable(order) == set()
    assert not consent.allows(bob, BOUGHT)
