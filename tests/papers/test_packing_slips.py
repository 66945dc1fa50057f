"""The packing slip as PDF: what stands on it, what does not, and its barcode as a scanner reads it from the page."""

import time

import pytest

from accounts.models import AccessLogEntry
from orders.models import Shipment, ShopSettings
from orders.papers import packing_slips
from orders.papers.packing_slips import render_packing_slips
from orders.papers.typesetting import PAPERS
from tests import builders, cast
from tests.backoffice.steps import LIST, order_at, said, take
from tests.notifications import acts
from tests.papers.reading import read_pdf, scan_page
from tests.patience import stretched

pytestmark = pytest.mark.django_db

MAIL, PHONE = "qzslipmailzq@example.com", "qzslipphonezq"
MARKUP = '#panic("read") $ x^2 $ *bold* _em_ [box] @ref <label> \\ "quoted" `raw` // gone ~ = Head'


@pytest.fixture
def staff(client):
    client.force_login(cast.sam())
    return client


def download(staff, *orders):
    return staff.post(
        f"{LIST}?queue=any",
        {"action": "packing_slips", "as_pdf": "1", "_selected_action": [order.pk for order in orders]},
    )


def render(*parcels: Shipment):
    return read_pdf(render_packing_slips(parcels, ShopSettings.current()))


def parcel_to(name: str, **fields) -> Shipment:
    order = builders.placed_order(**fields)
    order.full_name = name
    order.save()
    return acts.parcel(order)


def test_a_slip_names_shop_buyer_lines_and_who_packed_it_and_no_price(staff):
    ShopSettings.objects.create(pk=1, name="Say When", postal_address="1 Harbour Row, Whitby")
    item = builders.variant(builders.product("Wool socks", sizes=("13",)), price="987.65", sku="WOOL-13")
    order = order_at("picked", item, quantity=3, gift_note="Happy birthday", shipping_name="Express")
    Shipment.objects.filter(order=order).update(packing_note="Wrapped twice.", packed_by="Sam", stage="packed")
    answer = download(staff, order)
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/pdf")
    assert "no-store" in answer["Cache-Control"]
    words = read_pdf(answer.content).words
    for expected in (
        *("Say When", "1 Harbour Row, Whitby", f"Order {order.number}", "Pat Reader", "1 High Street", "Leeds"),
        *("Wool socks", item.label, "WOOL-13", "“Happy birthday”", "“Wrapped twice.” — Sam, who packed it", "Express"),
    ):
        assert expected in words, expected
    assert "3 Wool socks" in words
    assert "987" not in words
    assert "£" not in words


@pytest.mark.parametrize("may_write", [False, True])
def test_no_slip_holds_the_buyers_email_or_phone(staff, may_write):
    order = order_at("packed", email=MAIL, phone=PHONE, carrier_may_write=may_write)
    answer = download(staff, order)
    paper = read_pdf(answer.content)
    assert order.number in paper.words
    for word in (MAIL, PHONE, "qzslip"):
        assert word not in paper.words
        assert word.encode() not in paper.data


@pytest.mark.parametrize("dots", [203, 300])
def test_every_slip_is_a_page_and_its_barcode_is_read_back_from_it(dots):
    numbers = ("SW-7Q4K-2MXP-9T", "SW-AAAA-2222-ZZ", "SW-WMWM-9J8X-QK")
    parcels = [acts.parcel(builders.placed_order(number=number)) for number in numbers]
    paper = render(*parcels)
    assert len(paper.pages) == 3
    for index, parcel in enumerate(parcels):
        assert parcel.order.number in paper.pages[index]
        assert scan_page(paper.data, index, dots=dots) == [parcel.order.number]


def test_parcels_of_one_order_say_which_of_them_they_are():
    order = builders.placed_order()
    parcels = [acts.parcel(order), acts.parcel(order, stage="cancelled"), acts.parcel(order)]
    paper = render(parcels[0], parcels[2])
    assert "Parcel 1 of 2" in paper.pages[0]
    assert "Parcel 2 of 2" in paper.pages[1]
    assert "Parcel" not in render(acts.parcel(builders.placed_order())).words


