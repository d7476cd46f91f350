"""An escrow on a real chain, with a cast that takes orders to every ending: something for a mirror to look at."""

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from eth_account.signers.local import LocalAccount

from kameng_escrow.chain.codec import functions
from kameng_escrow.chain.deploy import deploy, deploy_artifact
from kameng_escrow.chain.nodes import LocalNode
from kameng_escrow.domain.order import NATIVE, OrderTerms
from kameng_escrow.domain.policy import ZERO_ADDRESS, Policy
from kameng_escrow.domain.signed import Offer, OperatorGrant, Split
from kameng_escrow.domain.states import Outcome, Role, State
from kameng_escrow.domain.typed_data import Domain, offer_digest, order_id, policy_id, split_digest

MINUTE, HOUR, DAY = 60, 3_600, 86_400
GAS = 1_000_000
COMMITMENT = "0x" + "c0" * 32
EVIDENCE = "0x" + "e1" * 32
GROUNDS = "0x" + "91" * 32


class EscrowWorld:
    """An escrow, a policy with every share in it, a token that can block, and sellers with bonds.

    `another`: a second escrow on a chain that has one.
    """

    def __init__(self, node: LocalNode, *, another: bool = False) -> None:
        self.node = node
        self.deployer, self.buyer, self.seller, self.platform, self.mediator, self.operator, self.stranger = (
            node.accounts[:7]
        )
        escrow = deploy_artifact(node.w3, self.deployer, "KamengEscrow") if another else None
        self.deployment = deploy(node.w3, self.deployer, escrow=escrow)
        self.address = self.deployment.address
        self.token = deploy_artifact(node.w3, self.deployer, "BlockingToken", "Test Dollar", "TUSD", 6)
        self.domain = Domain(chain_id=self.deployment.chain_id, contract=self.address)
        self._salts = 0
        self.policy_id = self.register(self.policy())
        for token in (NATIVE, self.token):
            self.give(self.buyer, token)
            self.give(self.seller, token)
            self.fund(token, 50_000_000)

    # ------------------------------------------------------------------------------------------- what others can do

    def send(self, sender: LocalAccount, function: str, *arguments: Any, value: int = 0) -> dict[str, Any]:
        """A transaction to the escrow, which must go well; its receipt."""
        return self._transact(sender, self.address, functions("KamengEscrow")[function].encode(*arguments), value)

    def send_token(self, sender: LocalAccount, function: str, *arguments: Any) -> None:
        self._transact(sender, self.token, functions("BlockingToken")[function].encode(*arguments), 0)

    def _transact(self, sender: LocalAccount, to: str, data: bytes, value: int) -> dict[str, Any]:
        fields = {"from": sender.address, "to": to, "data": "0x" + data.hex(), "value": hex(value), "gas": hex(GAS)}
        transaction_hash = self.node.request("eth_sendTransaction", fields)
        ends = time.monotonic() + 30
        while (receipt := self.node.request("eth_getTransactionReceipt", transaction_hash)) is None:
            assert time.monotonic() < ends, "the transaction was not mined"
        assert int(receipt["status"], 16) == 1, "the transaction was refused"
        return dict(receipt)

    def give(self, account: LocalAccount, token: str) -> None:
        if token != NATIVE:
            self.send_token(account, "mint", account.address, 10**12)
            self.send_token(account, "approve", self.address, 10**12)

    def fund(self, token: str, amount: int) -> None:
        value = amount if token == NATIVE else 0
        self.send(self.seller, "fundBond", self.seller.address, token, amount, value=value)

    def policy(self, **changes: Any) -> Policy:
        policy = Policy(
            platform=self.platform.address,
            accept_window=10 * MINUTE,
            deliver_window=30 * MINUTE,
            inspect_window=DAY,
            negotiate_window=DAY,
            mediate_window=2 * DAY,
            platform_fee_bps=125,
            cancel_fee_bps=500,
            seller_bond_bps=3_000,
            dispute_bond_bps=1_500,
            mediation_fee_bps=300,
            silence_share_bps=4_000,
            mediator=self.mediator.address,
            backup_mediator=ZERO_ADDRESS,
            fee_receiver=self.platform.address,
            effective_from=0,
        )
        return replace(policy, **changes)

    def register(self, policy: Policy) -> str:
        self.send(self.platform, "registerPolicy", policy, self.now() + 180 * DAY)
        return policy_id(policy)

    def now(self) -> int:
        return self.node.now()

    def wait(self, seconds: int) -> None:
        self.node.warp(self.now() + seconds)

    # -------------------------------------------------------------------------------------------------------- orders

    def terms(self, **changes: Any) -> OrderTerms:
        self._salts += 1
        terms = OrderTerms(
            buyer=self.buyer.address,
            refund_to=self.buyer.address,
            seller=self.seller.address,
            pay_to=self.seller.address,
            token=NATIVE,
            price=1_000_007,
            units=10,
            policy_id=self.policy_id,
            listing="0x" + "11" * 32,
            open_by=self.now() + DAY,
            salt=f"0x{self._salts:064x}",
        )
        return replace(terms, **changes)

    def id_of(self, terms: OrderTerms) -> str:
        return order_id(terms, self.domain)

    def opened(self, **changes: Any) -> OrderTerms:
        terms = self.terms(**changes)
        self.send(self.buyer, "open", terms, value=terms.price if terms.token == NATIVE else 0)
        return terms

    def offered(self, **changes: Any) -> OrderTerms:
        """Opened straight into Accepted, by the seller's offer."""
        terms = self.terms(**changes)
        expiry = self.now() + HOUR
        digest = offer_digest(self.id_of(terms), revision=0, expiry=expiry, domain=self.domain)
        offer = Offer(expiry=expiry, signature=self._sign(self.seller, digest))
        self.send(self.buyer, "openWithOffer", terms, offer, value=terms.price if terms.token == NATIVE else 0)
        return terms

    def accepted(self, **changes: Any) -> OrderTerms:
        terms = self.opened(**changes)
        self.send(self.seller, "accept", terms)
        return terms

    def delivered(self, **changes: Any) -> OrderTerms:
        terms = self.accepted(**changes)
        self.send(self.seller, "deliver", terms, COMMITMENT)
        return terms

    def disputed(self, units: int = 3, **changes: Any) -> OrderTerms:
        terms = self.delivered(**changes)
        disputed = terms.price - terms.price * (terms.units - units) // terms.units
        bond = disputed * 1_500 // 10_000 if terms.token == NATIVE else 0
        self.send(self.buyer, "dispute", terms, units, EVIDENCE, value=bond)
        return terms

    def agree(self, terms: OrderTerms, state: State, to_buyer: int, units: int = 0) -> None:
        split = Split(state=state, disputed_units=units, revision=0, to_buyer=to_buyer, expiry=self.now() + HOUR)
        signature = self._sign(self.seller, split_digest(self.id_of(terms), split, self.domain))
        self.send(self.buyer, "agree", terms, split, b"", signature)

    def _sign(self, account: LocalAccount, digest: str) -> bytes:
        return bytes(account.unsafe_sign_hash(bytes.fromhex(digest.removeprefix("0x"))).signature)  # type: ignore[arg-type]

    # ------------------------------------------------------------------------------------------------------- endings

    def settle(self, terms: OrderTerms) -> None:
        self.send(self.stranger, "settle", terms)

    def confirmed(self) -> OrderTerms:
        terms = self.delivered(token=self.token)
        self.send(self.buyer, "confirm", terms, State.Delivered)
        return terms

    def released(self) -> OrderTerms:
        terms = self.delivered()
        self.wait(DAY)
        self.settle(terms)
        return terms

    def expired(self) -> OrderTerms:
        terms = self.opened()
        self.wait(10 * MINUTE)
        self.settle(terms)
        return terms

    def cancelled(self) -> OrderTerms:
        terms = self.offered()
        self.send(self.buyer, "cancel", terms, State.Accepted)
        return terms

    def declined(self) -> OrderTerms:
        terms = self.accepted()
        self.send(self.seller, "decline", terms, State.Accepted)
        return terms

    def intervened(self) -> OrderTerms:
        terms = self.accepted(token=self.token)
        self.send(self.platform, "intervene", terms, State.Accepted)
        return terms

    def undelivered(self) -> OrderTerms:
        terms = self.offered(token=self.token)
        self.wait(30 * MINUTE)
        self.settle(terms)
        return terms

    def refunded(self) -> OrderTerms:
        terms = self.disputed()
        self.send(self.seller, "refund", terms, State.Disputed)
        return terms

    def ruled(self) -> OrderTerms:
        terms = self.disputed(token=self.token)
        self.wait(DAY)
        self.send(self.mediator, "rule", terms, 100_001, GROUNDS)
        return terms

    def conceded(self) -> OrderTerms:
        terms = self.disputed()
        self.send(self.seller, "recommit", terms, 0, COMMITMENT)
        self.wait(DAY)
        self.send(self.seller, "concede", terms, Role.Seller)
        return terms

    def defaulted(self) -> OrderTerms:
        terms = self.disputed()
        self.wait(3 * DAY)
        self.settle(terms)
        return terms

    def agreed(self) -> OrderTerms:
        terms = self.disputed()
        self.agree(terms, State.Disputed, 120_000, units=3)
        return terms

    def endings(self) -> dict[Outcome, Callable[[], OrderTerms]]:
        """One way to each outcome there is."""
        return {
            Outcome.Expired: self.expired,
            Outcome.Cancelled: self.cancelled,
            Outcome.Declined: self.declined,
            Outcome.Intervened: self.intervened,
            Outcome.Undelivered: self.undelivered,
            Outcome.Confirmed: self.confirmed,
            Outcome.Released: self.released,
            Outcome.Refunded: self.refunded,
            Outcome.Ruled: self.ruled,
            Outcome.Conceded: self.conceded,
            Outcome.Defaulted: self.defaulted,
            Outcome.Agreed: self.agreed,
        }

    def everything(self) -> dict[Outcome, OrderTerms]:
        """Every ending, an order in every open state, a raised revision, a blocked receiver, grants, fees, credits."""
        ended = {outcome: end() for outcome, end in self.endings().items()}
        for open_order in (self.opened, self.accepted, self.delivered, self.disputed):
            open_order()
        self.send(self.seller, "revise", self.terms(), 0)  # of an order that is never opened
        self._credit()
        grant = OperatorGrant(rights=15, expiry=self.now() + DAY, max_price=10**9)
        self.send(self.seller, "setOperator", self.operator.address, NATIVE, self.policy_id, grant)
        self.send(self.seller, "registerPayTo", self.stranger.address)
        self.send(self.seller, "withdrawBond", NATIVE, 1_000, self.stranger.address)
        self.send(self.stranger, "claimFees", self.policy_id, NATIVE)
        self.send(self.mediator, "withdrawCredit", self.token, self.stranger.address)
        second = self.register(self.policy(accept_window=5 * MINUTE))
        self.send(self.platform, "reviewPolicy", second, self.now() + 200 * DAY)
        self.send(self.platform, "retirePolicy", second)
        return ended

    def _credit(self) -> None:
        """A buyer whom the token's issuer has blocked is credited the refund."""
        terms = self.opened(token=self.token)
        self.send_token(self.deployer, "setBlocked", self.buyer.address, True)
        self.send(self.buyer, "cancel", terms, State.Opened)
        self.send_token(self.deployer, "setBlocked", self.buyer.address, False)
