"""“Return or exchange something” and “Something is wrong with it”, as buyers walk them; and who may not."""

import io
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone
from django.utils.formats import date_format
from PIL import Image

from orders import order_access
from orders.models import InfoPage, Order, ReturnAuthorization, ReturnExclusion, ReturnPicture
from orders.returns import pictures, requesting, return_holdings, steps
from orders.returns.requesting import request_return
from orders.returns.return_holdings import FILE_RETENTION
from orders.returns.steps import compute_guarantee_after_repair
from shop.storefront import page_cache
from shop.storefront.views.returns import draw_qr_code
from tests import builders, cast
from tests.person import ClientRoad, Person
from tests.private_files import keep_private_files_in
from tests.returns.selling import Kind, Wanted, add_line, came, exchanged, returned, take_back, wish

pytestmark = pytest.mark.django_db

RETURN, FAULT = "Return or exchange something", "Something is wrong with it"


@pytest.fixture(autouse=True)
def _shop(settings, tmp_path):
    cache.clear()
    keep_private_files_in(tmp_path, settings)
    take_back()


def guest(order: Order) -> Person:
    return Person().open(order_access.build_order_link(order))


def guest_client(order: Order) -> Client:
    client = Client()
    client.get(order_access.build_order_link(order).removeprefix("http://localhost:8000"))
    return client


def picture(*, kind: str = "PNG", name: str = "photo.exe", exif: bytes = b"") -> SimpleUploadedFile:
    kept = io.BytesIO()
    more = {"exif": exif} if exif else {}
    Image.new("RGB", (3000, 2000), "red").save(kept, kind, **more)
    return SimpleUploadedFile(name, kept.getvalue(), content_type="application/x-msdownload")


def sent(order: Order, **fields) -> dict[str, object]:
    line = order.lines.get()
    return {f"line-{line.pk}": "1", "wanted": "repair", "reason": "broke", "words": "The seam opened.", **fields}


# -- Asking for it ---------------------------------------------------------------------------------------------


def test_a_guest_sends_something_back_and_reads_what_to_do():
    order = came()
    person = guest(order).click(RETURN)
    person.choose("Why?", "Too small").press("Ask for the return")
    made = ReturnAuthorization.objects.get()
    assert (made.order, made.wanted, made.kind) == (order, Wanted.REFUND, Kind.RETURN)
    assert person.path == f"/orders/{order.number}/returns/{made.number}/"
    assert person.sees(f"the number {made.number} into the parcel")
    assert person.sees("The postage back is yours to pay.")
    person.click("Slip to print")
    assert person.sees("In this parcel")
    assert "<path" in person.text


def test_a_customer_exchanges_for_another_size():
    alice = cast.alice()
    order = came(customer=alice)
    road = ClientRoad()
    road.client.force_login(alice.user)
    person = Person(road=road).open(f"/orders/{order.number}/").click(RETURN)
    person.choose("What would you like?", "Another size or colour").choose("Instead of size S", "size M, £14.00")
    person.choose("Why?", "Too small").press("Ask for the return")
    assert ReturnAuthorization.objects.get().lines.get().exchange_variant.size == "M"


def test_without_saying_what_instead_it_is_asked_and_nothing_is_written():
    order = came()
    person = guest(order).click(RETURN).choose("What would you like?", "Another size or colour")
    person.choose("Why?", "Too small").press("Ask for the return")
    assert person.sees("Please choose what you would like instead.")
    assert not ReturnAuthorization.objects.exists()


@pytest.mark.parametrize(("country", "is_said"), [("DE", True), ("US", False)])
def test_before_choosing_it_is_said_what_repair_does_to_the_guarantee(country, is_said):
    order = came(country=country)
    until = compute_guarantee_after_repair(order)
    assert (until is not None) is is_said
    person = guest(order).open(f"/orders/{order.number}/fault/")
    assert person.sees("If you choose repair, we answer for it a year longer") is is_said
    assert not is_said or person.sees(f"until {date_format(until, 'j F Y')}. A replacement leaves that time as it is.")
    assert not guest(order).open(f"/orders/{order.number}/return/").sees("If you choose repair")


