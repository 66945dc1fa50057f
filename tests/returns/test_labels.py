"""The label of a return: asked for on its page, made by a job at the carriers', offered on the page. Over HTTP."""

import json

import pytest
from django.core.cache import cache
from django.test import Client

from orders import order_access
from orders.gateways import easypost
from orders.gateways.easypost import EasyPostRefused, EasyPostUnavailable
from orders.models import Order, ReturnAuthorization, ReturnLabel
from orders.returns import labels, steps
from orders.returns.return_holdings import make_return_holdings
from shop.retrying.models import StuckItem
from tests import builders
from tests.carriers.standin import carrier, carrier_process
from tests.papers.reading import read_pdf
from tests.person import Person
from tests.private_files import keep_private_files_in
from tests.returns.selling import Kind, came, returned, take_back

__all__ = ["carrier", "carrier_process"]

pytestmark = pytest.mark.django_db

BUYER = {"full_name": "Canary Buyer", "line1": "7 Canary Row", "phone": "+44 7700 900123"}
ASK, PRINT = "Get a label", "Label to print"


@pytest.fixture(autouse=True)
def shop(settings, tmp_path, carrier):
    cache.clear()
    keep_private_files_in(tmp_path, settings)
    take_back(pays_return_postage=True, return_label_address="adr_1", return_label_grams=500)
    return tmp_path


def awaited(**fields) -> ReturnAuthorization:
    order = came(email="canary.buyer@example.com")
    Order.objects.filter(pk=order.pk).update(**BUYER, **fields)
    order.refresh_from_db()
    return returned(order)


def guest(made: ReturnAuthorization) -> Person:
    person = Person().open(order_access.build_order_link(made.order))
    return person.open(f"/orders/{made.order.number}/returns/{made.number}/")


def count_shipments(carrier) -> int:
    return len(carrier.steer("labels"))


def test_a_buyer_asks_for_the_label_and_prints_it(carrier):
    made = awaited()
    person = guest(made).press(ASK)
    assert person.sees("We are getting your label")
    assert not person.sees(ASK)
    assert labels.make_waiting_labels() == 1
    assert labels.make_waiting_labels() == 0
    label = ReturnLabel.objects.get()
    assert (label.carrier, label.cost_text) == ("Royal Mail", "£3.35")  # the cheaper of two
    page = guest(made)
    assert page.sees("Your label is here. Royal Mail takes the parcel, and it costs you nothing.")
    assert page.sees(label.tracking_number)
    assert not page.sees("We pay the postage back")
    client = Client()
    client.get(order_access.build_order_link(made.order).removeprefix("http://localhost:8000"))
    answer = client.get(f"/orders/{made.order.number}/returns/{made.number}/label/")
    assert answer["Content-Type"] == "application/pdf"
    words = read_pdf(answer.content).words
    assert made.number in words
    assert label.tracking_number in words


def test_the_carrier_gets_name_and_address_and_neither_mail_nor_telephone(carrier):
    made = awaited(carrier_may_write=True)
    before = len(carrier.steer("requests"))
    guest(made).press(ASK)
    labels.make_waiting_labels()
    told = json.dumps(carrier.steer("requests")[before:])
    assert "Canary Buyer" in told
    assert "7 Canary Row" in told
    assert BUYER["phone"] not in told
    assert "canary.buyer" not in told
    [shipment] = [each["shipment"] for each in carrier.steer("requests")[before:] if "shipment" in each]
    assert shipment["is_return"] is True
    assert shipment["from_address"] == {"id": "adr_1"}
    assert shipment["parcel"] == {"weight": 17.6}  # ounces of 500 g
    assert shipment["reference"] == made.number


@pytest.mark.parametrize("kind", Kind)
def test_it_is_offered_where_sending_back_costs_the_buyer_nothing(kind):
    take_back(pays_return_postage=False, return_label_address="adr_1")
    made = returned(came(), kind=kind, words="It broke.")
    assert guest(made).sees(ASK) == (kind == Kind.FAULTY)


