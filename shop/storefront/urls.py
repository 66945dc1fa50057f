from django.urls import path

from shop.storefront.views import (
    account,
    cart,
    health,
    home,
)

urlpatterns = [
    path("", home.home, name="home"),
    path("account/", account.account, name="account"),
    path("account/preferences/", account.preferences, name="preferences"),
    path("privacy/", account.privacy, name="privacy"),
    path("cart/", cart.cart, name="cart"),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
]
