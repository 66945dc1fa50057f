from importlib import import_module

from django.db import migrations

make = import_module("shop.backoffice.migrations.0001_roles").make


class Migration(migrations.Migration):
    dependencies = [
        ("backoffice", "0007_roles_answer_data_complaints"),
        ("orders", "0024_delay_notices"),
    ]

    operations = [migrations.RunPython(make, migrations.RunPython.noop)]
