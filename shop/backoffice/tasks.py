import logging

from celery import shared_task

from shop import personal_data

logger = logging.getLogger(__name__)


@shared_task
def retire_personal_data() -> None:
    """Deletes everything that is past the time the privacy page gives it."""
    for holding in personal_data.holdings():
        if holding.retire is not None:
            logger.info("retired %s: %s rows", holding.key, holding.retire())
