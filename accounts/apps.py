from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "accounts"
    label = "accounts"
    verbose_name = "Customers"

    def ready(self) -> None:
        from accounts.consent import prompts
        from accounts.people import guest_session, staff_sessions
        from accounts.personal_data import register_account_holdings
        from accounts.preferences import undo

        guest_session.register_keys_cleared_at_login(
            guest_session.GUEST_KEY,
            guest_session.PENDING_LINK_KEY,
            guest_session.PASSWORD_RESET_KEY,
            prompts.ANSWERED_KEY,
            undo.OFFERED_KEY,
        )
        guest_session.connect_guest_receiver()
        staff_sessions.connect_staff_receiver()
        register_account_holdings()
