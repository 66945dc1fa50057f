"""The personal data this app holds, for the privacy page and the jobs that follow it."""

from datetime import datetime
from functools import partial

from django.db.models import QuerySet
from django.utils import timezone

from accounts.consent import purposes
from accounts.consent.prompts import REFUSAL_RETENTION
from accounts.consent.purposes import LOOKS_RETENTION
from accounts.models import Customer
from accounts.people import sessions
from accounts.people.sessions import VISIT_RETENTION
from recommendations import explanations, history
from recommendations.models import Contribution, Effect, ProductView
from shop.personal_data import Holding, Rows, export_rows, register_holding

EFFECT_FIELDS = {
    purposes.RECOMMEND_FROM_PURCHASES: "line",
    purposes.RECOMMEND_FROM_BROWSING: "view",
    purposes.RECOMMEND_FROM_TOLD: "interest",
}


def _get_views(customer: Customer) -> QuerySet[ProductView]:
    return ProductView.objects.filter(customer=customer)


def _get_contributions(customer: Customer) -> QuerySet[Contribution]:
    return Contribution.objects.filter(customer=customer)


def forget_views(customer: Customer, *, until: datetime) -> int:
    return _get_views(customer).filter(viewed_at__lte=until).delete()[0]


def _get_effects(customer: Customer, **standing_on: bool) -> QuerySet[Effect]:
    return Effect.objects.filter(customer=customer, **standing_on)


def forget_effects(customer: Customer, *, until: datetime, of: str) -> int:
    """Effects of what is forgotten, named by the field that holds it."""
    return (
        _get_effects(customer, **{f"{of}__isnull": False}).filter(shown_on__lte=timezone.localdate(until)).delete()[0]
    )


def _export_effects(customer: Customer) -> Rows:
    return export_rows(
        _get_effects(customer),
        told="interest__words",
        told_maker="interest__maker__name",
        told_department="interest__category__name",
        bought="line__title",
        looked_at="view__product__title",
        put_forward="product__title",
        where="place",
        shown_on="shown_on",
    )


def _export_visits(customer: Customer) -> Rows:
    return [
        {"signed_in_until": session.expire_date.isoformat()} for session in sessions.find_customer_sessions(customer)
    ]


HOLDINGS: tuple[Holding, ...] = (
    Holding(
        key="views",
        title="What you looked at",
        models=("recommendations.ProductView",),
        retention=f"While its switch is on, and never longer than {LOOKS_RETENTION}. "
        "Turned off, it is used no more at once, and deleted the night after, or when you say so.",
        export=lambda customer: export_rows(_get_views(customer), product="product__title", seen_at="viewed_at"),
        erase=lambda customer: _get_views(customer).delete()[0],
        forget={purposes.RECOMMEND_FROM_BROWSING: forget_views},
        held=lambda customer: {purposes.RECOMMEND_FROM_BROWSING: _get_views(customer).count()},
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
    Holding(
        key="counted",
        title="Which of your purchases are counted in “others also bought”",
        models=("recommendations.Contribution",),
        retention="Only while its switch is on; out of the counts within a minute of turning it off.",
        export=lambda customer: export_rows(
            _get_contributions(customer), product="product__title", bought_at="bought_at"
        ),
        erase=lambda customer: _get_contributions(customer).delete()[0],  # `training.withdraw` misses them
    ),
    Holding(
        key="effects",
        title="What each thing we know did for you",
        models=("recommendations.Effect",),
        retention=f"{LOOKS_RETENTION.words.capitalize()}, or until what it stands on is deleted.",
        export=_export_effects,
        erase=lambda customer: _get_effects(customer).delete()[0],
        forget={key: partial(forget_effects, of=of) for key, of in EFFECT_FIELDS.items()},
        retire=explanations.retire_effects,
    ),
)


def register_holdings() -> None:
    for holding in HOLDINGS:
        register_holding(holding)
