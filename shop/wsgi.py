import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")
django.setup(set_prefix=False)

from shop.handler import ShopHandler  # noqa: E402  (needs the settings)
from shop.start import refuse_foreign_prices  # noqa: E402  (its models need the apps)

application = ShopHandler()
refuse_foreign_prices()
