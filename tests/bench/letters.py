"""The usual way, to measure ours against: a Celery task for each mail, which reads its row, renders and sends."""

import os

from celery import Celery

app = Celery("letters", broker=os.environ.get("LETTERS_BROKER", ""))
app.conf.update(task_ignore_result=True, worker_prefetch_multiplier=1, task_acks_late=True)


@app.task
def send_one(email_id: str) -> None:
    import django

    django.setup()
    from django.core.mail import EmailMultiAlternatives
    from django.utils import timezone

    from notifications.models import OutgoingEmail
    from notifications.render_batch import load_email_contexts
    from shop import mail

    [letter] = load_email_contexts([email_id])
    issue = letter.named(letter.desk.issues, "issue")
    values = {"issue": issue, "paragraphs": issue.body.split("\n\n"), "shop_name": letter.desk.shop.name}
    subject, text, html = mail.render_message("newsletter", values)
    made = EmailMultiAlternatives(subject, text, to=[letter.email.to_address])
    made.attach_alternative(html, "text/html")
    made.send()
    OutgoingEmail.objects.filter(pk=email_id).update(state="sent", sent_at=timezone.now())


def work() -> None:
    import django

    django.setup()
    app.worker_main(["worker", "-P", "solo", "-c", "1", "--loglevel", "ERROR", "-Q", "letters", "--without-gossip"])
