import json
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from orders.carriers.recognition import recognise_courier


class Command(BaseCommand):
    help = (
        "Says whose each tracking number is, by its form and check digit: a key of orders.carriers.published_forms. "
        "It asks no database and no carrier."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("numbers", nargs="+", metavar="NUMBER", help="as it is typed; in quotes with its gaps")
        parser.add_argument("--json", action="store_true", help='{"NUMBER": "courier", …}, null for nobody’s')

    def handle(self, *args: Any, **options: Any) -> None:
        couriers = {number: recognise_courier(number) for number in options["numbers"]}
        if options["json"]:
            self.stdout.write(json.dumps(couriers, ensure_ascii=False))
            return
        for number, courier in couriers.items():
            self.stdout.write(f"{number}: {courier or 'not recognised'}")
