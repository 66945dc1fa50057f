from django.db import migrations, models

# Orders of which some has left and the rest has not; those that all of it left are no longer in progress.
MARK_PARTLY_SENT = """
UPDATE orders_order o
SET fulfilment_status = CASE
        WHEN EXISTS (SELECT FROM orders_shipment s WHERE s.order_id = o.id
                     AND s.stage NOT IN ('waiting', 'picking', 'picked', 'packed', 'cancelled', 'delivered'))
        THEN 'partly_sent' ELSE 'partly_here' END
WHERE o.fulfilment_status = 'in_progress'
  AND EXISTS (SELECT FROM orders_shipment s WHERE s.order_id = o.id
              AND s.stage NOT IN ('waiting', 'picking', 'picked', 'packed', 'cancelled'))
"""
UNMARK = """
UPDATE orders_order SET fulfilment_status = 'in_progress' WHERE fulfilment_status IN ('partly_sent', 'partly_here')
"""


class Migration(migrations.Migration):

    dependencies = [
        ('orders', '0037_business_buyers'),
    ]

    operations = [
        migrations.AlterField(
            model_name='order',
            name='fulfilment_status',
            field=models.CharField(choices=[('unfulfilled', 'Not started'), ('in_progress', 'In progress'), ('partly_sent', 'Partly dispatched'), ('partly_here', 'Partly delivered'), ('dispatched', 'Dispatched'), ('held_up', 'Held up on the road'), ('returned', 'Sent back to us'), ('delivered', 'Delivered')], default='unfulfilled', max_length=12),
        ),
        migrations.RunSQL(MARK_PARTLY_SENT, UNMARK),
    ]
