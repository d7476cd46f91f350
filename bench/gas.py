"""What an order costs: real transactions on one EVM, gas from their receipts, beside a bare floor in the same run.

Every figure is of whole transactions, calldata and 21,000 included. The platform's fee is 1 %, and there are no bonds.
"Warm": the receiver, the escrow and the fee account already hold some of the coin, and the payer's allowance is
unlimited. "Cold": the receiver never held any. Salts are those that the SDK makes: eight random bytes. The token is
OpenZeppelin's ERC-20 with 6 decimals, which most tokens are made of; one behind a proxy, such as USDC, costs more in
every call to it, whoever calls. For EIP-3009 it is OpenZeppelin's too, the signature as v, r and s.

Signatures and times are as they come: a byte of theirs that happens to be zero saves 12.

The chain keeps one slot an order and no list, so an order costs the same however many came before it: the same job is
measured after 10 orders and after 10,000, all made by transactions.

Run it with `make bench-gas`: prints a table and writes `bench/results/gas.json`.
"""

import json
from collections.abc import Callable
from dataclasses import astuple, dataclass
from pathlib import Path

from eth_account import Account
from eth_account.signers.local import LocalAccount
from rich.console import Console
from rich.progress import Progress
from rich.table import Table
from web3 import Web3
from web3.contract import Contract
from web3.contract.contract import ContractFunction

from bench.others import OTHERS
from kameng_escrow.chain.anvil import AnvilNode
from kameng_escrow.chain.artifacts import Artifact, load_artifact
from kameng_escrow.chain.compiler import compile_contracts, find_root
from kameng_escrow.domain.order import NATIVE, OrderTerms
from kameng_escrow.domain.policy import Policy
from kameng_escrow.domain.states import State
from kameng_escrow.domain.typed_data import Domain, offer_typed_data, order_id, policy_id

RESULTS = Path(__file__).parent / "results" / "gas.json"
DAY = 86_400
PRICE = 100_000_000  # 100 of a coin with six decimals
BATCH = 50
GAS_LIMIT = 100_000_000  # given, so that nothing is estimated
EARLY, LATE = 10, 10_000  # orders made before the same job is measured again
MILLED = 200  # orders in a transaction of the mill
ZERO = "0x" + "00" * 32
COMMITMENT = "0x" + "c0" * 32

RECEIVE = [
    {"name": name, "type": kind}
    for name, kind in (
        ("from", "address"),
        ("to", "address"),
        ("value", "uint256"),
        ("validAfter", "uint256"),
        ("validBefore", "uint256"),
        ("nonce", "bytes32"),
    )
]


@dataclass(frozen=True, slots=True)
class Row:
    job: str
    gas: int  # an order
    floor: int | None = None  # the same job on the bare contract, an order


