"""A shop's long past, every queue filled: what staff work with costs as little with 100,000 orders as with 10,000."""

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from orders.delays.finding import find_slips
from orders.fulfilment.queue import QUEUES
from orders.models import Order
from tests.bench import promises, shoppers
from tests.bench.meter import Step, measure_costs
from tests.history import grow_history
from tests.troubles import lengthen_past, trouble_history

pytestmark = [pytest.mark.bench, pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("production_like")]

SMALL, LARGE = 10_000, 100_000
MOST_GROWTH = 1.3  # of what staff work with all day
MOST_MS = {SMALL: 250, LARGE: 1000}  # of the page that counts the past, which grows with it
FIGURES = "figures"
LISTS = {  # of what waits beside the queues of orders
    "delays": "delaynotice_changelist?matter=open",
    "returns here": "returnauthorization_changelist?matter=here",
    "returns on their way": "returnauthorization_changelist?matter=awaited",
    "withdrawals": "withdrawal_changelist?matter=open",
    "disputes": "striperecord_changelist?matter=disputes",
}


def list_steps(client: Client) -> dict[str, Step]:
    orders = reverse("admin:orders_order_changelist")
    pages = {"first page": reverse("admin:index"), FIGURES: reverse("admin:orders_order_figures")}
    pages |= {f"queue: {each.title}": f"{orders}?queue={key}" for key, each in QUEUES.items()}
    pages["orders: delayed"] = f"{orders}?delayed=yes"
    for title, named in LISTS.items():
        name, asked = named.split("?")
        pages[f"list: {title}"] = f"{reverse(f'admin:orders_{name}')}?{asked}"
    steps = {name: make_step(lambda url=url: fetch(client, url)) for name, url in pages.items()}
    return steps | {"finding delays": make_step(lambda: list(find_slips()))}


def make_step(act: Callable[[], object]) -> Step:
    return Step(come=lambda: None, act=lambda _: act())


def fetch(client: Client, url: str) -> None:
    assert client.get(url).status_code == 200


def measure(client: Client) -> dict[str, float]:
    """Milliseconds of CPU, of web and PostgreSQL: by the clock a busy machine tells of the others."""
    return {name: cost.total for name, cost in measure_costs(list_steps(client), rounds=5).items()}


def test_what_staff_work_with_hardly_grows_with_the_past(capsys):
    client = Client()
    client.force_login(shoppers.make_staff())
    grow_history(SMALL)
    trouble_history()
    last = Order.objects.order_by("-pk")[0].pk
    small = measure(client)
    grow_history(LARGE)
    lengthen_past(after=last)
    large = measure(client)
    broken = [name for name in small if name != FIGURES and large[name] > small[name] * MOST_GROWTH]
    broken += [
        f"{FIGURES}, {count:,}" for count, ms in ((SMALL, small), (LARGE, large)) if ms[FIGURES] > MOST_MS[count]
    ]
    rows = [[name, f"{ms:.1f} ms", f"{large[name]:.1f} ms", f"{large[name] / ms:.2f}"] for name, ms in small.items()]
    head = ("step, CPU", f"{SMALL:,} orders", f"{LARGE:,} orders", "growth")
    with capsys.disabled():
        promises.print_table("What staff work with, by the length of the past", head, rows)
    assert broken == []
