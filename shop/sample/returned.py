"""One withdrawal and one return in the sample store, so that the staff's pages have something on them.

Both of orders that came lately, and not of Alice's, whose orders others look at. Nobody is mailed about them.
"""

from datetime import timedelta

from django.db import transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from orders.models import Order, OrderEvent, ReturnAuthorization, ReturnExclusion, Withdrawal
from orders.returns import handling, pieces, steps
from orders.returns.declaring import Declaration, declare_withdrawal
from orders.returns.requesting import ReturnWish, request_return
from shop.catalog.models import Category
from shop.sample import content
from shop.sample.people import ALICE

CAME_WITHIN = timedelta(days=12)
ACTOR = "Ines"


def leave_out_goods() -> None:
    """Food is not taken back by choice."""
    for category in Category.objects.filter(slug__in=content.read_toml("shop")["not_taken_back"]):
        ReturnExclusion.objects.get_or_create(category=category)


@transaction.atomic
def write_sample_returns() -> int:
    """Returns how many are new: none in a shop that has some, or where nothing came lately."""
    if Withdrawal.objects.exists() or ReturnAuthorization.objects.exists():
        return 0
    orders = list(_find_orders_that_came()[:2])
    if len(orders) < 2:
        return 0
    withdrawn, returned = orders
    declaration = Declaration(withdrawn.full_name, withdrawn.email)
    declared = declare_withdrawal(withdrawn.pk, declaration, way=Withdrawal.Way.ORDER)
    handling.mark_goods_back(declared.withdrawal.pk, actor=ACTOR)
    line = next(iter(pieces.count_sent_pieces_left(returned)))
    wish = ReturnWish(
        kind=ReturnAuthorization.Kind.FAULTY,
        wanted=ReturnAuthorization.Wanted.REPLACEMENT,
        reason=ReturnAuthorization.Reason.DAMAGED,
        pieces={line.pk: 1},
        words="One corner was crushed when I opened the parcel.",
    )
    made = request_return(returned.pk, wish).made
    steps.receive_return(made.pk, actor=ACTOR)
    OrderEvent.objects.filter(order__in=orders, relayed_at=None).update(relayed_at=F("created_at"))
    return 2


def _find_orders_that_came() -> QuerySet[Order]:
    """The latest first; one store's parcels, all at the door."""
    since = timezone.now() - CAME_WITHIN
    lately = Order.objects.filter(
        external_reference__startswith="sample-",
        fulfilment_status=Order.FulfilmentStatus.DELIVERED,
        payment_status=Order.PaymentStatus.PAID,
        shipments__delivered_at__gte=since,
    )
    return lately.exclude(email=ALICE).order_by("-placed_at", "-pk")
