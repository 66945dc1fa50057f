from orders.models.allocation import Allocation
from orders.models.carrier import StaffCarrier
from orders.models.cart import Cart, CartLine
from orders.models.delay_notice import DelayNotice
from orders.models.delivery_zone import DeliveryZone
from orders.models.event import OrderEvent
from orders.models.info_page import InfoPage
from orders.models.invoice import Invoice, InvoiceKind, InvoiceSeries
from orders.models.lane_window import LaneWindow
from orders.models.order import Adjustment, Order, OrderTick
from orders.models.order_line import OrderLine
from orders.models.payment import Payment, Refund, RefundLine, StripeEvent
from orders.models.return_authorization import (
    ReturnAuthorization,
    ReturnExclusion,
    ReturnLine,
    ReturnPicture,
)
from orders.models.return_label import ReturnLabel
from orders.models.settings import Holiday, ShippingMethod, ShopSettings, TaxRate
from orders.models.shipment import PackingScan, Shipment, ShipmentLine
from orders.models.stripe_record import StripeFeed, StripeRecord
from orders.models.tracking import CarrierMessage, TrackingEvent
from orders.models.withdrawal import Withdrawal, WithdrawalLine, WithdrawalStatement

__all__ = [
    "Adjustment",
    "Allocation",
    "CarrierMessage",
    "Cart",
    "CartLine",
    "DelayNotice",
    "DeliveryZone",
    "Holiday",
    "InfoPage",
    "Invoice",
    "InvoiceKind",
    "InvoiceSeries",
    "LaneWindow",
    "Order",
    "OrderEvent",
    "OrderLine",
    "OrderTick",
    "PackingScan",
    "Payment",
    "Refund",
    "RefundLine",
    "ReturnAuthorization",
    "ReturnExclusion",
    "ReturnLabel",
    "ReturnLine",
    "ReturnPicture",
    "Shipment",
    "ShipmentLine",
    "ShippingMethod",
    "ShopSettings",
    "StaffCarrier",
    "StripeEvent",
    "StripeFeed",
    "StripeRecord",
    "TaxRate",
    "TrackingEvent",
    "Withdrawal",
    "WithdrawalLine",
    "WithdrawalStatement",
]
