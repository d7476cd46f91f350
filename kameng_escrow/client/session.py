"""What every operation of a client rests on: which contract on which chain, as whom, and how calls become receipts."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn, TypeVar

from eth_account.signers.local import LocalAccount

from kameng_escrow.chain import rpc
from kameng_escrow.chain.artifacts import load_artifact
from kameng_escrow.chain.calls import Call, escrow_call
from kameng_escrow.chain.codec import decode_log
from kameng_escrow.chain.deployments import Deployment, check_chain, load_deployment, verify_code
from kameng_escrow.chain.errors import InvalidInput, NodeError, NoDeployment, TransactionTimeout
from kameng_escrow.chain.parts import companions
from kameng_escrow.chain.sender import Sender, UnsignedTransaction
from kameng_escrow.chain.slots import OrderSlot, decode_slot
from kameng_escrow.chain.steps import Steps
from kameng_escrow.domain.events import Logged
from kameng_escrow.domain.inputs import parse_address
from kameng_escrow.domain.order import OrderTerms
from kameng_escrow.domain.refusals import NotPossible, PullFailed, WrongState
from kameng_escrow.domain.states import State
from kameng_escrow.domain.typed_data import Domain, order_id

from .errors import UnknownOrder
from .results import Receipt

S = TypeVar("S", bound="Session")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How a client was configured; see `EscrowClient`."""

    contract: Deployment | str | None
    lens: str | None
    deployments: Path | None
    receipt_timeout_seconds: float
    gas_margin_percent: int
    blocks_per_request: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """The contract in use, once it is known to be there."""

    chain_id: int
    address: str
    lens: str | None
    first_block: int  # nothing happened to the contract before
    deployment: Deployment | None  # None where only its address is known

    @property
    def domain(self) -> Domain:
        """What ids and signatures are bound to."""
        return Domain(self.chain_id, self.address)


