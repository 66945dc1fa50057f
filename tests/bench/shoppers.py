"""Two customers with a past, of whom one ticked everything and told us much, and one nothing; and who works here."""

from datetime import timedelta

from django.utils import timezone

from accounts.models import Address, Customer, Interest, User
from recommendations.models import ProductView
from shop.catalog.models import Product, Variant
from tests import builders, cast

ORDERS, LINES, LOOKS = 12, 3, 20


def make_shoppers() -> tuple[Customer, Customer]:
    """Whoever ticked everything, and whoever ticked nothing; the past of both is the same."""
    generous, silent = cast.alice(), cast.bob()
    for customer in (generous, silent):
        _give_past(customer)
    things = Product.objects.order_by("pk")
    ProductView.objects.bulk_create(
        ProductView(customer=generous, product=thing, viewed_at=timezone.now() - timedelta(hours=place))
        for place, thing in enumerate(things[500 : 500 + LOOKS])
    )
    _tell_interests(generous, things[3])
    return generous, silent


def make_staff() -> User:
    """With the second factor that production asks for."""
    user = cast.sam()
    user.authenticator_set.create(type="totp", data={})
    return user


def _give_past(customer: Customer) -> None:
    Address.objects.create(
        customer=customer, is_default=True, full_name=customer.name, line1="1 High Street", city="Leeds",
        postcode="LS1 1AA", country="GB",
    )  # fmt: skip
    variants = list(Variant.objects.select_related("product").order_by("pk")[: 40 * ORDERS * LINES : 40])
    for number in range(ORDERS):
        builders.paid_order(
            *variants[number * LINES : (number + 1) * LINES],
            customer=customer,
            placed_at=timezone.now() - timedelta(days=20 * number + 1),
            fulfilment_status="delivered",
        )


def _tell_interests(customer: Customer, thing: Product) -> None:
    kinds = Interest.Kind
    for told in (
        {"kind": kinds.MAKER, "maker": thing.maker},
        {"kind": kinds.CATEGORY, "category": thing.category},
        {"kind": kinds.NEED, "words": thing.title.split()[-1]},
        {"kind": kinds.SIZE, "words": "M"},
    ):
        Interest.objects.create(customer=customer, **told)
