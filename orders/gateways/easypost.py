"""EasyPost: asked to follow a parcel, where one is, and for the label of a return. https://docs.easypost.com/docs/

Of a parcel it gets the number and nothing else; what it then tells comes by webhook (`orders.carriers.easypost`), and
is asked for where none comes. For a label it gets name and address of whoever sends it back, neither e-mail nor
telephone.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from http import HTTPStatus
from typing import Any

import requests
from django.conf import settings
from urllib3.exceptions import HTTPError

TIMEOUT_SECONDS = 10
REFUSALS = frozenset({HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND, HTTPStatus.UNPROCESSABLE_ENTITY})
LARGEST_LABEL = 5 * 1024 * 1024  # bytes
LONGEST_TEXT = 60  # of an id or a number; those of EasyPost have half of that
MOST_COST = Decimal(10_000)  # of any currency's
GRAMS_AN_OUNCE = Decimal("28.349523125")
# What EasyPost calls the parts of an address, and what a shop does.
ADDRESS_PARTS = {
    "name": "full_name",
    "street1": "line1",
    "street2": "line2",
    "city": "city",
    "state": "region",
    "zip": "postcode",
    "country": "country",
}


class EasyPostUnavailable(Exception):  # noqa: N818  (not a fault of ours)
    """It did not answer, or not as it should; asking again later may help."""


class EasyPostRefused(Exception):  # noqa: N818  (a refusal, not an error)
    """It takes no such number or parcel; asking again would not help. The message is EasyPost's, for staff."""


@dataclass(frozen=True)
class BoughtLabel:
    """`url`: where its PDF lies. `cost`: in `currency`."""

    carrier: str
    number: str
    url: str
    cost: Decimal
    currency: str


def is_set_up() -> bool:
    return bool(settings.EASYPOST_API_KEY)


def follow_number(number: str) -> str:
    """The id of the tracker by which it follows the number now; asked again it is the same. "" where it cannot.

    Raises `EasyPostUnavailable`.
    """
    try:
        return _read_text(_ask("POST", "/v2/trackers", {"tracker": {"tracking_code": number}}), "id")
    except EasyPostRefused:
        return ""


def fetch_tracker(tracker_id: str) -> dict[str, Any] | None:
    """All it knows of a parcel it follows; None where it has no such tracker. Raises `EasyPostUnavailable`."""
    try:
        return _ask("GET", f"/v2/trackers/{tracker_id}")
    except EasyPostRefused:
        return None


def create_return(sender: Mapping[str, str], *, goes_to: str, grams: int, reference: str) -> str:
    """Tells EasyPost of a parcel that comes back, which costs nothing yet. Returns its id there.

    `sender`: the columns of a postal address. `goes_to`: the id of the shop's address at EasyPost. Raises
    `EasyPostRefused` and `EasyPostUnavailable`.
    """
    ounces = max((Decimal(grams) / GRAMS_AN_OUNCE).quantize(Decimal("0.1")), Decimal("0.1"))
    shipment = {
        "is_return": True,  # so that both addresses change places
        "to_address": {part: sender[column] for part, column in ADDRESS_PARTS.items() if sender.get(column)},
        "from_address": {"id": goes_to},
        "parcel": {"weight": float(ounces)},
        "options": {"label_format": "PDF"},
        "reference": reference,
    }
    return _read_text(_ask("POST", "/v2/shipments", {"shipment": shipment}), "id")


def buy_label(shipment_id: str) -> BoughtLabel:
    """The label of the cheapest way, bought once, however often it is asked for. Raises as `create_return`."""
    shipment = _ask("GET", f"/v2/shipments/{shipment_id}")
    if not shipment.get("postage_label"):
        rate = _find_cheapest_rate(shipment)
        shipment = _ask("POST", f"/v2/shipments/{shipment_id}/buy", {"rate": {"id": _read_text(rate, "id")}})
    bought = _read(shipment, "selected_rate")
    return BoughtLabel(
        carrier=_read_text(bought, "carrier"),
        number=_read_text(shipment, "tracking_code"),
        url=str(_read(_read(shipment, "postage_label"), "label_url")),
        cost=_read_amount(bought),
        currency=_read_text(bought, "currency", longest=3),
    )


