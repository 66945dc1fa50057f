from importlib import import_module

from django.db import migrations

make = import_module("shop.backoffice.migrations.0001_roles").make


class Migration(migrations.Migration):
    dependencies = [
        ("backoffice", "0001_roles"),
        ("accounts", "0004_access_log_and_checkpoints"),
    ]

    operations = [migrations.RunPython(make, migrations.RunPython.noop)]
