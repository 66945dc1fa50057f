"""The labels of returns, as EasyPost sells them: told of a shipment, it names rates, sells one once and draws a PDF."""

import json
import secrets
import threading
from typing import Any

import typst

RATES = (("RoyalMail", "TrackedReturns48", "3.35"), ("DPDUK", "ReturnToShop", "4.20"))
S10_WEIGHTS = (8, 6, 4, 2, 3, 5, 9, 7)
SHEET = b"#set page(width: 4in, height: 6in)\n#for line in json(bytes(sys.inputs.lines)) [#line #linebreak()]"
NOWHERE = "XX"  # a country no carrier here comes from


class LabelCounter:
    """Keeps what it was told for as long as it runs. Safe to use from several threads."""

    def __init__(self, *, currency: str) -> None:
        self._lock = threading.Lock()
        self._currency = currency
        self.shipments: dict[str, dict[str, Any]] = {}

    def create(self, told: dict[str, Any]) -> dict[str, Any]:
        """Raises `ValueError` for what EasyPost would refuse."""
        buyer, weight = told["to_address"], told["parcel"]["weight"]
        if not buyer.get("street1") or not buyer.get("country"):
            raise ValueError("The address is not complete.")
        if not isinstance(weight, int | float) or weight <= 0:
            raise ValueError("A parcel weighs something.")
        shipment = {
            "id": f"shp_{secrets.token_hex(16)}",
            "object": "Shipment",
            "mode": "test",
            "is_return": bool(told.get("is_return")),
            "reference": told.get("reference"),
            # A return's addresses change places.
            "from_address": buyer,
            "to_address": told["from_address"],
            "rates": self._list_rates(buyer["country"]),
            "messages": [{"carrier": "RoyalMail", "type": "rate_error", "message": "No rates for this country."}]
            if buyer["country"] == NOWHERE
            else [],
            "selected_rate": None,
            "postage_label": None,
            "tracking_code": None,
        }
        with self._lock:
            self.shipments[str(shipment["id"])] = shipment
        return shipment

    def buy(self, shipment_id: str, rate_id: str, *, base_url: str) -> dict[str, Any]:
        with self._lock:
            shipment = self.shipments[shipment_id]
            if shipment["postage_label"]:
                raise ValueError("Postage was bought for this shipment already.")
            rate = next(each for each in shipment["rates"] if each["id"] == rate_id)
            shipment["selected_rate"] = rate
            shipment["tracking_code"] = draw_number(len(self.shipments))
            shipment["postage_label"] = {
                "object": "PostageLabel",
                "label_file_type": "application/pdf",
                "label_url": f"{base_url}/labels/{shipment_id}.pdf",
            }
            return shipment

    def draw(self, shipment_id: str) -> bytes:
        shipment = self.shipments[shipment_id]
        sender = [str(value) for value in shipment["from_address"].values() if value]
        return draw_pdf(["RETURN", str(shipment["reference"]), str(shipment["tracking_code"]), "From:", *sender])

    def _list_rates(self, country: str) -> list[dict[str, Any]]:
        offered = () if country == NOWHERE else RATES
        return [
            {
                "id": f"rate_{secrets.token_hex(16)}",
                "object": "Rate",
                "carrier": carrier,
                "service": service,
                "rate": price,
                "currency": self._currency,
            }
            for carrier, service, price in offered
        ]


def draw_number(count: int) -> str:
    """A number of the form of the Universal Postal Union, its check digit right."""
    serial = f"{70_000_000 + count:08}"
    rest = 11 - sum(int(digit) * weight for digit, weight in zip(serial, S10_WEIGHTS, strict=True)) % 11
    return f"RB{serial}{ {10: 0, 11: 5}.get(rest, rest) }GB"


def draw_pdf(lines: list[str]) -> bytes:
    return typst.compile(SHEET, sys_inputs={"lines": json.dumps(lines)})
