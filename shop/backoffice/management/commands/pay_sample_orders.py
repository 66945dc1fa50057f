from typing import Any

from django.core.management.base import BaseCommand, CommandError

from shop.sample import payments


class Command(BaseCommand):
    help = "Pays for the sample store's latest orders at the Stripe stand-in. Safe to repeat: each is paid for once."

    def handle(self, *_args: Any, **_options: Any) -> None:
        if not payments.may_pay_sample_orders():
            raise CommandError("STRIPE_API_BASE is not a stand-in on this machine. Nothing was paid.")
        paid = [payments.pay_order(order) for order in payments.find_unpaid_orders()]
        self.stdout.write(f"{len(paid)} sample orders are paid at the Stripe stand-in.")
