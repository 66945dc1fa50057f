from django.apps import AppConfig


class NotificationsConfig(AppConfig):
    name = "notifications"
    label = "notifications"
    verbose_name = "Mail"

    def ready(self) -> None:
        from notifications import checks, personal_data  # noqa: F401  (importing `checks` registers them)

        personal_data.register_holdings()
