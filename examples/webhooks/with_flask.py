"""A webhook receiver with Flask: ``flask --app with_flask run``, and the secret in ``WEBHOOK_SECRETS``."""

import os

from flask import Flask, Response, request

from kameng_escrow.webhooks import AlreadyHandled, WebhookEvent, WebhookReceiver, WebhookRefused

app = Flask(__name__)
receiver = WebhookReceiver(os.environ["WEBHOOK_SECRETS"].split())  # two while one is being rotated out
shipped: list[str] = []  # your shop's database


def ship(event: WebhookEvent) -> None:
    """Goods leave: so not before it is final."""
    shipped.append(event.require_final().data["order_id"])


@app.post("/hook")
def hook() -> Response:
    body = request.get_data()  # the raw bytes: JSON that was read and written again is signed by nobody
    try:
        with receiver.handling(body, request.headers) as event:
            if event.type == "order.accepted":
                ship(event)
    except AlreadyHandled:
        return Response(status=204)
    except WebhookRefused as refused:
        return Response(refused.code, status=400)
    return Response(status=204)
