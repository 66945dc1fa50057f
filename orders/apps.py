from django.apps import AppConfig


class OrdersConfig(AppConfig):
    name = "orders"
    label = "orders"
    verbose_name = "Orders"

    def ready(self) -> None:
        from accounts.people import guest_session
        from accounts.people.address_verification import register_address_proved_callback
        from accounts.privacy import erasure
        from orders import login, order_access, personal_data, retention
        from orders.fulfilment import backorders
        from shop.catalog import stock

        login.connect_order_receivers()
        guest_session.register_keys_cleared_at_login(order_access.GRANTS)
        register_address_proved_callback(order_access.join_orders_to_customer)
        personal_data.register_holdings()
        stock.register_shelf_callback(backorders.serve_on_shelf_change)
        erasure.register_erasure_obstacle(retention.explain_wait_for_orders)
