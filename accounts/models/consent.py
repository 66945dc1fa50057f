import pgtrigger
from django.db import models
from django.db.models import Q

from accounts.models.customer import Customer
from accounts.people.email_addresses import EmailAddressField


class Consent(models.Model):
    """The current answer of one customer for one purpose. No row means no. Written by `accounts.consent.consent` alone.

    `chosen` is what the customer answered, `granted` whether it counts now: a yes rests while the master switch is off.
    `record` is the link of the ledger that made it so.
    """

    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="consents")
    purpose = models.CharField(max_length=60)
    granted = models.BooleanField()
    chosen = models.BooleanField()
    wording_version = models.PositiveSmallIntegerField()
    source = models.CharField(max_length=60, help_text="Where it was answered.")
    record = models.ForeignKey("ConsentRecord", on_delete=models.PROTECT, related_name="+")
    changed_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["customer", "purpose"], name="consent_once_per_purpose"),
            models.CheckConstraint(condition=Q(granted=False) | Q(chosen=True), name="consent_granted_was_chosen"),
        ]
        indexes = [
            # "who may get this?"
            models.Index(fields=["purpose", "customer"], condition=Q(granted=True), name="consent_granted"),
            # who answered anew since the shelves were computed
            models.Index(fields=["purpose", "changed_at"], name="consent_changed"),
        ]

    def __str__(self) -> str:
        return f"{self.purpose}: {'yes' if self.granted else 'no'}"


class ConsentRecord(models.Model):
    """One link of a customer's chain in the ledger. Holds no personal data; triggers keep it append-only.

    `digest` is HMAC-SHA256(payload key, payload); `head` is SHA-256(previous head, sequence, digest). `seal` binds the
    link to its chain and place under a key outside the database.
    """

    chain = models.UUIDField()
    sequence = models.PositiveIntegerField(help_text="1, 2, 3 … within the chain.")
    digest = models.BinaryField(max_length=32)
    head = models.BinaryField(max_length=32)
    seal = models.BinaryField(max_length=32)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["chain", "sequence"], name="consent_record_sequence")]
        triggers = [
            pgtrigger.Protect(
                name="consent_ledger_append_only",
                operation=pgtrigger.Update | pgtrigger.Delete,
            ),
            pgtrigger.Trigger(
                name="consent_ledger_no_truncate",
                operation=pgtrigger.Truncate,
                level=pgtrigger.Statement,
                when=pgtrigger.Before,
                func="RAISE EXCEPTION 'pgtrigger: the consent ledger is append-only';",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.chain} {self.sequence}"

    @property
    def facts(self) -> tuple[str | int, ...]:
        """All that its seal covers. The head covers the answer, its customer and every link before it."""
        return (str(self.chain), self.sequence, bytes(self.head).hex())


class ConsentPayload(models.Model):
    """What a ledger row says, and the key that seals it. Erasure deletes this; the chain still verifies."""

    record = models.OneToOneField(ConsentRecord, on_delete=models.PROTECT, related_name="payload")
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="consent_payloads")
    key = models.BinaryField(max_length=32)
    purpose = models.CharField(max_length=60)
    granted = models.BooleanField()
    wording_version = models.PositiveSmallIntegerField()
    wording_hash = models.CharField(max_length=64)
    source = models.CharField(max_length=60)
    answered_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["customer", "purpose", "answered_at"], name="consent_history")]

    def __str__(self) -> str:
        return f"{self.purpose}: {'yes' if self.granted else 'no'}, {self.answered_at:%d %b %Y}"


class ConsentRequest(models.Model):
    """A yes given for an address nobody has proved: it counts once the link mailed there is used (double opt-in)."""

    email = EmailAddressField("e-mail")
    purpose = models.CharField(max_length=60)
    wording_version = models.PositiveSmallIntegerField()
    source = models.CharField(max_length=60)
    created_at = models.DateTimeField(auto_now_add=True)
    confirmed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                "email", "purpose", condition=Q(confirmed_at=None), name="consent_request_once_open"
            )
        ]

    def __str__(self) -> str:
        return f"{self.purpose} asked for {self.email}"
