from django.urls import path

from orders.views import cart

urlpatterns = [
    path("cart/lines/", cart.add, name="cart_add"),
    path("cart/lines/<int:line_id>/quantity/", cart.change_quantity, name="cart_quantity"),
    path("cart/lines/<int:line_id>/gift/", cart.change_gift, name="cart_gift"),
    path("cart/lines/<int:line_id>/removal/", cart.remove, name="cart_remove"),
    path("cart/note/", cart.change_note, name="cart_note"),
]
