"""What this did for you: which datum put which product where, noted once a day, only while its switch is on."""

import json
from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zlib import crc32

from django.core.cache import cache
from django.db import IntegrityError, connection, transaction
from django.utils import timezone
from django.utils.formats import date_format

from accounts.consent import consent
from accounts.consent.purposes import LOOKS_RETENTION
from accounts.models import Customer
from orders.models import OrderLine
from recommendations.models import Effect
from recommendations.picks import Evidence, EvidenceSource, Pick

Place = Effect.Place
DAY = 24 * 60 * 60
_COLUMNS = {EvidenceSource.TOLD: "interest_id", EvidenceSource.BOUGHT: "line_id", EvidenceSource.SEEN: "view_id"}

# Asked and written in one statement, and at most once a day for each row.
_RECORD = """
    WITH wanted AS (
        SELECT * FROM jsonb_to_recordset(%(shown)s::jsonb)
        AS w(purpose text, product_id bigint, interest_id bigint, line_id bigint, view_id bigint)),
    allowed AS (
        SELECT w.* FROM wanted w JOIN accounts_consent c
        ON c.customer_id = %(customer)s AND c.purpose = w.purpose AND c.granted),
    used AS (
        UPDATE accounts_interest SET last_used_at = %(now)s
        WHERE customer_id = %(customer)s AND id IN (SELECT interest_id FROM allowed))
    INSERT INTO recommendations_effect (customer_id, interest_id, line_id, view_id, product_id, place, shown_on)
    SELECT %(customer)s, interest_id, line_id, view_id, product_id, %(place)s, %(today)s FROM allowed
    ON CONFLICT (customer_id, interest_id, line_id, view_id, product_id, place)
    DO UPDATE SET shown_on = excluded.shown_on WHERE recommendations_effect.shown_on < excluded.shown_on"""


def record_effects(customer: Customer | None, picks: Sequence[Pick], *, place: str) -> None:
    """Notes what put these products there. Nothing for a preview, for what is not personal, or a second time a day."""
    personal = [pick for pick in picks if pick.because]
    if customer is None or not personal or consent.is_overlay_active():
        return
    today = timezone.localdate()
    shown = json.dumps([_build_effect_row(pick) for pick in personal])
    if not cache.add(f"effects:{customer.pk}:{place}:{today}:{crc32(shown.encode())}", value=True, timeout=DAY):
        return
    values: dict[str, Any] = {
        "customer": customer.pk,
        "shown": shown,
        "place": place,
        "today": today,
        "now": timezone.now(),
    }
    # A datum deleted since the shelf was made has no effect to note.
    with suppress(IntegrityError), transaction.atomic(savepoint=False), connection.cursor() as cursor:
        cursor.execute(_RECORD, values)


def _build_effect_row(pick: Pick) -> dict[str, Any]:
    assert pick.because is not None  # noqa: S101  (the caller leaves the others out)
    return {"purpose": pick.purpose, "product_id": pick.product_id, _COLUMNS[pick.because.source]: pick.because.pk}


@dataclass(frozen=True)
class Explanation:
    """A datum that lately did something. `title`: what it is; `since`: when it came to us.

    `line`: the purchase, where it is one.
    """

    because: Evidence
    title: str
    since: datetime | None
    last_used_on: date
    effects: tuple[str, ...]
    expires_at: datetime | None = None
    line: OrderLine | None = None


def get_interest_effects(customer: Customer) -> dict[int, list[str]]:
    """By interest, what it lately did, in words. One query."""
    found: dict[int, list[str]] = {}
    for effect in _get_recent_effects(customer).filter(interest__isnull=False):
        found.setdefault(effect.interest_id, []).append(format_effect(effect))
    return found


def explain_observed_data(customer: Customer) -> list[Explanation]:
    """The purchases and looks that lately did something, the latest used first. One query."""
    by_datum: dict[Evidence, list[Effect]] = {}
    for effect in (
        _get_recent_effects(customer).filter(interest=None).select_related("product", "line__order", "view__product")
    ):
        by_datum.setdefault(_get_evidence(effect), []).append(effect)
    return [_build_explanation(because, effects) for because, effects in by_datum.items()]


def _get_recent_effects(customer: Customer) -> Any:
    since = timezone.localdate() - LOOKS_RETENTION
    return Effect.objects.filter(customer=customer, shown_on__gt=since).select_related("product")


def _get_evidence(effect: Effect) -> Evidence:
    return (
        Evidence(EvidenceSource.BOUGHT, effect.line_id)
        if effect.line_id
        else Evidence(EvidenceSource.SEEN, effect.view_id or 0)
    )


def _build_explanation(because: Evidence, effects: Collection[Effect]) -> Explanation:
    first = next(iter(effects))
    said = tuple(format_effect(effect) for effect in effects)
    if first.line:
        return Explanation(because, first.line.title, first.line.order.placed_at, first.shown_on, said, line=first.line)
    view = first.view
    assert view is not None  # noqa: S101  (each effect stands on one of three)
    return Explanation(
        because, view.product.title, view.viewed_at, first.shown_on, said, view.viewed_at + LOOKS_RETENTION
    )


def format_effect(effect: Effect) -> str:
    """“Put Foxglove Wool Socks on your home shelf on 3 May”."""
    day = date_format(effect.shown_on, "j F")
    if effect.place == Place.LETTER:
        return f"Picked {effect.product.title} for {Place.LETTER.label} on {day}"
    return f"Put {effect.product.title} on {Place(effect.place).label} on {day}"


def retire_effects() -> int:
    """Deletes what was noted longer ago than that; returns how many rows."""
    return Effect.objects.filter(shown_on__lte=timezone.localdate() - LOOKS_RETENTION).delete()[0]
