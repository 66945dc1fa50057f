import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    """Empty until the next training, which fills it."""

    dependencies = [("catalog", "0004_product_import_key")]

    operations = [
        migrations.CreateModel(
            name="ProductDemand",
            fields=[
                (
                    "product",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="demand",
                        serialize=False,
                        to="catalog.product",
                    ),
                ),
                ("score", models.FloatField()),
            ],
        ),
    ]
