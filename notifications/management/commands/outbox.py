import json
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from notifications import outbox
from notifications.models import OutgoingEmail, SkipReason

NEEDING_A_LOOK = (OutgoingEmail.State.UNCERTAIN, OutgoingEmail.State.FAILED)


class Command(BaseCommand):
    help = "What waits in the outbox, what was skipped and why, and what needs a look."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="for machines")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["json"]:
            self.stdout.write(json.dumps(self._facts()))
            return
        self._waiting()
        self._by_topic()
        self._needing_a_look()

    def _facts(self) -> dict[str, Any]:
        return {
            **outbox.measure_backlog(),
            "mails": [dict(zip(("topic", "state", "count"), row, strict=True)) for row in outbox.count_by_state()],
            "skipped": [dict(zip(("topic", "reason", "count"), row, strict=True)) for row in outbox.count_skipped()],
        }

    def _waiting(self) -> None:
        backlog = outbox.measure_backlog()
        self.stdout.write(f"Events not relayed yet: {backlog['unrelayed']}")
        self.stdout.write(f"Mails to hand over:     {backlog['queued']}")
        self.stdout.write(f"The oldest has waited:  {backlog['oldest_seconds']} s")

    def _by_topic(self) -> None:
        for topic, state, count in outbox.count_by_state():
            self.stdout.write(f"  {topic:<22} {OutgoingEmail.State(state).label:<36} {count:>8,}")
        skipped = outbox.count_skipped()
        if skipped:
            self.stdout.write("Not sent, and why:")
        for topic, reason, count in skipped:
            self.stdout.write(f"  {topic:<22} {SkipReason(reason).label:<36} {count:>8,}")

    def _needing_a_look(self) -> None:
        mails = OutgoingEmail.objects.filter(state__in=NEEDING_A_LOOK).order_by("-created_at")[:20]
        for number, mail in enumerate(mails):
            if number == 0:
                self.stdout.write("To look at (the newest twenty):")
            self.stdout.write(f"  {mail.pk}  {mail.topic:<22} {mail.get_state_display()}: {mail.last_error}")
