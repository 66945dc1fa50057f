from typing import Any

from django.core.management.base import BaseCommand, CommandError

from recommendations import training


class Command(BaseCommand):
    help = "Rebuilds the recommendations from what consent allows now, and puts them on the shelves."

    def handle(self, *args: Any, **options: Any) -> None:
        training.compute_similar_products()
        run = training.train_epoch()
        if run is None:
            raise CommandError("Another training is under way; try again when it is done.")
        self.stdout.write(
            f"Published: {run.similarities.count()} pairs from {run.line_count} purchases of {run.customer_count} "
            f"customers, each pair with at least {run.k} of them behind it."
        )
