import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")

application = get_wsgi_application()

from shop.start import refuse_foreign_prices  # noqa: E402  (its models need the apps)

refuse_foreign_prices()
