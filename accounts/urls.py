from django.urls import path

from accounts.views import addresses, consents

urlpatterns = [
    path("account/personal-shopper/", consents.master_switch, name="master_switch"),
    path("account/preferences/<slug:key>/", consents.preference, name="preference"),
    path("consents/confirm/<str:token>/", consents.confirm_consent, name="confirm_consent"),
    path("account/addresses/", addresses.addresses, name="addresses"),
    path("account/addresses/new/", addresses.new_address, name="new_address"),
    path("account/addresses/<int:pk>/", addresses.edit_address, name="edit_address"),
    path("account/addresses/<int:pk>/removal/", addresses.remove_address, name="remove_address"),
]
