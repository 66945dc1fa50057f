from django.db import migrations, models

# Of an order whose buyer was forgotten nothing is copied: neither its e-mail address nor its customer is there.
COPY_ADDRESSES = """
UPDATE orders_shipment SET went_to = jsonb_build_object(
    'full_name', o.full_name, 'line1', o.line1, 'line2', o.line2, 'city', o.city, 'region', o.region,
    'postcode', o.postcode, 'country', o.country)
FROM orders_order o
WHERE o.id = orders_shipment.order_id AND orders_shipment.dispatched_at IS NOT NULL
    AND (o.email <> '' OR o.customer_id IS NOT NULL)
"""


class Migration(migrations.Migration):

    dependencies = [
        ('orders', '0051_entered_by_the_shop'),
    ]

    operations = [
        migrations.AddField(
            model_name='shipment',
            name='went_to',
            field=models.JSONField(blank=True, editable=False, help_text='The address it left with; empty until it has.', null=True),
        ),
        migrations.RunSQL(COPY_ADDRESSES, migrations.RunSQL.noop),
    ]
