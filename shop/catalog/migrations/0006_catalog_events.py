import django.db.models.deletion
from django.db import migrations, models


RELEASED_BEFORE = """
INSERT INTO catalog_catalogevent (kind, data, created_at, relayed_at, product_id)
SELECT 'released', '{}', now(), now(), id FROM catalog_product WHERE is_published
"""


class Migration(migrations.Migration):
    """What is in the shop already was released before anybody could hear of it."""

    dependencies = [
        ("catalog", "0005_product_demand"),
    ]

    operations = [
        migrations.CreateModel(
            name="CatalogEvent",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("kind", models.CharField(max_length=40)),
                ("data", models.JSONField(blank=True, default=dict)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("relayed_at", models.DateTimeField(blank=True, editable=False, null=True)),
                (
                    "product",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="events", to="catalog.product"
                    ),
                ),
                (
                    "variant",
                    models.ForeignKey(
                        help_text="None when it is of the product.",
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="events",
                        to="catalog.variant",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("relayed_at", None)), fields=["id"], name="catalog_event_unrelayed"
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("kind", "released")), fields=("product",), name="product_released_once"
                    )
                ],
            },
        ),
        migrations.RunSQL(RELEASED_BEFORE, migrations.RunSQL.noop),
    ]
