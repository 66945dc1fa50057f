"""The label of a return, where the shop pays for sending back and has an account with carriers.

No page waits for a carrier: a buyer asks for it, a job makes it, and the return's page offers it.
"""

import re
import secrets

from django.core.files.base import ContentFile
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from accounts.models.address import ADDRESS_FIELDS
from orders import shop_terms
from orders.carriers import find_carrier, get_carrier_name
from orders.gateways import easypost
from orders.gateways.easypost import BoughtLabel, EasyPostRefused
from orders.locks import lock_order
from orders.models import ReturnAuthorization, ReturnLabel, ShopSettings
from orders.returns.pictures import get_private_storage
from orders.returns.policy import ReturnPolicy
from orders.returns.refusal import ReturnRefused
from shop.retrying import loops
from shop.retrying.loops import Loop

BATCH = 20
KEY = "return_authorization_id"
LABELS = loops.register_loop(
    Loop(
        "return_labels",
        title="A label for a return",
        advice="It is asked for again by itself. If it stays, look whether EASYPOST_API_KEY and the return address at "
        "EasyPost, in the shop’s settings, are right. The buyer may send it without.",
        model="orders.ReturnAuthorization",
    )
)


def may_have_label(made: ReturnAuthorization, rule: ReturnPolicy, settings: ShopSettings) -> bool:
    """Whether its buyer may ask for one: it has not come, sending it costs them nothing, and there is an address that
    it comes from, as there is none of what was collected in a store. Reads `order` and `refund`.
    """
    is_free = rule.pays_postage or made.kind == ReturnAuthorization.Kind.FAULTY
    is_awaited = made.is_open and made.received_at is None
    return is_awaited and is_free and bool(made.order.line1) and _are_labels_made(settings)


def _are_labels_made(settings: ShopSettings) -> bool:
    return bool(settings.return_label_address) and easypost.is_set_up()


@transaction.atomic
def request_label(made: ReturnAuthorization, rule: ReturnPolicy) -> ReturnLabel:
    """The label asked for; pressed again it is the same. Raises `ReturnRefused` where none is offered any more."""
    lock_order(made.order_id)
    now = ReturnAuthorization.objects.select_related("order", "refund").get(pk=made.pk)
    if not may_have_label(now, rule, shop_terms.load_terms().settings):
        raise ReturnRefused("There is no label for this return any more. Look again.")
    label, _ = ReturnLabel.objects.get_or_create(return_authorization=made, defaults={"requested_at": timezone.now()})
    return label


def make_waiting_labels() -> int:
    """Makes the labels that were asked for; each stands or falls alone, and no two workers make them at once, which
    would buy two. Returns how many were seen to.
    """
    with LABELS.take_turn() as is_mine:
        return _make_labels(ShopSettings.current()) if is_mine else 0


def _make_labels(settings: ShopSettings) -> int:
    wanted = _find_wanted_labels() if _are_labels_made(settings) else ReturnLabel.objects.none()
    LABELS.forget_settled(wanted, key=KEY)
    due = LABELS.due(wanted, key=KEY).order_by("pk").values_list("pk", KEY, "return_authorization__number")
    count = 0
    for pk, return_id, number in list(due[:BATCH]):
        with LABELS.attempt(return_id, subject=f"{LABELS.title}: {number}"):
            _make_label(_find_wanted_labels().filter(pk=pk), settings)
            count += 1
    return count


def _find_wanted_labels() -> QuerySet[ReturnLabel]:
    """Neither made nor refused, of what has not come and is still to be taken back."""
    return ReturnLabel.objects.filter(
        made_at=None,
        refused_at=None,
        return_authorization__received_at=None,
        return_authorization__refused_at=None,
    )


def _make_label(wanted: QuerySet[ReturnLabel], settings: ShopSettings) -> None:
    """What the carrier calls it is kept before it is bought, so that a worker that dies in between buys no second.

    `wanted`: that one label. It is looked for again before anything leaves the shop and before anything is bought:
    meanwhile the return may be refused, here, or erased.
    """
    label = wanted.select_related("return_authorization__order").first()
    if label is None:
        return
    made = label.return_authorization
    try:
        reference = label.reference or easypost.create_return(
            {name: str(getattr(made.order, name)) for name in ADDRESS_FIELDS},
            goes_to=settings.return_label_address,
            grams=settings.return_label_grams,
            reference=made.number,
        )
        if wanted.update(reference=reference):
            _keep_label(label, easypost.buy_label(reference))
    except EasyPostRefused as refusal:
        wanted.update(refused_at=timezone.now(), refused_reason=str(refusal)[:200])


def _keep_label(label: ReturnLabel, bought: BoughtLabel) -> None:
    """Its file stays only with its row: the row may be erased meanwhile."""
    content, kept = ContentFile(easypost.fetch_label(bought.url)), 0
    name = get_private_storage().save(f"labels/{secrets.token_hex(16)}.pdf", content)
    try:
        kept = ReturnLabel.objects.filter(pk=label.pk, made_at=None).update(
            carrier=_name_carrier(bought.carrier),
            tracking_number=bought.number,
            cost=bought.cost,
            currency=bought.currency,
            file=name,
            made_at=timezone.now(),
        )
    finally:
        if not kept:
            get_private_storage().delete(name)


def _name_carrier(name: str) -> str:
    """As people know it, where the shop does: EasyPost writes RoyalMail."""
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)
    known = find_carrier(words)
    return get_carrier_name(known) if known else words[:40]


def read_label(label: ReturnLabel) -> bytes | None:
    """Its PDF; None while there is none, or where the file is gone."""
    if not label.file:
        return None
    try:
        with get_private_storage().open(label.file) as stored:
            content: bytes = stored.read()
            return content
    except FileNotFoundError:
        return None


def delete_labels(found: list[ReturnLabel]) -> int:
    """Rows and files. Returns how many rows."""
    for label in found:
        if label.file:
            get_private_storage().delete(label.file)
    return ReturnLabel.objects.filter(pk__in=[label.pk for label in found]).delete()[0]
