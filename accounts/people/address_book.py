from django.db import transaction

from accounts.models import Address, Customer
from accounts.people.customers import lock_customer


@transaction.atomic
def save_address(customer: Customer, address: Address) -> Address:
    """Puts an address in the customer's book. The first one, and one marked as default, becomes the only default."""
    lock_customer(customer)
    others = customer.addresses.exclude(pk=address.pk)
    address.customer = customer
    address.is_default = address.is_default or not others.filter(is_default=True).exists()
    if address.is_default:
        others.filter(is_default=True).update(is_default=False)
    address.save()
    return address


@transaction.atomic
def delete_address(address: Address) -> None:
    """Takes an address out of the book; the newest of the rest becomes the default when it was."""
    address.delete()
    rest = Address.objects.filter(customer=address.customer_id)
    if address.is_default and (newest := rest.order_by("-created_at").first()):
        rest.filter(pk=newest.pk).update(is_default=True)
