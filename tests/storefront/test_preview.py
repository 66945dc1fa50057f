"""A switch off and on, side by side, when the customer asks: what it shows comes true, and looking leaves nothing."""

from unittest import mock

import pytest
from django.db import InternalError, connection
from django.test import Client
from django.utils import timezone

from accounts.consent import consent, purposes
from accounts.models import Customer, Interest
from accounts.people import guest_session
from orders.models import Order
from recommendations import history
from recommendations.picks import FOR_YOU
from shop.catalog import listing
from shop.storefront import preview_html, previews
from tests import builders
from tests.security.visits import changed, fingerprint
from tests.storefront.previewing import BOUGHT, LOOKED, SIDES, TOLD, fragments, looking, pat, seen, stopped_clock

__all__ = ["pat", "stopped_clock"]

pytestmark = pytest.mark.django_db

MASTER = purposes.PERSONAL_SHOPPER.key
ON_PAGES = [key for key, target in previews.PREVIEW_TARGETS.items() if target.url and key != MASTER]


@pytest.mark.parametrize("stood", SIDES)
@pytest.mark.parametrize("key", ON_PAGES)
def test_the_marked_part_of_the_page_is_that_of_the_page_after_the_answer(pat, stopped_clock, key, stood):
    consent.set_consent(pat, key, granted=SIDES[stood], source="test")
    client = looking(pat)
    path = previews.get_preview_target(key).url(pat)
    previewed = {side: fragments(seen(client, key, side), (key,)) for side in SIDES}
    for side in (stood, *(SIDES.keys() - {stood})):
        consent.set_consent(pat, key, granted=SIDES[side], source="preferences")
        assert previewed[side] == fragments(client.get(path).content.decode(), (key,)), side
    if not (key == purposes.COUNT_IN_ALSO_BOUGHT and stood == "off"):  # who comes back counts from the next epoch
        assert previewed["off"] != previewed["on"]


@pytest.mark.parametrize("is_on", [True, False])
def test_so_it_is_for_the_switch_over_all_of_them(pat, is_on):
    consent.set_master(pat, on=is_on, source="test")
    client = looking(pat)
    previewed = {side: fragments(seen(client, MASTER, side), FOR_YOU.purposes) for side in SIDES}
    assert "You looked at Mug" in previewed["on"][0]
    assert previewed["off"] == []
    for side in ("on", "off") if is_on else ("off", "on"):
        consent.set_master(pat, on=SIDES[side], source="preferences")
        assert previewed[side] == fragments(client.get("/").content.decode(), FOR_YOU.purposes), side


def test_under_a_master_switch_that_is_off_both_sides_are_alike_and_it_says_why(pat):
    consent.set_master(pat, on=False, source="test")
    client, key = looking(pat), BOUGHT
    assert fragments(seen(client, key, "on"), (key,)) == fragments(seen(client, key, "off"), (key,)) == []
    assert (
        "you turned the whole personal shopper off"
        in client.post(f"/account/preferences/{key}/preview/").content.decode()
    )


def test_it_says_so_where_the_switch_would_change_nothing(pat):
    client, path = looking(pat), f"/account/preferences/{TOLD}/preview/"
    assert "Both sides look alike" not in client.post(path).content.decode()
    Interest.objects.all().delete()
    assert "nothing of yours yet that this switch would add or take away" in client.post(path).content.decode()


def test_every_switch_of_the_shop_shows_somewhere():
    assert previews.PREVIEW_TARGETS.keys() == {
        purpose.key for purpose in (*purposes.PURPOSES, purposes.PERSONAL_SHOPPER)
    }


def test_with_nothing_to_show_it_says_so():
    client = looking(builders.customer())
    assert "it starts with the next product you open" in seen(client, LOOKED, "on")
    assert "no purchase of yours to start from" in seen(client, BOUGHT, "on")
    assert "fewer than three things are worth sending you" in seen(client, purposes.MAIL_RECOMMENDATIONS, "on")
    page = client.post(f"/account/preferences/{purposes.COUNT_IN_ALSO_BOUGHT}/preview/").content.decode()
    assert "you have bought nothing yet that could count" in page


# Looking leaves nothing


def everything() -> dict[str, str]:
    """A digest of every table, those included that real visits may write."""
    with mock.patch("tests.security.visits.WRITTEN_BY_LOOKING", set()):
        return fingerprint()


