from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.consent import checkpoints
from accounts.consent.verification import verify_ledger
from accounts.privacy.access_verification import LedgerBroken


class Command(BaseCommand):
    help = (
        "Walks the consent ledger, the words answered and the log of looks by staff; fails at the first break. With a "
        "checkpoint it finds what was taken away or dated back, too."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--checkpoint", type=Path, help="a file that checkpoint_consents wrote")
        parser.add_argument("--journal", type=Path, help="the journal of erasures, if not the one at JOURNAL_PATH")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            checkpoint = checkpoints.read_checkpoint(options["checkpoint"]) if options["checkpoint"] else None
            chains, links = verify_ledger(checkpoint, journal_path=options["journal"])
        except (LedgerBroken, OSError, ValueError) as problem:
            raise CommandError(str(problem)) from problem
        self.stdout.write(f"The ledger holds: {links} answers in {chains} chains.")
