from django.urls import path

from notifications.views.unsubscribe import unsubscribe

urlpatterns = [
    path("mail/unsubscribe/<str:token>/", unsubscribe, name="unsubscribe"),
]
