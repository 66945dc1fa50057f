from django.db import models
from django.db.models import Q

from orders.models.order import Order
from orders.models.shipment import Shipment
from shop.events import EventRow


class OrderEvent(EventRow):
    """What happened to an order: the customer's timeline and the outbox in one row."""

    class Kind(models.TextChoices):
        DRAFTED = "order_drafted", "Entered by staff"
        DRAFT_ENDED = "order_draft_ended", "Ended without payment"
        PAID_BY_HAND = "order_paid_by_hand", "Money noted by hand"
        PLACED = "order_placed", "Placed and paid"
        APPROVED = "order_approved", "Approved"
        PICKING = "shipment_picking_started", "Being picked"
        PICKED = "shipment_picked", "Picked"
        PACKED = "shipment_packed", "Packed"
        READY = "shipment_ready", "Ready to collect"
        UNCOLLECTED = "shipment_uncollected", "Not collected in time"
        COLLECTED = "shipment_collected", "Collected"
        DISPATCHED = "shipment_dispatched", "On the truck"
        DELAYED = "order_delayed", "Told that it is delayed"
        DELAY_ACCEPTED = "delay_accepted", "The buyer waits"
        DATE_ESSENTIAL = "date_marked_essential", "The day was marked essential"
        DATE_NOT_ESSENTIAL = "date_marked_not_essential", "The day is no longer essential"
        GOODS_CAME = "awaited_goods_came", "What it waited for is here"
        ADDRESS_CHANGED = "address_changed", "Address changed"
        TAKEN_BACK = "step_taken_back", "Step taken back"
        TRACKING_CORRECTED = "tracking_corrected", "Tracking corrected"
        IN_TRANSIT = "shipment_in_transit", "In transit"
        OUT_FOR_DELIVERY = "shipment_out_for_delivery", "Out for delivery"
        DELIVERY_FAILED = "delivery_attempt_failed", "Delivery tried"
        UNDELIVERABLE = "shipment_undeliverable", "Cannot be delivered"
        RETURNED = "shipment_returned", "Goes back to us"
        BACK = "shipment_back", "Back with us"
        DELIVERED = "shipment_delivered", "Delivered"
        DELIVERY_DENIED = "delivery_denied", "The buyer says it did not come"
        DENIAL_TAKEN_BACK = "denial_taken_back", "The buyer says it came after all"
        DENIAL_SETTLED = "denial_settled", "Settled that it did not come"
        CANCELLED = "order_cancelled", "Cancelled"
        LINES_CANCELLED = "lines_cancelled", "Lines cancelled"
        SPLIT = "order_split", "What is here goes ahead"
        DIVIDED = "parcel_divided", "Some of it in a parcel of its own"
        LINES_CHANGED = "lines_changed", "Size or colour changed"
        NOTE_CHANGED = "gift_note_changed", "Gift note changed"
        REFUNDED = "order_refunded", "Refunded"
        REFUND_FAILED = "refund_failed", "Refund came back"
        REFUND_AGAIN = "refund_sent_again", "Refund sent again"
        DISPUTED = "payment_disputed", "The bank disputes the payment"
        DISPUTE_CLOSED = "dispute_closed", "The dispute ended"
        FRAUD_WARNED = "fraud_warned", "Early fraud warning"
        PAYMENT_UNDER_WAY = "payment_under_way", "Payment on its way"
        PAYMENT_FAILED = "payment_failed", "The bank did not pay"
        HELD = "order_held", "Put on hold"
        RELEASED = "order_released", "Taken off hold"
        WITHDRAWN = "withdrawal_declared", "The buyer withdrew"
        GOODS_BACK = "withdrawn_goods_back", "Withdrawn goods are back"
        POSTING_SEEN = "withdrawn_goods_posted", "Proof seen that they were sent back"
        WITHDRAWAL_SETTLED = "withdrawal_settled", "Withdrawal settled"
        WITHDRAWAL_SET_ASIDE = "withdrawal_set_aside", "Withdrawal set aside"

        RETURN_REQUESTED = "return_requested", "The buyer sends something back"
        RETURN_RECEIVED = "return_received", "Returned goods came"
        RETURN_INSPECTED = "return_inspected", "Returned goods looked at"
        RETURN_SETTLED = "return_settled", "Return settled"
        RETURN_REFUSED = "return_refused", "Return refused"
        WITHDRAWN_INSPECTED = "withdrawn_goods_inspected", "Withdrawn goods looked at"

    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="events")
    shipment = models.ForeignKey(Shipment, on_delete=models.CASCADE, null=True, related_name="events")
    actor = models.CharField(max_length=80, blank=True)

    class Meta:
        ordering = ["id"]
        indexes = [models.Index(fields=["id"], condition=Q(relayed_at=None), name="order_event_unrelayed")]

    def __str__(self) -> str:
        return f"{self.order}: {self.kind}"
