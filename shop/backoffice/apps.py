from django.apps import AppConfig
from django.contrib.admin import apps as admin


class BackofficeConfig(AppConfig):
    name = "shop.backoffice"
    label = "backoffice"

    def ready(self) -> None:
        from shop.backoffice import customers, role_pages, stuck_list

        customers.register()
        role_pages.register()
        stuck_list.register()


class BackofficeAdminConfig(admin.AdminConfig):
    """Django's admin with our own site; named in full in INSTALLED_APPS."""

    default = False
    default_site = "shop.backoffice.admin.BackofficeSite"
