import pytest

from orders import order_access
from orders.models import Order
from tests.paying import standin, standin_process

__all__ = ["standin", "standin_process"]


@pytest.fixture
def buyer(client):
    """Somebody who came by the link in their mail."""

    def come(order: Order):
        client.get(order_access.build_order_link(order).removeprefix("http://localhost:8000"))
        return client

    return come
