import logging
from pathlib import Path

from celery import shared_task
from django.conf import settings
from django.utils import timezone

from accounts.consent import checkpoints
from accounts.privacy.access_verification import LedgerBroken
from shop.retrying import loops
from shop.retrying.loops import Loop

logger = logging.getLogger(__name__)

CHECKPOINTS = loops.register_loop(
    Loop(
        "checkpoints",
        "The consent ledger's checkpoint of the day",
        "If the ledger does not verify, somebody changed it past the shop: run verify_consents with the last "
        "checkpoint and follow the runbook. The last good checkpoint stays the last.",
    )
)


@shared_task
def checkpoint_consents() -> None:
    CHECKPOINTS.run_whole(_save_checkpoint)


def _save_checkpoint() -> None:
    try:
        checkpoints.save_daily_checkpoint(Path(settings.CHECKPOINT_FOLDER), today=timezone.localdate())
    except LedgerBroken:
        logger.critical("The consent ledger does not verify; no checkpoint was written", exc_info=True)
        raise
