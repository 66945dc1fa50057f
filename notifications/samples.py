"""The mail a switch would send, written for the customer who asks to see it. Nothing is stored, queued or sent.

It is the mail room's own renderer at work, over the customer's latest order or, for want of one, a made-up one.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db.models import Prefetch
from django.utils import timezone

from accounts.consent import consent, purposes
from accounts.consent.purposes import Cadence, MailKind
from accounts.models import Customer
from accounts.preferences import cadence
from notifications import rendering, topics
from notifications.digest import NEWS
from notifications.models import NewsletterIssue, OutgoingEmail, OutgoingItem
from notifications.queueing import BODY, OFFER, PICK
from notifications.render_batch import BatchData, EmailContext
from notifications.topics import TOPICS, Topic
from orders.models import Adjustment, Order, OrderLine, Shipment, ShipmentLine, ShopSettings
from recommendations import picks
from recommendations.picks import Pick
from shop import mail
from shop.catalog.models import Product, Variant

# The mail in which a switch shows: the one it allows, or the one it adds something to.
SHOWN_IN: Mapping[str, Topic] = {topic.purpose: topic for topic in TOPICS.values() if topic.purpose} | {
    purposes.RECEIPT_OFFER: TOPICS[topics.RECEIPT]
}
NOT_SAVED = 0  # the key of whatever is made up here
PLAIN_LETTER = "This is where the news would stand. There is no letter yet to show you.\n\nEverybody gets the same one."


def write(customer: Customer, purpose_key: str) -> mail.Message | None:
    """The mail as it would come with the customer's answers as they are (or are supposed to be); None when none would.

    Raises KeyError for a purpose that no mail shows.
    """
    topic = SHOWN_IN[purpose_key]
    if topic.purpose and not consent.allows(customer, topic.purpose):
        return None
    return rendering.render_email(_WRITERS.get(topic.key, _order_news)(customer, topic))


def is_made_up(customer: Customer, purpose_key: str) -> bool:
    """Whether the sample tells of an order that nobody placed."""
    is_of_an_order = SHOWN_IN[purpose_key].key not in (topics.RECOMMENDATIONS, topics.NEWSLETTER)
    return is_of_an_order and _latest_order(customer) is None


def _order_news(customer: Customer, topic: Topic) -> EmailContext:
    order = _latest_order(customer) or _made_up_order(customer)
    parcel = _latest_parcel(order) or _made_up_parcel(order)
    context = {"shipment": parcel.pk}
    alone = _letter(customer, topic, order=order, context=context, shipments={parcel.pk: parcel})
    return _together(alone) if is_gathered(customer, topic.purpose) else alone


def is_gathered(customer: Customer, purpose_key: str) -> bool:
    """Whether the customer has such news told together with other news, and not by itself."""
    is_news = SHOWN_IN[purpose_key].kind is MailKind.SERVICE
    return is_news and cadence.get_cadence(customer, purpose_key) is not Cadence.AS_IT_HAPPENS


def _together(alone: EmailContext) -> EmailContext:
    """The digest that a piece of news waits for, with that one piece in it."""
    news, body = alone.email, alone.items[0]
    digest = OutgoingEmail(
        topic=topics.DIGEST, kind=MailKind.SERVICE, to_address=news.to_address, customer=news.customer
    )
    item = OutgoingItem(email=digest, block=NEWS, news=news, order=news.order, purpose=body.purpose)
    item.stands_since_at = body.stands_since_at
    return EmailContext(digest, [item], alone.desk)


def _receipt(customer: Customer, topic: Topic) -> EmailContext:
    order = _latest_order(customer) or _made_up_order(customer)
    letter = _letter(customer, topic, order=order)
    if consent.allows(customer, purposes.RECEIPT_OFFER):
        offer = picks.pick_receipt_offer(order)
        letter.items += _shown(letter.email, OFFER, [offer] if offer else [], customer)
    return letter


def _recommendations(customer: Customer, topic: Topic) -> EmailContext:
    letter = _letter(customer, topic)
    picked = picks.pick_for_mail(customer, consent.get_granted_purposes(customer))
    letter.items += _shown(letter.email, PICK, picked, customer)
    return letter


def _newsletter(customer: Customer, topic: Topic) -> EmailContext:
    issue = NewsletterIssue.objects.filter(released_at__isnull=False).order_by("-released_at").first()
    return compose_newsletter(
        customer, issue or NewsletterIssue(pk=NOT_SAVED, subject="News of the shop", body=PLAIN_LETTER)
    )


def compose_newsletter(reader: Customer, issue: NewsletterIssue) -> EmailContext:
    """One reader's copy of an issue, which need not be saved."""
    return _letter(reader, TOPICS[topics.NEWSLETTER], context={"issue": issue.pk}, issues={issue.pk: issue})


