"""The stand-in as a process: it dies cleanly, forgets nothing, and serves a crowd."""

import ast
import http.client
import socket
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import stripe

from shop.local import stripe as package
from shop.local.stripe.__main__ import main
from shop.local.stripe.testing import StandIn
from tests.local.stripe.conftest import listening

Open = Callable[..., stripe.checkout.Session]


def test_a_killed_stand_in_comes_back_with_everything(tmp_path: Path, params: dict[str, Any]) -> None:
    """Sessions, saved answers and undelivered webhooks, all on the port they were on."""
    with listening() as endpoint, StandIn(tmp_path, webhook_url=endpoint.url) as standin:
        client = standin.client()
        standin.webhooks(paused=True)
        paid = client.v1.checkout.sessions.create(params, options={"idempotency_key": "paid"})
        still_open = client.v1.checkout.sessions.create(params)
        standin.pay(paid.id)

        standin.kill()
        standin.start()

        assert client.v1.checkout.sessions.retrieve(paid.id).payment_status == "paid"
        assert client.v1.checkout.sessions.retrieve(still_open.id).status == "open"
        again = client.v1.checkout.sessions.create(params, options={"idempotency_key": "paid"})
        assert again.id == paid.id
        assert len(standin.charges()) == 1
        standin.wait_for_webhooks()
        assert len(endpoint.events(standin.webhook_secret)) == 2
        started = time.monotonic()
        assert standin.stop() == 0
        assert time.monotonic() - started < 5


def test_it_refuses_to_start_on_a_taken_port_or_an_open_address(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    always = ["--data", str(tmp_path), "--api-key", "k"]
    with socket.create_server(("127.0.0.1", 0)) as taken:
        assert main([*always, "--port", str(taken.getsockname()[1])]) == 1
    assert main([*always, "--host", "192.0.2.1"]) == 1

    told = capsys.readouterr().err
    assert "Address already in use" in told
    assert "listens on loopback only" in told


def test_fifty_buyers_at_once_are_each_charged_once(
    stripe_standin: StandIn, client: stripe.StripeClient, open_session: Open
) -> None:
    def buy(_: int) -> str:
        session = open_session()
        stripe_standin.pay(session.id)
        return client.v1.checkout.sessions.retrieve(session.id).id

    with ThreadPoolExecutor(50) as buyers:
        bought = list(buyers.map(buy, range(50)))

    assert sorted(charge["checkout_session"] for charge in stripe_standin.charges()) == sorted(bought)


@pytest.mark.parametrize(
    "headers", [{"Origin": "http://evil.example"}, {"Host": "evil.example"}, {"Sec-Fetch-Site": "cross-site"}]
)
def test_a_web_page_cannot_reach_the_control_surface(stripe_standin: StandIn, headers: dict[str, str]) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", stripe_standin.port)
    connection.request("POST", "/_control/behaviour", '{"refunds_start": "pending"}', headers)

    assert connection.getresponse().status == 403

    connection.close()
    assert stripe_standin.control("GET", "state")["behaviour"] == {"refunds_start": "succeeded"}


def test_it_answers_its_health_and_every_page_forbids_scripts_and_frames(
    stripe_standin: StandIn, open_session: Open
) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", stripe_standin.port)
    connection.request("GET", "/healthz")
    assert connection.getresponse().read() == b'{"status": "ok"}'

    connection.request("GET", f"/c/pay/{open_session().id}")
    policy = connection.getresponse().headers["Content-Security-Policy"]
    connection.close()

    assert policy == (
        "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'; "
        "form-action 'self' http://localhost:8000"
    )


def test_the_stand_in_uses_neither_django_nor_the_shop() -> None:
    for path in Path(package.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            for name in names:
                assert not name.startswith("django"), f"{path.name} imports {name}"
                assert not name.startswith("shop") or name.startswith("shop.local.stripe"), f"{path.name}: {name}"
