"""The label of a return, where the shop pays for sending back and has an account with carriers.

No page waits for a carrier: a buyer asks for it, a job makes it, and the return's page offers it.
"""

import re
import secrets

from django.core.files.base import ContentFile
from django.db import transaction
from django.utils import timezone

from accounts.models.address import ADDRESS_FIELDS
from orders import shop_terms
from orders.carriers import find_carrier, get_carrier_name
from orders.gateways import easypost
from orders.gateways.easypost import BoughtLabel, LabelRefused
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
    """Whether its buyer may ask for one: it has not come, and sending it costs them nothing. No query."""
    is_free = rule.pays_postage or made.kind == ReturnAuthorization.Kind.FAULTY
    is_awaited = made.is_open and made.received_at is None
    return is_awaited and is_free and bool(settings.return_label_address) and easypost.is_set_up()


@transaction.atomic
def request_label(made: ReturnAuthorization, rule: ReturnPolicy) -> ReturnLabel:
    """The label asked for; pressed again it is the same. Raises `ReturnRefused` where none is offered any more."""
    lock_order(made.order_id)
    now = ReturnAuthorization.objects.select_related("refund").get(pk=made.pk)
    if not may_have_label(now, rule, shop_terms.load_terms().settings):
        raise ReturnRefused("There is no label for this return any more. Look again.")
    label, _ = ReturnLabel.objects.get_or_create(
        return_authorization=made, defaults={"requested_at": timezone.now(), "currency": made.currency}
    )
    return label


def make_waiting_labels() -> int:
    """Makes the labels that were asked for; each stands or falls alone. Returns how many were seen to."""
    settings = ShopSettings.current()
    if not (easypost.is_set_up() and settings.return_label_address):
        return 0
    waiting = ReturnLabel.objects.filter(made_at=None, refused_at=None)
    LABELS.forget_settled(waiting, key=KEY)
    count = 0
    due = LABELS.due(waiting, key=KEY).select_related("return_authorization__order")
    for label in list(due.order_by("pk")[:BATCH]):
        made = label.return_authorization
        with LABELS.attempt(made.pk, subject=f"{LABELS.title}: {made.number}"):
            _make_label(label, settings)
            count += 1
    return count


def _make_label(label: ReturnLabel, settings: ShopSettings) -> None:
    """What the carrier calls it is kept before it is bought, so that a worker that dies in between buys no second."""
    made = label.return_authorization
    waiting = ReturnLabel.objects.filter(pk=label.pk, made_at=None, refused_at=None)
    try:
        if not label.reference:
            label.reference = easypost.create_return(
                {name: str(getattr(made.order, name)) for name in ADDRESS_FIELDS},
                goes_to=settings.return_label_address,
                grams=settings.return_label_grams,
                reference=made.number,
            )
            waiting.update(reference=label.reference)
        bought = easypost.buy_label(label.reference)
    except LabelRefused as refusal:
        waiting.update(refused_at=timezone.now(), refused_reason=str(refusal)[:200])
        return
    _keep_label(label, bought)


def _keep_label(label: ReturnLabel, bought: BoughtLabel) -> None:
    content = ContentFile(easypost.fetch_label(bought.url))
    name = get_private_storage().save(f"labels/{secrets.token_hex(16)}.pdf", content)
    kept = ReturnLabel.objects.filter(pk=label.pk, made_at=None).update(
        carrier=_name_carrier(bought.carrier),
        tracking_number=bought.number,
        cost=bought.cost,
        currency=bought.currency,
        file=name,
        made_at=timezone.now(),
    )
    if not kept:  # another worker was first
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
