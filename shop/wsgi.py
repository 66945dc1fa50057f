import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")
django.setup(set_prefix=False)

from shop.handler import ShopHandler  # noqa: E402  (needs the settings)
from shop.start import refuse_foreign_prices, refuse_half_made_tables  # noqa: E402  (their models need the apps)

application = ShopHandler()
refuse_half_made_tables()
refuse_foreign_prices()
