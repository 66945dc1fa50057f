"""A product on its way to a shelf or into a mail, and why it is shown."""

from dataclasses import dataclass
from enum import StrEnum


class EvidenceSource(StrEnum):
    """Where a datum about a customer comes from."""

    TOLD = "told"
    BOUGHT = "bought"
    SEEN = "seen"


@dataclass(frozen=True)
class Evidence:
    """The one datum a personal pick follows: an interest, an order line, or a look."""

    source: EvidenceSource
    pk: int


@dataclass(frozen=True)
class Pick:
    """A product and why it is shown. `purpose`: the switch it stands on beyond the shelf's own, if any.

    `way`: how it came to the shelf, one of the shelf's `ways`.
    """

    product_id: int
    why: str
    purpose: str | None = None
    because: Evidence | None = None
    way: str = ""
