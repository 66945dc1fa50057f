import logging

from celery import shared_task

from shop import personal_data

logger = logging.getLogger(__name__)


@shared_task
def retire_personal_data() -> None:
    """Deletes everything that is past the time the privacy page gives it."""
    for holding in personal_data.holdings():
        if holding.retire is None:
            continue
        try:
            logger.info("retired %s: %s rows", holding.key, holding.retire())
        except Exception:  # one must not keep the others past their time
            logger.exception("%s could not be retired", holding.key)
