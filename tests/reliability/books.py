"""What must be true after any run, whatever died meanwhile: the invariants G1 to G7."""

from collections import Counter, defaultdict

from django.db import connection

from notifications.models import OutgoingEmail
from notifications.outbox import measure_backlog
from notifications.topics.order_stages import ORDER_STAGES
from orders.models import Order, OrderEvent, OrderTick, Payment, Refund, StripeEvent
from orders.payments.checkout_sessions import LIVE
from shop.local.stripe.testing import StandIn
from tests.notifications.sink import Sink
from tests.paying import check_books, check_stock
from tests.reliability.buyers import Buyer

Kind = OrderEvent.Kind
ALWAYS = {
    Kind.PLACED: "receipt",
    Kind.CANCELLED: "order_cancelled",
    Kind.REFUNDED: "order_refunded",
    Kind.PAYMENT_UNDER_WAY: "payment_under_way",
    Kind.PAYMENT_FAILED: "payment_failed",
}
TICKED = {topic.event: (topic.key, topic.purpose) for topic in ORDER_STAGES}
MOST_COPIES = 2  # of one mail whose worker died after the final dot


def is_quiet() -> bool:
    """Nothing is under way any more."""
    waits = measure_backlog()
    return not (
        waits["unrelayed"]
        or waits["queued"]
        or Payment.objects.filter(status__in=LIVE).exists()
        or Order.objects.filter(status=Order.Status.PENDING).exists()
        or Refund.objects.filter(status=Refund.Status.REQUESTED).exists()
        or StripeEvent.objects.filter(processed_at=None).exists()
    )


def what_waits() -> str:
    payments = dict(Counter(Payment.objects.values_list("status", flat=True)))
    events = StripeEvent.objects.filter(processed_at=None).count()
    mails = dict(Counter(OutgoingEmail.objects.values_list("state", flat=True)))
    return f"outbox {measure_backlog()}, payments {payments}, mails {mails}, events {events}"


def check_all(buyers: list[Buyer], sink: Sink, standin: StandIn, *, deadlocks_before: int) -> None:
    check_stock()  # G1
    check_books(standin)  # G2, G7
    check_nobody_was_lost(buyers)
    check_mail(sink)  # G3, G4
    assert [complaint for buyer in buyers for complaint in buyer.complaints] == []  # G5
    assert deadlock_count() == deadlocks_before  # G6


def check_nobody_was_lost(buyers: list[Buyer]) -> None:
    """Whoever paid has one order, whoever did not has none; a refund went to whoever cancelled."""
    placed = dict(Order.objects.exclude(placed_at=None).values_list("email", "number"))
    assert Order.objects.exclude(placed_at=None).count() == len(placed), "somebody has two orders"
    assert placed == {buyer.email: buyer.order_number for buyer in buyers if buyer.has_paid}
    for order in Order.objects.filter(status=Order.Status.CANCELLED).exclude(placed_at=None):
        assert order.payment_status == Order.PaymentStatus.REFUNDED, order.number
    cancelled = set(Order.objects.filter(status=Order.Status.CANCELLED).values_list("email", flat=True))
    assert {buyer.email for buyer in buyers if buyer.was_told_cancelled} <= cancelled


def check_mail(sink: Sink) -> None:
    required, permitted = expected_mail()
    arrived: dict[tuple[str, str], list[str]] = defaultdict(list)
    for mail in sink.received:
        arrived[mail.to, mail.topic].append(mail.message_id)
    assert sorted(set(arrived) - permitted) == [], "mail nobody permitted"
    assert sorted(required - set(arrived)) == [], "mail that never came"
    for what, ids in arrived.items():
        assert len(set(ids)) == 1, f"{what} came under several Message-IDs"
        assert len(ids) <= MOST_COPIES, f"{what} came {len(ids)} times"


def expected_mail() -> tuple[set[tuple[str, str]], set[tuple[str, str]]]:
    """(address, topic) of what must have come, and of what may have. News of a cancelled order may have come."""
    ticked = set(OrderTick.objects.filter(granted=True).values_list("order_id", "purpose"))
    required, permitted = set(), set()
    for event in OrderEvent.objects.select_related("order"):
        if event.kind in ALWAYS:
            required.add((event.order.email, ALWAYS[event.kind]))
        elif event.kind in TICKED and (event.order_id, TICKED[event.kind][1]) in ticked:
            news = (event.order.email, TICKED[event.kind][0])
            permitted.add(news)
            if event.order.status != Order.Status.CANCELLED:
                required.add(news)
    return required, permitted | required


def deadlock_count() -> int:
    """Of this database since it was made: tests that leave a lock out on purpose have some too."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
        return int(cursor.fetchone()[0])
