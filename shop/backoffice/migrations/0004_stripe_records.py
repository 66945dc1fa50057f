from importlib import import_module

from django.db import migrations

make = import_module("shop.backoffice.migrations.0001_roles").make


class Migration(migrations.Migration):
    dependencies = [
        ("backoffice", "0003_roles_see_what_is_stuck"),
        ("orders", "0003_stripe_records"),
    ]

    operations = [migrations.RunPython(make, migrations.RunPython.noop)]
