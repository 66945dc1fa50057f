from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "accounts"
    label = "accounts"
    verbose_name = "Customers"

    def ready(self) -> None:
        from accounts import asks, grants, staff_sessions, undo
        from accounts.personal_data import register_holdings

        grants.end_at_login(grants.KEY, grants.PENDING, grants.CHOOSING_PASSWORD, asks.SETTLED, undo.IN_SESSION)
        grants.connect()
        staff_sessions.connect()
        register_holdings()
