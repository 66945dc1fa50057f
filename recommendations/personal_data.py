"""The personal data this app holds, for the privacy page and the jobs that follow it."""

from datetime import datetime
from functools import partial

from django.utils import timezone

from accounts.consent import purposes
from accounts.consent.prompts import REFUSAL_RETENTION
from accounts.consent.purposes import LOOKS_RETENTION
from accounts.models import Customer
from accounts.people import sessions
from accounts.people.sessions import VISIT_RETENTION
from recommendations import explanations, history
from recommendations.models import Contribution, Effect, ProductView
from recommendations.picks import SHELVES, EvidenceSource
from shop.personal_data import Holding, Rows, StoredDataWording, hold_rows, register_holding

_FIELDS = {EvidenceSource.BOUGHT: "line", EvidenceSource.SEEN: "view", EvidenceSource.TOLD: "interest"}
# By purpose, the field of an effect that holds the datum which the purpose's picks follow.
EFFECT_FIELDS = {
    switch.key: _FIELDS[switch.follows] for shelf in SHELVES.values() for switch in shelf.stands_on if switch.follows
}


def forget_effects(customer: Customer, *, until: datetime, of: str) -> int:
    """Effects of what is forgotten, named by the field that holds it."""
    found = Effect.objects.filter(customer=customer, **{f"{of}__isnull": False})
    return found.filter(shown_on__lte=timezone.localdate(until)).delete()[0]


def _export_visits(customer: Customer) -> Rows:
    return [
        {"signed_in_until": session.expire_date.isoformat()} for session in sessions.find_customer_sessions(customer)
    ]


HOLDINGS: tuple[Holding, ...] = (
    hold_rows(
        ProductView.objects,
        key="views",
        title="What you looked at",
        retention=f"While its switch is on, and never longer than {LOOKS_RETENTION}. "
        "Turned off, it is used no more at once, and deleted the night after, or when you say so.",
        export={"product": "product__title", "seen_at": "viewed_at"},
        noted_for=purposes.RECOMMEND_FROM_BROWSING,
        dated_by="viewed_at",
        kept_for=LOOKS_RETENTION,
        wording={
            purposes.RECOMMEND_FROM_BROWSING: StoredDataWording(
                "Delete what you have",
                "We hold 1 product you looked at.",
                "We hold {} products you looked at.",
                "Deleted. We hold nothing that you looked at.",
                "All of it is deleted at once, and nobody can bring it back. The switch stays as it is.",
            )
        },
        retire=history.retire_views,
    ),
    Holding(
        key="visits",
        title="A visit: who is signed in, its cart, and what a visitor looked at, if they ticked that",
        models=("sessions.Session",),
        retention=f"In this browser's visit alone. What you looked at goes {LOOKS_RETENTION} after the tick; "
        f"the rest {VISIT_RETENTION} after you were last here, and a “No thanks” after {REFUSAL_RETENTION}.",
        export=_export_visits,
        count=lambda customer: 1,  # this one; finding others means opening every visit there is
        erase=sessions.end_customer_sessions,
        retire=sessions.retire_sessions,
    ),
    hold_rows(
        Contribution.objects,
        key="counted",
        title="Which of your purchases are counted in “others also bought”",
        retention="Only while its switch is on; out of the counts within a minute of turning it off.",
        export={"product": "product__title", "bought_at": "bought_at"},  # once erased, `training.withdraw` misses them
    ),
    hold_rows(
        Effect.objects,
        key="effects",
        title="What each thing we know did for you",
        retention=f"{LOOKS_RETENTION.words.capitalize()}, or until what it stands on is deleted.",
        export={
            "told": "interest__words",
            "told_maker": "interest__maker__name",
            "told_department": "interest__category__name",
            "bought": "line__title",
            "looked_at": "view__product__title",
            "put_forward": "product__title",
            "where": "place",
            "shown_on": "shown_on",
        },
        forget={key: partial(forget_effects, of=of) for key, of in EFFECT_FIELDS.items()},
        retire=explanations.retire_effects,
    ),
)


def register_holdings() -> None:
    for holding in HOLDINGS:
        register_holding(holding)
