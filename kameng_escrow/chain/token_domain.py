"""Under which EIP-712 domain a token's permits and authorizations are signed: asked of the token, and checked."""

from typing import Any

from eth_abi.abi import decode
from eth_abi.exceptions import DecodingError
from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak

from kameng_escrow.domain.payments import TokenDomain
from kameng_escrow.domain.refusal_base import Refusal

from . import rpc
from .calls import Call
from .errors import InvalidInput, NodeRefused
from .steps import Steps

# Where a token does not tell its version, it has one of these: "1" by the example of EIP-2612, "2" as USDC.
_VERSIONS = ("1", "2", None)
_FIELDS = 0x0F  # of an ERC-5267 domain: name, version, chain id, contract
_FIELDS_WITHOUT_VERSION = 0x0D


def token_domain(token: str, chain_id: int) -> Steps[TokenDomain]:
    """The token's domain, as ERC-5267 describes it; else made of its name and version, if that gives the separator that
    it tells.

    Raises:
        InvalidInput: the token tells no domain, or one whose separator is another: it can't be paid by signature.
        NodeError: the node did not answer.
    """
    described = yield from _ask(token, "eip712Domain()", ["bytes1", "string", "string", "uint256", "address"])
    separator = yield from _ask(token, "DOMAIN_SEPARATOR()", ["bytes32"])
    if described is not None:
        mask, name, version, told_chain, contract = described
        if mask[0] in (_FIELDS, _FIELDS_WITHOUT_VERSION) and to_checksum_address(contract) == token:
            told = version if mask[0] == _FIELDS else None
            domain = TokenDomain(name=name, version=told, chain_id=told_chain, contract=token)
            if separator is None or domain.separator() == separator[0]:
                return domain
    name = yield from _ask(token, "name()", ["string"])
    version = yield from _ask(token, "version()", ["string"])
    if name is not None and separator is not None:
        for guess in _VERSIONS if version is None else (version[0], *_VERSIONS):
            domain = TokenDomain(name=name[0], version=guess, chain_id=chain_id, contract=token)
            if domain.separator() == separator[0]:
                return domain
    raise InvalidInput(
        f"The token {token} does not say how it is paid by signature: pay by allowance (open without a payment).",
        f"代币 {token} 没有说明如何凭签名付款：请用授权额度付款（下单时不带付款签名）。",
    )


def token_number(token: str, function: str, *words: bytes) -> Steps[int | None]:
    """What a view of the token answers in one word; None where it does not know the view. Raises `NodeError`."""
    answer = yield from _ask(token, function, ["uint256"], *words)
    return None if answer is None else int(answer[0])


def _ask(token: str, function: str, types: list[str], *words: bytes) -> Steps[tuple[Any, ...] | None]:
    data = keccak(text=function)[:4] + b"".join(words)
    try:
        answer = yield from rpc.eth_call(Call(to=token, data=data))
        return tuple(decode(types, answer))
    except (Refusal, NodeRefused, DecodingError, OverflowError, UnicodeDecodeError):
        return None
