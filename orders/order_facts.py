"""What belongs to an order, in one plain statement: where it stands follows from this, and most orders have little."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from orders.models import Payment
from shop.prepared import PreparedStatement


@dataclass(frozen=True)
class OrderFacts:
    """`payments`: status and amount of each. `stages`: of its parcels. Of the rest, whether there is any at all.

    `invoices`: number and date of supply of its invoice and credit notes, oldest first. `has_denied_delivery`: a parcel
    said to be delivered, of which its buyer says that it did not come.
    """

    payments: tuple[tuple[str, Decimal], ...]
    stages: tuple[str, ...]
    invoices: tuple[tuple[str, date | None], ...]
    has_refunds: bool
    has_stripe_records: bool
    has_ticks: bool
    has_adjustments: bool
    has_returns: bool
    has_denied_delivery: bool

    @property
    def captured(self) -> Decimal:
        """What came in that fitted the order."""
        return sum((amount for status, amount in self.payments if status == Payment.Status.CAPTURED), Decimal(0))

    def has_payment(self, status: Payment.Status) -> bool:
        return any(each == status for each, _ in self.payments)


# Amounts travel as text: JSON numbers are not exact.
READ_FACTS = PreparedStatement("""
SELECT (SELECT json_agg(json_build_array(p.status, p.amount::text)) FROM orders_payment p WHERE p.order_id = %(order)s),
       (SELECT array_agg(s.stage::text) FROM orders_shipment s WHERE s.order_id = %(order)s),
       EXISTS (SELECT FROM orders_refund r JOIN orders_payment p ON p.id = r.payment_id WHERE p.order_id = %(order)s),
       EXISTS (SELECT FROM orders_striperecord r JOIN orders_payment p ON p.id = r.payment_id
               WHERE p.order_id = %(order)s),
       EXISTS (SELECT FROM orders_ordertick t WHERE t.order_id = %(order)s),
       EXISTS (SELECT FROM orders_adjustment a WHERE a.order_id = %(order)s),
       EXISTS (SELECT FROM orders_returnauthorization r WHERE r.order_id = %(order)s),
       EXISTS (SELECT FROM orders_shipment s
               WHERE s.order_id = %(order)s AND s.stage = 'delivered' AND s.denied_at IS NOT NULL),
       (SELECT json_agg(json_build_array(i.number, i.supplied_on) ORDER BY i.id) FROM orders_invoice i
        WHERE i.order_id = %(order)s)
""")


def read_order_facts(order_id: int) -> OrderFacts:
    """One query."""
    [(payments, stages, *has_any, invoices)] = READ_FACTS.fetch_rows({"order": order_id})
    return OrderFacts(
        tuple((status, Decimal(amount)) for status, amount in payments or ()),
        tuple(stages or ()),
        tuple((number, date.fromisoformat(day) if day else None) for number, day in invoices or ()),
        *has_any,
    )
