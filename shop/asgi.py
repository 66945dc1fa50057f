import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")

application = get_asgi_application()

from shop.start import refuse_foreign_prices  # noqa: E402  (its models need the apps)

refuse_foreign_prices()
