from importlib import import_module

from django.db import migrations

make = import_module("shop.backoffice.migrations.0001_roles").make


class Migration(migrations.Migration):
    dependencies = [
        ("backoffice", "0009_roles_see_returns"),
        ("catalog", "0018_store_hours"),
    ]

    operations = [migrations.RunPython(make, migrations.RunPython.noop)]
