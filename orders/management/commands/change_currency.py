from decimal import Decimal, InvalidOperation
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError, CommandParser

from orders import repricing
from orders.gateways.amounts import is_chargeable
from shop.env import parse_currency_code


class Command(BaseCommand):
    help = (
        "Gives everything the shop sells its price in another currency: each price times RATE, to the nearest step. "
        "Past orders stay in theirs. Stop the shop, run this, and start it again with CURRENCY set."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("currency", help="three letters, such as JPY")
        parser.add_argument("--rate", required=True, help="how many of it one of the present currency comes to")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            currency = parse_currency_code(options["currency"])
            rate = Decimal(options["rate"])
        except (ImproperlyConfigured, InvalidOperation) as error:
            raise CommandError(f"Not a currency and a rate, such as JPY --rate 190.5: {error}") from error
        if not is_chargeable(currency) or not rate.is_finite() or rate <= 0:
            raise CommandError("Cards cannot be charged in that currency, or the rate is not above zero.")
        changed = repricing.change_currency(currency, rate=rate)
        self.stdout.write(f"{changed:,} prices are in {currency} now. Start the shop with CURRENCY={currency}.")
