from django.urls import path

from shop.storefront.views import (
    access,
    account,
    cart,
    checkout,
    consents,
    health,
    home,
    lists,
    media,
    order,
    product,
    robots,
)

urlpatterns = [
    path("", home.home, name="home"),
    path("category/<slug:slug>/", lists.category, name="category"),
    path("product/<slug:slug>/", product.product, name="product"),
    path("search/", lists.search, name="search"),
    path("media/<path:name>", media.picture, name="picture"),
    path("account/", account.account, name="account"),
    path("account/preferences/", account.preferences, name="preferences"),
    path("account/consents/", consents.consents, name="consents"),
    path("account/consents/receipt.json", consents.receipt, name="consent_receipt"),
    path("account/access/", access.access_log, name="access_log"),
    path("account/orders/", order.account_orders, name="account_orders"),
    path("account/recommendations/", account.recommendations, name="recommendations"),
    path("privacy/", account.privacy, name="privacy"),
    path("cart/", cart.cart, name="cart"),
    path("checkout/", checkout.checkout, name="checkout"),
    path("orders/<str:number>/", order.order, name="order"),
    path("robots.txt", robots.robots, name="robots"),
    path("favicon.ico", robots.favicon, name="favicon"),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
]
