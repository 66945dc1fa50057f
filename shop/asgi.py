import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")

application = get_asgi_application()

from shop.start import refuse_foreign_prices, refuse_half_made_tables  # noqa: E402  (their models need the apps)

refuse_half_made_tables()
refuse_foreign_prices()
