from accounts.admin.access import AccessLogEntryAdmin
from accounts.admin.user import UserAdmin

__all__ = ["AccessLogEntryAdmin", "UserAdmin"]
