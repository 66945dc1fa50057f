"""The roles staff are put into, as Django groups: what each may look at and what it may change.

Kept by the migrations: a new line here needs a migration that calls `make_roles` again. The owner (a superuser) may do
everything, logins and settings included.
"""

from collections.abc import Mapping

from django.contrib.auth.models import Group, Permission
from django.db.models import Q

LOOK, CHANGE, KEEP = ("view",), ("view", "change"), ("view", "add", "change", "delete")

ROLES: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "Staff: orders": {
        "orders.order": CHANGE,
        "orders.payment": LOOK,
        "orders.striperecord": LOOK,
        "orders.delaynotice": LOOK,
        "orders.lanewindow": LOOK,
        "orders.deliveryzone": LOOK,
        "orders.withdrawal": LOOK,
        "orders.withdrawalstatement": LOOK,
        "orders.returnauthorization": LOOK,
        "orders.shippingmethod": LOOK,
        "orders.holiday": KEEP,
        "accounts.customer": LOOK,
        "accounts.address": LOOK,
        "accounts.consent": LOOK,
        "notifications.outgoingemail": LOOK,
        "notifications.outgoingitem": LOOK,
        "catalog.product": LOOK,
        "catalog.variant": LOOK,
        "retrying.stuckitem": LOOK,
    },
    "Staff: privacy": {
        "accounts.customer": LOOK,
        "accounts.consent": LOOK,
        "accounts.consentpayload": LOOK,
        "accounts.accesslogentry": LOOK,
        "accounts.datacomplaint": CHANGE,
        "notifications.outgoingemail": LOOK,
        "notifications.outgoingitem": LOOK,
        "notifications.suppression": ("view", "add", "delete"),
        "retrying.stuckitem": LOOK,
    },
    "Staff: catalogue": {
        "catalog.category": KEEP,
        "catalog.maker": KEEP,
        "catalog.product": KEEP,
        "catalog.productimage": KEEP,
        "catalog.variant": KEEP,
        "catalog.stockrecord": CHANGE,
        "catalog.stockmovement": LOOK,
        "catalog.store": CHANGE,
        "catalog.openinghours": KEEP,
        "catalog.specialhours": KEEP,
        "orders.infopage": KEEP,
        "orders.returnexclusion": KEEP,
        "retrying.stuckitem": LOOK,
    },
}


def make_roles() -> None:
    """Makes or mends the groups. Safe to repeat; permissions somebody added by hand are taken away again."""
    for name, rights in ROLES.items():
        group, _ = Group.objects.get_or_create(name=name)
        group.permissions.set(Permission.objects.filter(_build_permission_filter(rights)))


def _build_permission_filter(rights: Mapping[str, tuple[str, ...]]) -> Q:
    wanted = Q()
    for label, verbs in rights.items():
        app, model = label.split(".")
        names = [f"{verb}_{model}" for verb in verbs]
        wanted |= Q(content_type__app_label=app, codename__in=names)
    return wanted
