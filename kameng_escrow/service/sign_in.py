"""Signing in with a wallet: Sign-In with Ethereum (EIP-4361), by plain accounts, by contracts (ERC-1271), and by
contracts that are not deployed yet (ERC-6492).
"""

from datetime import UTC, datetime
from typing import Any, Final

from eth_utils.address import to_checksum_address
from siwe import SiweMessage, VerificationError
from web3.exceptions import Web3Exception

from kameng_escrow.chain.transport import shown_provider, transport_error
from kameng_escrow.store.service import accounts

from .errors import SignInRefused
from .parts import Parts

STATEMENT: Final = "Sign in to the escrow service. This sends no transaction and moves no money."
CLOCK_SKEW_SECONDS: Final = 300  # that a wallet's clock may be ahead of ours
LONGEST_MESSAGE: Final = 4_000  # characters
LONGEST_SIGNATURE: Final = 20_000  # hex digits: an ERC-6492 signature carries what deploys the wallet


def challenge(parts: Parts) -> dict[str, Any]:
    """What a wallet needs to make the message: the values that the service will insist on."""
    now = parts.clock()
    with parts.store.writing() as session:
        nonce = accounts.issue_nonce(session, now)
    return {
        "domain": parts.config.domain,
        "uri": parts.config.public_url,
        "version": "1",
        "chain_id": parts.deployment.chain_id,
        "nonce": nonce,
        "statement": STATEMENT,
        "issued_at": _rfc3339(now),
        "expiration_time": _rfc3339(now + accounts.NONCE_SECONDS),
    }


def sign_in(parts: Parts, message: str, signature: str) -> tuple[str, str]:
    """The account that signed the message, and the token of its new session.

    Raises:
        SignInRefused: the message is not one for this service, is too old, was used before, or was not signed by the
            account that it names.
        NodeError: a contract's signature can't be checked, since the node does not answer.
    """
    parsed = _parse(message)
    _check(parts, parsed)
    now = parts.clock()
    with parts.store.writing() as session:
        fresh = accounts.use_nonce(session, parsed.nonce, now)
    if not fresh:
        raise _refused(
            "its nonce was not given out here, was used before, or is too old", "随机数不是本服务发的、已用过或太旧"
        )
    _verify(parts, parsed, signature, now)
    account = to_checksum_address(parsed.address)
    with parts.store.writing() as session:
        token = accounts.begin_session(session, account, now, lifetime=parts.config.session_seconds)
    return account, token


def _parse(message: str) -> SiweMessage:
    try:
        return SiweMessage.from_message(message)
    except (ValueError, TypeError, RecursionError) as error:  # pydantic's and the grammar's are ValueErrors
        raise _refused("it is no EIP-4361 message", "它不是 EIP-4361 消息") from error


def _check(parts: Parts, parsed: SiweMessage) -> None:
    """What needs no signature: that it is meant for this service."""
    if parsed.domain != parts.config.domain or str(parsed.uri).rstrip("/") != parts.config.public_url:
        raise _refused(
            f"it is for {parsed.domain}, not for {parts.config.domain}: somebody may be fishing for signatures",
            f"它是给 {parsed.domain} 的，不是给 {parts.config.domain} 的：有人可能在骗取签名",
        )
    if parsed.scheme is not None and f"{parsed.scheme}://{parsed.domain}" != parts.config.public_url:
        raise _refused(f"it is for {parsed.scheme}", f"它的协议是 {parsed.scheme}")
    if parsed.chain_id != parts.deployment.chain_id:
        raise _refused(
            f"it is for chain {parsed.chain_id}, not {parts.deployment.chain_id}",
            f"它是给链 {parsed.chain_id} 的，不是 {parts.deployment.chain_id}",
        )


def _verify(parts: Parts, parsed: SiweMessage, signature: str, now: int) -> None:
    provider = parts.node.w3.provider
    try:
        issued = datetime.fromisoformat(str(parsed.issued_at))
        if issued.timestamp() > now + CLOCK_SKEW_SECONDS:
            raise _refused("it is dated in the future: set the clock", "它的时间在未来：请校准时钟")
        parsed.verify(signature, timestamp=datetime.fromtimestamp(now, UTC), provider=provider)
    except VerificationError as error:
        raise _refused(
            "it was not signed by the account that it names, or has expired", "签名不是它所写账户的，或已过期"
        ) from error
    except SignInRefused:
        raise
    except (ValueError, TypeError, Web3Exception) as error:
        raise _refused("its signature is none", "签名无法识别") from error
    except Exception as error:  # of the library that talks to the node, where a contract is to be asked
        raise transport_error(error, shown_provider(provider)) from None


def _refused(why: str, why_zh: str) -> SignInRefused:
    return SignInRefused(
        f"The signed message is refused: {why}. Ask for a new nonce and sign again.",
        f"登录消息被拒绝：{why_zh}。请重新获取随机数再签名。",
    )


def _rfc3339(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
