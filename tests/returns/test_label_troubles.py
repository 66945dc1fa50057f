"""The label of a return in trouble: it is not wanted any more, or EasyPost answers what it should not."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from orders import order_access
from orders.gateways import easypost
from orders.gateways.easypost import BoughtLabel, EasyPostUnavailable
from orders.models import Order, ReturnAuthorization, ReturnLabel
from orders.returns import labels, steps
from orders.returns.return_holdings import make_return_holdings
from shop.retrying.models import StuckItem
from tests import builders
from tests.carriers.standin import carrier, carrier_process
from tests.person import Person
from tests.private_files import keep_private_files_in
from tests.returns.selling import Kind, came, returned, take_back

__all__ = ["carrier", "carrier_process"]

pytestmark = pytest.mark.django_db

ASK, WAITS = "Get a label", "We are getting your label"
PDF = b"%PDF-1.7 a label"


@pytest.fixture(autouse=True)
def shop(settings, tmp_path, carrier):
    cache.clear()
    keep_private_files_in(tmp_path, settings)
    take_back(pays_return_postage=True, return_label_address="adr_1", return_label_grams=500)
    return tmp_path


class Elsewhere(ThreadingHTTPServer):
    """Some server: `answers` by method and path: status, headers and body. It keeps what it was asked."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), ElsewhereHandler)
        self.answers: dict[tuple[str, str], tuple[int, dict[str, str], bytes]] = {}
        self.asked: list[tuple[str, str]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def say(self, method: str, path: str, told: Any, *, status: int = 200, **headers: str) -> None:
        body = told if isinstance(told, bytes) else json.dumps(told).encode()
        self.answers[method, path] = (status, {"Content-Length": str(len(body)), **headers}, body)


class ElsewhereHandler(BaseHTTPRequestHandler):
    server: Elsewhere

    def do_GET(self) -> None:
        self.server.asked.append((self.command, self.path))
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        status, headers, body = self.server.answers.get((self.command, self.path), (404, {"Content-Length": "0"}, b""))
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET  # noqa: N815 - the base class names it

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class names it
        pass


@pytest.fixture
def elsewhere() -> Iterator[Elsewhere]:
    server = Elsewhere()
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def asked(**fields: Any) -> ReturnAuthorization:
    """A return whose buyer has pressed the button."""
    made = returned(came(**fields))
    guest(made).press(ASK)
    return made


def open_page(made: ReturnAuthorization, client: Client, *, label: bool = False) -> Any:
    path = f"/orders/{made.order.number}/returns/{made.number}/"
    return client.get(f"{path}label/" if label else path)


def guest(made: ReturnAuthorization) -> Person:
    person = Person().open(order_access.build_order_link(made.order))
    return person.open(f"/orders/{made.order.number}/returns/{made.number}/")


def count_told(carrier) -> tuple[int, int]:
    return len(carrier.steer("labels")), len(carrier.steer("requests"))


@pytest.mark.parametrize("why", ["here", "refused"])
def test_of_what_is_here_or_refused_before_the_job_ran_no_label_is_bought(carrier, why):
    made, before = asked(), count_told(carrier)
    if why == "here":
        steps.receive_return(made.pk, actor="Sam")
    else:
        steps.refuse_return(made.pk, actor="Sam", reason="It was worn.")
    assert labels.make_waiting_labels() == 0
    assert count_told(carrier) == before
    assert ReturnLabel.objects.get().made_at is None
    page = guest(made)
    assert not page.sees(WAITS)
    assert 'http-equiv="refresh"' not in page.text


@pytest.mark.parametrize("what", ["refused", "erased"])
def test_what_changes_while_the_carrier_is_told_is_seen_before_anything_is_bought(carrier, what, monkeypatch):
    made = asked()
    tell = easypost.create_return

    def tell_slowly(*args: Any, **options: Any) -> str:
        if what == "refused":
            steps.refuse_return(made.pk, actor="Sam", reason="It was worn.")
        else:
            labels.delete_labels(list(ReturnLabel.objects.all()))
        return tell(*args, **options)

    monkeypatch.setattr(easypost, "create_return", tell_slowly)
    labels.make_waiting_labels()
    assert carrier.steer("labels")[-1]["reference"] == made.number
    assert carrier.steer("labels")[-1]["postage_label"] is None
    assert not ReturnLabel.objects.exclude(made_at=None).exists()


def test_while_the_shop_makes_none_nobody_is_told_to_wait_for_one_and_nothing_is_stuck(carrier):
    made, before = asked(), count_told(carrier)
    StuckItem.objects.create(
        loop="return_labels", item=made.pk, subject="A label", error="It did not answer.",
        first_failed_at=made.requested_at, last_failed_at=made.requested_at, retry_at=made.requested_at,
    )  # fmt: skip
    take_back(return_label_address="")
    assert labels.make_waiting_labels() == 0
    assert count_told(carrier) == before
    assert not StuckItem.objects.exists()
    page = guest(made)
    assert not page.sees(WAITS)
    assert page.sees("Send it to the address below")
    assert 'http-equiv="refresh"' not in page.text
    take_back(return_label_address="adr_1")
    assert guest(made).sees(WAITS)
    assert labels.make_waiting_labels() == 1


def test_what_was_collected_in_a_store_has_no_address_for_a_label(carrier):
    made = returned(came(pickup_store=builders.store()))
    Order.objects.filter(pk=made.order_id).update(line1="", city="", postcode="")
    before = count_told(carrier)
    assert not guest(made).sees(ASK)
    client = Client()
    client.get(order_access.build_order_link(made.order).removeprefix("http://localhost:8000"))
    client.post(f"/orders/{made.order.number}/returns/{made.number}/label/")
    assert not ReturnLabel.objects.exists()
    assert count_told(carrier) == before


def test_a_label_that_was_asked_for_goes_with_its_buyer_and_none_is_made(carrier):
    made, before, buyer = asked(), count_told(carrier), builders.customer()
    Order.objects.filter(pk=made.order_id).update(customer=buyer)
    [holding] = [each for each in make_return_holdings() if each.key == "return_labels"]
    assert holding.erase(buyer) == 1
    assert labels.make_waiting_labels() == 0
    assert count_told(carrier) == before


def test_a_session_whose_access_was_taken_reads_no_label():
    made = asked()
    labels.make_waiting_labels()
    client = Client()
    client.get(order_access.build_order_link(made.order).removeprefix("http://localhost:8000"))
    assert open_page(made, client, label=True).status_code == 200
    session = client.session
    del session[order_access.GRANTS]
    session.save()
    assert open_page(made, client).status_code == 404
    assert open_page(made, client, label=True).status_code == 404


def test_where_the_file_is_gone_the_page_of_the_label_is_not_there(shop):
    made = asked()
    labels.make_waiting_labels()
    for each in shop.rglob("*.pdf"):
        each.unlink()
    client = Client()
    client.get(order_access.build_order_link(made.order).removeprefix("http://localhost:8000"))
    assert open_page(made, client, label=True).status_code == 404


def test_a_row_that_cannot_be_written_leaves_no_file_behind(shop, monkeypatch):
    asked()
    bought = BoughtLabel("x", "0" * 99, "https://x.example/label.pdf", easypost.MOST_COST, "GBP")
    monkeypatch.setattr(easypost, "buy_label", lambda reference: bought)
    monkeypatch.setattr(easypost, "fetch_label", lambda url: PDF)
    labels.make_waiting_labels()
    assert StuckItem.objects.filter(loop="return_labels").exists()
    assert not list(shop.rglob("*.pdf"))


RATE = {"id": "rate_1", "carrier": "RoyalMail", "rate": "3.35", "currency": "GBP"}
BOUGHT = {
    "selected_rate": RATE,
    "tracking_code": "RB070000001GB",
    "postage_label": {"label_url": "https://labels.example/1.pdf"},
}


@pytest.mark.parametrize("price", ["NaN", "sNaN", "-1.00", "Infinity", "1E+20", "cheap", "", None, [], float("nan")])
def test_at_a_price_that_is_none_nothing_is_bought(elsewhere, settings, price):
    settings.EASYPOST_API_BASE = elsewhere.url
    elsewhere.say("GET", "/v2/shipments/shp_1", {"rates": [{**RATE, "rate": price}, {**RATE, "rate": "9.00"}]})
    with pytest.raises(EasyPostUnavailable):
        easypost.buy_label("shp_1")
    assert elsewhere.asked == [("GET", "/v2/shipments/shp_1")]


@pytest.mark.parametrize(
    "broken",
    [
        {"selected_rate": None},
        {"selected_rate": "RoyalMail"},
        {"selected_rate": {**RATE, "currency": "GBPGBP"}},
        {"tracking_code": None},
        {"tracking_code": "9" * 61},
        {"tracking_code": ["RB070000001GB"]},
        {"postage_label": ["https://labels.example/1.pdf"]},
        {"postage_label": {"label_url": None}, "rates": [RATE]},
    ],
)
def test_an_answer_that_lacks_what_it_should_have_is_asked_for_again(elsewhere, settings, broken):
    settings.EASYPOST_API_BASE = elsewhere.url
    elsewhere.say("GET", "/v2/shipments/shp_1", {**BOUGHT, **broken})
    with pytest.raises(EasyPostUnavailable):
        easypost.buy_label("shp_1")


@pytest.mark.parametrize("rates", [None, "GBP", {"GBP": "3.35"}, ["RoyalMail", 3]])
def test_rates_that_are_none_are_no_rates(elsewhere, settings, rates):
    settings.EASYPOST_API_BASE = elsewhere.url
    elsewhere.say("GET", "/v2/shipments/shp_1", {"rates": rates, "messages": ["no", {"message": "Too far."}]})
    with pytest.raises(easypost.EasyPostRefused, match=r"No carrier takes it, paid in GBP. Too far\."):
        easypost.buy_label("shp_1")


@pytest.mark.parametrize("body", [b"<html>Bad gateway</html>", b"", b"[]", b"null", b'{"id": {}}', b'{"id": 7}'])
def test_what_is_no_answer_is_none(elsewhere, settings, body):
    settings.EASYPOST_API_BASE = elsewhere.url
    elsewhere.say("POST", "/v2/shipments", body)
    with pytest.raises(EasyPostUnavailable):
        easypost.create_return({"line1": "7 Row"}, goes_to="adr_1", grams=1, reference="RMA-1")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_name_and_address_do_not_go_where_a_redirect_leads(elsewhere, settings, status):
    settings.EASYPOST_API_BASE = elsewhere.url
    elsewhere.say("POST", "/v2/shipments", {"id": "shp_1"}, status=status, Location=f"{elsewhere.url}/thief")
    for method in ("GET", "POST"):
        elsewhere.say(method, "/thief", {"id": "shp_1"})
    with pytest.raises(EasyPostUnavailable):
        easypost.create_return({"line1": "7 Row"}, goes_to="adr_1", grams=1, reference="RMA-1")
    assert elsewhere.asked == [("POST", "/v2/shipments")]


def test_a_label_is_not_fetched_from_where_a_redirect_leads(elsewhere, settings):
    settings.EASYPOST_API_BASE = elsewhere.url
    elsewhere.say("GET", "/1.pdf", b"", status=302, Location=f"{elsewhere.url}/inside")
    elsewhere.say("GET", "/inside", PDF)
    with pytest.raises(EasyPostUnavailable, match="no PDF"):
        easypost.fetch_label(f"{elsewhere.url}/1.pdf")
    assert elsewhere.asked == [("GET", "/1.pdf")]
    assert easypost.fetch_label(f"{elsewhere.url}/inside") == PDF


def test_a_pdf_that_is_too_large_or_cut_short_is_no_label(elsewhere, settings):
    settings.EASYPOST_API_BASE = elsewhere.url
    elsewhere.say("GET", "/large.pdf", PDF + bytes(easypost.LARGEST_LABEL))
    elsewhere.say("GET", "/short.pdf", PDF, Content_Length="5000")
    for name in ("large", "short"):
        with pytest.raises(EasyPostUnavailable):
            easypost.fetch_label(f"{elsewhere.url}/{name}.pdf")


@pytest.mark.parametrize("kind", Kind)
def test_staff_read_how_it_stands_with_the_label(admin_client, kind):
    made = returned(came(), kind=kind, words="It broke.")
    page = f"/admin/orders/returnauthorization/{made.pk}/change/"
    assert "none asked for" in admin_client.get(page).text
    guest(made).press(ASK)
    assert "asked for" in admin_client.get(page).text
    steps.receive_return(made.pk, actor="Sam")
    assert "asked for, and not made in time" in admin_client.get(page).text
    ReturnAuthorization.objects.filter(pk=made.pk).update(received_at=None, due_on=None)
    labels.make_waiting_labels()
    assert f"Royal Mail {ReturnLabel.objects.get().tracking_number}, £3.35" in admin_client.get(page).text