@pytest.mark.parametrize(("door", "button"), [(RETURN, "Ask for the return"), (FAULT, "Tell us")])
def test_no_reason_is_chosen_for_anybody(door, button):
    person = guest(came()).click(door)
    if door == FAULT:
        person.write("In your words", "The seam opened.")
    person.press(button)
    assert person.sees("Please choose what comes closest.")
    assert not ReturnAuthorization.objects.exists()


@pytest.mark.parametrize("count", ["2", "-1", "many", "0"])
def test_more_than_was_bought_gets_a_sentence_and_nothing_is_written(count):
    person = guest(came()).click(RETURN).write("Wool jumper (size S)", count)
    person.choose("Why?", "Too small").press("Ask for the return")
    assert person.status == 200
    assert 'class="errorlist' in person.text
    if count == "2":
        assert person.sees("you can send back 1 at most: you have no more of it")
    assert not ReturnAuthorization.objects.exists()


def test_what_went_back_meanwhile_is_said_beside_its_line_and_what_was_typed_stays(monkeypatch):
    """Somebody else was first, between the form's look and the lock."""
    order = came(quantity=3)
    person = guest(order).click(RETURN).write("Wool jumper (size S)", "2").choose("Why?", "Too small")
    person.write("Anything we should know?", "The sleeves.")
    look = requesting.request_return

    def late(order_id, wished):
        returned(order, count=2, words="First")
        return look(order_id, wished)

    monkeypatch.setattr(requesting, "request_return", late)
    person.press("Ask for the return")
    assert person.status == 200
    assert person.sees("Of “Wool jumper” you can send back 1, not 2.")
    assert "The sleeves." in person.text
    assert 'value="2"' in person.text
    assert ReturnAuthorization.objects.get().words == "First"


def test_a_line_that_an_older_page_names_is_said_and_the_rest_is_kept():
    order = came(quantity=2, sizes=("S", "M", "L"))
    first = order.lines.get()
    second = add_line(order, first.product.variants.last())
    person = guest(order).click(RETURN).write("Wool jumper (size S)", "1").write("Wool jumper (size L)", "1")
    person.choose("Why?", "Too small").write("Anything we should know?", "The sleeves.")
    request_return(order.pk, wish(order, line=second, words="First"))
    person.press("Ask for the return")
    assert person.sees("Of “Wool jumper (size L)” nothing can be sent back now.")
    assert "The sleeves." in person.text
    assert ReturnAuthorization.objects.count() == 1
    person.press("Ask for the return")
    assert ReturnAuthorization.objects.exclude(words="First").get().lines.get().order_line == first


def test_with_a_mistake_in_it_the_form_asks_for_its_pictures_again():
    order = came()
    page = guest_client(order).post(f"/orders/{order.number}/fault/", sent(order, words="", picture_1=picture()))
    assert "choose your pictures once more" in page.text
    assert not ReturnPicture.objects.exists()


def test_something_wrong_is_a_path_of_its_own_and_costs_nothing():
    order = came(days_ago=400)
    person = guest(order)
    assert not person.sees(RETURN)
    person.click(FAULT).choose("What would you like?", "Replacement").write("In your words", "The seam opened.")
    person.choose("What happened?", "Broke or stopped working").press("Tell us")
    made = ReturnAuthorization.objects.get()
    assert (made.kind, made.wanted, made.words) == (Kind.FAULTY, Wanted.REPLACEMENT, "The seam opened.")
    assert person.sees("It costs you nothing")
    assert not order.withdrawals.exists()


def test_what_is_wrong_has_to_be_said():
    person = guest(came()).click(FAULT).choose("What happened?", "Broke or stopped working").press("Tell us")
    assert person.sees("Please say what is wrong")
    assert not ReturnAuthorization.objects.exists()


def test_what_the_policy_leaves_out_is_said_and_cannot_be_chosen():
    order = came()
    ReturnExclusion.objects.create(product=order.lines.get().product)
    page_cache.clear()
    person = guest(order).click(RETURN)
    assert person.sees("is not taken back once it was bought")
    assert not person.has_button("Ask for the return")


def test_before_it_has_left_neither_is_offered():
    person = guest(builders.placed_order(email="pat@example.com"))
    assert not person.sees(RETURN)
    assert not person.sees(FAULT)


