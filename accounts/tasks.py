import logging
from pathlib import Path

from celery import shared_task
from django.conf import settings
from django.utils import timezone

from accounts import checkpoints
from accounts.verification import LedgerBroken

logger = logging.getLogger(__name__)


@shared_task
def checkpoint_consents() -> None:
    """A broken ledger is shouted about, and the last good checkpoint stays the last."""
    try:
        checkpoints.keep(Path(settings.CHECKPOINT_FOLDER), today=timezone.localdate())
    except LedgerBroken:
        logger.critical("The consent ledger does not verify; no checkpoint was written", exc_info=True)
