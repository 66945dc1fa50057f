import django.contrib.postgres.fields
from django.db import migrations, models

_FILL = """
UPDATE catalog_product p SET sizes_in_stock = held.sizes
FROM (
    SELECT v.product_id, array_agg(DISTINCT v.size) AS sizes
    FROM catalog_variant v
    JOIN catalog_stockrecord r ON r.variant_id = v.id AND r.on_hand > r.allocated
    JOIN catalog_store s ON s.id = r.store_id AND s.ships_orders
    WHERE v.is_active AND v.size <> ''
    GROUP BY v.product_id
) held
WHERE p.id = held.product_id
"""


class Migration(migrations.Migration):
    dependencies = [("catalog", "0002_currencies")]

    operations = [
        migrations.AddField(
            model_name="product",
            name="sizes_in_stock",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(max_length=40),
                default=list,
                editable=False,
                help_text="Follows the stock like `is_available`.",
                size=None,
            ),
        ),
        migrations.RunSQL(_FILL, migrations.RunSQL.noop),
    ]
