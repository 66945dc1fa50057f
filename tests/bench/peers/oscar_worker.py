"""django-oscar with so many products, in a process of its own: for each line it is given it measures a round.

    PEER_DATABASE='{"NAME": …}' PEER_MEDIA=… python -m tests.bench.peers.oscar_worker 20000

Writes a line of JSON each: the statements of every step once it is ready, then a round's milliseconds of CPU.
"""

import json
import shutil
import sys
from decimal import Decimal
from random import Random

import django

django.setup()

from django.conf import settings  # noqa: E402
from django.contrib.staticfiles import finders  # noqa: E402
from django.core.management import call_command  # noqa: E402
from oscar.core.loading import get_model  # noqa: E402

from tests.bench.meter import Step, count_warm_statements, measure_round  # noqa: E402
from tests.bench.visit import Reply, Visit, make_handler  # noqa: E402
from tests.bench.words import draw_words  # noqa: E402

Category, Product, ProductCategory, ProductClass = (
    get_model("catalogue", name) for name in ("Category", "Product", "ProductCategory", "ProductClass")
)
Partner, StockRecord = get_model("partner", "Partner"), get_model("partner", "StockRecord")
Country = get_model("address", "Country")

CATEGORIES, IN_CART, ENOUGH = 40, 3, 1_000_000
NAMES = {"first_name": "Pat", "last_name": "Reader"}
ADDRESS = {"line1": "1 High Street", "line4": "Leeds", "postcode": "LS1 1AA"}


def make_shop(products: int) -> None:
    call_command("migrate", verbosity=0)
    shutil.copy(finders.find("oscar/img/image_not_found.jpg"), settings.MEDIA_ROOT)  # as its documentation asks
    Country.objects.create(iso_3166_1_a2="GB", printable_name="United Kingdom", name="UK", is_shipping_country=True)
    kind = ProductClass.objects.create(name="Thing", track_stock=True, requires_shipping=True)
    partner = Partner.objects.create(name="Harbour Row")
    aisles = [Category.add_root(name=f"Aisle {number}", slug=f"aisle-{number}") for number in range(CATEGORIES)]
    drawn = Random(1)
    made = Product.objects.bulk_create(
        [
            Product(
                title=draw_words(drawn, 4).capitalize(),
                slug=f"thing-{number}",
                upc=f"thing-{number}",
                description=draw_words(drawn, 40),
                product_class=kind,
            )
            for number in range(products)
        ],
        batch_size=5000,
    )
    ProductCategory.objects.bulk_create(
        [ProductCategory(product=product, category=drawn.choice(aisles)) for product in made], batch_size=5000
    )
    StockRecord.objects.bulk_create(
        [
            StockRecord(
                product=product,
                partner=partner,
                partner_sku=product.upc,
                price=Decimal(drawn.randint(100, 12_000)) / 100,
                num_in_stock=ENOUGH,
            )
            for product in made
        ],
        batch_size=5000,
    )


class Buying:
    """A guest's way from an empty basket to an order of three things, as the pages lead."""

    def __init__(self) -> None:
        self.handler = make_handler()
        self.products = list(Product.objects.order_by("pk")[100 : 100 + IN_CART])

    def list_steps(self) -> dict[str, Step]:
        category = Category.objects.order_by("pk")[3].get_absolute_url()
        return {
            "category": Step(self._come, lambda visitor: visitor.get(category)),
            "product": Step(self._come, lambda visitor: visitor.get(self.products[0].get_absolute_url())),
            "add to cart": Step(self._come, lambda visitor: self._add(visitor, self.products[0])),
            "cart": Step(self._come_with_basket, lambda visitor: visitor.get("/basket/")),
            "place order": Step(self._come_to_pay, self._place),
            "whole guest flow": Step(self._come, self._buy),
        }

    def _come(self) -> Visit:
        return Visit(self.handler)

    def _come_with_basket(self) -> Visit:
        visitor = self._come()
        for product in self.products:
            self._add(visitor, product)
        return visitor

    def _come_to_pay(self) -> Visit:
        return self._give_address(self._come_with_basket())

    def _add(self, visitor: Visit, product: Product) -> Reply:
        return visitor.post(f"/basket/add/{product.pk}/", quantity=1)

    def _give_address(self, visitor: Visit) -> Visit:
        visitor.get("/checkout/")
        visitor.post("/checkout/", username="pat@example.com", options="anonymous")
        visitor.get("/checkout/shipping-address/")
        visitor.post("/checkout/shipping-address/", **NAMES, **ADDRESS)
        visitor.follow("/checkout/shipping-method/")
        visitor.follow("/checkout/payment-method/")
        visitor.get("/checkout/payment-details/")
        visitor.get("/checkout/preview/")
        return visitor

    def _place(self, visitor: Visit) -> Reply:
        return visitor.post("/checkout/preview/", action="place_order")

    def _buy(self, visitor: Visit) -> Reply:
        for product in self.products:
            visitor.get(product.get_absolute_url())
            self._add(visitor, product)
        visitor.get("/basket/")
        self._place(self._give_address(visitor))
        return visitor.get("/checkout/thank-you/")


def tell(said: object) -> None:
    sys.stdout.write(json.dumps(said) + "\n")
    sys.stdout.flush()


def main() -> None:
    make_shop(int(sys.argv[1]))
    steps = Buying().list_steps()
    tell({name: count_warm_statements(step) for name, step in steps.items()})
    for _ in sys.stdin:
        tell({name: measure_round(step).total for name, step in steps.items()})


main()
