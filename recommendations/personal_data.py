"""The personal data this app holds, for the privacy page and the jobs that follow it."""

from django.db.models import QuerySet

from accounts import purposes
from accounts.models import Customer
from recommendations import history
from recommendations.models import Contribution, ProductView
from shop.personal_data import Holding, register, rows


def _views(customer: Customer) -> QuerySet[ProductView]:
    return ProductView.objects.filter(customer=customer)


def _counted(customer: Customer) -> QuerySet[Contribution]:
    return Contribution.objects.filter(customer=customer)


def forget_views(customer: Customer) -> int:
    return _views(customer).delete()[0]


def register_holdings() -> None:
    register(
        Holding(
            key="views",
            title="What you looked at",
            models=("recommendations.ProductView",),
            retention="Only while its switch is on, and never longer than 30 days.",
            export=lambda customer: rows(_views(customer), product="product__title", seen_at="viewed_at"),
            erase=forget_views,
            forget={purposes.RECOMMEND_FROM_BROWSING: forget_views},
            held={purposes.RECOMMEND_FROM_BROWSING: lambda customer: _views(customer).count()},
            retire=history.retire,
        )
    )
    register(
        Holding(
            key="counted",
            title="Which of your purchases are counted in “others also bought”",
            models=("recommendations.Contribution",),
            retention="Only while its switch is on; out of the counts within a minute of turning it off.",
            export=lambda customer: rows(_counted(customer), product="product__title", bought_at="bought_at"),
            erase=lambda customer: _counted(customer).delete()[0],  # `training.withdraw` misses them
        )
    )