def test_a_slip_is_tagged_and_titled_for_whoever_has_it_read_aloud():
    paper = render(acts.parcel(builders.placed_order()))
    assert paper.is_tagged
    assert paper.title == "Packing slips of Say When"
    for part in (b"pdfuaid", b"/Lang"):
        assert part in paper.data


def test_what_looks_like_markup_is_printed_as_it_is():
    order = builders.placed_order(gift_note=MARKUP)
    order.lines.update(title=MARKUP[:200], options=MARKUP[:100])
    order.full_name = MARKUP[:100]
    order.save()
    words = render(acts.parcel(order, packing_note=MARKUP, packed_by=MARKUP[:80])).words
    assert words.replace(" ", "").count(MARKUP.replace(" ", "")[:50]) == 6  # each text once


@pytest.mark.parametrize(
    "name", ["Αλέξης Ζορμπάς", "Пётр Чайковский", "Đặng Thị Ngọc", "Łukasz Żółć", "ქეთევან გელაშვილი", "Հայկ Ավետիսյան"]
)
def test_names_are_printed_in_their_own_letters(name):
    assert name in render(parcel_to(name)).words


@pytest.mark.parametrize(
    "name", ["王小明", "김민수", "प्रिया शर्मा", "สมชาย ใจดี", "🎁 Kim \u200d\u0301", "أحمد", "שרה כהן"]
)
def test_a_name_in_any_script_leaves_a_slip_that_can_be_delivered(name):
    """In its own letters where a font has them, else in ours; the rest of the slip stays as it is."""
    paper = render(parcel_to(name))
    assert "1 High Street" in paper.words
    assert scan_page(paper.data, 0)


def test_two_hundred_parcels_are_one_file_in_bounded_time():
    order = builders.placed_order(*(builders.variant() for _ in range(3)))
    parcels = [acts.parcel(order)] * 200
    began = time.monotonic()
    paper = render(*parcels)
    assert time.monotonic() - began < stretched(10)
    assert len(paper.pages) == 200


def test_more_than_fit_into_one_file_are_refused(staff, monkeypatch):
    monkeypatch.setattr(packing_slips, "MOST_SLIPS", 1)
    orders = [order_at("packed") for _ in range(2)]
    answer = take(staff, "packing_slips", *orders, as_pdf="1")
    assert said(answer) == ["2 slips are too many for one file. Choose up to 1 at a time."]
    assert answer["Content-Type"].startswith("text/html")
    assert AccessLogEntry.objects.filter(kind="print").count() == 0


def test_the_queue_leads_to_the_file_and_who_printed_it_is_on_record(staff):
    order = order_at("packed", customer=cast.alice())
    assert "Open as PDF" in take(staff, "packing_slips", order).text
    download(staff, order)
    printed = AccessLogEntry.objects.filter(kind="print").order_by("id").values_list("detail", flat=True)
    assert list(printed) == ["Packing slips", "Packing slips, PDF"]


def test_orders_without_a_parcel_give_no_file(staff):
    answer = take(staff, "packing_slips", builders.placed_order(), as_pdf="1")
    assert said(answer) == ["There is no parcel to pack here."]


def test_a_template_reads_nothing_outside_its_folder():
    assert "read(" not in "".join(path.read_text() for path in PAPERS.glob("*.typ"))


@pytest.mark.parametrize(("count", "words"), [(1, ""), (3, "3 boxes")])
def test_a_slip_says_of_how_many_boxes_its_parcel_is(staff, count, words):
    order = order_at("packed")
    Shipment.objects.filter(order=order).update(box_count=count)
    for said_so in (read_pdf(download(staff, order).content).words, take(staff, "packing_slips", order).text):
        assert order.number in said_so
        assert ("boxes" in said_so, words in said_so) == (count > 1, True)
