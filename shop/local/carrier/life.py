"""A parcel's life in the carrier's words: what happens to it, one scan after another."""

from typing import Any

LABEL = ("pre_transit", "label_created", "Shipping label created", "")
COLLECTED = ("in_transit", "received_at_origin_facility", "Collected from sender", "Portsmouth")
SORTED = ("in_transit", "departed_facility", "Departed the sorting centre", "Birmingham")
ARRIVED = ("in_transit", "received_at_destination_facility", "Arrived at the delivery depot", "Leeds")
ON_THE_VAN = ("out_for_delivery", "out_for_delivery", "With the driver", "Leeds")
TRIED = ("in_transit", "delivery_exception", "Nobody at home, card left", "Leeds")
REFUSED = ("failure", "refused", "Refused by the recipient", "Leeds")
GOING_BACK = ("return_to_sender", "return", "Returning to sender", "Leeds")
HANDED_OVER = ("delivered", "arrived_at_destination", "Delivered, left with the recipient", "Leeds")

USUAL = (LABEL, COLLECTED, SORTED, ARRIVED, ON_THE_VAN)
LIVES: dict[str, tuple[tuple[str, str, str, str], ...]] = {
    "delivered": (*USUAL, HANDED_OVER),
    "tried_first": (*USUAL, TRIED, ON_THE_VAN, HANDED_OVER),
    "refused": (*USUAL, REFUSED, GOING_BACK),
    "by_hand": (),  # nothing but what `scan` says
}


def make_detail(step: tuple[str, str, str, str], at: str) -> dict[str, Any]:
    """A scan as EasyPost shows it. `at`: ISO 8601."""
    status, status_detail, message, city = step
    return {
        "object": "TrackingDetail",
        "status": status,
        "status_detail": status_detail,
        "message": message,
        "datetime": at,
        "source": "StandIn",
        "tracking_location": {
            "object": "TrackingLocation",
            "city": city.upper() or None,
            "state": None,
            "country": "GB" if city else None,
            "zip": None,
        },
    }
