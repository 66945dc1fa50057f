from allauth.account import views as allauth_views
from allauth.account.decorators import reauthentication_required
from django.urls import path, re_path

from accounts.views import address_confirmation, addresses, consents, password_reset, preferences, sessions, stored_data

urlpatterns = [
    # In place of allauth's own page, which lets whoever opens the link confirm.
    re_path(
        r"^accounts/confirm-email/(?P<key>[-:\w]+)/$",
        address_confirmation.confirm_address,
        name="account_confirm_email",
    ),
    re_path(
        r"^accounts/password/reset/key/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$",
        password_reset.ChoosePasswordView.as_view(),
        name="account_reset_password_from_key",
    ),
    path("accounts/sessions/", sessions.manage_sessions, name="usersessions_list"),
    path(
        "accounts/password/set/",
        reauthentication_required(app="allauth.account")(allauth_views.password_set),
        name="account_set_password",
    ),
    path("account/personal-shopper/", preferences.master_switch, name="master_switch"),
    path("account/weekly-ceiling/", preferences.weekly_ceiling, name="weekly_ceiling"),
    path("account/undo/", preferences.undo_choice, name="undo"),
    path("account/preferences/<slug:key>/", preferences.preference, name="preference"),
    path("account/preferences/<slug:key>/often/", preferences.how_often, name="how_often"),
    path("account/preferences/<slug:key>/less/", preferences.less_often, name="less_often"),
    path("account/preferences/<slug:key>/forgetting/", stored_data.forgetting, name="forgetting"),
    path(
        "account/preferences/<slug:key>/forgetting/<int:pk>/undo/", stored_data.undo_forgetting, name="undo_forgetting"
    ),
    path("consents/confirm/<str:token>/", consents.confirm_consent, name="confirm_consent"),
    path("account/addresses/", addresses.addresses, name="addresses"),
    path("account/addresses/new/", addresses.new_address, name="new_address"),
    path("account/addresses/<int:pk>/", addresses.edit_address, name="edit_address"),
    path("account/addresses/<int:pk>/removal/", addresses.remove_address, name="remove_address"),
]
