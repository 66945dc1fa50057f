from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "accounts"
    label = "accounts"
    verbose_name = "Customers"

    def ready(self) -> None:
        from accounts import asks, grants, staff_sessions, undo
        from accounts.personal_data import register_account_holdings

        grants.register_keys_cleared_at_login(
            grants.GUEST_KEY, grants.PENDING_LINK_KEY, grants.PASSWORD_RESET_KEY, asks.ANSWERED_KEY, undo.OFFERED_KEY
        )
        grants.connect_guest_receiver()
        staff_sessions.connect_staff_receiver()
        register_account_holdings()
