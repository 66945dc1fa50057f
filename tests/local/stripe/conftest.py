import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import stripe

from shop.local.stripe.testing import StandIn
from tests.patience import wait_until


class Endpoint(ThreadingHTTPServer):
    """The shop's side of the webhooks: takes what is posted, answers as it is told."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _EndpointHandler)
        self.posts: list[tuple[bytes, str]] = []
        self.answers: list[int] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/webhooks/stripe/"

    def events(self, secret: str) -> list[stripe.Event]:
        """Verified by the official library, in the order they came."""
        return [stripe.Webhook.construct_event(body, header, secret) for body, header in list(self.posts)]

    def wait_for(self, count: int) -> None:
        wait_until(lambda: len(self.posts) >= count, f"{count} webhooks")


class _EndpointHandler(BaseHTTPRequestHandler):
    server: Endpoint

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        status = self.server.answers.pop(0) if self.server.answers else 200
        self.server.posts.append((body, self.headers["Stripe-Signature"]))
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class names it
        pass


@contextmanager
def listening() -> Iterator[Endpoint]:
    server = Endpoint()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(scope="session")
def endpoint_server() -> Iterator[Endpoint]:
    with listening() as server:
        yield server


@pytest.fixture(scope="session")
def running_standin(tmp_path_factory: pytest.TempPathFactory, endpoint_server: Endpoint) -> Iterator[StandIn]:
    folder: Path = tmp_path_factory.mktemp("stripe")
    with StandIn(folder, webhook_url=endpoint_server.url) as running:
        yield running


@pytest.fixture
def stripe_standin(running_standin: StandIn) -> StandIn:
    """Empty and well behaved; one process serves the whole run."""
    running_standin.reset()
    return running_standin


@pytest.fixture
def endpoint(stripe_standin: StandIn, endpoint_server: Endpoint) -> Endpoint:
    endpoint_server.posts.clear()
    endpoint_server.answers.clear()
    return endpoint_server


@pytest.fixture
def client(stripe_standin: StandIn) -> stripe.StripeClient:
    """The official library; no retries of its own, so that a test sees every answer."""
    return stripe_standin.client(max_network_retries=0)


@pytest.fixture
def params() -> dict[str, Any]:
    return {
        "mode": "payment",
        "success_url": "http://localhost:8000/orders/done/?session={CHECKOUT_SESSION_ID}",
        "cancel_url": "http://localhost:8000/checkout/",
        "customer_email": "susie@example.com",
        "client_reference_id": "SW-7Q4K-2M",
        "metadata": {"order": "SW-7Q4K-2M"},
        "payment_intent_data": {"metadata": {"order": "SW-7Q4K-2M"}},
        "line_items": [
            {
                "quantity": 2,
                "price_data": {
                    "currency": "gbp",
                    "unit_amount": 1400,
                    "product_data": {"name": "Rag wool socks", "description": "Size 13"},
                },
            },
            {
                "quantity": 1,
                "price_data": {
                    "currency": "gbp",
                    "unit_amount": 395,
                    "product_data": {"name": "Delivery"},
                },
            },
        ],
    }


@pytest.fixture
def open_session(client: stripe.StripeClient, params: dict[str, Any]) -> Callable[..., stripe.checkout.Session]:
    def create(**changes: Any) -> stripe.checkout.Session:
        return client.v1.checkout.sessions.create({**params, **changes})

    return create
