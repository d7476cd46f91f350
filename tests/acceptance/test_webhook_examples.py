"""The examples of receivers run, believe what is ours, and nothing that is spoiled in any one place."""

import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from kameng_escrow.webhooks import new_secret, signed_headers

EXAMPLES = Path(__file__).parents[2] / "examples" / "webhooks"
SECRET, OLD = new_secret(), new_secret()
SERVE = {
    "with_fastapi": "import uvicorn; uvicorn.run(app, port={port}, log_level='warning')",
    "with_flask": "from werkzeug.serving import run_simple; run_simple('127.0.0.1', {port}, app)",
    "with_django": "from wsgiref.simple_server import make_server as on; on('127.0.0.1', {port}, app).serve_forever()",
}
PORTS = dict(zip(SERVE, range(18_770, 18_773), strict=True))


def body(**changes: object) -> bytes:
    document = {
        "type": "order.accepted",
        "timestamp": "2026-11-26T04:00:00Z",
        "data": {"order_id": "0x" + "ab" * 32},
        "final": True,
        "chain_id": 31337,
        "contract": "0x" + "Cd" * 20,
    }
    return json.dumps({**document, **changes}).encode()


def send(url: str, raw: bytes, headers: dict[str, str]) -> tuple[int, str]:
    given = {"Content-Type": "application/json", **headers}
    request = urllib.request.Request(url, data=raw, headers=given, method="POST")
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


@pytest.fixture(params=list(SERVE), scope="module")
def hook(request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of a running example."""
    port = PORTS[request.param]
    program = f"from {request.param} import app\n{SERVE[request.param].format(port=port)}"
    environment = {**os.environ, "WEBHOOK_SECRETS": f"{SECRET} {OLD}", "PYTHONWARNINGS": "default"}
    with subprocess.Popen(
        [sys.executable, "-c", program], cwd=EXAMPLES, env=environment, stderr=subprocess.DEVNULL
    ) as process:
        try:
            ends = time.monotonic() + 60
            while True:
                try:
                    send(f"http://127.0.0.1:{port}/hook", b"", {})
                    break
                except urllib.error.URLError:
                    assert time.monotonic() < ends, "the example does not start"
                    assert process.poll() is None, "the example failed"
                    time.sleep(0.05)
            yield f"http://127.0.0.1:{port}/hook"
        finally:
            process.kill()


def test_each_spoiled_field_is_refused(hook: str) -> None:
    now = int(time.time())
    good = signed_headers([SECRET], "msg_spoiled", now, body())
    spoiled = {
        "webhook_header_missing": [{name: value for name, value in good.items() if name != one} for one in good],
        "webhook_header_malformed": [
            good | {"webhook-id": "msg.spoiled"},
            good | {"webhook-timestamp": "now"},
            good | {"webhook-signature": "v1"},
        ],
        "webhook_timestamp_off": [
            signed_headers([SECRET], "msg_spoiled", now - 400, body()),
            signed_headers([SECRET], "msg_spoiled", now + 400, body()),
        ],
        "webhook_signature_wrong": [
            good | {"webhook-id": "msg_another"},
            good | {"webhook-timestamp": str(now - 1)},
            signed_headers([new_secret()], "msg_spoiled", now, body()),
        ],
    }
    for code, cases in spoiled.items():
        for headers in cases:
            assert send(hook, body(), headers) == (400, code)
    assert send(hook, body().replace(b"accepted", b"acceptee"), good) == (400, "webhook_signature_wrong")
    early = body(final=False)
    assert send(hook, early, signed_headers([SECRET], "msg_early", now, early)) == (400, "webhook_not_final")
    nonsense = b"[1]"
    assert send(hook, nonsense, signed_headers([SECRET], "msg_x", now, nonsense)) == (400, "webhook_body_malformed")
    assert send(hook, body(), good)[0] == 204  # none of them was remembered as handled


def test_what_is_ours_is_taken_once_and_answered_well_twice(hook: str) -> None:
    now = int(time.time())
    for name, secrets in (("msg_1", [SECRET]), ("msg_2", [OLD]), ("msg_3", [new_secret(), SECRET])):
        for _ in range(2):
            assert send(hook, body(), signed_headers(secrets, name, now, body()))[0] == 204
