import logging
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.consent import checkpoints

logger = logging.getLogger(__name__)


class Command(BaseCommand):
    help = "Writes where every consent chain ends to a file; keep it outside the database."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("out", type=Path)

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            digest = checkpoints.write_checkpoint(options["out"])
        except OSError as problem:
            raise CommandError(f"{options['out']} cannot be written: {problem}") from problem
        logger.info("consent checkpoint sha256=%s", digest)
        self.stdout.write(f"{options['out']} sha256 {digest}")
