"""The personal data this app holds, for the privacy page and the jobs that follow it."""

from datetime import datetime
from typing import Any

from allauth.account.models import EmailAddress
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.db.models import Q, QuerySet
from django.utils import timezone

from accounts.consent import prompts, purposes, receipts
from accounts.consent.prompts import PROMPT_RETENTION
from accounts.consent.requests import REQUEST_RETENTION
from accounts.models import (
    AccessLogEntry,
    AccountEvent,
    ConsentPayload,
    ConsentRequest,
    Customer,
    DataComplaint,
    DataExport,
    Erasure,
    FreshLink,
    Interest,
    MailCadence,
    PreferenceProfile,
)
from accounts.models.access_record import ACCESS_RETENTION
from accounts.models.address import ADDRESS_FIELDS
from accounts.models.fresh_link import LINK_RETENTION
from accounts.models.interest import KINDS_FOR_SUGGESTIONS
from accounts.people import address_claims, staff_changes
from accounts.people.address_claims import CLAIM_RETENTION
from accounts.people.sessions import VISIT_RETENTION
from accounts.people.staff_changes import CHANGE_RETENTION
from accounts.preferences import interests
from accounts.privacy import access_log, export
from accounts.privacy.complaints import COMPLAINT_RETENTION
from accounts.privacy.export import COPY_RETENTION
from shop.personal_data import (
    Holding,
    Rows,
    StoredDataWording,
    erase_nothing,
    export_rows,
    hold_rows,
    register_holding,
)


def export_account(customer: Customer) -> Rows:
    person = export_rows(
        Customer.objects.filter(pk=customer.pk),
        name="name",
        email="email",
        email_proved_at="email_proved_at",
        reference_elsewhere="external_reference",
        known_since="created_at",
        login_email="user__email",
        login_made_at="user__date_joined",
        last_signed_in_at="user__last_login",
    )
    logins = export_rows(
        EmailAddress.objects.filter(user=customer.user_id), login_address="email", is_confirmed="verified"
    )
    return [*person, *logins, *_export_addresses(customer)]


def _export_addresses(customer: Customer) -> Rows:
    return export_rows(
        customer.addresses.all(), **{name: name for name in ADDRESS_FIELDS}, is_usual="is_default", since="created_at"
    )


def erase_account(customer: Customer) -> int:
    """The customer and the login with all that hangs on them. The ledger's chain stays: it names nobody."""
    user = customer.user
    count = customer.delete()[0]
    return count + (user.delete()[0] if user is not None else 0)


def _find_sign_ins(customer: Customer) -> QuerySet[UserSession]:
    found: QuerySet[UserSession] = UserSession.objects.filter(user=customer.user_id, user__isnull=False)
    return found


def export_sign_ins(customer: Customer) -> Rows:
    return export_rows(_find_sign_ins(customer), signed_in_at="created_at", from_address="ip", browser="user_agent")


def retire_sign_ins() -> int:
    """Deletes what is kept of sign-ins that are over."""
    live = Session.objects.filter(expire_date__gt=timezone.now()).values("session_key")
    return int(UserSession.objects.exclude(session_key__in=live).delete()[0])


def export_answers(customer: Customer) -> Rows:
    answers = receipts.get_consent_answers(customer).order_by("record__sequence")
    words = receipts.get_wordings_by_hash(answers)
    return [_export_answer(answer, words) for answer in answers]


def _export_answer(answer: ConsentPayload, words: dict[str, Any]) -> dict[str, Any]:
    wording = words.get(answer.wording_hash)
    return {
        "switch": wording.title if wording else answer.purpose,
        "answer": "yes" if answer.granted else "no",
        "answered_at": answer.answered_at.isoformat(),
        "where": answer.source,
        "words": f"{wording.explanation} Reads: {wording.reads} Gives: {wording.gives}" if wording else "",
    }


def erase_answers(customer: Customer) -> int:
    """The answers and the keys that seal them. The chain stays, and verifies."""
    found = (customer.consents.all(), customer.consent_payloads.all(), AccountEvent.objects.filter(customer=customer))
    return sum(each.delete()[0] for each in found)