@pytest.mark.parametrize("key", previews.PREVIEW_TARGETS)
def test_looking_writes_nothing_keeps_nothing_and_sets_no_cookie(pat, key):
    client = looking(pat)
    client.get("/")
    before, session = everything(), dict(client.session)
    for side in SIDES:
        answer = client.post(f"/account/preferences/{key}/preview/{side}/")
        assert answer.status_code == 200
        assert not answer.cookies
        assert "no-store" in answer["Cache-Control"]
    client.post(f"/account/preferences/{key}/preview/")
    with mock.patch("tests.security.visits.WRITTEN_BY_LOOKING", set()):
        assert changed(before) == []
    assert dict(client.session) == session


def test_a_page_that_would_write_in_a_preview_fails_instead(pat, monkeypatch):
    def noting(request):
        with connection.cursor() as cursor:
            cursor.execute("UPDATE accounts_customer SET name = 'Noted'")

    monkeypatch.setattr(previews, "get_page_response", lambda request, url: noting(request))
    with pytest.raises(InternalError, match="read-only transaction"):
        looking(pat).post(f"/account/preferences/{BOUGHT}/preview/on/")
    assert not consent.is_overlay_active()
    assert not Customer.objects.filter(name="Noted").exists()
    consent.set_consent(pat, BOUGHT, granted=True, source="test")  # and afterwards the books are open again


def test_a_session_held_for_a_preview_cannot_be_saved(pat):
    client = looking(pat)
    held = previews.ReadOnlySession(client.session)
    held["noted"] = True
    assert "noted" not in client.session
    with pytest.raises(NotImplementedError):
        held.save()


# Who may look, and where


def test_nobody_is_shown_another_customers_things(pat):
    other = builders.customer(name="Somebody Else")
    lamp = builders.product("Secret lamp")
    listing.refresh_listings()
    order = builders.placed_order(lamp.variants.get(), customer=other)
    Order.objects.filter(pk=order.pk).update(full_name="Somebody Else")
    history.record_customer_view(other, lamp.pk)
    client = looking(pat)
    for key in previews.PREVIEW_TARGETS:
        for side in SIDES:
            page = seen(client, key, side)
            for theirs in (
                order.number,
                "Somebody Else",
                other.email,
                "Goes with Secret lamp",
                "looked at Secret lamp",
            ):
                assert theirs not in page, (key, side)


def test_the_preview_is_asked_for_by_a_form_of_the_shop_and_no_other_way(pat):
    key = BOUGHT
    paths = (f"/account/preferences/{key}/preview/", f"/account/preferences/{key}/preview/on/")
    guarded = Client(enforce_csrf_checks=True)
    guarded.force_login(pat.user)
    for path in paths:
        assert looking(pat).get(path).status_code == 405
        assert looking(pat).head(path).status_code == 405
        assert guarded.post(path).status_code == 403
        assert Client().post(path).status_code == 302
    for unknown in ("/account/preferences/nothing/preview/", f"/account/preferences/{key}/preview/both/"):
        assert looking(pat).post(unknown).status_code == 404


def test_only_the_frames_may_be_framed_and_only_by_the_shop(pat):
    client, key = looking(pat), BOUGHT
    page, frame = (
        client.post(f"/account/preferences/{key}/preview/"),
        client.post(f"/account/preferences/{key}/preview/on/"),
    )
    holding, held = page["Content-Security-Policy"], frame["Content-Security-Policy"]
    assert "frame-src 'self'" in holding
    assert "frame-ancestors 'none'" in holding
    assert page["X-Frame-Options"] == "DENY"
    assert "frame-ancestors 'self'" in held
    assert frame["X-Frame-Options"] == "SAMEORIGIN"
    for part in ("script-src 'none'", "form-action 'none'", "sandbox allow-same-origin"):
        assert part in held
    assert "unsafe" not in held + holding
    other = client.get("/account/preferences/")["Content-Security-Policy"]
    assert "frame-src" not in other
    assert "frame-ancestors 'none'" in other


def test_nothing_in_a_frame_can_be_pressed_but_what_differs_is_as_it_will_be():
    html = (
        '<head><script src="x.js"></script></head><main id="main" tabindex="-1">'
        '<a class="b" href="/x/">x</a><button>y</button>'
        '<section data-purpose="one two"><a href="/z/">z</a></section><section data-purpose="two"></section></main>'
    )
    shown = preview_html.freeze_page(html, purposes=["one"], nothing="Nothing.")
    assert (
        '<div class="previewed" id="previewed"><section data-purpose="one two"><a href="/z/">z</a></section></div>'
        in shown
    )
    assert "<script" not in shown
    assert 'href="/x/"' not in shown
    assert '<button disabled="">' in shown
    assert "<p>Nothing.</p></div></main>" in preview_html.freeze_page(html, purposes=["two"], nothing="Nothing.")
    assert "<p>Nothing.</p>" in preview_html.freeze_page(html, purposes=["three"], nothing="Nothing.")


