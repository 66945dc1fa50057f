from django.apps import AppConfig


class RecommendationsConfig(AppConfig):
    name = "recommendations"
    label = "recommendations"
    verbose_name = "Recommendations"

    def ready(self) -> None:
        from accounts.consent import purposes, uses
        from accounts.consent.uses import UseKind
        from recommendations import checks, login  # noqa: F401  (importing `checks` registers them)
        from recommendations.personal_data import EFFECT_FIELDS, register_holdings
        from recommendations.picks import SHELVES

        login.connect_visit_receivers()
        register_holdings()
        for shelf in SHELVES.values():
            for purpose in shelf.purposes if shelf.is_personal else ():
                uses.register_use(purpose, UseKind.SHELF, shelf.title)
        for purpose in EFFECT_FIELDS:
            uses.register_use(purpose, UseKind.RECORDER, "recommendations.explanations")
        uses.register_use(purposes.RECOMMEND_FROM_TOLD, UseKind.SHELF, "the size chosen on a product page")
        uses.register_use(purposes.GUESS_SIZES, UseKind.SHELF, "the sizes guessed on “What I told you”")
        uses.register_use(purposes.VISITOR_HISTORY.key, UseKind.RECORDER, "recommendations.visitors")
        uses.register_use(purposes.COUNT_IN_ALSO_BOUGHT, UseKind.COUNT, "recommendations.training")
