"""What a web process looks at before it serves anybody."""

import logging

from django.core.exceptions import ImproperlyConfigured
from django.db import connections
from django.db.utils import OperationalError, ProgrammingError

from orders.repricing import describe_foreign_prices

logger = logging.getLogger(__name__)


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
