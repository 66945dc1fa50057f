from accounts.admin.access import AccessLogEntryAdmin
from accounts.admin.complaint import DataComplaintAdmin
from accounts.admin.user import UserAdmin

__all__ = ["AccessLogEntryAdmin", "DataComplaintAdmin", "UserAdmin"]
