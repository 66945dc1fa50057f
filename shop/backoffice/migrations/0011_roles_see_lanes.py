from importlib import import_module

from django.db import migrations

make = import_module("shop.backoffice.migrations.0001_roles").make


class Migration(migrations.Migration):
    dependencies = [
        ("backoffice", "0010_roles_keep_store_hours"),
        ("orders", "0033_lane_windows"),
    ]

    operations = [migrations.RunPython(make, migrations.RunPython.noop)]
