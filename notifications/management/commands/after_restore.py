from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.privacy import journal, restoring
from accounts.privacy.journal import JournalEntry
from notifications import after_restore
from orders import line_marks
from orders.gateways.stripe import StripeUnreachable
from orders.payments import recovery
from orders.payments.recovery import RecoveryIncomplete

Step = Callable[[Sequence[JournalEntry]], str]

# Each is safe to run twice, and says what it did. Money first, so that the mail it sets off is parked with the rest;
# erasures after all that finds people by what an erasure takes away; the sums last.
STEPS: tuple[Step, ...] = (
    recovery.hold_open_orders,
    recovery.recover_money,
    after_restore.mark_waiting_mail_uncertain,
    restoring.redo_withdrawals,
    after_restore.redo_order_optouts,
    line_marks.redo_marks,
    restoring.redo_forgetting,
    restoring.redo_erasures,
    recovery.compare_sums,
)
NO_ANSWER = "Stripe gives no answer, so nobody knows what was paid and paid back since the backup."
AGAIN = "Not complete. Start nothing yet: see to what is said above, then run after_restore again."


class Command(BaseCommand):
    help = (
        "After restoring a backup, and before any worker starts: forgets again whoever was erased since and what was "
        "forgotten since, takes back again what was withdrawn since, takes in what was paid and paid back since at "
        "Stripe, puts on hold what had not left, and parks mail that may have been sent since."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--journal", required=True, type=Path, help="the file that was at JOURNAL_PATH")

    def handle(self, *args: Any, **options: Any) -> None:
        torn: list[str] = []
        try:
            entries = list(journal.read_journal(options["journal"], on_torn=torn.append))
        except (OSError, ValueError) as problem:
            raise CommandError(str(problem)) from problem
        undone = [step for step in STEPS if not self._take(step, entries)]
        for words in torn:
            self.stderr.write(f"{words} All other lines were followed; see the runbook.")
        if undone:
            raise CommandError(AGAIN)

    def _take(self, step: Step, entries: Sequence[JournalEntry]) -> bool:
        """Whether it did all there was to do. One that could not keeps no other from being taken."""
        try:
            self.stdout.write(step(entries))
        except StripeUnreachable as trouble:
            self.stderr.write(f"{NO_ANSWER} ({trouble})")
        except RecoveryIncomplete as report:
            self.stderr.write(str(report))
        else:
            return True
        return False
