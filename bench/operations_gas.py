"""What each operation of the contract costs: one real transaction in a typical case, gas from its receipt.

Every figure is of a whole transaction, calldata and 21,000 included, on an Anvil at the Cancun rules. The policy takes
1 %, with a seller's bond of 25 % and a dispute bond of 15 %; a mediator gets 3 %. The coin has six decimals, its
allowance is there before, and receivers, bonds and fees hold some already. Batches are of ten orders of one seller, and
their figures are for each order. The contract's manual shows these figures beside each operation.

Run it with `make bench-gas`: prints a table and writes `bench/results/operations.json`.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from kameng_escrow.chain.anvil import AnvilNode
from kameng_escrow.chain.artifacts import Artifact, load_artifact
from kameng_escrow.chain.compiler import compile_contracts, find_root
from kameng_escrow.chain.deploy import deploy
from kameng_escrow.client import EscrowClient, Receipt
from kameng_escrow.domain.order import NATIVE, OrderTerms
from kameng_escrow.domain.payments import PERMIT2, PaymentMethod
from kameng_escrow.domain.policy import ZERO_ADDRESS, Policy
from kameng_escrow.domain.signed import OperatorGrant
from kameng_escrow.domain.states import Right, Role, State, Verb

RESULTS = Path(__file__).parent / "results" / "operations.json"
HOUR, DAY = 3_600, 86_400
PRICE = 100_000_000  # 100 of a coin with six decimals
UNITS = 10
BATCH = 10
HASH = "0x" + "c0" * 32
MAX = 2**256 - 1
REFUSES = "0x5f5ffd"  # code that reverts whatever it is sent

# What is measured in a token alone, in the native coin alone, and once for both.
TOKEN_ONLY = ("openWithPermit", "openWithAuthorization", "openWithPermit2", "actWithPermit", "actWithAuthorization")
WITHOUT_MONEY = ("revise", "registerPayTo", "setOperator", "registerPolicy", "reviewPolicy", "retirePolicy")
EACH = ("settleMany", "deliverMany")  # figures for each order


class Bench:
    """An escrow, a coin that takes every signature, and everybody who uses them."""

    def __init__(self, node: AnvilNode) -> None:
        self.node = node
        accounts = node.accounts
        coin, permit2 = compile_contracts(find_root(), ["AuthorizedToken", "Permit2Double"])
        self.escrow = deploy(node.w3, accounts[0])
        reader = EscrowClient(node=node, contract=self.escrow)
        self.platform, self.mediator, self.seller, self.buyer, self.relayer = map(reader.acting_as, accounts[:5])
        self.coin = self._deploy(coin, "Test dollar", "TUSD", 6)
        self.blocking = self._deploy(load_artifact("BlockingToken"), "Test dollar", "TUSD", 6)
        code = node.w3.eth.get_code(node.w3.to_checksum_address(self._deploy(permit2)))
        node.request("anvil_setCode", PERMIT2, "0x" + bytes(code).hex())
        self.policy = Policy(
            platform=accounts[0].address,
            accept_window=HOUR,
            deliver_window=HOUR,
            inspect_window=DAY,
            negotiate_window=DAY,
            mediate_window=2 * DAY,
            platform_fee_bps=100,
            cancel_fee_bps=200,
            seller_bond_bps=2_500,
            dispute_bond_bps=1_500,
            mediation_fee_bps=300,
            silence_share_bps=4_000,
            mediator=accounts[1].address,
            backup_mediator=ZERO_ADDRESS,
            fee_receiver=accounts[0].address,
            effective_from=0,
        )
        self.policy_id = self.platform.register_policy(self.policy, review_by=self.now() + 180 * DAY).policy_id
        self._others = 0
        for token in (self.coin, self.blocking):
            for client in (self.buyer, self.seller):
                self.call(token, "mint", client.address, 10**15)
                client.approve(token, amount=MAX)
            self.call(token, "mint", self.platform.address, 1)
        self.buyer.approve_permit2(self.coin)
        for token in (NATIVE, self.coin, self.blocking):
            self.seller.fund_bond(amount=10**12, token=token, approve=False)
            self.buyer.confirm(self.order(State.Accepted, token))  # so that there are fees, and nothing is new

    def _deploy(self, artifact: Artifact, *arguments: object) -> str:
        factory = self.node.w3.eth.contract(abi=artifact.abi, bytecode=artifact.bytecode)
        sent = factory.constructor(*arguments).transact({"from": self.node.accounts[0].address})
        return str(self.node.w3.eth.wait_for_transaction_receipt(sent)["contractAddress"])

    def call(self, token: str, function: str, *arguments: object) -> None:
        """A call of a token by its issuer."""
        abi = load_artifact("BlockingToken").abi
        contract = self.node.w3.eth.contract(address=self.node.w3.to_checksum_address(token), abi=abi)
        sent = contract.functions[function](*arguments).transact({"from": self.node.accounts[0].address})
        self.node.w3.eth.wait_for_transaction_receipt(sent)

    def now(self) -> int:
        return self.node.now()

    def wait(self, seconds: int) -> None:
        self.node.warp(self.now() + seconds)

    def terms(self, token: str, **changes: Any) -> OrderTerms:
        return self.buyer.terms(
            seller=self.seller.address, price=PRICE, units=UNITS, policy_id=self.policy_id, token=token, **changes
        )

    def order(self, state: State, token: str, **changes: Any) -> OrderTerms:
        """An order that has come to a state."""
        terms = self.terms(token, **changes)
        offer = self.seller.sign_offer(terms, expiry=self.now() + DAY) if state > State.Opened else None
        self.buyer.open(terms, offer=offer, approve=False)
        if state >= State.Delivered:
            self.seller.deliver(terms, commitment=HASH)
        if state >= State.Disputed:
            self.buyer.dispute(terms, units=3, evidence=HASH, approve=False)
        return terms

    def another_policy(self) -> Policy:
        """One that nobody has registered."""
        self._others += 1
        return replace(self.policy, accept_window=HOUR + self._others)

    def credit(self, token: str) -> str:
        """Has somebody credited, because a payment to them failed; their account, which would take it now."""
        account = self.node.accounts[8].address
        if token == NATIVE:
            self.node.request("anvil_setCode", account, REFUSES)
        else:
            self.call(token, "setBlocked", account, True)
        self.buyer.cancel(self.order(State.Opened, token, refund_to=account))
        if token == NATIVE:
            self.node.request("anvil_setCode", account, "0x")
        else:
            self.call(token, "setBlocked", account, False)
        return account

    # ------------------------------------------------------------------------------------------------------- the jobs

    def jobs(self) -> dict[str, Callable[[str], Receipt]]:
        """By the operation's name: does it once, in the coin that it is given."""
        return {
            "open": lambda token: self.buyer.open(self.terms(token), approve=False),
            "openWithOffer": self.open_with_offer,
            "openWithPermit": lambda token: self.open_paid(token, PaymentMethod.Permit),
            "openWithAuthorization": lambda token: self.open_paid(token, PaymentMethod.Authorization),
            "openWithPermit2": lambda token: self.open_paid(token, PaymentMethod.Permit2),
            "accept": lambda token: self.seller.accept(self.order(State.Opened, token)),
            "deliver": lambda token: self.seller.deliver(self.order(State.Accepted, token), commitment=HASH),
            "confirm": lambda token: self.buyer.confirm(self.order(State.Delivered, token)),
            "cancel": lambda token: self.buyer.cancel(self.order(State.Accepted, token)),
            "decline": lambda token: self.seller.decline(self.order(State.Accepted, token)),
            "refund": lambda token: self.seller.refund(self.order(State.Delivered, token)),
            "intervene": lambda token: self.platform.intervene(self.order(State.Accepted, token)),
            "dispute": self.dispute,
            "recommit": lambda token: self.seller.recommit(self.order(State.Disputed, token), commitment=HASH),
            "rule": self.rule,
            "concede": self.concede,
            "agree": self.agree,
            "revise": lambda token: self.seller.revise(self.order(State.Opened, token)),
            "settle": self.settle,
            "settleMany": self.settle_many,
            "deliverMany": self.deliver_many,
            "act": self.act,
            "actWithPermit": lambda token: self.dispute_paid(token, PaymentMethod.Permit),
            "actWithAuthorization": lambda token: self.dispute_paid(token, PaymentMethod.Authorization),
            "fundBond": lambda token: self.seller.fund_bond(amount=PRICE, token=token, approve=False),
            "withdrawBond": lambda token: self.seller.withdraw_bond(amount=PRICE, token=token),
            "registerPayTo": lambda _: self.seller.register_pay_to(self.node.accounts[9].address),
            "setOperator": self.set_operator,
            "registerPolicy": lambda _: self.platform.register_policy(self.another_policy()),
            "reviewPolicy": lambda _: self.platform.review_policy(self.policy_id, review_by=self.now() + 300 * DAY),
            "retirePolicy": self.retire_policy,
            "payCredit": lambda token: self.relayer.pay_credit(account=self.credit(token), token=token),
            "withdrawCredit": self.withdraw_credit,
            "claimFees": lambda token: self.relayer.claim_fees(self.policy_id, token=token),
        }

    def open_with_offer(self, token: str) -> Receipt:
        terms = self.terms(token)
        return self.buyer.open(terms, offer=self.seller.sign_offer(terms, expiry=self.now() + DAY), approve=False)

    def open_paid(self, token: str, method: PaymentMethod) -> Receipt:
        terms = self.terms(token)
        payment = self.buyer.sign_payment(terms, self.buyer.payment(terms, method=method))
        brings = self.buyer if method is PaymentMethod.Permit else self.relayer
        return brings.open(terms, offer=self.seller.sign_offer(terms, expiry=self.now() + DAY), payment=payment)

    def dispute(self, token: str) -> Receipt:
        return self.buyer.dispute(self.order(State.Delivered, token), units=3, evidence=HASH, approve=False)

    def dispute_paid(self, token: str, method: PaymentMethod) -> Receipt:
        terms = self.order(State.Delivered, token)
        action = self.buyer.action(terms, verb=Verb.Dispute, role=Role.Buyer, number=3, content=HASH)
        payment = self.buyer.sign_payment(terms, self.buyer.dispute_payment(terms, units=3, method=method))
        signature = self.buyer.sign_action(terms, action)
        return self.relayer.act(terms, action=action, signature=signature, payment=payment)

    def rule(self, token: str) -> Receipt:
        terms = self.order(State.Disputed, token)
        self.wait(DAY)
        return self.mediator.rule(terms, to_buyer=PRICE * 3 // UNITS // 2, grounds=HASH)

    def concede(self, token: str) -> Receipt:
        terms = self.order(State.Disputed, token)
        self.wait(DAY)
        return self.seller.concede(terms)

    def agree(self, token: str) -> Receipt:
        terms = self.order(State.Disputed, token)
        split = self.buyer.split(terms, to_buyer=PRICE * 3 // UNITS // 2)
        signatures = self.buyer.sign_split(terms, split), self.seller.sign_split(terms, split)
        return self.relayer.agree(terms, split=split, buyer_signature=signatures[0], seller_signature=signatures[1])

    def settle(self, token: str) -> Receipt:
        terms = self.order(State.Delivered, token)
        self.wait(DAY)
        return self.relayer.settle(terms)

    def settle_many(self, token: str) -> Receipt:
        many = [self.order(State.Delivered, token) for _ in range(BATCH)]
        self.wait(DAY)
        return self.relayer.settle_many(many)

    def deliver_many(self, token: str) -> Receipt:
        return self.seller.deliver_many([(self.order(State.Accepted, token), HASH) for _ in range(BATCH)])

    def act(self, token: str) -> Receipt:
        terms = self.order(State.Delivered, token)
        action = self.buyer.action(terms, verb=Verb.Confirm, role=Role.Buyer)
        return self.relayer.act(terms, action=action, signature=self.buyer.sign_action(terms, action))

    def set_operator(self, token: str) -> Receipt:
        grant = OperatorGrant(rights=Right.Accept | Right.Deliver, expiry=self.now() + 300 * DAY, max_price=10 * PRICE)
        operator = self.node.accounts[7].address
        return self.seller.set_operator(operator, policy_id=self.policy_id, token=token, grant=grant)

    def retire_policy(self, _: str) -> Receipt:
        return self.platform.retire_policy(self.platform.register_policy(self.another_policy()).policy_id)

    def withdraw_credit(self, token: str) -> Receipt:
        self.credit(token)
        owner = self.buyer.acting_as(self.node.accounts[8])
        return owner.withdraw_credit(token=token, to=self.node.accounts[9].address)


def measure(bench: Bench) -> Iterator[tuple[str, str, int]]:
    """Operation, coin ("erc20", "native" or "any") and gas, of every operation in every coin that it takes."""
    for name, job in bench.jobs().items():
        coin = bench.blocking if name.endswith("Credit") else bench.coin
        coins = {"erc20": coin} if name in TOKEN_ONLY else {"erc20": coin, "native": NATIVE}
        if name in WITHOUT_MONEY:
            coins = {"any": coin}
        for key, token in coins.items():
            # From the same state each time, so that no figure depends on what was measured before it.
            before = bench.node.snapshot()
            gas = job(token).gas_used
            bench.node.revert(before)
            yield name, key, gas // BATCH if name in EACH else gas


def main() -> None:
    figures: dict[str, dict[str, int]] = {}
    with AnvilNode() as node:
        for name, coin, gas in measure(Bench(node)):
            figures.setdefault(name, {})[coin] = gas
    table = Table(title="Gas of an operation, whole transactions")
    for column, justify in (("operation", "left"), ("ERC-20", "right"), ("native", "right")):
        table.add_column(column, justify=justify, no_wrap=True)  # type: ignore[arg-type]
    for name, gas in figures.items():
        shown = [f"{gas[coin]:,}" if coin in gas else "–" for coin in ("erc20", "native")]
        table.add_row(name, *([f"{gas['any']:,}"] * 2 if "any" in gas else shown))
    Console().print(table)
    results = {
        "operations": figures,
        "each_of": dict.fromkeys(EACH, BATCH),
        "source_hash": load_artifact("KamengEscrow").source_hash,
    }
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