class Bench:
    """The escrow, the floor and a token on a chain of their own, and who uses them."""

    def __init__(self, node: AnvilNode) -> None:
        self.node = node
        self.w3: Web3 = node.w3
        self.deployer, self.buyer, self.platform, self.mediator, self.settler = (
            account.address for account in node.accounts[:5]
        )
        self.buyer_account: LocalAccount = node.accounts[1]
        self.seller: LocalAccount = node.accounts[5]
        bare, authorized, mill = compile_contracts(find_root(), ["BareEscrow", "AuthorizedToken", "OrderMill"])
        self.escrow = self.deploy(load_artifact("KamengEscrow"))
        self.floor = self.deploy(bare)
        self.token = self.deploy(load_artifact("TestToken"), "Test dollar", "TUSD", 6)
        self.authorized = self.deploy(authorized, "Authorized dollar", "AUSD", 6)
        self.domain = Domain(chain_id=self.w3.eth.chain_id, contract=self.escrow.address)
        self.made = 0  # orders
        self.policy = Policy(
            platform=self.platform,
            accept_window=600,
            deliver_window=600,
            inspect_window=DAY,
            negotiate_window=DAY,
            mediate_window=2 * DAY,
            platform_fee_bps=100,
            cancel_fee_bps=500,
            seller_bond_bps=0,
            dispute_bond_bps=0,
            mediation_fee_bps=0,
            silence_share_bps=5_000,
            mediator=self.mediator,
            backup_mediator=NATIVE,
            fee_receiver=self.platform,
            effective_from=0,
        )
        self.send(self.escrow.functions.registerPolicy(astuple(self.policy), node.now() + 300 * DAY), self.platform)
        for contract in (self.escrow, self.floor):
            self.send(self.token.functions.approve(contract.address, 2**256 - 1), self.buyer)
        for token in (self.token, self.authorized):
            self.send(token.functions.mint(self.buyer, 10**15), self.deployer)
            self.send(token.functions.mint(self.seller.address, 1), self.deployer)
        self.mill = self.deploy(mill, self.escrow.address, policy_id(self.policy), NATIVE)
        node.request("anvil_setBalance", self.mill.address, hex(10**24))

    def deploy(self, artifact: Artifact, *arguments: object) -> Contract:
        factory = self.w3.eth.contract(abi=artifact.abi, bytecode=artifact.bytecode)
        sent = factory.constructor(*arguments).transact({"from": self.deployer})
        address = self.w3.eth.wait_for_transaction_receipt(sent, poll_latency=0.005)["contractAddress"]
        return self.w3.eth.contract(address=address, abi=artifact.abi)

    def send(self, call: ContractFunction, sender: str, value: int = 0) -> int:
        """The gas of a transaction that succeeded."""
        sent = call.transact(
            {"from": Web3.to_checksum_address(sender), "value": Web3.to_wei(value, "wei"), "gas": GAS_LIMIT}
        )
        receipt = self.w3.eth.wait_for_transaction_receipt(sent, poll_latency=0.005)
        assert receipt["status"] == 1, f"{call.fn_name} reverted"
        return receipt["gasUsed"]

    def mint(self, account: str, amount: int) -> None:
        self.send(self.token.functions.mint(account, amount), self.deployer)

    def terms(self, token: str, pay_to: str | None = None) -> OrderTerms:
        self.made += 1
        return OrderTerms(
            buyer=self.buyer,
            refund_to=self.buyer,
            seller=self.seller.address,
            pay_to=pay_to or self.seller.address,
            token=token,
            price=PRICE,
            units=1,
            policy_id=policy_id(self.policy),
            listing=_hash(f"listing {self.made}", 32),
            open_by=self.node.now() + DAY,
            salt=_hash(f"salt {self.made}", 8),
        )

    def value(self, terms: OrderTerms) -> int:
        return terms.price if terms.token == NATIVE else 0

    def offer(self, terms: OrderTerms) -> tuple[str, int, bytes]:
        expiry = self.node.now() + DAY
        message = offer_typed_data(order_id(terms, self.domain), revision=0, expiry=expiry, domain=self.domain)
        return NATIVE, expiry, bytes(Account.sign_typed_data(self.seller.key, full_message=message).signature)

    def call(self, name: str, terms: OrderTerms, *arguments: object) -> ContractFunction:
        function: Callable[..., ContractFunction] = self.escrow.functions[name]
        return function(astuple(terms), *arguments)

    # ------------------------------------------------------------------------------------------------------- the jobs

    def open_confirm(self, token: str, pay_to: str | None = None) -> int:
        terms = self.terms(token, pay_to)
        opened = self.send(self.call("openWithOffer", terms, self.offer(terms)), self.buyer, self.value(terms))
        return opened + self.send(self.call("confirm", terms, State.Accepted), self.buyer)

    def authorized_open_confirm(self, pay_to: str | None = None) -> int:
        """The buyer signs the payment, somebody else brings it."""
        terms = self.terms(self.authorized.address, pay_to)
        until = self.node.now() + DAY
        message = {
            "from": self.buyer,
            "to": self.escrow.address,
            "value": terms.price,
            "validAfter": 0,
            "validBefore": until,
            "nonce": order_id(terms, self.domain),
        }
        domain = {
            "name": "Authorized dollar",
            "version": "1",
            "chainId": self.domain.chain_id,
            "verifyingContract": self.authorized.address,
        }
        signed = self.buyer_account.sign_typed_data(domain, {"ReceiveWithAuthorization": RECEIVE}, message)
        call = self.call("openWithAuthorization", terms, self.offer(terms), self.buyer, until, bytes(signed.signature))
        opened = self.send(call, self.settler)
        return opened + self.send(self.call("confirm", terms, State.Accepted), self.buyer)

    def make_orders(self, total: int) -> None:
        """Until that many were made on this escrow."""
        while self.made < total:
            count = min(MILLED, total - self.made)
            self.send(self.mill.functions.open(self.made, count), self.deployer)
            self.made += count

    def bare_open_confirm(self, token: str) -> int:
        terms = self.terms(token)
        opened = self.send(self.floor.functions.open(astuple(terms)), self.buyer, self.value(terms))
        return opened + self.send(self.floor.functions.confirm(astuple(terms)), self.buyer)

    def open_timeout_refund(self) -> int:
        terms = self.terms(self.token.address)
        opened = self.send(self.call("open", terms), self.buyer)
        self.node.warp(self.node.now() + self.policy.accept_window)
        return opened + self.send(self.call("settle", terms), self.settler)

    def open_deliver_dispute_rule(self) -> int:
        terms = self.terms(self.token.address)
        gas = self.send(self.call("openWithOffer", terms, self.offer(terms)), self.buyer)
        gas += self.send(self.call("deliver", terms, COMMITMENT), self.seller.address)
        gas += self.send(self.call("dispute", terms, 1, ZERO), self.buyer)
        self.node.warp(self.node.now() + self.policy.negotiate_window)
        return gas + self.send(self.call("rule", terms, PRICE // 2, ZERO), self.mediator)

    def accepted(self, count: int, pay_to: Callable[[int], str | None]) -> list[OrderTerms]:
        many = [self.terms(self.token.address, pay_to(index)) for index in range(count)]
        for terms in many:
            self.send(self.call("openWithOffer", terms, self.offer(terms)), self.buyer)
        return many

    def deliver_many(self, many: list[OrderTerms]) -> int:
        call = self.escrow.functions.deliverMany([astuple(terms) for terms in many], [COMMITMENT] * len(many))
        return self.send(call, self.seller.address) // len(many)

    def settle_many(self, many: list[OrderTerms]) -> int:
        self.node.warp(self.node.now() + self.policy.inspect_window)
        return self.send(self.escrow.functions.settleMany([astuple(terms) for terms in many]), self.settler) // len(
            many
        )


def _hash(text: str, size: int) -> str:
    """A hash, of which the last bytes count; none of them zero, since zeros are cheaper."""
    return "0x" + Web3.keccak(text=text).replace(b"\0", b"\1")[:size].rjust(32, b"\0").hex()


def _stranger() -> str:
    """An account that nobody ever sent anything."""
    return Account.create().address


def measure(bench: Bench, step: Callable[[str], None]) -> tuple[list[Row], dict[str, int]]:
    """Every job, warmed up by one of its kind that does not count."""
    token = bench.token.address
    step("warming up")
    for coin in (token, NATIVE):
        bench.open_confirm(coin)
        bench.bare_open_confirm(coin)
    bench.authorized_open_confirm()
    bench.make_orders(EARLY)
    step("open + confirm")
    extra = {f"erc20_open_confirm_after_{EARLY}_orders": bench.open_confirm(token)}
    rows = [
        Row("erc20_open_confirm", bench.open_confirm(token), bench.bare_open_confirm(token)),
        Row("native_open_confirm", bench.open_confirm(NATIVE), bench.bare_open_confirm(NATIVE)),
        Row("eip3009_open_confirm", bench.authorized_open_confirm()),
    ]
    extra["erc20_open_confirm_cold_receiver"] = bench.open_confirm(token, _stranger())
    extra["native_open_confirm_cold_receiver"] = bench.open_confirm(NATIVE, _stranger())
    extra["eip3009_open_confirm_cold_receiver"] = bench.authorized_open_confirm(_stranger())
    step("timeout")
    rows.append(Row("open_timeout_refund", bench.open_timeout_refund()))
    step("dispute")
    rows.append(Row("open_deliver_dispute_rule", bench.open_deliver_dispute_rule()))
    step(f"{BATCH} at once, one seller")
    same = bench.accepted(BATCH, lambda _: None)
    delivered = bench.deliver_many(same)
    rows.append(Row("settle_many_same_seller_each", bench.settle_many(same)))
    step(f"{BATCH} at once, {BATCH} sellers")
    receivers = [_stranger() for _ in range(BATCH)]
    for receiver in receivers:
        bench.mint(receiver, 1)
    distinct = bench.accepted(BATCH, lambda index: receivers[index])
    bench.deliver_many(distinct)
    rows.append(Row("settle_many_distinct_sellers_each", bench.settle_many(distinct)))
    rows.append(Row("deliver_many_each", delivered))
    step(f"{LATE:,} orders")
    bench.make_orders(LATE)
    extra[f"erc20_open_confirm_after_{LATE}_orders"] = bench.open_confirm(token)
    return rows, extra


def report(rows: list[Row], extra: dict[str, int], core_bytes: int) -> None:
    table = Table(title="Gas an order, whole transactions")
    table.add_column("job", no_wrap=True)
    for column in ("gas", "floor"):
        table.add_column(column, justify="right", no_wrap=True)
    table.add_column("best other", justify="right", no_wrap=True)
    for row in rows:
        floor = f"{row.floor:,}" if row.floor else "–"
        other = f"{min(other.gas for other in OTHERS[row.job]):,}" if OTHERS[row.job] else "–"
        table.add_row(row.job, f"{row.gas:,}", floor, other)
    for job, gas in extra.items():
        table.add_row(job, f"{gas:,}", "–", "–")
    console = Console()
    console.print(table)
    console.print("Others, as published or as measured on their contracts elsewhere:", highlight=False)
    for job, others in OTHERS.items():
        for other in others:
            console.print(f"  {other.gas:>9,}  {job}: {other.en}", highlight=False)
    console.print(f"The core is {core_bytes:,} of 24,576 bytes.", highlight=False)


def main() -> None:
    options = ("--gas-limit", str(2 * GAS_LIMIT), "--base-fee", "0")
    with AnvilNode(options=options) as node, Progress(transient=True) as progress:
        task = progress.add_task("measuring", total=7)
        bench = Bench(node)
        rows, extra = measure(bench, lambda what: progress.update(task, description=what, advance=1))
    artifact = load_artifact("KamengEscrow")
    core_bytes = len(artifact.deployed_bytecode) // 2 - 1
    results = (
        {row.job: row.gas for row in rows}
        | extra
        | {
            "core_bytes": core_bytes,
            "floor": {row.job: row.floor for row in rows if row.floor},
            "source_hash": artifact.source_hash,
        }
    )
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    report(rows, extra, core_bytes)


if __name__ == "__main__":
    main()
