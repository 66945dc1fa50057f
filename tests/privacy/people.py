"""One person about whom the shop knows everything it can know, told in words found nowhere else."""

import json
from datetime import timedelta

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.backends.db import SessionStore
from django.db import connection
from django.utils import timezone

from accounts.consent import purposes, requests
from accounts.models import AccessLogEntry, Address, Customer, DataComplaint, FreshLink
from notifications.models import OutgoingEmail, Suppression
from orders import events
from orders.carriers.tracking_numbers import get_bare_number
from orders.models import (
    CarrierMessage,
    Cart,
    Order,
    OrderEvent,
    OrderTick,
    Refund,
    ReturnAuthorization,
    ReturnLabel,
    ReturnLine,
    ReturnPicture,
    Shipment,
    StripeEvent,
    TrackingEvent,
    Withdrawal,
    WithdrawalStatement,
)
from tests import builders, cast
from tests.privacy import rows

EMAIL = "zora.quillfeather@example.com"
NAME = "Zora Quillfeather"
STREET = "77 Wrenbottom Lane"
CITY = "Thistlemere"
PHONE = "07700 900461"
NOTE = "Happy birthday dear Ottoline"
COMPANY = "Plumbottom Knitwear"
VAT_ID = "GB980780684"  # pragma: allowlist secret
TRACKING = "ZQ123456785GB"
SECRETS = (EMAIL, "quillfeather", STREET, CITY, PHONE, "Ottoline", COMPANY, VAT_ID, TRACKING, "zora")
ON_AN_INVOICE = ("quillfeather", STREET, CITY, COMPANY, VAT_ID, "zora")
WHERE_INVOICES_ARE = "orders_order"


def zora() -> Customer:
    every = tuple(purpose.key for purpose in purposes.PURPOSES)
    customer = builders.customer(EMAIL, name=NAME, ticks=every)
    EmailAddress.objects.create(user=customer.user, email=EMAIL, verified=True, primary=True)
    Authenticator.objects.create(user=customer.user, type=Authenticator.Type.TOTP, data={"secret": "zora-secret"})
    Address.objects.create(customer=customer, full_name=NAME, line1=STREET, city=CITY, phone=PHONE, country="GB")
    requests.request_consent(EMAIL, purposes.NEWSLETTER, source="checkout")
    Cart.objects.create(customer=customer, gift_note=NOTE)
    for make in rows.OF_WORDS.values():
        make(customer, "A gift for Ottoline")
    for make in rows.OF_GOODS.values():
        make(customer, "Blanket")
    FreshLink.objects.create(token_hash="zora", email=EMAIL, leads_to="/account/data/")
    DataComplaint.objects.create(
        full_name=NAME, email=EMAIL, words="You told Ottoline", received_at=timezone.now(),
        due_on=timezone.localdate(), digest="zora", answer=f"Sorry, {NAME}", answered_at=timezone.now(),
    )  # fmt: skip
    signed_in(customer)
    logged(customer)
    return customer


def delivered_order(customer: Customer | None, **fields) -> Order:
    """Paid, refunded in part, mailed about, delivered: every table of an order is filled."""
    order = builders.placed_order(customer=customer, **{"email": EMAIL, **fields})
    Order.objects.filter(pk=order.pk).update(
        full_name=NAME, line1=STREET, city=CITY, phone=PHONE, gift_note=NOTE,
        company_name=COMPANY, vat_id=VAT_ID,
        status=Order.Status.COMPLETED, fulfilment_status=Order.FulfilmentStatus.DELIVERED,
    )  # fmt: skip
    payment = order.payments.get()
    payment.redirect_url = f"https://stripe.example/{EMAIL}"
    payment.save()
    Refund.objects.create(
        payment=payment, amount=1, currency="GBP", reason=f"{NAME} rang", status=Refund.Status.SUCCEEDED
    )
    parcel = Shipment.objects.create(
        order=order, store=builders.store(), stage="delivered", tracking_number=TRACKING, packing_note=NOTE,
        went_to={"full_name": NAME, "line1": STREET, "city": CITY, "country": "GB"},
    )  # fmt: skip
    _scanned(parcel)
    _withdrawn(order)
    sent_back(order)
    OrderTick.objects.create(order=order, purpose=purposes.MAIL_ORDER_PACKED, granted=True, wording_version=1)
    events.record_order_event(order, OrderEvent.Kind.CANCELLED, actor="x", reason=f"{NAME} asked")
    StripeEvent.objects.create(
        event_id=f"evt_zora_{order.pk}", kind="checkout.session.completed", object_id=payment.provider_reference,
        created_at=timezone.now(),
    )  # fmt: skip
    OutgoingEmail.objects.create(
        key=f"receipt:order:{order.pk}", topic="receipt", kind="essential", to_address=EMAIL, customer=customer,
        order=order, state="sent", subject=f"Thank you, {NAME}", last_error=f"<{EMAIL}>: later",
    )  # fmt: skip
    return order