def fetch_label(url: str) -> bytes:
    """The PDF. It lies where EasyPost says and nowhere else: no redirect is followed, and its key is not sent along.

    Raises `EasyPostUnavailable`.
    """
    if not url.startswith(("https://", f"{settings.EASYPOST_API_BASE}/")):
        raise EasyPostUnavailable("The label lies at no safe address.")
    try:
        with requests.get(url, timeout=TIMEOUT_SECONDS, stream=True, allow_redirects=False) as answer:
            content = answer.raw.read(LARGEST_LABEL + 1, decode_content=True) if answer.ok else b""
    except (requests.RequestException, HTTPError) as error:
        raise EasyPostUnavailable("The label cannot be fetched.") from error
    if not content.startswith(b"%PDF-") or len(content) > LARGEST_LABEL:
        raise EasyPostUnavailable("What lies where the label should is no PDF.")
    return content


def _find_cheapest_rate(shipment: Mapping[str, Any]) -> Mapping[str, Any]:
    rates = [rate for rate in _list_parts(shipment, "rates") if rate.get("currency") == settings.CURRENCY]
    if not rates:
        said = "; ".join(str(each.get("message", "")) for each in _list_parts(shipment, "messages"))
        raise EasyPostRefused(f"No carrier takes it, paid in {settings.CURRENCY}. {said}".strip())
    return min(rates, key=_read_amount)


def _read_amount(rate: Mapping[str, Any]) -> Decimal:
    """Read before it is bought, so that nothing is bought at a price that is none."""
    try:
        amount = Decimal(str(_read(rate, "rate")))
    except InvalidOperation:
        amount = Decimal("NaN")
    if not (amount.is_finite() and 0 <= amount < MOST_COST):
        raise EasyPostUnavailable("EasyPost names a price that is none.")
    return amount


def _list_parts(told: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    found = told.get(name)
    return [each for each in found if isinstance(each, Mapping)] if isinstance(found, list) else []


def _read_text(told: Any, name: str, *, longest: int = LONGEST_TEXT) -> str:
    found = _read(told, name)
    if not isinstance(found, str) or len(found) > longest:
        raise EasyPostUnavailable(f"EasyPost’s answer has no usable {name}.")
    return found


def _read(told: Any, name: str) -> Any:
    """Raises `EasyPostUnavailable` where an answer lacks what it should have."""
    found = told.get(name) if isinstance(told, Mapping) else None
    if not found:
        raise EasyPostUnavailable(f"EasyPost’s answer has no {name}.")
    return found


def _ask(method: str, path: str, told: Mapping[str, Any] | None = None) -> dict[str, Any]:
    try:
        answer = requests.request(
            method,
            f"{settings.EASYPOST_API_BASE}{path}",
            json=told,
            auth=(settings.EASYPOST_API_KEY, ""),
            timeout=TIMEOUT_SECONDS,
            allow_redirects=False,  # else name and address would go wherever it leads
        )
        found = answer.json() if answer.content else {}
    except requests.RequestException as error:
        raise EasyPostUnavailable("EasyPost does not answer.") from error
    if answer.status_code in REFUSALS:
        raise EasyPostRefused(_find_reason(found))
    if not 200 <= answer.status_code < 300 or not isinstance(found, dict):
        raise EasyPostUnavailable(f"EasyPost answers {answer.status_code}.")
    return found


def _find_reason(answer: Any) -> str:
    error = answer.get("error") if isinstance(answer, Mapping) else None
    return str(error.get("message", "")) if isinstance(error, Mapping) else ""
