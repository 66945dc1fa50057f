from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts import journal, restoring
from accounts.journal import Entry
from notifications import parking

Step = Callable[[Sequence[Entry]], str]

# Each is safe to run twice, and says what it did. Mail first, so that nothing goes out; erasures last, since the other
# steps find people by what an erasure takes away.
STEPS: tuple[Step, ...] = (
    parking.park_mail,
    restoring.redo_withdrawals,
    parking.redo_unticking,
    restoring.redo_forgetting,
    restoring.redo_erasures,
)


class Command(BaseCommand):
    help = (
        "After restoring a backup, and before any worker starts: forgets again whoever was erased since and what was "
        "forgotten since, takes back again what was withdrawn since, and parks mail that may have been sent since."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--journal", required=True, type=Path, help="the file that was at JOURNAL_PATH")

    def handle(self, *args: Any, **options: Any) -> None:
        torn: list[str] = []
        try:
            entries = list(journal.read(options["journal"], on_torn=torn.append))
        except (OSError, ValueError) as problem:
            raise CommandError(str(problem)) from problem
        for step in STEPS:
            self.stdout.write(step(entries))
        for words in torn:
            self.stderr.write(f"{words} All other lines were followed; see the runbook.")