def test_the_order_page_tells_each_step():
    order = came()
    made = returned(order)
    person = guest(order)
    assert person.sees("You send it back")
    steps.receive_return(made.pk, actor="Sam")
    assert person.open(f"/orders/{order.number}/").sees("Money back by")
    steps.settle_return(made.pk, actor="Sam")
    assert person.open(f"/orders/{order.number}/").sees("Your money is on its way back")
    other = returned(came(email="pat@example.com"))
    steps.refuse_return(other.pk, actor="Sam", reason="It was worn.")
    page = guest(other.order)
    assert page.sees("We could not take it back")
    assert page.sees("It was worn.")


def test_an_order_with_no_returns_asks_no_more_queries(client, django_assert_max_num_queries):
    order = came()
    client = guest_client(order)
    client.get(f"/orders/{order.number}/")
    with django_assert_max_num_queries(14) as asked:
        client.get(f"/orders/{order.number}/")
    assert not any('FROM "orders_returnauthorization"' in query["sql"] for query in asked)


def test_a_guest_follows_what_is_sent_in_exchange_and_a_stranger_does_not(client):
    order = came()
    made = steps.receive_return(exchanged(order).pk, actor="Sam")
    sent_instead = steps.send_exchange(made.pk, actor="Sam")
    person = guest(order).click("Follow it")
    assert (person.status, person.path) == (200, f"/orders/{sent_instead.number}/")
    assert client.get(sent_instead.get_absolute_url()).status_code == 404
    other = guest_client(came())
    assert other.get(sent_instead.get_absolute_url()).status_code == 404
    buyer = builders.customer()
    Order.objects.filter(pk=sent_instead.pk).update(customer=buyer)
    signed_in = guest_client(came())
    signed_in.force_login(buyer.user)
    signed_in.get(order_access.build_order_link(came()).removeprefix("http://localhost:8000"))
    assert signed_in.get(sent_instead.get_absolute_url()).status_code == 200  # their own, whatever links they hold


# -- Who may -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["return/", "fault/", "returns/{}/", "returns/{}/slip/", "returns/{}/pictures/1/"])
def test_strangers_find_nothing_and_write_nothing(client, path):
    order = came()
    made = returned(order)
    url = f"/orders/{order.number}/{path.format(made.number)}"
    assert client.get(url).status_code == 404
    client.post(url, sent(order))
    assert ReturnAuthorization.objects.count() == 1


def test_another_orders_return_is_not_found_by_the_wrong_order():
    order, other = came(), came()
    made = returned(other)
    assert guest_client(order).get(f"/orders/{order.number}/returns/{made.number}/").status_code == 404


def test_more_than_a_few_a_minute_are_refused(settings):
    settings.WITHDRAWALS_PER_MINUTE = 1
    order = came()
    client = guest_client(order)
    url = f"/orders/{order.number}/fault/"
    client.post(url, {})
    assert client.post(url, sent(order)).status_code == 429
    assert not ReturnAuthorization.objects.exists()


# -- Pictures --------------------------------------------------------------------------------------------------


def test_a_picture_is_told_by_its_content_re_encoded_bounded_and_private(client):
    order = came()
    mine = guest_client(order)
    exif = Image.Exif()
    exif[0x010E] = "Taken at home"
    mine.post(f"/orders/{order.number}/fault/", sent(order, picture_1=picture(kind="JPEG", exif=exif.tobytes())))
    kept = ReturnPicture.objects.get()
    url = f"/orders/{order.number}/returns/{kept.return_authorization.number}/pictures/{kept.pk}/"
    answer = mine.get(url)
    content = b"".join(answer.streaming_content)
    shown = Image.open(io.BytesIO(content))
    assert (shown.format, max(shown.size)) == ("WEBP", 1200)
    assert b"Taken at home" not in content
    assert answer["Content-Type"] == "image/webp"
    assert "no-store" in answer["Cache-Control"]
    assert client.get(url).status_code == 404
    assert client.get(f"/media/{kept.file}").status_code == 404


