"""One order being lived: who does what, how much gas it took, and what the escrow said happened."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from eth_account.signers.local import LocalAccount

from kameng_escrow.client import EscrowClient
from kameng_escrow.client.results import Receipt
from kameng_escrow.domain.events import Credited, Event, MediationFeeCredited, OrderClosed, OrderDisputed, OrderOpened
from kameng_escrow.domain.order import OrderTerms, Shares
from kameng_escrow.domain.states import State, Verb

from .stage import HOUR, MINUTE, Stage

Deed = Callable[[EscrowClient, OrderTerms], Receipt]


@dataclass
class Play:
    """An order from its terms to its end. Every method that acts is one transaction, counted to the order."""

    stage: Stage
    terms: OrderTerms
    order_id: str
    buyer: LocalAccount
    seller: LocalAccount
    receipts: list[Receipt] = field(default_factory=list)
    paid_at: int | None = None  # when money that was refused at the end arrived after all

    @property
    def gas(self) -> int:
        """Of every transaction about the order."""
        return sum(receipt.gas_used for receipt in self.receipts)

    def do(self, who: LocalAccount, deed: Deed) -> Receipt:
        """Somebody does something to the order."""
        receipt = deed(self.stage.as_(who), self.terms)
        self.receipts.append(receipt)
        return receipt

    # -------------------------------------------------------------------------------------------------- what parties do

    def open(self, payer: LocalAccount | None = None) -> None:
        """The buyer, or somebody for the buyer, pays."""
        self.do(payer or self.buyer, lambda client, terms: client.open(terms, approve=False))
        self.pause(2 * MINUTE)

    def open_with_offer(self) -> None:
        """The seller promises, the buyer pays: at once Accepted."""
        promise = self.stage.as_(self.seller).sign_offer(self.terms, expiry=self.stage.now() + HOUR)
        self.do(self.buyer, lambda client, terms: client.open(terms, offer=promise, approve=False))
        self.pause(2 * MINUTE)

    def accept(self, by: LocalAccount | None = None) -> None:
        self.do(by or self.seller, lambda client, terms: client.accept(terms))
        self.pause(5 * MINUTE)

    def deliver(self, by: LocalAccount | None = None) -> None:
        commitment = "0x" + secrets.token_hex(32)
        self.do(by or self.seller, lambda client, terms: client.deliver(terms, commitment=commitment))
        self.pause(10 * MINUTE)

    def delivered(self) -> None:
        """Paid for, accepted and delivered, without a story."""
        self.open()
        self.accept()
        self.deliver()

    def dispute(self, units: int) -> None:
        evidence = "0x" + secrets.token_hex(32)
        self.do(self.buyer, lambda client, terms: client.dispute(terms, units=units, evidence=evidence, approve=False))
        self.pause(HOUR)

    def confirm(self, expected: State = State.Delivered) -> None:
        self.do(self.buyer, lambda client, terms: client.confirm(terms, expected=expected))

    def confirm_through(self, relayer: LocalAccount) -> None:
        """The buyer only signs; somebody else brings it to the chain and pays the gas."""
        client = self.stage.as_(self.buyer)
        action = client.action(self.terms, verb=Verb.Confirm, expected=State.Delivered, expiry=self.stage.now() + HOUR)
        signature = client.sign_action(self.terms, action)
        self.do(relayer, lambda relaying, terms: relaying.act(terms, action=action, signature=signature))

    def agree(self, to_buyer: int) -> None:
        """The seller signs a split, the buyer brings it."""
        split = self.stage.as_(self.seller).split(self.terms, to_buyer=to_buyer)
        signature = self.stage.as_(self.seller).sign_split(self.terms, split)
        self.do(self.buyer, lambda client, terms: client.agree(terms, split=split, seller_signature=signature))

    def withdraw_credit(self, owner: LocalAccount, to: str) -> None:
        """Money that was refused is directed elsewhere by whom it belongs to."""
        receipt = self.stage.as_(owner).withdraw_credit(token=self.terms.token, to=to)
        self.receipts.append(receipt)
        self.paid_at = receipt.timestamp

    # ------------------------------------------------------------------------------------------------------------- time

    def pause(self, seconds: int) -> None:
        """Life goes on."""
        self.stage.warp(self.stage.now() + seconds)

    def until_deadline(self) -> None:
        """Nobody does anything until the clock of the state has run out."""
        deadline = self.stage.client.status(self.order_id).deadline
        assert deadline is not None  # an open order has one
        self.stage.warp(deadline)

    def until_mediation(self, second_half: bool = False) -> None:
        """Talks lead nowhere; the mediator's time begins, or the backup's."""
        policy = self.stage.client.policy(self.terms.policy_id).policy
        deadline = self.stage.client.status(self.order_id).deadline
        assert deadline is not None
        self.stage.warp(deadline - policy.mediate_window // (2 if second_half else 1) + MINUTE)

    def settle(self) -> None:
        """A passer-by ends what is due."""
        self.do(self.stage.cast.passerby, lambda client, terms: client.settle(terms))

    # ------------------------------------------------------------------------------------------------ what became of it

    def events(self) -> list[tuple[Event, int]]:
        """Everything that the escrow said, with the time."""
        return [(logged.event, logged.timestamp) for receipt in self.receipts for logged in receipt.events]

    @property
    def opened_at(self) -> int:
        return next(at for event, at in self.events() if isinstance(event, OrderOpened))

    @property
    def closing(self) -> OrderClosed | None:
        return next((event for event, _ in self.events() if isinstance(event, OrderClosed)), None)

    @property
    def money_at(self) -> int | None:
        """When the last of the money arrived where it belongs; None while it is in escrow."""
        if self.paid_at is not None:
            return self.paid_at
        if any(isinstance(event, Credited) for event, _ in self.events()):
            return None
        return next((at for event, at in self.events() if isinstance(event, OrderClosed)), None)

    def shares(self) -> Shares | None:
        """What went to whom in all: the ending's shares and what the undisputed units paid before; None while open."""
        closing = self.closing
        if closing is None:
            return None
        fees = sum(event.fee for event, _ in self.events() if isinstance(event, MediationFeeCredited))
        total = Shares(
            to_buyer=closing.to_buyer,
            to_seller=closing.to_seller,
            platform_fee=closing.platform_fee,
            bond_returned=closing.bond_returned,
            mediation_fee=fees,
        )
        for event, _ in self.events():
            if isinstance(event, OrderDisputed):
                total = replace(
                    total,
                    to_seller=total.to_seller + event.to_seller,
                    platform_fee=total.platform_fee + event.platform_fee,
                    bond_returned=total.bond_returned + event.bond_returned,
                )
        return total


def begin(
    stage: Stage,
    *,
    buyer: LocalAccount,
    seller: LocalAccount,
    token: str,
    price: int,
    units: int = 1,
    policy_id: str | None = None,
    pay_to: str | None = None,
) -> Play:
    """Draws up the terms of an order; nothing is on the chain yet."""
    terms = stage.client.terms(
        buyer=buyer.address,
        seller=seller.address,
        token=token,
        price=price,
        units=units,
        policy_id=policy_id or stage.mediated,
        pay_to=pay_to,
    )
    return Play(stage=stage, terms=terms, order_id=stage.client.order_id(terms), buyer=buyer, seller=seller)