@pytest.mark.parametrize("why", ["no address", "no account", "it is here", "refused"])
def test_where_none_can_be_had_none_is_offered_and_asking_makes_none(why, settings):
    made = awaited()
    if why == "no address":
        take_back(pays_return_postage=True, return_label_address="")
    elif why == "no account":
        settings.EASYPOST_API_KEY = ""
    elif why == "it is here":
        steps.receive_return(made.pk, actor="Sam")
    else:
        steps.refuse_return(made.pk, actor="Sam", reason="It was worn.")
    assert not guest(made).sees(ASK)
    client = Client()
    client.get(order_access.build_order_link(made.order).removeprefix("http://localhost:8000"))
    answer = client.post(f"/orders/{made.order.number}/returns/{made.number}/label/", follow=True)
    assert "There is no label for this return any more." in answer.text
    assert not ReturnLabel.objects.exists()


def test_pressed_twice_one_is_bought(carrier):
    made = awaited()
    before = count_shipments(carrier)
    for _ in range(2):
        client = Client()
        client.get(order_access.build_order_link(made.order).removeprefix("http://localhost:8000"))
        client.post(f"/orders/{made.order.number}/returns/{made.number}/label/")
    labels.make_waiting_labels()
    assert ReturnLabel.objects.count() == 1
    assert count_shipments(carrier) == before + 1


def test_a_worker_that_dies_once_it_is_bought_buys_no_second(carrier, monkeypatch):
    made = awaited()
    guest(made).press(ASK)
    before = count_shipments(carrier)

    def die(url: str) -> bytes:
        raise SystemExit

    with monkeypatch.context() as patched:
        patched.setattr(easypost, "fetch_label", die)
        with pytest.raises(SystemExit):
            labels.make_waiting_labels()
    assert labels.make_waiting_labels() == 1
    assert ReturnLabel.objects.get().made_at
    assert count_shipments(carrier) == before + 1


def test_where_no_carrier_goes_the_buyer_reads_what_to_do_instead(carrier):
    made = awaited(country="XX")
    guest(made).press(ASK)
    labels.make_waiting_labels()
    label = ReturnLabel.objects.get()
    assert label.refused_reason == "No carrier takes it, paid in GBP. No rates for this country."
    assert guest(made).sees("No carrier of ours takes it from there. Send it as you like: we pay the postage back")
    assert labels.make_waiting_labels() == 0


def test_carriers_out_of_reach_are_asked_again_and_staff_are_told(settings, carrier):
    made = awaited()
    guest(made).press(ASK)
    settings.EASYPOST_API_BASE = "http://127.0.0.1:1"
    labels.make_waiting_labels()
    assert StuckItem.objects.get(loop="return_labels").item == f"{made.pk}"
    assert ReturnLabel.objects.get().is_waiting
    StuckItem.objects.all().delete()
    settings.EASYPOST_API_BASE = carrier.url
    assert labels.make_waiting_labels() == 1


def test_a_stranger_neither_asks_nor_reads():
    made = awaited()
    guest(made).press(ASK)
    labels.make_waiting_labels()
    stranger = Client()
    stranger.get(order_access.build_order_link(builders.sent_order()).removeprefix("http://localhost:8000"))
    path = f"/orders/{made.order.number}/returns/{made.number}/label/"
    assert (stranger.get(path).status_code, stranger.post(path).status_code) == (404, 404)


def test_its_file_goes_with_its_row(shop):
    made = awaited()
    guest(made).press(ASK)
    labels.make_waiting_labels()
    assert len(list(shop.rglob("*.pdf"))) == 1
    assert labels.delete_labels(list(ReturnLabel.objects.all())) == 1
    assert not list(shop.rglob("*.pdf"))
    assert "return_labels" in {each.key for each in make_return_holdings()}


@pytest.mark.parametrize("url", ["http://169.254.169.254/latest", "file:///etc/passwd", "ftp://example.com/a.pdf"])
def test_a_label_is_fetched_from_no_address_that_is_not_safe(url):
    with pytest.raises(EasyPostUnavailable, match="no safe address"):
        easypost.fetch_label(url)


def test_what_is_no_pdf_is_no_label(carrier):
    with pytest.raises(EasyPostUnavailable, match="no PDF"):
        easypost.fetch_label(f"{carrier.url}/healthz")


def test_what_easypost_refuses_is_said_in_its_words():
    with pytest.raises(EasyPostRefused, match="not complete"):
        easypost.create_return({"full_name": "A"}, goes_to="adr_1", grams=1, reference="RMA-1")
