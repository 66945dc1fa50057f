from django.apps import AppConfig


class NotificationsConfig(AppConfig):
    name = "notifications"
    label = "notifications"
    verbose_name = "Mail"

    def ready(self) -> None:
        from accounts.consent import uses
        from accounts.consent.uses import UseKind
        from accounts.privacy import erasure
        from notifications import checks, outbox, personal_data, topics  # noqa: F401  (importing `checks` registers them)

        personal_data.register_holdings()
        erasure.register_erasure_obstacle(outbox.explain_wait_for_notice)
        for topic in topics.TOPICS.values():
            for purpose, name in topic.list_uses():
                uses.register_use(purpose, UseKind.MAIL, name)
