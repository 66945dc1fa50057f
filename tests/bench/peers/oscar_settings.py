"""django-oscar as its documentation sets it up, with PostgreSQL and as for production: no debugging, no mail sent.

Runs in an environment of its own, where django-oscar is installed and the shop's libraries are not.
"""

import json
import os

from oscar.defaults import *  # noqa: F403

DATABASES = {"default": {"ENGINE": "django.db.backends.postgresql", **json.loads(os.environ["PEER_DATABASE"])}}
SECRET_KEY = "for-the-bench-only"
ALLOWED_HOSTS = ["localhost"]
SITE_ID = 1
ROOT_URLCONF = "tests.bench.peers.oscar_urls"
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.AutoField"
STATIC_URL = "/static/"
MEDIA_URL = "/media/"
MEDIA_ROOT = os.environ["PEER_MEDIA"]
EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"
OSCAR_ALLOW_ANON_CHECKOUT = True
OSCAR_PRODUCTS_PER_PAGE = 24
HAYSTACK_CONNECTIONS = {"default": {"ENGINE": "haystack.backends.simple_backend.SimpleEngine"}}

_DJANGO_APPS = "admin auth contenttypes sessions messages staticfiles sites flatpages"
_OSCAR_APPS = (
    "analytics checkout address shipping catalogue communication partner basket payment offer order customer search"
    " voucher wishlists dashboard"
)
_DASHBOARDS = "reports users orders catalogue offers partners pages ranges reviews vouchers communications shipping"


INSTALLED_APPS = [
    *(f"django.contrib.{app}" for app in _DJANGO_APPS.split()),
    "oscar.config.Shop",
    *(f"oscar.apps.{app}.apps.{app.title()}Config" for app in _OSCAR_APPS.split()),
    "oscar.apps.catalogue.reviews.apps.CatalogueReviewsConfig",
    *(f"oscar.apps.dashboard.{app}.apps.{app.title()}DashboardConfig" for app in _DASHBOARDS.split()),
    "widget_tweaks",
    "haystack",
    "treebeard",
    "sorl.thumbnail",
    "django_tables2",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.gzip.GZipMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "oscar.apps.basket.middleware.BasketMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "oscar.apps.search.context_processors.search_form",
                "oscar.apps.checkout.context_processors.checkout",
                "oscar.apps.communication.notifications.context_processors.notifications",
                "oscar.core.context_processors.metadata",
            ]
        },
    }
]
