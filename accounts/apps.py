from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "accounts"
    label = "accounts"
    verbose_name = "Customers"

    def ready(self) -> None:
        from accounts import grants
        from accounts.personal_data import register_holdings

        grants.connect()
        register_holdings()
