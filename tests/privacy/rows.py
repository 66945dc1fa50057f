"""A row about somebody for each kind of data that no page of staff shows, by its holding.

Whoever looks for such rows makes them here: erasure takes Zora's, the back office shows nobody's, and the nightly job
ends each in its time.
"""

from collections.abc import Callable, Mapping

from django.db.models import Model
from django.utils import timezone

from accounts.models import Customer, Interest
from orders.models import Cart, CartLine
from recommendations.models import ProductView
from tests import builders

Maker = Callable[[Customer, str], Model]


def told(customer: Customer, word: str) -> Interest:
    return Interest.objects.create(customer=customer, kind="need", words=word)


def looked_at(customer: Customer, word: str) -> ProductView:
    return ProductView.objects.create(customer=customer, product=builders.product(word), viewed_at=timezone.now())


def put_in_cart(customer: Customer, word: str) -> CartLine:
    cart, _ = Cart.objects.get_or_create(customer=customer)
    return CartLine.objects.create(cart=cart, variant=builders.product(word).variants.get(), quantity=1)


OF_WORDS: Mapping[str, Maker] = {"told": told}  # the row holds the word itself
OF_GOODS: Mapping[str, Maker] = {"views": looked_at, "carts": put_in_cart}  # it names a thing of the shop's
