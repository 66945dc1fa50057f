"""The page “What I told you”: add, change, delete, put back, and see what it did. All of it without JavaScript."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.consent import consent, purposes
from accounts.models import Interest
from accounts.preferences import interests
from notifications import relay
from notifications.audience import queue_weekly_recommendations
from notifications.models import OutgoingEmail, OutgoingItem
from orders.models import ShopSettings
from recommendations.models import Effect
from shop.catalog import listing
from shop.storefront import page_cache
from tests import builders
from tests.page import Page
from tests.storefront.test_query_counts import asked

pytestmark = pytest.mark.django_db

TOLD = purposes.RECOMMEND_FROM_TOLD
Kind = Interest.Kind
MAKER, SWITCH_WORDS = {"kind": "maker", "maker-maker": "foxglove"}, purposes.get_purpose(TOLD).explanation


@pytest.fixture
def bob(client):
    made = builders.customer()
    client.force_login(made.user)
    return made


@pytest.fixture
def jam():
    builders.shipping_method()
    made = builders.product("Foxglove jam", maker=builders.maker("Foxglove"), sizes=("Small", "Large"))
    listing.refresh_listings([made.pk])
    return made


def preserves():
    """More from the maker of the jam, so that a letter has enough."""
    for title in ("Foxglove jelly", "Foxglove honey"):
        listing.refresh_listings([builders.product(title, maker=builders.maker("Foxglove")).pk])


def page(client, path="/account/told/"):
    return " ".join(client.get(path).content.decode().split())


def press(client, path, button):
    """Presses the button with these words as somebody without JavaScript does."""
    found = [
        (form, each) for form in Page(client.get(path).content.decode()).forms for each in form.buttons
        if each.text == button
    ]  # fmt: skip
    form, pressed = found[0]
    return client.post(form.action or path, dict(form.data(pressed)), follow=True)


def test_with_nothing_told_the_page_says_what_telling_would_do(client, bob):
    shown = page(client)
    assert "You have told us nothing yet" in shown
    assert "their things come first on your “For you” shelf" in shown


def test_the_page_is_linked_from_the_account_and_from_the_switches(client, bob):
    for path in ("/account/", "/account/preferences/"):
        assert 'href="/account/told/"' in page(client, path)


@pytest.mark.parametrize(
    ("posted", "title"),
    [
        (MAKER, "Foxglove"),
        ({"kind": "category", "category-category": "SOCKS"}, "Socks"),
        ({"kind": "need", "need-words": "waterproof"}, "waterproof"),
        ({"kind": "size", "size-words": "11", "size-category": "SOCKS"}, "Size 11 in Socks"),
        ({"kind": "occasion", "occasion-words": "Ann’s birthday", "occasion-falls_on": "2199-05-03"}, "3 May 2199"),
        ({"kind": "never", "never-what": "maker", "never-name": "Foxglove"}, "Foxglove"),
        ({"kind": "never", "never-what": "category", "never-name": "socks"}, "Socks"),
        ({"kind": "never", "never-what": "product", "never-name": "foxglove JAM"}, "Foxglove jam"),
    ],
)
def test_everything_can_be_told_changed_deleted_and_put_back(client, bob, jam, posted, title):
    socks = str(jam.category_id)
    answer = client.post("/account/told/", {k: socks if v == "SOCKS" else v for k, v in posted.items()}, follow=True)
    assert f"Saved: {Interest.objects.get()}" in answer.content.decode()
    told = Interest.objects.get()
    assert title in told.title
    change = f"/account/told/{told.pk}/"
    assert press(client, change, "Save").status_code == 200  # as it is: the form is filled in with what was told
    assert Interest.objects.get().title == told.title
    deleted = press(client, "/account/told/", f"Delete {told.title}")
    assert not Interest.objects.exists()
    assert f"Deleted: {told.title}." in deleted.content.decode()
    form, button = next(
        (form, each) for form in Page(deleted.content.decode()).forms for each in form.buttons
        if each.text == "Put it back"
    )  # fmt: skip
    client.post(form.action, dict(form.data(button)))
    assert Interest.objects.get().title == told.title


def test_what_was_deleted_can_be_put_back_once_and_is_then_nowhere(client, bob, jam):
    client.post("/account/told/", MAKER)
    told = Interest.objects.get()
    client.post(f"/account/told/{told.pk}/removal/")
    assert "Put it back" in page(client)
    assert "Put it back" not in page(client)
    assert "told_removed" not in client.session


def test_a_day_can_be_set_until_when_it_is_kept(client, bob, jam):
    until = timezone.localdate() + timedelta(days=10)
    client.post("/account/told/", {**MAKER, "maker-until": until.isoformat()})
    assert timezone.localtime(Interest.objects.get().expires_at).date() == until + timedelta(days=1)
    told = Interest.objects.get()
    client.post(f"/account/told/{told.pk}/", {"maker-maker": "Foxglove", "maker-until": ""})
    assert Interest.objects.get().expires_at is None


def test_an_occasion_goes_the_day_after(client, bob):
    today = timezone.localdate()
    client.post("/account/told/", {"kind": "occasion", "occasion-words": "Fair", "occasion-falls_on": today})
    told = Interest.objects.get()
    assert timezone.localtime(told.expires_at).date() == today + timedelta(days=1)
    assert interests.retire_interests() == 0
    Interest.objects.update(expires_at=told.expires_at - timedelta(days=1))
    assert interests.retire_interests() == 1


@pytest.mark.parametrize(
    ("posted", "words"),
    [
        ({"kind": "maker", "maker-maker": "Nobody"}, "We have no maker of that name."),
        ({"kind": "never", "never-what": "product", "never-name": "Nothing"}, "We have nothing of that name."),
        ({"kind": "never", "never-what": "category", "never-name": "Nowhere"}, "We have no department of that name."),
        ({"kind": "occasion", "occasion-words": "Fair", "occasion-falls_on": "2001-01-01"}, "from today on"),
        ({"kind": "need", "need-words": "x" * 61}, "at most 60"),
        ({"kind": "category", "category-category": "999999"}, "not one of the available choices"),
    ],
)
def test_what_we_cannot_keep_is_said_beside_its_field_and_nothing_is_kept(client, bob, jam, posted, words):
    answer = client.post("/account/told/", posted)
    assert words in answer.content.decode()
    assert '<details class="fold" open>' in answer.content.decode()
    assert not Interest.objects.exists()


def test_hostile_words_stay_words_wherever_they_are_shown(client, bob, jam):
    client.post("/account/told/", {"kind": "need", "need-words": "foxglove <i>jam"})
    consent.set_consent(bob, TOLD, granted=True, source="preferences")
    for path in ("/", "/account/told/", "/account/recommendations/", f"/account/told/{Interest.objects.get().pk}/"):
        shown = page(client, path)
        assert "foxglove &lt;i&gt;jam" in shown, path
        assert "<i>jam" not in shown, path


def test_nobody_reads_changes_or_deletes_what_another_told(client, bob, jam):
    alice = builders.customer()
    told = interests.save_interest(alice, Interest(kind=Kind.NEED, words="a secret wish"))
    assert "a secret wish" not in page(client)
    for path in (f"/account/told/{told.pk}/", f"/account/told/{told.pk}/removal/"):
        assert client.post(path, {"need-words": "mine"}).status_code == 404
    told.refresh_from_db()
    assert told.words == "a secret wish"


def test_the_first_thing_told_offers_the_switch_in_place_with_its_own_words(client, bob, jam):
    answer = client.post("/account/told/", MAKER, follow=True).content.decode()
    assert "Nothing uses it until you turn on the switch." in answer
    assert SWITCH_WORDS in answer
    assert f'name="{TOLD}"' in answer
    assert not consent.allows(bob, TOLD)
    assert "You told us you like" not in page(client, "/")
    client.post("/account/preferences/", {"asked": TOLD, TOLD: "on"})
    assert "You told us you like Foxglove" in page(client, "/")


def test_why_this_leads_to_the_datum_and_the_datum_says_what_it_did(client, bob, jam):
    client.post("/account/told/", MAKER)
    consent.set_consent(bob, TOLD, granted=True, source="preferences")
    told, today = Interest.objects.get(), timezone.localdate()
    for path in ("/", "/account/recommendations/"):
        assert f'href="/account/told/#told-{told.pk}"' in page(client, path)
    shown = page(client)
    assert f'id="told-{told.pk}"' in shown
    assert f"Put Foxglove jam on your home shelf on {today.day} {today:%B}" in shown
    assert f"last used {today.day} {today:%B} {today.year}" in shown


def test_an_order_says_what_it_put_on_its_receipt(client, bob, jam):
    consent.set_consent(bob, purposes.RECEIPT_OFFER, granted=True, source="preferences")
    order = builders.placed_order(builders.variant(jam, size="Huge"), customer=bob)
    jam.goes_with.add(builders.product("Spoon"))
    listing.refresh_listings()
    relay.relay_all_events()
    assert "for your receipt" not in page(client)  # not sent yet
    OutgoingEmail.objects.update(state=OutgoingEmail.State.SENT, sent_at=timezone.now())
    today = timezone.localdate()
    assert f"Picked Spoon for your receipt on {today.day} {today:%B}" in page(client)
    assert order.number in page(client)


def test_all_that_suggestions_may_follow_can_be_deleted_beside_the_switch(client, bob, jam):
    client.post("/account/told/", MAKER)
    client.post("/account/told/", {"kind": "never", "never-what": "maker", "never-name": "Foxglove"})
    assert "You told us 1 thing that this may follow." in page(client, "/account/preferences/")
    client.post(f"/account/preferences/{TOLD}/forgetting/")
    assert [told.kind for told in Interest.objects.all()] == ["never"]


@pytest.mark.parametrize("deed", ["removal", "change"])
def test_a_letter_that_waits_leaves_out_what_came_from_something_taken_back(client, bob, jam, deed):
    for key in (purposes.MAIL_RECOMMENDATIONS, TOLD):
        consent.set_consent(bob, key, granted=True, source="test")
    client.post("/account/told/", MAKER)
    preserves()
    queue_weekly_recommendations(timezone.now())
    pick = OutgoingItem.objects.get(email__customer=bob, purpose=TOLD, product=jam)
    assert pick.consent_record is not None
    told = Interest.objects.get()
    if deed == "removal":
        client.post(f"/account/told/{told.pk}/removal/")
    else:
        client.post(f"/account/told/{told.pk}/", {"maker-maker": builders.maker("Mudlark").slug})
    pick.refresh_from_db()
    assert pick.consent_record is None  # so the gate drops it


def test_a_letter_that_waits_keeps_what_has_nothing_to_do_with_it(client, bob, jam):
    for key in (purposes.MAIL_RECOMMENDATIONS, TOLD):
        consent.set_consent(bob, key, granted=True, source="test")
    client.post("/account/told/", MAKER)
    client.post(
        "/account/told/", {"kind": "never", "never-what": "maker", "never-name": builders.maker("Mudlark").name}
    )
    preserves()
    queue_weekly_recommendations(timezone.now())
    client.post(f"/account/told/{Interest.objects.get(kind=Kind.NEVER).pk}/removal/")
    assert OutgoingItem.objects.get(email__customer=bob, purpose=TOLD, product=jam).consent_record is not None


def test_asking_for_the_headers_alone_has_no_effect(client, bob, jam):
    client.post("/account/told/", MAKER)
    consent.set_consent(bob, TOLD, granted=True, source="preferences")
    for path in ("/", "/account/", "/account/recommendations/"):
        client.head(path)
    assert not Effect.objects.exists()


def test_never_show_me_this_beside_a_suggestion_takes_it_off_at_once(client, bob, jam):
    client.post("/account/told/", MAKER)
    consent.set_consent(bob, TOLD, granted=True, source="preferences")
    answer = press(client, "/account/recommendations/", "Never show me this: Foxglove jam")
    assert "We will not put Foxglove jam forward again." in answer.content.decode()
    assert "You told us you like Foxglove" not in page(client, "/")
    assert jam.get_absolute_url() not in page(client, "/")  # nor among what is new
    assert client.post("/account/told/never/", {"product": "9" * 40}).status_code == 404


def test_what_goes_with_it_leaves_out_what_is_never_to_be_shown(client, bob, jam):
    spoon = builders.product("Spoon")
    jam.goes_with.add(spoon)
    listing.refresh_listings([spoon.pk])
    client.post("/cart/lines/", {"variant": jam.variants.first().pk})
    for path in (jam.get_absolute_url(), "/cart/"):
        assert spoon.get_absolute_url() in page(client, path)
    interests.save_interest(bob, Interest(kind=Kind.NEVER, product=spoon))
    for path in (jam.get_absolute_url(), "/cart/"):
        assert spoon.get_absolute_url() not in page(client, path)


def test_the_size_told_is_chosen_on_the_product_page_while_the_switch_is_on(client, bob, jam):
    told = interests.save_interest(bob, Interest(kind=Kind.SIZE, words="Large"))
    large = jam.variants.get(size="Large")

    def is_large_chosen():
        fields = Page(client.get(jam.get_absolute_url()).content.decode()).fields
        return any(each.is_on and each.value == str(large.pk) for each in fields if each.name == "variant")

    assert not is_large_chosen()
    told.refresh_from_db()
    assert told.last_used_at is None
    consent.set_consent(bob, TOLD, granted=True, source="preferences")
    assert is_large_chosen()
    shown = client.get(jam.get_absolute_url())
    assert "no-store" in shown["Cache-Control"]
    assert "is chosen because" in shown.content.decode()
    told.refresh_from_db()
    assert told.last_used_at is not None
    assert not Effect.objects.exists()  # which page it was stays unwritten


def test_a_page_asks_once_more_for_those_who_are_signed_in(client, jam, monkeypatch, settings):
    monkeypatch.setattr(page_cache, "CACHE_SECONDS", 3600)
    ShopSettings.current().save()
    most = {"/": 4 + 5, jam.get_absolute_url(): 5 + 4}  # session, user, answers, what was told; its shelf: find, read
    bob = builders.customer(ticks=(TOLD,))
    client.force_login(bob.user)
    for kind, fields in (
        (Kind.MAKER, {"maker": jam.maker}),
        (Kind.NEED, {"words": "jam"}),
        (Kind.SIZE, {"words": "L"}),
    ):
        interests.save_interest(bob, Interest(kind=kind, **fields))
    for path, count in most.items():
        assert asked(client, path, warm=True) <= count, path
