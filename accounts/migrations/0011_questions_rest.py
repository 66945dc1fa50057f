from django.db import migrations, models
from django.db.models import F
from django.utils import timezone


def date_the_answered(apps, schema_editor):
    apps.get_model("accounts", "Ask").objects.update(shown_at=F("answered_at"))


def drop_the_unanswered(apps, schema_editor):
    apps.get_model("accounts", "Ask").objects.filter(answered_at=None).delete()


class Migration(migrations.Migration):
    """A question that was shown and left unanswered is remembered too, and rests."""

    dependencies = [("accounts", "0010_sealed_ledger")]

    operations = [
        migrations.AddField(
            "ask", "shown_at", models.DateTimeField(default=timezone.now, help_text="When it was last put.")
        ),
        migrations.AlterField(
            "ask",
            "answered_at",
            models.DateTimeField(blank=True, null=True, help_text="When the answer was “No thanks”."),
        ),
        migrations.RunPython(date_the_answered, drop_the_unanswered),
    ]
