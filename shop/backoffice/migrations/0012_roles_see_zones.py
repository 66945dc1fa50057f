from importlib import import_module

from django.db import migrations

make = import_module("shop.backoffice.migrations.0001_roles").make


class Migration(migrations.Migration):
    dependencies = [
        ("backoffice", "0011_roles_see_lanes"),
        ("orders", "0041_delivery_zones"),
    ]

    operations = [migrations.RunPython(make, migrations.RunPython.noop)]
