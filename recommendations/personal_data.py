"""The personal data this app holds, for the privacy page and the jobs that follow it."""

from recommendations import history
from shop.personal_data import Holding, register


def register_holdings() -> None:
    register(
        Holding(
            key="views",
            title="What you looked at",
            models=("recommendations.ProductView",),
            retention="Only while its switch is on, and never longer than 30 days.",
            retire=history.retire,
        )
    )
    register(
        Holding(
            key="counted",
            title="Which of your purchases are counted in “others also bought”",
            models=("recommendations.Contribution",),
            retention="Only while its switch is on; out of the counts within a minute of turning it off.",
        )
    )
