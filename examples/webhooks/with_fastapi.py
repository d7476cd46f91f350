"""A webhook receiver with FastAPI: ``uvicorn with_fastapi:app``, and the secret in ``WEBHOOK_SECRETS``."""

import os

from fastapi import FastAPI, Request, Response

from kameng_escrow.webhooks import AlreadyHandled, WebhookEvent, WebhookReceiver, WebhookRefused

app = FastAPI()
receiver = WebhookReceiver(os.environ["WEBHOOK_SECRETS"].split())  # two while one is being rotated out
shipped: list[str] = []  # your shop's database


def ship(event: WebhookEvent) -> None:
    """Goods leave: so not before it is final."""
    shipped.append(event.require_final().data["order_id"])


@app.post("/hook")
async def hook(request: Request) -> Response:
    body = await request.body()  # the raw bytes: JSON that was read and written again is signed by nobody
    try:
        with receiver.handling(body, request.headers) as event:
            if event.type == "order.accepted":
                ship(event)
    except AlreadyHandled:
        return Response(status_code=204)
    except WebhookRefused as refused:
        return Response(refused.code, status_code=400)
    return Response(status_code=204)
