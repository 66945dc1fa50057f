from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

_PAGE = {"title": "Accessibility", "position": 4, "is_published": False}


def make_page(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Unpublished: a statement is the shop's own word, and it writes it. One that staff made already stays."""
    apps.get_model("orders", "InfoPage").objects.get_or_create(slug="accessibility", defaults=_PAGE)


class Migration(migrations.Migration):
    dependencies = [("orders", "0018_staff_carriers")]

    operations = [migrations.RunPython(make_page, migrations.RunPython.noop)]
