from django.apps import AppConfig


class RetryingConfig(AppConfig):
    name = "shop.retrying"
    label = "retrying"
    verbose_name = "Background work"
