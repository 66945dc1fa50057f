from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts import checkpoints
from accounts.verification import LedgerBroken, verify


class Command(BaseCommand):
    help = "Walks the consent ledger; fails at the first break. With a checkpoint it finds deletions at the end too."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--checkpoint", type=Path)

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            marks = checkpoints.read(options["checkpoint"]) if options["checkpoint"] else None
            chains, links = verify(marks)
        except (LedgerBroken, OSError, ValueError) as problem:
            raise CommandError(str(problem)) from problem
        self.stdout.write(f"The ledger holds: {links} answers in {chains} chains.")
