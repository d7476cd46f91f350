"""A webhook receiver with Django: ``gunicorn with_django:app``, and the secret in ``WEBHOOK_SECRETS``.

In a project of yours the view and its path are all you need.
"""

import os

import django
from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from kameng_escrow.webhooks import AlreadyHandled, WebhookEvent, WebhookReceiver, WebhookRefused

settings.configure(ROOT_URLCONF=__name__, ALLOWED_HOSTS=["*"])
django.setup()

receiver = WebhookReceiver(os.environ["WEBHOOK_SECRETS"].split())  # two while one is being rotated out
shipped: list[str] = []  # your shop's database


def ship(event: WebhookEvent) -> None:
    """Goods leave: so not before it is final."""
    shipped.append(event.require_final().data["order_id"])


@csrf_exempt  # the signature says who it is
@require_POST
def hook(request: HttpRequest) -> HttpResponse:
    body = request.body  # the raw bytes: JSON that was read and written again is signed by nobody
    try:
        with receiver.handling(body, request.headers) as event:
            if event.type == "order.accepted":
                ship(event)
    except AlreadyHandled:
        return HttpResponse(status=204)
    except WebhookRefused as refused:
        return HttpResponse(refused.code, status=400)
    return HttpResponse(status=204)


urlpatterns = [path("hook", hook)]
app = WSGIHandler()