def _scanned(parcel: Shipment) -> None:
    """The carrier left it with a neighbour, and said so in a message that is still kept."""
    number, words = get_bare_number(TRACKING), f"Left for {NAME}"
    told = {"meaning": "delivered", "at": "2026-01-01T10:00:00+00:00", "words": words, "place": CITY}
    CarrierMessage.objects.create(sender="generic", reference=f"of {parcel.pk}", number=number, scans=[told])
    TrackingEvent.objects.create(
        shipment=parcel, meaning="delivered", words=words, place=CITY, happened_at=timezone.now(), sender="generic"
    )


def _withdrawn(order: Order) -> None:
    """By number and e-mail, in words, and settled; and once more for an order that is none of ours."""
    now = timezone.now()
    said = {"full_name": NAME, "words": "The blanket for Ottoline", "declared_at": now}
    withdrawal = Withdrawal.objects.create(
        order=order, way=Withdrawal.Way.FORM, acknowledged_to=EMAIL, contents=said["words"], has_left=True,
        currency="GBP", due_on=now.date(), settled_at=now, **said,
    )  # fmt: skip
    for number, made in ((order.number, withdrawal), ("SW-MISTYPED", None)):
        WithdrawalStatement.objects.create(
            number=number, email=EMAIL, digest=f"{number} {order.pk}", looked_up_at=now, withdrawal=made, **said
        )


def sent_back(order: Order) -> ReturnAuthorization:
    """With words and a picture, and refused."""
    now = timezone.now()
    made = ReturnAuthorization.objects.create(
        order=order, kind="return", wanted="refund", reason="other", words="It was for Ottoline", piece_count=1,
        currency="GBP", goods_amount=1, requested_at=now, refused_at=now, refused_reason=f"{NAME} wore it",
    )  # fmt: skip
    for line in order.lines.all():
        ReturnLine.objects.create(return_authorization=made, order_line=line, quantity=1)
    ReturnPicture.objects.create(return_authorization=made, file="returns/zora.webp")
    ReturnLabel.objects.create(
        return_authorization=made,
        requested_at=now,
        made_at=now,
        file="labels/zora.pdf",
        tracking_number="RB700000019GB",
    )
    return made


def suppressed() -> Suppression:
    return Suppression.objects.create(address=EMAIL.title(), reason="bounced", detail=f"<{EMAIL}> unknown")


def signed_in(customer: Customer) -> None:
    store = SessionStore()
    store["_auth_user_id"] = str(customer.user_id)
    store.save()


def logged(customer: Customer) -> None:
    sam = cast.sam()
    kind = ContentType.objects.get_for_model(Customer)
    change = json.dumps([{"changed": {"fields": ["Name"]}}])
    AccessLogEntry.objects.create(
        staff=sam, staff_name="Sam", staff_role="", customer=customer, kind="search", about="x", detail=f"“{NAME}”"
    )
    LogEntry.objects.create(
        user=sam, content_type=kind, object_id=str(customer.pk), object_repr=NAME, action_flag=CHANGE,
        change_message=change,
    )  # fmt: skip


def long_ago(**ago: float):
    return timezone.now() - timedelta(**ago)


def dump() -> dict[str, str]:
    """Every row of every table of the database, as text, in lower case."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        tables = [row[0] for row in cursor.fetchall()]
        told = {}
        for table in tables:
            cursor.execute(f'SELECT t::text FROM "{table}" t')  # noqa: S608
            told[table] = "\n".join(row[0] for row in cursor.fetchall()).lower()
    return told


def traces(words=SECRETS) -> set[tuple[str, str]]:
    """(table, word) wherever one of the words still stands."""
    return {(table, word) for table, text in dump().items() for word in words if word.lower() in text}
