from importlib import import_module

from django.db import migrations

make = import_module("shop.backoffice.migrations.0001_roles").make


class Migration(migrations.Migration):
    dependencies = [
        ("backoffice", "0008_roles_see_delays"),
        ("orders", "0028_returns"),
    ]

    operations = [migrations.RunPython(make, migrations.RunPython.noop)]
