from orders.admin.delay_notice import DelayNoticeAdmin
from orders.admin.delivery_zone import DeliveryZoneAdmin
from orders.admin.info_page import InfoPageAdmin
from orders.admin.lane_window import LaneWindowAdmin
from orders.admin.order import OrderAdmin
from orders.admin.payment import PaymentAdmin, StripeEventAdmin
from orders.admin.return_authorization import ReturnAuthorizationAdmin, ReturnExclusionAdmin
from orders.admin.settings import (
    HolidayAdmin,
    ShippingMethodAdmin,
    ShopSettingsAdmin,
    StaffCarrierAdmin,
    TaxRateAdmin,
)
from orders.admin.stripe_record import StripeRecordAdmin
from orders.admin.withdrawal import WithdrawalAdmin
from orders.admin.withdrawal_statement import WithdrawalStatementAdmin

__all__ = [
    "DelayNoticeAdmin",
    "DeliveryZoneAdmin",
    "HolidayAdmin",
    "InfoPageAdmin",
    "LaneWindowAdmin",
    "OrderAdmin",
    "PaymentAdmin",
    "ReturnAuthorizationAdmin",
    "ReturnExclusionAdmin",
    "ShippingMethodAdmin",
    "ShopSettingsAdmin",
    "StaffCarrierAdmin",
    "StripeEventAdmin",
    "StripeRecordAdmin",
    "TaxRateAdmin",
    "WithdrawalAdmin",
    "WithdrawalStatementAdmin",
]
