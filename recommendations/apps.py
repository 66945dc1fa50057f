from django.apps import AppConfig


class RecommendationsConfig(AppConfig):
    name = "recommendations"
    label = "recommendations"
    verbose_name = "Recommendations"

    def ready(self) -> None:
        from accounts.consent import purposes, uses
        from accounts.consent.uses import UseKind
        from recommendations import login
        from recommendations.personal_data import register_holdings

        login.connect_visit_receivers()
        register_holdings()
        observed = (purposes.RECOMMEND_FROM_PURCHASES, purposes.RECOMMEND_FROM_BROWSING)
        for purpose in (purposes.RECOMMEND_FROM_TOLD, *observed):
            uses.register_use(purpose, UseKind.SHELF, "For you")
            uses.register_use(purpose, UseKind.RECORDER, "recommendations.explanations")
        uses.register_use(purposes.RECOMMEND_FROM_TOLD, UseKind.SHELF, "the size chosen on a product page")
        uses.register_use(purposes.GUESS_SIZES, UseKind.SHELF, "the sizes guessed on “What I told you”")
        uses.register_use(purposes.VISITOR_HISTORY.key, UseKind.SHELF, "What you looked at")
        uses.register_use(purposes.VISITOR_HISTORY.key, UseKind.RECORDER, "recommendations.visitors")
        uses.register_use(purposes.COUNT_IN_ALSO_BOUGHT, UseKind.COUNT, "recommendations.training")
