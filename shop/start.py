"""What a web process looks at before it serves anybody."""

import logging

from django.core.exceptions import ImproperlyConfigured
from django.db import connections
from django.db.utils import OperationalError, ProgrammingError

from notifications.checks import check_topics_are_whole, check_topics_have_purposes
from orders.repricing import describe_foreign_prices
from recommendations.checks import check_shelves_are_whole
from shop.checks import check_order_stages

logger = logging.getLogger(__name__)


def refuse_half_made_tables() -> None:
    """Raises `ImproperlyConfigured` that names what a mail topic, a stage of a parcel or a shelf lacks.

    `manage.py check` and `migrate` find the same; a web server runs no checks by itself.
    """
    checks = (check_topics_have_purposes, check_topics_are_whole, check_order_stages, check_shelves_are_whole)
    if gaps := [gap for check in checks for gap in check(None)]:
        raise ImproperlyConfigured("\n".join(str(gap) for gap in gaps))


def refuse_foreign_prices() -> None:
    """Raises `ImproperlyConfigured` when goods are priced in another currency.

    A database that is out of reach or not yet migrated is logged and lets the process start.
    """
    try:
        found = describe_foreign_prices()
    except (OperationalError, ProgrammingError) as error:
        logger.warning("Could not look at the prices before starting: %s", type(error).__name__)
        return
    finally:
        connections.close_all()
    if found:
        raise ImproperlyConfigured(found)
