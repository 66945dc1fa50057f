"""What carriers tell of parcels: kept as it comes, then written into the parcels it is about.

A message is stored and answered; a job works through the rows, so one that is lost on the way from the row to the
parcel is found by the next run. A parcel's stage follows from all its scans and from what staff said of it
(`orders.fulfilment.scanned_stage`), so the order in which they come changes nothing.
"""

from collections.abc import Iterable
from datetime import date, datetime, timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.db.models.functions import Upper
from django.utils import timezone

from orders import stages
from orders.carriers.base import CarrierScan, ParcelNotice, ScanMeaning
from orders.carriers.scan_formats import SCAN_FORMATS
from orders.fulfilment import transitions
from orders.fulfilment.scanned_stage import ENDS, derive_standing
from orders.locks import lock_shipment
from orders.models import CarrierMessage, OrderEvent, Shipment, TrackingEvent
from orders.models.shipment import BareNumber
from orders.models.tracking import compute_scan_key
from shop.periods import Period
from shop.retrying import loops
from shop.retrying.loops import Loop

BATCH = 200
MESSAGE_RETENTION = Period(days=14)
MOST_UNKNOWN = 5_000  # messages that wait for a number nobody has typed yet; the oldest go first
NUMBERS_COME_BACK = timedelta(days=120)  # carriers give a number again; a parcel that left earlier is another one
BEFORE_IT_LEFT = timedelta(days=2)  # the carrier may fetch a parcel before staff press “Ship”
MESSAGES = loops.register_loop(
    Loop(
        "carrier_messages",
        "Something a carrier told us",
        "It is looked at again by itself. Where the parcel is stands at the carrier’s own page meanwhile.",
        model="orders.CarrierMessage",
    )
)


def store_notice(sender: str, notice: ParcelNotice) -> None:
    """Keeps the message once, however often it is sent. `sender`: a key of `SCAN_FORMATS`. One query."""
    told = [
        {"meaning": each.meaning, "at": each.happened_at.isoformat(), "words": each.words, "place": each.place}
        for each in notice.scans
    ]
    message = CarrierMessage(
        sender=sender,
        reference=notice.reference,
        number=notice.number,
        scans=told,
        estimated_on=notice.estimated_on,
        told_at=notice.told_at,
    )
    CarrierMessage.objects.bulk_create([message], ignore_conflicts=True)


def process_waiting_messages() -> int:
    """Works through what waits for a parcel of ours; one that fails waits alone. Returns how many are done."""
    waiting = CarrierMessage.objects.filter(processed_at=None)
    MESSAGES.forget_settled(waiting)
    done = 0
    known = waiting.filter(Exists(_find_parcels(OuterRef("number"))))
    for message in MESSAGES.due(known).order_by("pk")[:BATCH]:
        with MESSAGES.attempt(message.pk, subject=f"{message}"):
            _bring_to_parcels(message)
            done += 1
    _forget_unknown(waiting)
    return done


def _find_parcels(number: object) -> QuerySet[Shipment]:
    """Those that left with this bare number and may still be meant by it."""
    left = Shipment.objects.filter(
        stage__in=stages.DISPATCHED_STAGES, dispatched_at__gt=timezone.now() - NUMBERS_COME_BACK
    )
    return left.exclude(tracking_number="").alias(bare=Upper(BareNumber("tracking_number"))).filter(bare=number)


def _bring_to_parcels(message: CarrierMessage) -> None:
    scans = [_read_scan(each) for each in message.scans]
    parcels = list(_find_parcels(message.number).order_by("pk").values_list("pk", flat=True))
    for shipment_id in parcels:
        record_scans(shipment_id, scans, sender=message.sender)
        if message.told_at:
            record_estimate(shipment_id, message.estimated_on, told_at=message.told_at)
    now = timezone.now()
    Shipment.objects.filter(pk__in=parcels).update(heard_at=now)
    CarrierMessage.objects.filter(pk=message.pk).update(processed_at=now)


def _read_scan(told: dict[str, str]) -> CarrierScan:
    happened_at = datetime.fromisoformat(told["at"])
    return CarrierScan(ScanMeaning(told["meaning"]), happened_at, words=told["words"], place=told["place"])