def export_declined_prompts(customer: Customer) -> Rows:
    declined = export_rows(customer.asks.exclude(answered_at=None), declined="key", answered_at="answered_at")
    left = export_rows(customer.asks.filter(answered_at=None), asked_for="key", shown_at="shown_at")
    forgotten = export_rows(
        customer.forgotten_pasts.order_by("before_at"),
        forgot_for="purpose",
        bought_before="before_at",
        bought_after="after_at",
        how_many="line_count",
        taken_back_at="taken_back_at",
    )
    return [*declined, *left, *forgotten]


def erase_declined_prompts(customer: Customer) -> int:
    found = (customer.asks.all(), customer.forgotten_pasts.all())
    return sum(each.delete()[0] for each in found)


def _find_requests(customer: Customer) -> QuerySet[ConsentRequest]:
    return ConsentRequest.objects.filter(Q(email__iexact=customer.email or "-"))


def export_cadence(customer: Customer) -> Rows:
    ceiling = export_rows(PreferenceProfile.objects.filter(customer=customer), mails_a_week_at_most="weekly_ceiling")
    return ceiling + export_rows(MailCadence.objects.filter(customer=customer), switch="purpose", how_often="cadence")


def erase_cadence(customer: Customer) -> int:
    found = (PreferenceProfile.objects.filter(customer=customer), MailCadence.objects.filter(customer=customer))
    return sum(each.delete()[0] for each in found)


def _find_fresh_links(customer: Customer) -> QuerySet[FreshLink]:
    return FreshLink.objects.filter(email__iexact=customer.email or "-")


def _find_complaints(customer: Customer) -> QuerySet[DataComplaint]:
    """Those from their proved address: whoever else typed it tells nobody about them."""
    if not (customer.email and customer.is_proved):
        return DataComplaint.objects.none()
    return DataComplaint.objects.filter(email=customer.email).order_by("pk")


def forget_interests(customer: Customer, *, until: datetime) -> int:
    """What suggestions could follow. Days to remember, what never to show and sizes that are not theirs stay."""
    return customer.interests.filter(kind__in=KINDS_FOR_SUGGESTIONS, told_at__lte=until).delete()[0]