@pytest.mark.parametrize("content", [b"MZ not a picture", b"<svg onload=alert(1)>", b""])
def test_what_is_no_picture_is_refused_and_nothing_is_written(content):
    order = came()
    upload = SimpleUploadedFile("photo.jpg", content or b" ", content_type="image/jpeg")
    page = guest_client(order).post(f"/orders/{order.number}/fault/", sent(order, picture_1=upload))
    assert "not a picture we can read" in page.text
    assert not ReturnAuthorization.objects.exists()


def test_too_large_a_picture_is_refused(monkeypatch):
    monkeypatch.setattr(pictures, "LARGEST_UPLOAD", 1000)
    order = came()
    page = guest_client(order).post(f"/orders/{order.number}/fault/", sent(order, picture_1=picture()))
    assert "larger than" in page.text
    assert not ReturnAuthorization.objects.exists()


def test_pictures_go_after_their_time_with_their_files():
    order = came()
    guest_client(order).post(f"/orders/{order.number}/fault/", sent(order, picture_1=picture()))
    old = ReturnPicture.objects.get()
    assert return_holdings._retire_pictures() == 0
    ReturnPicture.objects.update(created_at=timezone.now() - FILE_RETENTION - timedelta(days=1))
    assert return_holdings._retire_pictures() == 1
    assert not pictures.get_private_storage().exists(old.file)


# -- Said before buying ----------------------------------------------------------------------------------------


def test_the_products_page_says_it_before_buying(client):
    product = came().lines.get().product
    said = "Send it back within 30 days: money back or another size or colour. You pay for sending it back."
    assert said in client.get(product.get_absolute_url()).text
    ReturnExclusion.objects.create(category=product.category)
    page_cache.clear()
    assert "We do not take this back" in client.get(product.get_absolute_url()).text
    take_back(days=0)
    page = client.get(product.get_absolute_url()).text
    assert "take this back" not in page
    assert "Send it back" not in page


def test_the_page_about_returns_says_what_the_settings_say(client):
    take_back(days=45, pays_return_postage=True, return_refund_days=6)
    InfoPage.objects.update_or_create(
        slug="returns", defaults={"title": "Returns", "facts": InfoPage.Facts.RETURNS, "is_published": True}
    )
    page = " ".join(client.get("/pages/returns/").text.split())
    for words in ("For 45 days after", "We pay for sending it back.", "Within 6 days of", "withdraw from the contract"):
        assert words in page


def test_the_slips_code_holds_the_number():
    """Its outline is what the library draws of that number, and of no other."""
    first, again, other = (draw_qr_code(text) for text in ("RMA-2222-2222-22", "RMA-2222-2222-22", "RMA-2222-2222-23"))
    assert first == again != other
    assert first["side"] == 25


def test_the_checkout_says_it_of_all_that_is_bought(client):
    builders.shipping_method()
    jumper, mug = builders.product("Wool jumper"), builders.product("Mug")
    for goods in (jumper, mug):
        client.post("/cart/lines/", {"variant": goods.variants.get().pk})
    said = "Send it back within 30 days: money back or another size or colour. You pay for sending it back."
    assert "Not taken back" not in client.get("/checkout/").text
    assert said in client.get("/checkout/").text
    ReturnExclusion.objects.create(product=mug)
    page_cache.clear()
    assert f"{said} Not taken back by choice, only if faulty: Mug." in client.get("/checkout/").text
    ReturnExclusion.objects.create(product=jumper)
    page_cache.clear()
    none = client.get("/checkout/").text
    assert "We do not take this back once it was bought by choice; what is faulty we always do." in none
    assert said not in none
    take_back(days=0)
    page = client.get("/checkout/").text
    assert "take this back" not in page
    assert "Send it back" not in page


def test_of_two_things_of_one_name_the_checkout_says_that_one_is_left_out(client):
    builders.shipping_method()
    first, second = builders.product("Mug"), builders.product("Mug")
    for goods in (first, second):
        client.post("/cart/lines/", {"variant": goods.variants.get().pk})
    ReturnExclusion.objects.create(product=first)
    page_cache.clear()
    assert (
        "You pay for sending it back. Not taken back by choice, only if faulty: Mug." in client.get("/checkout/").text
    )