def _forget_unknown(waiting: QuerySet[CarrierMessage]) -> None:
    """No more wait than `MOST_UNKNOWN`, whoever sends them."""
    last_kept = waiting.order_by("-pk").values_list("pk", flat=True)[MOST_UNKNOWN - 1 : MOST_UNKNOWN].first()
    if last_kept is not None:
        waiting.filter(pk__lt=last_kept).delete()


@transaction.atomic
def record_scans(shipment_id: int, scans: Iterable[CarrierScan], *, sender: str) -> Shipment:
    """Writes them down, each once, and brings the parcel to where all that is known of it says it is."""
    shipment = lock_shipment(shipment_id)
    if shipment.stage not in stages.DISPATCHED_STAGES or shipment.dispatched_at is None:
        return shipment
    earliest = shipment.dispatched_at - BEFORE_IT_LEFT
    rows = [_make_row(shipment, scan, sender) for scan in scans if scan.happened_at >= earliest]
    TrackingEvent.objects.bulk_create(rows, ignore_conflicts=True)
    return _settle_stage(shipment, actor=SCAN_FORMATS[sender].name)


@transaction.atomic
def record_estimate(shipment_id: int, estimated_on: date | None, *, told_at: datetime) -> None:
    """The day on which the carrier means to deliver it; None takes it back. What was said last counts."""
    shipment = lock_shipment(shipment_id)
    if shipment.estimate_told_at is None or shipment.estimate_told_at < told_at:
        shipment.estimated_on, shipment.estimate_told_at = estimated_on, told_at
        shipment.save(update_fields=["estimated_on", "estimate_told_at"])


def _make_row(shipment: Shipment, scan: CarrierScan, sender: str) -> TrackingEvent:
    return TrackingEvent(
        shipment=shipment,
        meaning=scan.meaning.value,
        words=scan.words,
        place=scan.place,
        happened_at=scan.happened_at,
        sender=sender,
        key=compute_scan_key(scan),
    )


def _settle_stage(shipment: Shipment, *, actor: str) -> Shipment:
    seen = list(shipment.scans.all())
    standing = derive_standing(seen, _list_staff_steps(shipment))
    tried_on = _find_last_attempt(seen) if standing.stage == Shipment.Stage.FAILED_ATTEMPT else None
    if standing.stage != shipment.stage or standing.delivered_at not in (None, shipment.delivered_at):
        return transitions.move_shipment_by_scan(
            shipment.pk, standing.stage, actor=actor, delivered_at=standing.delivered_at, tried_on=tried_on
        )
    if tried_on and tried_on > _find_last_told_attempt(shipment):
        transitions.record_attempt(shipment, tried_on, actor=actor)
    return shipment


def _find_last_attempt(seen: Iterable[TrackingEvent]) -> date | None:
    """The day on which its carrier last tried in vain, however often."""
    tries = [scan.happened_at for scan in seen if scan.meaning == TrackingEvent.Meaning.FAILED_ATTEMPT]
    return timezone.localdate(max(tries)) if tries else None


def _find_last_told_attempt(shipment: Shipment) -> date:
    """The day of the last that stands in its story. Staff's word of it has no day but that on which they said so."""
    told = shipment.events.filter(kind=OrderEvent.Kind.DELIVERY_FAILED).values_list(
        f"data__{transitions.TRIED_ON}", "created_at"
    )
    return max((date.fromisoformat(on) if on else timezone.localdate(at) for on, at in told), default=date.min)


def _list_staff_steps(shipment: Shipment) -> list[tuple[str, datetime]]:
    """Kind and time of what staff did with it. A parcel from elsewhere may be at its end without an event of that."""
    found = list(shipment.events.values_list("kind", "created_at", f"data__{transitions.BY_SCAN}"))
    steps = [(kind, at) for kind, at, is_by_scan in found if not is_by_scan]
    reached = stages.get_stage(shipment.stage)
    if shipment.stage in ENDS and reached.event not in {kind for kind, *_ in found}:
        steps.append((reached.event, shipment.delivered_at or timezone.now()))
    return steps
