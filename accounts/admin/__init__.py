from accounts.admin.customer import CustomerAdmin
from accounts.admin.user import UserAdmin

__all__ = ["CustomerAdmin", "UserAdmin"]
