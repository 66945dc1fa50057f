"""The carrier stand-in as a fixture, with the shop pointed at it."""

from collections.abc import Iterator
from typing import Any

import pytest

from shop.local.carrier.testing import CarrierStandIn

API_KEY = "key of the tests"


@pytest.fixture(scope="session")
def carrier_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CarrierStandIn]:
    folder = tmp_path_factory.mktemp("carrier")
    with CarrierStandIn(
        folder, webhook_url="http://127.0.0.1:1/", webhook_secret="nobody's", api_key=API_KEY
    ) as running:
        yield running


@pytest.fixture
def carrier(carrier_process: CarrierStandIn, settings: Any) -> CarrierStandIn:
    """It tells nobody anything until a test says where to."""
    carrier_process.steer("webhooks", paused=True, copies=1, order="sent", age_seconds=0, newer_signature=True)
    settings.EASYPOST_API_BASE = carrier_process.url
    settings.EASYPOST_API_KEY = API_KEY
    return carrier_process
