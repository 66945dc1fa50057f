from django.urls import include, path

from shop.backoffice.admin import site

urlpatterns = [
    path("admin/", site.urls),
    path("", include("accounts.urls")),
    path("accounts/", include("allauth.urls")),
    path("", include("orders.urls")),
    path("", include("notifications.urls")),
    path("", include("shop.storefront.urls")),
]

handler400 = "shop.storefront.views.errors.bad_request"
handler403 = "shop.storefront.views.errors.forbidden"
handler404 = "shop.storefront.views.errors.not_found"
handler500 = "shop.storefront.views.errors.server_error"
