"""Hands a source bundle to an explorer, so that everybody can read the contract there. Only when somebody asks."""

import json
import time
from typing import Any

import requests

from .errors import ExplorerRefused
from .source import SourceBundle
from .transport import shown_url

SOURCIFY = "https://sourcify.dev/server"
ETHERSCAN = "https://api.etherscan.io/v2/api"

REQUEST_SECONDS = 60
POLL_SECONDS = 3.0


def submit_to_sourcify(
    bundle: SourceBundle, *, server: str = SOURCIFY, wait_seconds: float = 300, poll_seconds: float = POLL_SECONDS
) -> str:
    """Submits to Sourcify (API v2), or to anything that speaks it, and waits; returns "exact_match" or "match".

    Raises:
        ExplorerRefused: it refused, or was not done in time.
    """
    body: dict[str, Any] = {
        "stdJsonInput": bundle.standard_input,
        "compilerVersion": bundle.compiler,
        "contractIdentifier": bundle.identifier,
    }
    if bundle.creation_transaction is not None:
        body["creationTransactionHash"] = bundle.creation_transaction
    url = f"{server}/v2/verify/{bundle.chain_id}/{bundle.address}"
    answer = _ask(server, "post", url, json=body)
    if answer.get("customCode") == "already_verified":
        return "exact_match"
    job = answer.get("verificationId")
    if not isinstance(job, str):
        raise ExplorerRefused(shown_url(server), _reason(answer))
    deadline = time.monotonic() + wait_seconds
    while time.monotonic() < deadline:
        answer = _ask(server, "get", f"{server}/v2/verify/{job}")
        if answer.get("isJobCompleted"):
            match = (answer.get("contract") or {}).get("match")
            if not match:
                raise ExplorerRefused(shown_url(server), _reason(answer.get("error") or answer))
            return str(match)
        time.sleep(poll_seconds)
    raise ExplorerRefused(shown_url(server), f"it was not done within {wait_seconds:g} s")


def submit_to_etherscan(
    bundle: SourceBundle,
    api_key: str,
    *,
    server: str = ETHERSCAN,
    wait_seconds: float = 300,
    poll_seconds: float = POLL_SECONDS,
) -> str:
    """Submits to Etherscan (API v2, which serves the explorers of many chains) and waits; returns what it says.

    Raises:
        ExplorerRefused: it refused, or was not done in time.
    """
    url = f"{server}?chainid={bundle.chain_id}"
    common = {"apikey": api_key, "module": "contract"}  # in the body: URLs end up in logs
    form = common | {
        "action": "verifysourcecode",
        "codeformat": "solidity-standard-json-input",
        "sourceCode": json.dumps(bundle.standard_input),
        "contractaddress": bundle.address,
        "contractname": bundle.identifier,
        "compilerversion": f"v{bundle.compiler}",
        "constructorArguements": bundle.constructor_arguments,  # so they spell it
    }
    answer = _ask(server, "post", url, data=form)
    result = str(answer.get("result", ""))
    if answer.get("status") != "1":
        if "already verified" in result.lower():
            return result
        raise ExplorerRefused(shown_url(server), result or _reason(answer))
    deadline = time.monotonic() + wait_seconds
    while time.monotonic() < deadline:
        answer = _ask(server, "post", url, data=common | {"action": "checkverifystatus", "guid": result})
        said = str(answer.get("result", ""))
        if answer.get("status") == "1":
            return said
        if "pending" not in said.lower():
            raise ExplorerRefused(shown_url(server), said or _reason(answer))
        time.sleep(poll_seconds)
    raise ExplorerRefused(shown_url(server), f"it was not done within {wait_seconds:g} s")


def _ask(server: str, method: str, url: str, **content: Any) -> dict[str, Any]:
    try:
        response = requests.request(method, url, timeout=REQUEST_SECONDS, allow_redirects=False, **content)
        answer = response.json()
    except requests.exceptions.JSONDecodeError:
        raise ExplorerRefused(shown_url(server), f"it answered with HTTP {response.status_code} and no JSON") from None
    except requests.exceptions.RequestException as error:  # its words could hold the URL
        raise ExplorerRefused(shown_url(server), f"it can't be reached ({type(error).__name__})") from None
    if not isinstance(answer, dict):
        raise ExplorerRefused(shown_url(server), "its answer is no JSON object")
    return answer


def _reason(answer: dict[str, Any]) -> str:
    return str(answer.get("message") or answer.get("customCode") or answer)[:300].rstrip(".")
