from importlib import import_module

from django.db import migrations

make = import_module("shop.backoffice.migrations.0001_roles").make


class Migration(migrations.Migration):
    dependencies = [
        ("backoffice", "0006_roles_see_withdrawals"),
        ("accounts", "0013_data_complaints"),
    ]

    operations = [migrations.RunPython(make, migrations.RunPython.noop)]
