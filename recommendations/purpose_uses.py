"""What each purpose of this app switches, and which of a customer's purchases it reads."""

from dataclasses import replace

from django.db.models import Q

from accounts.consent import purposes
from accounts.consent.uses import UseKind, register_use
from orders import forgotten_purchases
from orders.forgotten_purchases import register_purchase_reader
from orders.models.order_line import IN_A_SIZE
from recommendations.personal_data import EFFECT_FIELDS
from recommendations.picks import SHELVES

COUNTED_WORDING = replace(
    forgotten_purchases.WORDING,
    undone="Undone. What you bought counts again, while the switch is on, from the next time the shelves are worked "
    "out: a few times a day.",
)


def register_uses() -> None:
    for shelf in SHELVES.values():
        for purpose in shelf.purposes if shelf.is_personal else ():
            register_use(purpose, UseKind.SHELF, shelf.title)
    for purpose in EFFECT_FIELDS:
        register_use(purpose, UseKind.RECORDER, "recommendations.explanations")
    register_use(purposes.RECOMMEND_FROM_TOLD, UseKind.SHELF, "the size chosen on a product page")
    register_use(purposes.GUESS_SIZES, UseKind.SHELF, "the sizes guessed on “What I told you”")
    register_use(purposes.VISITOR_HISTORY.key, UseKind.RECORDER, "recommendations.visitors")
    register_use(purposes.COUNT_IN_ALSO_BOUGHT, UseKind.COUNT, "recommendations.training")


def register_purchase_readers() -> None:
    switches = {switch.key: switch for shelf in SHELVES.values() for switch in shelf.stands_on}
    for switch in switches.values():
        if switch.purchases is not None:
            register_purchase_reader(switch.key, switch.purchases)
    register_purchase_reader(purposes.GUESS_SIZES, IN_A_SIZE)
    register_purchase_reader(purposes.COUNT_IN_ALSO_BOUGHT, Q(), wording=COUNTED_WORDING)
