from django.apps import AppConfig


class StorefrontConfig(AppConfig):
    name = "shop.storefront"
    label = "storefront"
    verbose_name = "Storefront"

    def ready(self) -> None:
        from accounts.people import guest_session
        from shop import checks  # noqa: F401  (importing registers them)
        from shop.storefront.views import interests

        guest_session.register_keys_cleared_at_login(interests.REMOVED_KEY)