def test_it_is_the_page_that_is_frozen_however_its_html_is_written():
    html = (
        "<!-- <section data-purpose='one'>not this</section> --><main>"
        "<SECTION class=shelf data-purpose = one title='a > b'><p>What it shows</SECTION>"
        "<A title='2 > 1' HREF=/x/>x</A><SCRIPT>go()</SCRIPT ><INPUT name=q></main>"
    )
    [section] = preview_html.find_marked_sections(html, ["one"])
    assert "What it shows" in section
    shown = preview_html.freeze_page(html, purposes=["one"], nothing="Nothing.")
    assert shown.count('id="previewed"') == 1
    assert "Nothing." not in shown
    assert "href" not in shown.lower()
    assert "<script" not in shown.lower()
    assert '<input disabled="" name="q"/>' in shown


def test_each_switch_on_the_preference_page_has_its_button_and_the_page_asks_by_it(pat):
    builders.pickup_method()
    page = looking(pat).get("/account/preferences/").content.decode()
    for key in previews.PREVIEW_TARGETS:
        assert f'form="see-the-difference" formaction="/account/preferences/{key}/preview/"' in page
    assert page.count('id="see-the-difference"') == 1
    shown = looking(pat).post(f"/account/preferences/{LOOKED}/preview/").content.decode()
    assert "You asked to see this" in shown
    assert "Nothing is recorded" in shown
    assert shown.count("<iframe") == 2
    assert shown.count("csrfmiddlewaretoken") >= 3  # a token with each frame's form


def test_every_page_with_switches_holds_the_form_behind_their_buttons(settings):
    pages = [page.read_text() for page in (settings.BASE_DIR / "templates").rglob("*.html")]
    whole = [page for page in pages if 'extends "base.html"' in page]  # else it is swapped into one that has the form
    switching = [page for page in whole if 'include "partials/switch.html"' in page]
    assert len(switching) >= 4
    for page in switching:
        assert 'include "partials/preview_form.html"' in page


def test_a_visitor_sees_their_one_switch_off_and_on_and_is_told_apart_from_nobody(pat):
    client, path = Client(), "/visitors/history/"
    boots = pat.orders.first().lines.first().product
    key = (purposes.VISITOR_HISTORY.key,)

    def sides() -> dict[str, str]:
        answers = {side: client.post(f"{path}preview/{side}/") for side in SIDES}
        assert not any(answer.cookies for answer in answers.values())
        return {side: answer.content.decode() for side, answer in answers.items()}

    assert "it starts with the next product you open" in sides()["on"]
    assert "nothing is remembered" in sides()["off"]
    assert "session" not in client.cookies
    client.post(path, {key[0]: "on"})
    client.get(boots.get_absolute_url())
    before, shown = dict(client.session), sides()
    page = client.post(f"{path}preview/").content.decode()
    assert "You asked to see this" in page
    assert 'formaction="/visitors/history/preview/"' in client.get("/account/preferences/").content.decode()
    assert dict(client.session) == before
    assert "You looked at Boots" in shown["on"]
    assert fragments(shown["on"], key) == fragments(client.get("/").content.decode(), key)
    client.post(path)
    assert fragments(shown["off"], key) == fragments(client.get("/").content.decode(), key) == []
    for refused in (client.get(f"{path}preview/"), client.get(f"{path}preview/on/")):
        assert refused.status_code == 405
    assert Client(enforce_csrf_checks=True).post(f"{path}preview/on/").status_code == 403


def test_a_guest_with_a_fresh_link_is_shown_the_same_and_nobody_without_one(pat):
    guest = builders.customer(with_login=False, name="Gus", ticks=(BOUGHT,))
    builders.placed_order(pat.orders.last().lines.first().variant, customer=guest)
    client = Client()
    assert client.post(f"/account/preferences/{BOUGHT}/preview/").status_code == 302
    given = client.session
    given[guest_session.GUEST_KEY] = {
        "customer": guest.pk,
        "until": (timezone.now() + guest_session.LIFETIME).timestamp(),
    }
    given.save()
    page = client.post(f"/account/preferences/{BOUGHT}/preview/")
    assert page.status_code == 200
    before = dict(client.session)
    shown = {side: fragments(seen(client, BOUGHT, side), (BOUGHT,)) for side in SIDES}
    assert shown["off"] == []
    assert shown["on"] == fragments(client.get("/").content.decode(), (BOUGHT,)) != []
    assert dict(client.session) == before