class Session:
    """The base of both clients. Sends nothing before the first operation."""

    def __init__(self, settings: Settings, account: LocalAccount | str | None) -> None:
        self._settings = settings
        self._account = parse_address(account, "account") if isinstance(account, str) else account
        self._places: list[Place] = []  # at most one; a list, so that clients of one connection share it
        self._checked: dict[str, str] = {}  # companions that are known to be there: contract → address; shared likewise

    @property
    def address(self) -> str:
        """The address of the client's account. Raises `InvalidInput` where it has none."""
        if self._account is None:
            raise InvalidInput(
                "This client only reads: give it an account (account=…, or acting_as) to act or sign.",
                "这个客户端只能读取：要操作或签名，请给它一个账户（account=… 或 acting_as）。",
            )
        return self._account if isinstance(self._account, str) else str(self._account.address)

    @property
    def _signer(self) -> LocalAccount:
        address = self.address
        if self._account is None or isinstance(self._account, str):
            raise InvalidInput(
                f"The key of {address} is not here: sign in its wallet, or give the client a local account.",
                f"{address} 的私钥不在这里：请在它的钱包里签名，或给客户端一个本地账户。",
            )
        return self._account

    # ------------------------------------------------------------------------------------------------- which contract

    def _place(self) -> Steps[Place]:
        """The contract in use; checked once.

        Raises:
            NoDeployment: none is recorded for the node's chain, or there is no contract at its address.
            CodeMismatch: there is another contract at its address.
            WrongChain: the node serves another chain than the record is of.
        """
        if not self._places:
            place = yield from self._find_place()
            # Money goes there: a mistyped address may well be a contract that keeps whatever it gets.
            yield from verify_code(place.address, load_artifact("KamengEscrow"))
            self._places.append(place)
        return self._places[0]

    def _find_place(self) -> Steps[Place]:
        given = self._settings.contract
        chain_id = yield from rpc.chain_id()
        lens = None if self._settings.lens is None else parse_address(self._settings.lens, "lens")
        if isinstance(given, str):
            address = parse_address(given, "contract")
            return Place(chain_id=chain_id, address=address, lens=lens, first_block=0, deployment=None)
        if given is None:
            genesis = (yield from rpc.block(0)).hash
            given = load_deployment(chain_id, genesis=genesis, folder=self._settings.deployments)
        else:
            yield from check_chain(given)
        return Place(
            chain_id=chain_id,
            address=given.address,
            lens=given.lens if lens is None else lens,
            first_block=given.block,
            deployment=given,
        )

    def _companion(self, name: str) -> Steps[str]:
        """The address of the escrow's companion of that name, as recorded, or as the deployment proxy would have put it
        there; checked once.

        Raises:
            NoDeployment: it is not there.
            CodeMismatch: there is another contract, or it belongs to another escrow.
        """
        if name not in self._checked:
            place = yield from self._place()
            recorded = {} if place.deployment is None else place.deployment.periphery
            address = recorded.get(name) or companions(place.address)[name]
            word = bytes(12) + bytes.fromhex(place.address[2:])
            try:
                # Money goes there, too.
                yield from verify_code(address, load_artifact(name), immutables=(word,))
            except NoDeployment as missing:
                raise NoDeployment(
                    f"{name} is not deployed for the escrow {place.address}: deploy it (`kameng deploy`).",
                    f"托管合约 {place.address} 还没有部署 {name}：请先部署（kameng deploy）。",
                ) from missing
            self._checked[name] = address
        return self._checked[name]

    def _order_id(self, terms: OrderTerms) -> Steps[str]:
        return order_id(terms, (yield from self._place()).domain)

    # -------------------------------------------------------------------------------------------------------- reading

    def _view(self, function: str, *arguments: Any, tag: rpc.BlockTag = "latest") -> Steps[Any]:
        """What a view of the escrow returns."""
        place = yield from self._place()
        return (yield from rpc.view("KamengEscrow", place.address, function, *arguments, tag=tag))

    def _lens_view(self, function: str, *arguments: Any) -> Steps[Any]:
        place = yield from self._place()
        if place.lens is None:
            raise InvalidInput(
                "This is read through the lens, and its address is not known: give the client a deployment record as "
                "contract=…, or the lens's address as lens=….",
                "这要通过查询合约读取，但不知道它的地址：请用 contract=… 给出部署记录，或用 lens=… 给出地址。",
            )
        return (yield from rpc.view("KamengLens", place.lens, function, *arguments))

    def _slot(self, terms: OrderTerms, *, tag: rpc.BlockTag = "latest") -> Steps[tuple[str, OrderSlot]]:
        """The order's id and slot, of an order that somebody has opened. Raises `UnknownOrder`."""
        identity, slot = yield from self._any_slot(terms, tag=tag)
        if slot.state is State.Nothing:
            raise UnknownOrder(identity)
        return identity, slot

    def _any_slot(self, terms: OrderTerms, *, tag: rpc.BlockTag = "latest") -> Steps[tuple[str, OrderSlot]]:
        identity = yield from self._order_id(terms)
        return identity, decode_slot((yield from self._view("slotOf", identity, tag=tag)))

    def _logged(self, raw_logs: Sequence[Mapping[str, Any]]) -> Steps[tuple[Logged, ...]]:
        """The escrow's events among logs; asks for the times of blocks that the logs don't tell."""
        place = yield from self._place()
        times: dict[int, int] = {}
        found = []
        for raw in raw_logs:
            if raw.get("removed") or str(raw["address"]).lower() != place.address.lower():
                continue
            number = rpc.to_int(raw["blockNumber"])
            if number not in times:
                told = raw.get("blockTimestamp")
                times[number] = rpc.to_int(told) if told is not None else (yield from rpc.block(number)).timestamp
            logged = decode_log(raw, times[number])
            if logged is not None:
                found.append(logged)
        return tuple(found)

    # -------------------------------------------------------------------------------------------------------- writing

    def _call(self, function: str, *arguments: Any, value: int = 0, order_id: str | None = None) -> Steps[Call]:
        place = yield from self._place()
        return escrow_call(place.address, function, *arguments, value=value, order_id=order_id)

    def _sender(self) -> Steps[Sender]:
        address = self.address  # refuses before anything is asked
        return Sender(
            address if self._account is None else self._account,
            chain_id=(yield from self._place()).chain_id,
            receipt_timeout_seconds=self._settings.receipt_timeout_seconds,
            gas_margin_percent=self._settings.gas_margin_percent,
        )

    def _prepare(self, calls: Sequence[Call]) -> Steps[UnsignedTransaction]:
        sender = yield from self._sender()
        try:
            return (yield from sender.prepare(calls[-1]))
        except (WrongState, NotPossible) as refusal:
            _raise_better(refusal)

    def _prepare_each(self, calls: Sequence[Call]) -> Steps[tuple[UnsignedTransaction, ...]]:
        first, *after = calls
        sender = yield from self._sender()
        try:
            yield from self._try_last(calls)
            gas = yield from sender.gas(first)
        except (WrongState, NotPossible) as refusal:
            _raise_better(refusal)
        return (sender.unpriced(first) | {"gas": gas}, *map(sender.unpriced, after))

    def _try_last(self, calls: Sequence[Call]) -> Steps[None]:
        """What would be refused anyway must not leave an allowance behind. Money is the contract's last guard."""
        if len(calls) > 1:
            with suppress(PullFailed):
                yield from rpc.eth_call(calls[-1], sender=self.address, tag="pending")

    def _perform(self, calls: Sequence[Call]) -> Steps[Receipt]:
        """Sends the calls, one after the other; the last is the operation, and what it returns is of that one."""
        *before, last = calls
        sender = yield from self._sender()
        try:
            yield from self._try_last(calls)
            for call in before:
                yield from sender.send(call)
            raw = yield from sender.send(last)
        except (WrongState, NotPossible) as refusal:
            _raise_better(refusal)
        try:
            return (yield from self._receipt(last, raw))
        except NodeError as lost:
            raise TransactionTimeout(rpc.to_hex(raw["transactionHash"]), None) from lost

    def _receipt(self, call: Call, raw: Mapping[str, Any]) -> Steps[Receipt]:
        number = rpc.to_int(raw["blockNumber"])
        return Receipt(
            order_id=call.order_id,
            transaction_hash=rpc.to_hex(raw["transactionHash"]),
            block_number=number,
            timestamp=(yield from rpc.block(number)).timestamp,
            gas_used=rpc.to_int(raw["gasUsed"]),
            events=(yield from self._logged(raw["logs"])),
        )


def _raise_better(refusal: WrongState | NotPossible) -> NoReturn:
    """An order that nobody opened is in no wrong state: it is another order than was meant."""
    actual = refusal.actual if isinstance(refusal, WrongState) else refusal.state
    if actual is State.Nothing:
        raise UnknownOrder(refusal.order_id) from refusal
    raise refusal
