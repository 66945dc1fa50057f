from django.apps import AppConfig
from django.contrib.admin import apps as admin


class BackofficeConfig(AppConfig):
    name = "shop.backoffice"
    label = "backoffice"

    def ready(self) -> None:
        from shop.backoffice import customers, role_pages, stuck_list

        customers.register_customer_admin()
        role_pages.register_role_admin()
        stuck_list.register_stuck_item_admin()


class BackofficeAdminConfig(admin.AdminConfig):
    """Django's admin with our own site; named in full in INSTALLED_APPS."""

    default = False
    default_site = "shop.backoffice.admin.BackofficeSite"
