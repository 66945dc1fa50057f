"""Every page of the back office with its words at their longest: nothing runs off, nothing is cut without its whole.

Each list comes from the admin site's own registry, so a new one is walked without anybody thinking of it.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.contrib import admin
from django.test import RequestFactory
from django.urls import reverse
from playwright.sync_api import Page

from accounts.models import User
from orders.models import Order, Shipment
from shop.catalog.models import StockRecord
from tests.backoffice.longest import fill_shop

pytestmark = [
    pytest.mark.browser,
    pytest.mark.xdist_group("back office in a browser"),
    pytest.mark.usefixtures("browser"),
    pytest.mark.django_db(transaction=True),
]

DESK, TELEPHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
STEPS = {  # with the stage an order has to stand at
    "ship": "packed",
    "correct_tracking": "dispatched",
    "cancel": "packed",
    "refund": "packed",
    "pick_list": "waiting",
    "packing_slips": "packed",
}
LOOK = (Path(__file__).parent / "layout.js").read_text().strip().removesuffix(";")


def look_at(page: Page, name: str, *, is_list: bool = False) -> list[str]:
    found = []
    for size in (DESK, TELEPHONE):
        page.set_viewport_size(size)
        is_desk = size is DESK
        faults = page.evaluate(LOOK, {"isList": is_list and is_desk, "isDesk": is_desk})
        found += [f"{name}, {size['width']}: {fault}" for fault in faults]
    return found


def visit(page: Page, path: str, *, is_list: bool = False) -> list[str]:
    answer = page.goto(path)
    assert answer is not None
    assert answer.status == 200, f"{path}: {answer.status}"
    return look_at(page, path, is_list=is_list)


def pages_of_rows(owner: User) -> Iterator[str]:
    """Of each kind the first row's page, what happened to it, what deleting it takes along, and a new one's."""
    request = RequestFactory().get("/")
    request.user = owner
    for model, model_admin in admin.site._registry.items():
        row = model._base_manager.order_by("pk")[0]
        place = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        if model_admin.has_add_permission(request):
            yield reverse(f"{place}_add")
        if model_admin.has_delete_permission(request, row):
            yield reverse(f"{place}_delete", args=[row.pk])
        yield from (reverse(f"{place}_{page}", args=[row.pk]) for page in ("change", "history"))


def step(page: Page, path: str, action: str, keys: list[int]) -> None:
    """Takes an action as a list's form does."""
    page.goto(path)
    with page.expect_navigation():
        page.evaluate(
            """([action, keys]) => {
          const form = document.querySelector("#changelist-form");
          for (const box of form.querySelectorAll("[name=_selected_action], [name=action], button")) box.remove();
          for (const [name, value] of [["action", action], ...keys.map(key => ["_selected_action", key])])
            form.append(Object.assign(document.createElement("input"), {type: "hidden", name, value}));
          form.submit();
        }""",
            [action, keys],
        )


@pytest.fixture
def owner() -> User:
    return fill_shop()


@pytest.fixture
def page(open_page, owner) -> Page:
    return open_page(owner, viewport=DESK)


@pytest.mark.parametrize("longest_word", [300, 10])
def test_every_list_keeps_its_rows_in_sight(open_page, longest_word) -> None:
    page = open_page(fill_shop(longest_word=longest_word), viewport=DESK)
    found = []
    for model in admin.site._registry:
        found += visit(
            page, reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist"), is_list=True
        )
    assert not found, "\n".join(["", *found])


def test_every_page_of_a_row_wraps_its_words(page, owner) -> None:
    found = [fault for path in pages_of_rows(owner) for fault in visit(page, path)]
    assert not found, "\n".join(["", *found])


def test_every_step_and_the_first_page_keep_names_beside_what_is_typed(page) -> None:
    found = visit(page, "/admin/")
    every = list(Order.objects.order_by("pk").values_list("pk", flat=True))
    one_at = dict(Shipment.objects.order_by("-pk").values_list("stage", "order"))
    for action, stage in STEPS.items():
        for keys in ([one_at[stage]], every):
            step(page, "/admin/orders/order/?queue=any", action, keys)
            assert page.locator("#result_list").count() == 0, action
            found += look_at(page, f"{action} {len(keys)}")
    for action in ("receive", "count"):
        step(page, "/admin/catalog/stockrecord/", action, list(StockRecord.objects.values_list("pk", flat=True)))
        found += look_at(page, action, is_list=True)
    assert not found, "\n".join(["", *found])
