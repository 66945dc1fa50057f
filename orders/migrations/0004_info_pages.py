from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

# Delivery and contact say what the settings say, so they are true from the first day. Returns and terms wait for words
# that only the shop can give.
_STARTERS = [
    {"slug": "delivery", "title": "Delivery", "facts": "delivery", "is_published": True},
    {"slug": "returns", "title": "Returns", "facts": "", "is_published": False},
    {"slug": "terms", "title": "Terms", "facts": "", "is_published": False},
    {"slug": "contact", "title": "Contact", "facts": "contact", "is_published": True},
]


def make_starters(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    pages = apps.get_model("orders", "InfoPage").objects
    pages.bulk_create(pages.model(position=position, **page) for position, page in enumerate(_STARTERS))


class Migration(migrations.Migration):
    dependencies = [("orders", "0003_stripe_records")]

    operations = [
        migrations.CreateModel(
            name="InfoPage",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("title", models.CharField(max_length=80)),
                ("slug", models.SlugField(help_text="Its address: /pages/<this>/.", max_length=60, unique=True)),
                (
                    "body",
                    models.TextField(
                        blank=True,
                        help_text="An empty line begins a paragraph, ## a heading, - an item of a list."
                        " [words](https://…) is a link.",
                        verbose_name="words",
                    ),
                ),
                (
                    "facts",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("", "Nothing"),
                            ("delivery", "Ways of delivery, what they cost and how long they take"),
                            ("contact", "Address and e-mail"),
                        ],
                        max_length=12,
                        verbose_name="below the words",
                    ),
                ),
                (
                    "is_published",
                    models.BooleanField(default=False, help_text="Shown, and linked in the foot of every page."),
                ),
                ("position", models.PositiveSmallIntegerField(default=0, help_text="Its place in the foot.")),
                ("updated_at", models.DateTimeField(auto_now=True)),
            ],
            options={"ordering": ["position", "title"], "verbose_name": "information page"},
        ),
        migrations.RunPython(make_starters, migrations.RunPython.noop),
    ]
