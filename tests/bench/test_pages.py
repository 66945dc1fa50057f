"""Pages and steps against the promises: CPU as a ratio to two plain Django views measured by turns in the same run."""

import os
from collections.abc import Mapping

import pytest

from accounts.models import Customer
from shop.local.stripe.testing import StandIn
from shop.storefront import page_cache
from tests.bench import building, goods, meter, promises, shoppers, steps
from tests.bench.meter import Step
from tests.bench.promises import Found
from tests.paying import standin, standin_process

__all__ = ["standin", "standin_process"]
pytestmark = [pytest.mark.bench, pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("production_like")]
SMALL, LARGE = 2_000, 20_000


def list_steps(generous: Customer, silent: Customer, at: StandIn) -> Mapping[str, Step]:
    return {
        **steps.list_anchors(),
        **steps.list_public_pages(),
        **steps.list_signed_in_pages(generous, silent),
        **steps.Buying(at).list_steps(),
        **steps.list_back_office_pages(shoppers.make_staff()),
    }


def test_every_step_keeps_its_promises_at_two_and_at_twenty_thousand_products(standin, capsys):
    goods.grow_goods(SMALL)
    every = list_steps(*shoppers.make_shoppers(), standin)
    building.grow_shop(SMALL)
    assert [meter.count_warm_statements(every[name]) for name in ("b", "b2")] == [1, 1]
    small = meter.measure_costs(every)
    building.grow_shop(LARGE)
    large = meter.measure_costs(every)
    found = {
        name: Found(
            small[name],
            large[name],
            sql=meter.count_statements(step, forget=page_cache.clear),
            size=len(step.do_once().body) / 1024,
        )
        for name, step in every.items()
    }
    rows = promises.compare_steps(found)
    title = (
        f"{LARGE:,} products; b {large['b'].total:.2f} ms, b2 {large['b2'].total:.2f} ms; load {os.getloadavg()[0]:.1f}"
    )
    with capsys.disabled():
        promises.print_table(title, promises.HEAD, [row.list_cells() for row in rows])
    assert [f"{row.name}: {', '.join(broken)}" for row in rows if (broken := row.find_broken())] == []
