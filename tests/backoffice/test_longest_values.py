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
STEPS_OF_ONE = {"enter_fault": "dispatched", "enter_withdrawal": "packed"}  # of several orders they ask nothing
LOOK = (Path(__file__).parent / "layout.js").read_text().strip().removesuffix(";")


def look_at(page: Page, name: str, *, is_list: bool = False) -> list[str]:
    """At both sizes, the one it has first: to change it takes longer than to look."""
    found = []
    for size in (TELEPHONE, DESK) if page.viewport_size == TELEPHONE else (DESK, TELEPHONE):
        if page.viewport_size != size:
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


def visit_lists(page: Page) -> list[str]:
    names = (f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist" for model in admin.site._registry)
    return [fault for name in names for fault in visit(page, reverse(name), is_list=True)]


def visit_rows(page: Page, owner: User) -> list[str]:
    return [fault for path in pages_of_rows(owner) for fault in visit(page, path)]


def take_steps(page: Page) -> list[str]:
    """Every step as far as the page that asks before it acts."""
    found = visit(page, "/admin/")
    every = list(Order.objects.order_by("pk").values_list("pk", flat=True))
    one_at = dict(Shipment.objects.order_by("-pk").values_list("stage", "order"))
    for action, stage in STEPS.items():
        for keys in ([one_at[stage]], every):
            step(page, "/admin/orders/order/?queue=any", action, keys)
            assert page.locator("#result_list").count() == 0, action
            found += look_at(page, f"{action} {len(keys)}")
    for action, stage in STEPS_OF_ONE.items():
        step(page, "/admin/orders/order/?queue=any", action, [one_at[stage]])
        assert page.locator("#result_list").count() == 0, action
        found += look_at(page, action)
    for action in ("receive", "count"):
        step(page, "/admin/catalog/stockrecord/", action, list(StockRecord.objects.values_list("pk", flat=True)))
        found += look_at(page, action, is_list=True)
    return found


def test_with_the_longest_words_nothing_runs_off_a_list_a_rows_page_or_a_step(open_page, subtests) -> None:
    """In one shop: none of them changes anything."""
    owner = fill_shop()
    page = open_page(owner, viewport=DESK)
    looks = {
        "every list keeps its rows in sight": lambda: visit_lists(page),
        "every page of a row wraps its words": lambda: visit_rows(page, owner),
        "every step and the first page keep names beside what is typed": lambda: take_steps(page),
    }
    for promise, look in looks.items():
        with subtests.test(promise):
            found = look()
            assert not found, "\n".join(["", *found])


def test_of_long_texts_in_short_words_every_list_keeps_its_rows_in_sight(open_page) -> None:
    found = visit_lists(open_page(fill_shop(longest_word=10), viewport=DESK))
    assert not found, "\n".join(["", *found])
