"""The database away, full, crowded or frozen; Redis away or frozen: what every page, webhook and probe answers."""

import re
import threading
import time
from collections.abc import Iterator

import pytest

from tests.reliability.away import COOKIE, Away, every_address, running_shop
from tests.reliability.stack import wait_until

pytestmark = [pytest.mark.xdist_group("away")]
PAGES = ["/", "/cart/", "/checkout/", "/search/?q=a", "/accounts/login/", "/admin/", "/account/", "/nothing-here/"]
NEED_NO_BOOKS = {200, 301, 302, 303, 400, 403, 404, 405}


@pytest.fixture(scope="module")
def shop() -> Iterator[Away]:
    with running_shop() as made:
        yield made


def wait_until_ready(shop: Away) -> None:
    wait_until(lambda: shop.visit("/readyz").json["status"] == "ready", seconds=10, what="the shop to be ready")


def check_closed(seen, path) -> None:
    assert seen.status == 503, (path, seen.status)
    assert int(seen.headers["Retry-After"]) > 0
    assert "Back in a moment" in seen.text
    assert "Traceback" not in seen.text


def test_with_the_database_away_every_view_says_so_politely_and_is_back_at_once(shop):
    for path in PAGES:
        assert shop.visit(path).status in NEED_NO_BOOKS  # the process has its connections
    shop.stop_postgres()
    try:
        odd, closed_count = {}, 0
        for path in every_address():
            for method, cookie in (("GET", ""), ("GET", COOKIE), ("POST", COOKIE)):
                seen = shop.visit(path, method=method, **({"Cookie": cookie} if cookie else {}))
                if seen.status == 503 and path != "/readyz":
                    check_closed(seen, path)
                    closed_count += 1
                elif seen.status not in NEED_NO_BOOKS and path != "/readyz":
                    odd[method, path] = seen.status
        assert odd == {}
        assert closed_count > 250
        for path in (*PAGES, "/privacy/"):
            check_closed(shop.visit(path, Cookie=COOKIE), path)
        assert shop.visit("/healthz").status == 200
    finally:
        shop.start_postgres()
    for path in PAGES:
        assert shop.visit(path).status in NEED_NO_BOOKS


@pytest.mark.parametrize("path", ["/webhooks/stripe/", "/admin/login/", "/cart/lines/"])
def test_what_is_posted_while_the_database_is_away_is_never_a_500(shop, path):
    shop.stop_postgres()
    try:
        assert shop.visit(path, method="POST", Cookie=COOKIE).status in (400, 403, 503)
    finally:
        shop.start_postgres()


def test_a_database_without_a_connection_left_is_a_503_and_the_next_visit_works(shop):
    with shop.crowded():
        for path in PAGES:
            check_closed(shop.visit(path, Cookie=COOKIE), path)
        assert shop.visit("/readyz").status == 503
    for path in PAGES:
        assert shop.visit(path).status in NEED_NO_BOOKS
    assert shop.visit("/readyz").json["status"] == "ready"


def test_a_database_that_takes_no_writes_is_a_503_and_pages_are_still_read(shop):
    shop.execute("ALTER DATABASE shop SET default_transaction_read_only = on")
    shop.end_sessions()
    try:
        assert shop.visit("/").status == 200
        form = shop.visit("/accounts/signup/")
        assert form.status == 200
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', form.text)[1]
        cookie = form.headers["Set-Cookie"].split(";")[0]
        fields = {"csrfmiddlewaretoken": token, "email": "pat@example.com", "password1": "correct horse battery"}
        check_closed(shop.visit("/accounts/signup/", method="POST", form=fields, Cookie=cookie), "sign-up")
    finally:
        shop.execute(
            "SET default_transaction_read_only = off", "ALTER DATABASE shop RESET default_transaction_read_only"
        )
        shop.end_sessions()


def test_ready_answers_within_two_seconds_while_the_database_hangs(shop):
    assert shop.visit("/readyz").json["status"] == "ready"
    shop.freeze("postgres")
    try:
        for _ in range(3):
            seen = shop.visit("/readyz")
            assert (seen.status, seen.json["status"], seen.json["database"]) == (503, "unavailable", False)
            assert seen.seconds < 2
    finally:
        shop.thaw("postgres")
    wait_until_ready(shop)


@pytest.mark.parametrize("fault", ["stopped", "frozen"])
def test_without_redis_the_shop_is_degraded_and_every_page_is_as_quick_as_ever(shop, fault):
    shop.stop_redis() if fault == "stopped" else shop.freeze("valkey")
    try:
        seen = shop.visit("/readyz")
        assert (seen.status, seen.json["status"], seen.json["broker"]) == (200, "degraded", False)
        assert seen.seconds < 2
        for path in PAGES:
            assert shop.visit(path).status in NEED_NO_BOOKS
        begun = time.monotonic()
        for _ in range(10):
            assert shop.visit("/accounts/login/").status == 200
            assert shop.visit("/cart/").status == 200
        assert time.monotonic() - begun < 10
    finally:
        shop.start_redis() if fault == "stopped" else shop.thaw("valkey")
    wait_until_ready(shop)


def test_a_probe_that_hangs_is_begun_once_and_not_for_everybody_who_asks(shop, monkeypatch):
    from shop.storefront.views import health

    hold, begun = threading.Event(), []

    def hang() -> bool:
        begun.append(1)
        return hold.wait(30)

    monkeypatch.setattr(health, "DEADLINE_SECONDS", 0.05)
    try:
        for _ in range(20):
            assert health.run_checks({"hanging": hang}) == {"hanging": None}
            time.sleep(0.02)
        assert len(begun) <= 3
    finally:
        hold.set()


def test_a_name_server_that_hangs_does_not_keep_ready_waiting(client, transactional_db, settings, monkeypatch):
    import socket

    client.get("/readyz")  # everything is loaded, migrations too
    settings.CELERY_BROKER_URL = "redis://redis.shop.example:6379/0"
    real = socket.getaddrinfo
    monkeypatch.setattr(
        socket, "getaddrinfo", lambda host, *rest, **more: time.sleep(4) or real("127.0.0.1", *rest, **more)
    )
    begun = time.monotonic()
    answer = client.get("/readyz")
    assert time.monotonic() - begun < 2
    assert answer.json()["status"] in ("degraded", "ready")
