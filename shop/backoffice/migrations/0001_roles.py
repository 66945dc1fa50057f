from django.apps import apps as installed
from django.contrib.auth.management import create_permissions
from django.db import migrations

from shop.backoffice.roles import ROLES, make_roles


def make(apps, schema_editor):
    """Permissions normally come after all migrations; the roles need theirs now."""
    for label in {model.split(".")[0] for rights in ROLES.values() for model in rights}:
        create_permissions(installed.get_app_config(label), verbosity=0)
    make_roles()


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0001_initial"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("catalog", "0001_initial"),
        ("contenttypes", "0002_remove_content_type_name"),
        ("notifications", "0001_initial"),
        ("orders", "0001_initial"),
    ]

    operations = [migrations.RunPython(make, migrations.RunPython.noop)]
