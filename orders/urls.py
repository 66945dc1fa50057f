from django.urls import path

from orders.views import cart, invoice, order, payment, webhook

urlpatterns = [
    path("cart/lines/", cart.add_cart_line, name="cart_add"),
    path("cart/lines/<int:line_id>/quantity/", cart.change_quantity, name="cart_quantity"),
    path("cart/lines/<int:line_id>/gift/", cart.change_gift, name="cart_gift"),
    path("cart/lines/<int:line_id>/removal/", cart.remove_cart_line, name="cart_remove"),
    path("cart/note/", cart.change_note, name="cart_note"),
    path("orders/<str:number>/open/<str:token>/", order.open_order_link, name="order_open"),
    path(
        "orders/<str:number>/withdrawal/open/<str:token>/",
        order.open_order_link,
        {"to": "order_withdrawal"},
        name="order_withdrawal_open",
    ),
    path(
        "orders/<str:number>/delay/open/<str:token>/",
        order.open_order_link,
        {"to": "order_delay"},
        name="order_delay_open",
    ),
    path("orders/<str:number>/paid/", order.order_paid, name="order_paid"),
    path("orders/<str:number>/unpaid/", order.order_unpaid, name="order_unpaid"),
    path("orders/<str:number>/payments/", payment.pay_staff_order, name="order_payments"),
    path("orders/<str:number>/cancellation/", order.cancel_own_order, name="order_cancellation"),
    path("orders/<str:number>/parcels/<int:parcel_id>/denial/", order.deny_delivery, name="delivery_denial"),
    path(
        "orders/<str:number>/parcels/<int:parcel_id>/denial/removal/",
        order.take_denial_back,
        name="delivery_denial_removal",
    ),
    path("orders/<str:number>/news/<slug:key>/removal/", order.end_news, name="order_news_removal"),
    path("webhooks/carrier/<slug:carrier>/", webhook.carrier_webhook, name="carrier_webhook"),
    path("orders/<str:number>/invoice/", invoice.ask_for_invoice, name="order_invoice"),
    path("orders/<str:number>/invoices/<str:paper>/", invoice.download_invoice, name="invoice_file"),
    path("webhooks/stripe/", webhook.stripe_webhook, name="stripe_webhook"),
]