_WRITERS: dict[str, Callable[[Customer, Topic], EmailContext]] = {
    topics.RECEIPT: _receipt,
    topics.RECOMMENDATIONS: _recommendations,
    topics.NEWSLETTER: _newsletter,
}


def _letter(
    customer: Customer,
    topic: Topic,
    *,
    order: Order | None = None,
    context: dict[str, Any] | None = None,
    shipments: dict[int, Shipment] | None = None,
    issues: dict[int, NewsletterIssue] | None = None,
) -> EmailContext:
    email = OutgoingEmail(
        topic=topic.key,
        kind=topic.kind,
        to_address=(order.email if order else "") or customer.email or "",
        customer=customer,
        order=order,
        context=context or {},
    )
    body = OutgoingItem(email=email, block=BODY, purpose=topic.purpose, is_essential=topic.kind is MailKind.ESSENTIAL)
    body.stands_since_at = _since(customer).get(topic.purpose, timezone.now()) if topic.purpose else None
    desk = BatchData(shop=ShopSettings.current(), shipments=shipments or {}, issues=issues or {}, requests={})
    return EmailContext(email, [body], desk)


def _shown(email: OutgoingEmail, block: str, picked: list[Pick], customer: Customer) -> list[OutgoingItem]:
    """The items of a block, each on the switch it came from."""
    products = Product.objects.select_related("maker").in_bulk([pick.product_id for pick in picked])
    since, whole = _since(customer), TOPICS[email.topic].purpose
    return [
        OutgoingItem(
            email=email,
            block=block,
            position=place,
            product=products[pick.product_id],
            why=pick.why,
            purpose=pick.purpose or whole,
            stands_since_at=since.get(pick.purpose or whole, timezone.now()),
        )
        for place, pick in enumerate(picked, start=1)
    ]


def _since(customer: Customer) -> dict[str, datetime]:
    """When each standing yes was given; a supposed one would be given now."""
    return dict(customer.consents.filter(granted=True).values_list("purpose", "changed_at"))


def _latest_order(customer: Customer) -> Order | None:
    standing = customer.orders.filter(status__in=[Order.Status.CONFIRMED, Order.Status.COMPLETED])
    return standing.prefetch_related("lines", "adjustments").first()


def _latest_parcel(order: Order) -> Shipment | None:
    parcels = Shipment.objects.filter(order=order.pk).exclude(stage=Shipment.Stage.CANCELLED)
    lines = Prefetch("lines", ShipmentLine.objects.select_related("order_line"))
    return parcels.prefetch_related(lines).last()


def _made_up_order(customer: Customer) -> Order:
    """An order of two things that the shop sells, saved nowhere."""
    variants = Variant.objects.filter(is_active=True, product__is_published=True, product__is_available=True)
    lines = [
        OrderLine(
            product=variant.product,
            variant=variant,
            sku=variant.sku,
            title=variant.product.title,
            options=variant.label,
            quantity=1,
            unit_price=variant.price,
        )
        for variant in variants.select_related("product").order_by("product", "position")[:2]
    ]
    total = sum((line.unit_price for line in lines), Decimal(0))
    order = Order(
        pk=NOT_SAVED,
        customer=customer,
        number="SW-XXXX-XXXX-XX",
        full_name=customer.name,
        email=customer.email or "",
        status=Order.Status.CONFIRMED,
        payment_status=Order.PaymentStatus.PAID,
        carrier="royal_mail",
        subtotal=total,
        total=total,
        placed_at=timezone.now(),
    )
    _give(order, lines=lines, adjustments=list[Adjustment]())
    return order


def _made_up_parcel(order: Order) -> Shipment:
    """A parcel with all of the order in it."""
    parcel = Shipment(pk=NOT_SAVED, order=order, carrier=order.carrier, tracking_number="SAMPLE 0000")
    lines = [ShipmentLine(shipment=parcel, order_line=line, quantity=line.quantity) for line in order.lines.all()]
    _give(parcel, lines=lines)
    return parcel


def _give(row: Order | Shipment, **related: list[Any]) -> None:
    """What a prefetch would have read."""
    vars(row)["_prefetched_objects_cache"] = related
