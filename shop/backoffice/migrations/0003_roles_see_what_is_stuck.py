from importlib import import_module

from django.db import migrations

make = import_module("shop.backoffice.migrations.0001_roles").make


class Migration(migrations.Migration):
    dependencies = [
        ("backoffice", "0002_privacy_role"),
        ("retrying", "0001_initial"),
    ]

    operations = [migrations.RunPython(make, migrations.RunPython.noop)]
