"""What visitors, customers and staff do that has a promise, each as a step for the meter."""

from collections.abc import Iterable
from typing import Any

from django.core.handlers.wsgi import WSGIHandler
from django.test import Client
from django.urls import reverse

from accounts.models import Customer, User
from orders.models import Order, Payment, ShippingMethod
from shop.catalog.models import Category, Product, StockRecord, Variant
from shop.local.stripe.testing import StandIn
from tests.bench import anchors, visit
from tests.bench.meter import Step
from tests.bench.visit import Reply, Visit
from tests.bench.words import VOCABULARY
from tests.paying import BUYER

COMMON, RARE = VOCABULARY[12], VOCABULARY[900]
IN_CART = 3
ENOUGH = 1_000_000
NARROWED = "?in_stock=1&price=25-50&sort=price"


def show_page(address: str, by: Visit) -> Step:
    return Step(lambda: by, lambda visitor: visitor.get(address))


def sign_in(handler: WSGIHandler, user: User) -> Visit:
    client = Client()
    client.force_login(user)
    return Visit(handler, {name: morsel.value for name, morsel in client.cookies.items()})


def list_anchors() -> dict[str, Step]:
    product = Product.objects.order_by("pk")[700]
    plain = Visit(visit.make_handler(anchors.MIDDLEWARE))
    return {"b": show_page(f"/b/{product.slug}/", plain), "b2": show_page(f"/b2/{product.category_id}/", plain)}


def list_public_pages() -> dict[str, Step]:
    stranger = Visit(visit.make_handler())
    product = Product.objects.filter(variants__size="M").order_by("pk")[100]
    aisle = Category.objects.get(slug="aisle-3-1").get_absolute_url()
    typo = COMMON[:2] + COMMON[3] + COMMON[2] + COMMON[4:]
    addresses = {
        "home": "/",
        "category": aisle,
        "category, narrowed": aisle + NARROWED,
        "product": product.get_absolute_url(),
        "search, rare word": f"/search/?q={RARE}",
        "search, common word": f"/search/?q={COMMON}",
        "search, mistyped": f"/search/?q={typo}",
    }
    return {name: show_page(address, stranger) for name, address in addresses.items()}


def list_signed_in_pages(generous: Customer, silent: Customer) -> dict[str, Step]:
    handler = visit.make_handler()
    product = Product.objects.filter(variants__size="M").order_by("pk")[100].get_absolute_url()
    steps = {}
    for words, customer in (("nothing ticked", silent), ("all ticked", generous)):
        by = sign_in(handler, customer.user)
        steps[f"home, {words}"] = show_page("/", by)
        steps[f"product, {words}"] = show_page(product, by)
    by = sign_in(handler, generous.user)
    newest = Order.objects.filter(customer=generous).order_by("-placed_at")[0]
    return steps | {
        "order": show_page(newest.get_absolute_url(), by),
        "account": show_page("/account/", by),
        "switches": show_page("/account/preferences/", by),
    }


def list_back_office_pages(staff: User) -> dict[str, Step]:
    by = sign_in(visit.make_handler(), staff)
    models = {"orders": "orders_order", "products": "catalog_product", "stock": "catalog_stockrecord"}
    return {"staff: first page": show_page(reverse("admin:index"), by)} | {
        f"staff: {name}": show_page(reverse(f"admin:{model}_changelist"), by) for name, model in models.items()
    }


class Buying:
    """A guest's way from an empty cart to a paid order of three things."""

    def __init__(self, standin: StandIn) -> None:
        self.standin = standin
        self.handler = visit.make_handler()
        self.method = ShippingMethod.objects.order_by("pk")[0]
        variants = Variant.objects.filter(size="M", product__released_on__isnull=True).select_related("product")
        self.variants = list(variants.order_by("pk")[:IN_CART])
        StockRecord.objects.filter(variant__in=self.variants).update(on_hand=ENOUGH)

    def list_steps(self) -> dict[str, Step]:
        return {
            "add to cart": Step(self._come, lambda visitor: self._add(visitor, self.variants[0])),
            "cart": Step(self._come_with_cart, lambda visitor: visitor.get("/cart/")),
            "checkout": Step(self._come_with_cart, lambda visitor: visitor.get("/checkout/")),
            "place order": Step(self._come_with_cart, self._place),
            "whole guest flow": Step(self._come, self._buy),
        }

    def _come(self) -> Visit:
        return Visit(self.handler)

    def _come_with_cart(self) -> Visit:
        return self._fill(self._come(), self.variants)

    def _fill(self, visitor: Visit, variants: Iterable[Variant]) -> Visit:
        for variant in variants:
            self._add(visitor, variant)
        return visitor

    def _add(self, visitor: Visit, variant: Variant) -> Reply:
        return visitor.post("/cart/lines/", variant=variant.pk, quantity=1)

    def _place(self, visitor: Visit) -> Reply:
        fields: dict[str, Any] = {**BUYER, "method": self.method.pk}
        return visitor.post("/checkout/", **fields)

    def _buy(self, visitor: Visit) -> Reply:
        for variant in self.variants:
            visitor.get(variant.product.get_absolute_url())
            self._add(visitor, variant)
        visitor.get("/cart/")
        visitor.get("/checkout/")
        opened = self._place(visitor).headers["Location"]
        paid = self.standin.pay(Payment.objects.get(redirect_url=opened).provider_reference)
        return visitor.get(visitor.follow(paid.removeprefix("http://localhost:8000")).headers["Location"])
