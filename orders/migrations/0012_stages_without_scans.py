from django.db import migrations, models


class Migration(migrations.Migration):
    """No step ever led to “in transit” and “out for delivery”; a parcel that was put there by hand is on the truck."""

    dependencies = [
        ('orders', '0011_parcels_without_numbers'),
    ]

    operations = [
        migrations.RunSQL(
            "UPDATE orders_shipment SET stage = 'dispatched' WHERE stage IN ('in_transit', 'out_for_delivery')",
            migrations.RunSQL.noop,
        ),
        migrations.AlterField(
            model_name='shipment',
            name='stage',
            field=models.CharField(choices=[('waiting', 'Waiting to be picked'), ('picking', 'Being picked'), ('picked', 'Picked'), ('packed', 'Packed'), ('dispatched', 'On the truck'), ('delivered', 'Delivered'), ('cancelled', 'Cancelled')], default='waiting', max_length=16),
        ),
    ]
