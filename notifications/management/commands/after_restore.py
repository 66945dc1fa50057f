from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts import journal, restoring
from notifications import parking


class Command(BaseCommand):
    help = (
        "After restoring a backup, and before any worker starts: forgets again whoever was erased since, takes back "
        "again what was withdrawn since, and parks mail that may have been sent since."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--journal", required=True, type=Path, help="the file that was at JOURNAL_PATH")

    def handle(self, *args: Any, **options: Any) -> None:
        path: Path = options["journal"]
        try:
            entries = list(journal.read(path))
        except (OSError, ValueError) as problem:
            raise CommandError(str(problem)) from problem
        parked = parking.park()
        redone = restoring.redo(entries)
        unticked = parking.untick(entries)
        self.stdout.write(f"Parked for staff: {parked} mails (`outbox` lists them).")
        self.stdout.write(f"Withdrawn again: {redone.withdrawn_count} answers, {unticked} ticks on orders.")
        self.stdout.write(f"Erased again: {redone.erased_count} people.")
