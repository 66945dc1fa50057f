from django.db import migrations, models


def carry_over(apps, schema_editor):
    """What staff released at Stripe's records stays released; open orders given back whole are put on hold."""
    Order, Refund = apps.get_model("orders", "Order"), apps.get_model("orders", "Refund")
    StripeRecord = apps.get_model("orders", "StripeRecord")
    for record in StripeRecord.objects.filter(kind="refund", cleared_at__isnull=False):
        refund = Refund.objects.filter(provider_reference=record.reference)
        refund.update(cleared_at=record.cleared_at, cleared_by=record.cleared_by)
    standing = Refund.objects.filter(status="succeeded", cleared_at=None)
    given_back = Order.objects.filter(status="confirmed", payment_status="refunded", hold="")
    not_left = given_back.exclude(fulfilment_status__in=["dispatched", "delivered"])
    not_left.filter(pk__in=standing.values("payment__order")).update(hold="refunded")


class Migration(migrations.Migration):
    dependencies = [("orders", "0009_gifts_beside")]

    operations = [
        migrations.AddField(
            model_name="refund",
            name="cleared_at",
            field=models.DateTimeField(
                blank=True, help_text="When staff released the order although its money had gone back.", null=True
            ),
        ),
        migrations.AddField(
            model_name="refund",
            name="cleared_by",
            field=models.CharField(blank=True, db_default="", default="", max_length=80),
        ),
        migrations.AlterField(
            model_name="order",
            name="hold",
            field=models.CharField(
                blank=True,
                choices=[
                    ("disputed", "Disputed"),
                    ("charged_back", "Taken back by the bank"),
                    ("inquiry", "The bank asks"),
                    ("warning", "Fraud warning"),
                    ("refunded", "Refunded"),
                    ("rebuilt", "Rebuilt after a restore"),
                    ("restored", "Open when a backup was made"),
                ],
                db_default="",
                default="",
                help_text="Why it keeps still, if it does.",
                max_length=12,
            ),
        ),
        migrations.RunPython(carry_over, migrations.RunPython.noop, elidable=True),
    ]
