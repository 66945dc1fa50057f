from importlib import import_module

from django.db import migrations

make = import_module("shop.backoffice.migrations.0001_roles").make


class Migration(migrations.Migration):
    dependencies = [
        ("backoffice", "0004_stripe_records"),
        ("orders", "0004_info_pages"),
    ]

    operations = [migrations.RunPython(make, migrations.RunPython.noop)]
