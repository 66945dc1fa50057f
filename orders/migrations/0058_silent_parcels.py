from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("orders", "0057_rows_in_order"),
    ]

    operations = [
        migrations.AddField(
            model_name="shipment",
            name="heard_at",
            field=models.DateTimeField(
                blank=True, editable=False, help_text="When its carrier last told of it, asked or not.", null=True
            ),
        ),
        migrations.AddField(
            model_name="shipment",
            name="tracker_reference",
            field=models.CharField(
                blank=True,
                db_default="",
                default="",
                editable=False,
                help_text="What EasyPost calls the tracker by which it follows the parcel; empty where it does not.",
                max_length=60,
            ),
        ),
        migrations.AddIndex(
            model_name="shipment",
            index=models.Index(
                condition=models.Q(("tracker_reference", ""), _negated=True),
                fields=["stage", "heard_at"],
                name="shipment_heard_of",
            ),
        ),
    ]
