import time
from argparse import ArgumentParser
from datetime import datetime
from typing import Any

from django.core.management import call_command, get_commands
from django.core.management.base import BaseCommand
from django.utils import timezone

from shop.catalog.models import Store
from shop.sample import collected, goods, histories, order_writing, people, returned, shop_terms, troubled


class Command(BaseCommand):
    help = "Fills the shop with the sample store. Safe to repeat: what is there already is left as it is."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--only",
            choices=("terms", "people"),
            help="just how the shop sells and posts, or just who may log in: for a shop with goods of its own",
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        self.began = time.monotonic()
        now = timezone.now()
        store = shop_terms.create_terms()
        if options["only"] is None:
            self._say("products on the shelves", goods.create_goods(store, today=timezone.localdate(now)))
        if options["only"] != "terms":
            self._say("customers at the door", people.create_people(now=now))
        if options["only"] is None:
            self._write_histories(store, now=now)

    def _write_histories(self, store: Store, *, now: datetime) -> None:
        count = 0
        if not order_writing.has_sample_orders():
            everybody = people.list_people()
            count = order_writing.write_sample_orders(
                histories.build_order_histories(everybody, now=now), everybody, store
            )
        self._say("orders in the book", count)
        if count:
            returned.leave_out_goods()
            self._say("returns and withdrawals", returned.write_sample_returns())
            self._say("parcels in trouble", troubled.write_sample_troubles())
            self._say("orders to collect", collected.write_sample_pickups(now=now))
        if count and "train_recommendations" in get_commands():
            call_command("train_recommendations", stdout=self.stdout)
        if people.may_share_password():
            self.stdout.write(f"Log in as {people.ALICE}, {people.BOB} or {people.STAFF}.")
        else:
            self.stdout.write(f"This shop is not on a local address: give {people.STAFF} a password yourself.")

    def _say(self, what: str, count: int) -> None:
        passed = time.monotonic() - self.began
        self.stdout.write(f"{count:>5} new {what} ({passed:.1f} s)" if count else f"      {what}: all there already")
        self.stdout.flush()
