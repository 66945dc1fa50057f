from django.db import migrations, models

MARK_DENIED = """
UPDATE orders_order SET has_denied_delivery = true
WHERE id IN (SELECT order_id FROM orders_shipment WHERE denied_at IS NOT NULL AND stage = 'delivered')
"""


class Migration(migrations.Migration):

    dependencies = [
        ('orders', '0033_lane_windows'),
    ]

    operations = [
        migrations.AddField(
            model_name='order',
            name='has_denied_delivery',
            field=models.BooleanField(db_default=False, default=False, editable=False, help_text='A parcel of it is said to be delivered, and its buyer says that it did not come.'),
        ),
        migrations.RunSQL(MARK_DENIED, migrations.RunSQL.noop),
    ]
