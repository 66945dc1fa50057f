from django.apps import AppConfig


class RecommendationsConfig(AppConfig):
    name = "recommendations"
    label = "recommendations"
    verbose_name = "Recommendations"

    def ready(self) -> None:
        from recommendations import checks, login, purpose_uses  # noqa: F401  (importing `checks` registers them)
        from recommendations.personal_data import register_holdings

        login.connect_visit_receivers()
        register_holdings()
        purpose_uses.register_uses()
        purpose_uses.register_purchase_readers()
