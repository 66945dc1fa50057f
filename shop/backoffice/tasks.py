import logging

from celery import shared_task

from shop import personal_data
from shop.retrying import loops
from shop.retrying.loops import Loop

logger = logging.getLogger(__name__)

RETENTION = loops.register_loop(
    Loop(
        "retention",
        "Data past its time",
        "It is kept longer than the privacy page says. If the error stays, tell whoever looks after the software.",
    )
)


@shared_task
def retire_personal_data() -> None:
    """Deletes everything that is past the time the privacy page gives it; one kind must not keep the others."""
    for holding in personal_data.get_holdings():
        if holding.retire is None or not RETENTION.is_due(holding.key):
            continue
        with RETENTION.attempt(holding.key, subject=f"{holding.title} past its time"):
            logger.info("retired %s: %s rows", holding.key, holding.retire())