HOLDINGS: tuple[Holding, ...] = (
    Holding(
        key="account",
        title="Your account",
        models=(
            *("accounts.User", "accounts.Customer", "accounts.Address"),
            *("account.EmailAddress", "account.EmailConfirmation", "mfa.Authenticator"),
        ),
        retention="Name, e-mail address and address book: until you erase the account. "
        f"An address that signed up and was never confirmed: {CLAIM_RETENTION}.",
        export=export_account,
        erase=erase_account,
        retire=address_claims.retire_sign_ups,
        is_person=True,
    ),
    Holding(
        key="sign_ins",
        title="Where you are signed in",
        models=("usersessions.UserSession",),
        retention="Internet address and browser of each sign-in: until it ends, "
        f"{VISIT_RETENTION} after it at the latest.",
        export=export_sign_ins,
        erase=lambda customer: _find_sign_ins(customer).delete()[0],
        retire=retire_sign_ins,
    ),
    Holding(
        key="answers",
        title="Your answers to the switches",
        models=("accounts.Consent", "accounts.ConsentPayload", "accounts.AccountEvent"),
        retention="Each yes and no with its time, so that it can be proved: until you erase the account.",
        export=export_answers,
        count=lambda customer: customer.consent_payloads.count(),
        erase=erase_answers,
        kept="A chain of seals that shows that no answer was ever changed. It names nobody.",
    ),
    Holding(
        key="cadence",
        title="How often you want each mail, and your weekly ceiling",
        models=("accounts.PreferenceProfile", "accounts.MailCadence"),
        retention="What you chose: until you erase the account.",
        export=export_cadence,
        erase=erase_cadence,
    ),
    Holding(
        key="asks",
        title="Questions we put to you and you did not say yes to, and purchases you told us to forget",
        models=("accounts.Ask", "accounts.ForgottenPast"),
        retention="What you said “No thanks” to, and what to forget: until you erase the account, so that we never "
        "ask again, and never use them again. "
        f"What you left unanswered: {PROMPT_RETENTION}, in which we do not ask again.",
        export=export_declined_prompts,
        erase=erase_declined_prompts,
        retire=prompts.retire,
    ),
    hold_rows(
        ConsentRequest.objects,
        key="requests",
        title="An address that asked for the newsletter and has not confirmed",
        retention=f"{REQUEST_RETENTION.words.capitalize()}, then it is deleted.",  # a used one is a yes in the ledger
        export={"email": "email", "asked_for": "purpose", "asked_at": "created_at", "used_at": "confirmed_at"},
        find=_find_requests,
        kept_for=REQUEST_RETENTION,
    ),
    hold_rows(
        DataComplaint.objects,
        key="complaints",
        title="Complaints about data",
        retention="Name, e-mail address, what you wrote and what we answered, so that we can show that we did: "
        f"{COMPLAINT_RETENTION}.",
        export={
            "name": "full_name",
            "email": "email",
            "complaint": "words",
            "received_at": "received_at",
            "answer_due_on": "due_on",
            "answer": "answer",
            "answered_at": "answered_at",
        },
        find=_find_complaints,
        dated_by="received_at",
        kept_for=COMPLAINT_RETENTION,
    ),
    hold_rows(
        AccessLogEntry.objects,
        key="access",
        title="Who of us looked at your data",
        retention=f"Each look with its reason: {ACCESS_RETENTION}, or until you erase the account.",
        export={
            "at": "at",
            "who": "staff_name",
            "role": "staff_role",
            "what": "kind",
            "about": "about",
            "why": "detail",
        },
        find=access_log.get_access_log,
        retire=access_log.retire_access_log,
    ),
    hold_rows(
        Interest.objects,
        key="told",
        title="What you told us",
        retention="Until you delete it, or to the day you set. A day to remember: until it is over.",
        export={
            "kind": "kind",
            "maker": "maker__name",
            "department": "category__name",
            "product": "product__title",
            "words": "words",
            "falls_on": "falls_on",
            "told_at": "told_at",
            "kept_until": "expires_at",
            "last_used_at": "last_used_at",
        },
        forget={purposes.RECOMMEND_FROM_TOLD: forget_interests},
        wording={
            purposes.RECOMMEND_FROM_TOLD: StoredDataWording(
                "Delete what you have",
                "You told us 1 thing that this may follow.",
                "You told us {} things that this may follow.",
                "Deleted. We hold no maker, department, need or size to follow.",
                "Every maker, department, need and size on your page “What I told you” is deleted at once, and nobody "
                "can bring it back. Days to remember and what you never want to see stay.",
            )
        },
        held=lambda customer: {
            purposes.RECOMMEND_FROM_TOLD: customer.interests.filter(kind__in=KINDS_FOR_SUGGESTIONS).count()
        },
        retire=interests.retire_interests,
    ),
    hold_rows(
        FreshLink.objects,
        key="fresh_links",
        title="Links you asked for to see what we hold about you",
        retention=f"The address and the time: {LINK_RETENTION}.",
        export={"email": "email", "asked_at": "created_at", "used_at": "used_at"},
        find=_find_fresh_links,
        kept_for=LINK_RETENTION,
    ),
    hold_rows(
        DataExport.objects,
        key="copies",
        title="Copies of your data, made for you",
        retention=f"{COPY_RETENTION.words.capitalize()}, then the file is deleted.",
        export={"asked_at": "created_at", "ready_at": "ready_at"},
        erase=lambda customer: export.delete_exports(customer.data_exports.all()),
        retire=export.retire_exports,
    ),
    hold_rows(
        Erasure.objects,
        key="erasures",
        title="That you asked to be erased",
        retention="For good, as a number and a date without a name, so that a restored backup forgets you too.",
        export={"asked_at": "created_at", "due_at": "due_at"},
        erase=erase_nothing,
        kept="A number and a date without a name, so that you are forgotten again should we ever restore a backup.",
    ),
    Holding(
        key="staff_changes",
        title="What staff changed about you by hand",
        models=("admin.LogEntry",),
        retention=f"Who changed which field, and when: {CHANGE_RETENTION}. Your name in it goes with your account.",
        export=staff_changes.export_staff_changes,
        erase=staff_changes.erase_staff_changes,
        retire=staff_changes.retire_staff_changes,
    ),
)


def register_account_holdings() -> None:
    for holding in HOLDINGS:
        register_holding(holding)
