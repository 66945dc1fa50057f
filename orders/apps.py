from django.apps import AppConfig


class OrdersConfig(AppConfig):
    name = "orders"
    label = "orders"
    verbose_name = "Orders"

    def ready(self) -> None:
        from accounts import erasure, grants
        from accounts.proof import on_address_proved
        from orders import guests, login, personal_data, statutory

        login.connect()
        grants.end_at_login(guests.GRANTS)
        on_address_proved(guests.join_orders)
        personal_data.register_holdings()
        erasure.wait_while(statutory.waits_for_orders)
