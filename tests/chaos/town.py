"""Those whose orders they are: they open, deliver, quarrel and forget, on a chain that changes its mind."""

import queue
import random
import threading
from collections import Counter
from collections.abc import Callable

from kameng_escrow.client import EscrowClient
from kameng_escrow.client.results import OrderStatus
from kameng_escrow.domain.order import NATIVE, OrderTerms
from kameng_escrow.domain.signed import OperatorGrant
from kameng_escrow.domain.states import Role, State

from ..integration.escrow_world import COMMITMENT, DAY, EVIDENCE, GROUNDS, HOUR, MINUTE, EscrowWorld
from .schedule import WINDOW, Rewriting

PAUSE = 0.04  # seconds between two deeds: a dozen blocks a second on a quiet machine
_AT_ONCE = 60  # orders that somebody looks after; the others are left to their clocks
_BONDS = 20_000_000


class Town:
    """Lives in a thread until it is told to stop. What is done to the chain is done by the same thread, in turn."""

    def __init__(self, world: EscrowWorld, seed: int) -> None:
        self._world = world
        self._dice = random.Random(seed)
        self._client = EscrowClient(node=world.node, contract=world.deployment)
        self._orders: list[OrderTerms] = []
        self._asked: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._enough = threading.Event()
        self._thread = threading.Thread(target=self._live, daemon=True)
        self._highest = self.head()
        self._first = self.head()
        self._blocked = False  # whether the token's issuer has blocked the buyer
        self.failure: BaseException | None = None
        self.deeds: Counter[str] = Counter()
        self.reorgs: list[int] = []  # depths

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Waits until the last deed is done."""
        self._enough.set()
        self._thread.join()
        if self.failure is not None:
            raise self.failure

    def head(self) -> int:
        """The chain's last block."""
        return int(self._world.node.request("eth_blockNumber"), 16)

    def reorganise(self, depth: int, rewriting: Rewriting) -> None:
        """The chain's last blocks are to be others, as soon as nobody is in the middle of something.

        Never more than a mirror undoes, counted from the highest block that there ever was.
        """
        self._asked.put(lambda: self._reorganise(depth, rewriting))

    # ------------------------------------------------------------------------------------------------------------ deeds

    def _live(self) -> None:
        try:
            while not self._enough.wait(PAUSE):
                while not self._asked.empty():
                    self._asked.get()()
                self._do_something()
                self._highest = max(self._highest, self.head())
        except BaseException as error:
            self.failure = error

    def _do_something(self) -> None:
        deeds = [self._open] if len(self._orders) < 10 else [self._open, *[self._go_on] * 5, self._else]
        if self._dice.random() < 0.02:
            deeds = [self._let_time_pass]
        deed = self._dice.choice(deeds)
        try:
            deed()
            self.deeds[deed.__name__.strip("_")] += 1
        except AssertionError:  # the keeper was faster, or a reorg has taken away what it stood on
            self.deeds["too late"] += 1

    def _open(self) -> None:
        world, dice = self._world, self._dice
        token = dice.choice((NATIVE, world.token))
        if dice.random() < 0.05:
            world.fund(token, _BONDS)
        how = world.offered if dice.random() < 0.3 else world.opened
        self._orders.append(how(token=token, price=dice.randint(1_000, 3_000_000), units=dice.randint(1, 12)))
        if len(self._orders) > _AT_ONCE:
            self._orders.pop(dice.randrange(len(self._orders)))  # it is left to its clock

    def _go_on(self) -> None:
        terms = self._dice.choice(self._orders)
        status = self._client.statuses([self._world.id_of(terms)])[0]
        if status.state is State.Nothing:  # a reorg has taken it back: the buyer tries once more
            self._orders.remove(terms)
            value = terms.price if terms.token == NATIVE else 0
            self._world.send(self._world.buyer, "open", terms, value=value)
            self._orders.append(terms)
        elif status.state is State.Closed:
            self._orders.remove(terms)
        else:
            self._dice.choice(self._steps(terms, status))()

    def _steps(self, terms: OrderTerms, status: OrderStatus) -> list[Callable[[], object]]:
        """What somebody may do about an order that is open."""
        world, state = self._world, status.state
        buyer, seller = world.buyer, world.seller

        def send(sender: object, function: str, *arguments: object) -> Callable[[], object]:
            return lambda: world.send(sender, function, terms, *arguments)  # type: ignore[arg-type]

        match state:
            case State.Opened:
                return [send(seller, "accept")] * 6 + [
                    send(buyer, "cancel", state),
                    send(seller, "decline", state),
                    send(world.platform, "intervene", state),
                    lambda: world.agree(terms, state, terms.price // 3),
                ]
            case State.Accepted:
                return [send(seller, "deliver", COMMITMENT)] * 6 + [
                    send(buyer, "cancel", state),
                    send(buyer, "confirm", state),
                    send(seller, "decline", state),
                    send(seller, "revise", status.revision),
                ]
            case State.Delivered:
                return [
                    send(buyer, "confirm", state),
                    send(seller, "refund", state),
                    *[lambda: self._dispute(terms)] * 2,
                ]
            case _:
                return [
                    send(seller, "refund", state),
                    send(seller, "recommit", 0, COMMITMENT),
                    send(buyer, "confirm", state),
                    lambda: self._rule(terms),
                    lambda: self._concede(terms),
                ]

    def _dispute(self, terms: OrderTerms) -> None:
        units = self._dice.randint(1, terms.units)
        disputed = terms.price - terms.price * (terms.units - units) // terms.units
        bond = disputed * 1_500 // 10_000 if terms.token == NATIVE else 0
        self._world.send(self._world.buyer, "dispute", terms, units, EVIDENCE, value=bond)

    def _rule(self, terms: OrderTerms) -> None:
        self._world.wait(DAY)
        self._world.send(self._world.mediator, "rule", terms, self._dice.randint(0, 50), GROUNDS)

    def _concede(self, terms: OrderTerms) -> None:
        self._world.wait(DAY)
        self._world.send(self._world.seller, "concede", terms, Role.Seller)

    def _let_time_pass(self) -> None:
        """Clocks run out: what nobody looks after is the keeper's."""
        self._world.wait(self._dice.choice((MINUTE, 11 * MINUTE, 31 * MINUTE, HOUR, DAY)))

    def _else(self) -> None:
        """What is not about an order, or not for those who look after it."""
        world, dice = self._world, self._dice
        token = dice.choice((NATIVE, world.token))
        grant = OperatorGrant(rights=dice.randint(0, 15), expiry=world.now() + DAY, max_price=10**9)
        dice.choice(
            (
                lambda: world.send(world.seller, "setOperator", world.operator.address, token, world.policy_id, grant),
                lambda: world.send(world.seller, "withdrawBond", token, dice.randint(1, 1_000), world.seller.address),
                lambda: world.send(world.stranger, "claimFees", world.policy_id, token),
                lambda: world.send(world.mediator, "withdrawCredit", token, world.stranger.address),
                lambda: world.send(world.platform, "reviewPolicy", world.policy_id, world.now() + 180 * DAY),
                lambda: world.register(world.policy(accept_window=dice.randint(5, 600) * MINUTE)),
                self._block_the_buyer,
            )
        )()

    def _block_the_buyer(self) -> None:
        """The token's issuer does: for a while refunds become credits."""
        world = self._world
        self._blocked = not self._blocked
        world.send_token(world.deployer, "setBlocked", world.buyer.address, self._blocked)

    # ----------------------------------------------------------------------------------------------------------- reorgs

    def _reorganise(self, depth: int, rewriting: Rewriting) -> None:
        """Meanwhile nothing is mined: a block that Anvil makes of the state before it puts behind the blocks after."""
        ask = self._world.node.request
        ask("evm_setAutomine", False)
        try:
            ask("evm_mine")  # waits for a block that is just being made
            self._replace(depth, rewriting)
        finally:
            ask("evm_setAutomine", True)
            ask("evm_mine")  # what was sent meanwhile

    def _replace(self, depth: int, rewriting: Rewriting) -> None:
        head = self.head()
        self._highest = max(self._highest, head)
        depth = min(depth, head - max(self._first, self._highest - WINDOW))
        if depth < 1:
            return
        ask = self._world.node.request
        match rewriting:
            case Rewriting.Empty:
                ask("anvil_reorg", depth, [])
            case Rewriting.Repacked:
                ask("anvil_reorg", depth, self._repacked(head, depth))
            case Rewriting.Shorter:
                ask("anvil_rollback", depth)
        self.reorgs.append(depth)

    def _repacked(self, head: int, depth: int) -> list[list[object]]:
        """The transactions of the last blocks, in their order, spread over as many blocks anew."""
        ask = self._world.node.request
        raws = [
            ask("debug_getRawTransaction", transaction)
            for number in range(head - depth + 1, head + 1)
            for transaction in ask("eth_getBlockByNumber", hex(number), False)["transactions"]
        ]
        places = sorted(self._dice.randrange(depth) for _ in raws)
        return [[raw, place] for raw, place in zip(raws, places, strict=True)]
