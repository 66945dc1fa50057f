import random
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.consent import purposes
from accounts.models import Customer
from shop.csv_files.writing import CsvWriter

SWITCHES = (purposes.COUNT_IN_ALSO_BOUGHT, purposes.RECOMMEND_FROM_PURCHASES)


class Command(BaseCommand):
    help = (
        "Writes a consent file for demonstrations: a seeded share of the shop's customers say yes to being counted and "
        "to suggestions from what they bought, the others no. Take it in with import_orders --consents."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("out", type=Path)
        parser.add_argument("--share", type=float, default=0.6, help="0 to 1 (0.6)")
        parser.add_argument("--seed", type=int, default=1)

    def handle(self, *args: Any, **options: Any) -> None:
        if not 0 <= options["share"] <= 1:
            raise CommandError("--share is a part of the customers: 0 to 1.")
        drawn = random.Random(options["seed"])  # noqa: S311  (a demonstration that can be repeated, not a secret)
        known = Customer.objects.exclude(external_reference=None, email=None)
        people = known.order_by("external_reference", "email").values_list("external_reference", "email", "created_at")
        yes_count = 0
        with options["out"].open("w", encoding="utf-8", newline="") as file:
            writer = CsvWriter(file)
            writer.write_row(["customer", "purpose", "granted", "at"])
            for reference, email, created_at in people.iterator():
                granted = drawn.random() < options["share"]
                yes_count += granted
                for purpose in SWITCHES:
                    writer.write_row([reference or email, purpose, int(granted), created_at.isoformat()])
        self.stdout.write(f"{yes_count} of {people.count()} customers say yes: {options['out']}")
