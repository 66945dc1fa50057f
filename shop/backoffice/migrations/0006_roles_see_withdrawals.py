from importlib import import_module

from django.db import migrations

make = import_module("shop.backoffice.migrations.0001_roles").make


class Migration(migrations.Migration):
    dependencies = [
        ("backoffice", "0005_roles_keep_info_pages"),
        ("orders", "0017_withdrawals"),
    ]

    operations = [migrations.RunPython(make, migrations.RunPython.noop)]
