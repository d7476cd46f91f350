"""The same code delivered twice.

Fingerprints tell a code again and nothing else (see `delivery.fingerprints`), so this is no guess: the code was in two
deliveries. Whose fault it is, it does not tell; the subject is who delivered it the second time.
"""

from dataclasses import dataclass, field
from typing import Any, ClassVar

from kameng_escrow.domain.events import OrderDelivered, OrderRecommitted

from .alarms import Finding, Kind, Role, Severity
from .bounded import Bounded
from .evidence import keep
from .steps import Step


@dataclass(slots=True)
class _Reuse:
    first: int = 0
    units: int = 0
    orders: list[str] = field(default_factory=list)


class Codes:
    """Fingerprints seen again."""

    kind: ClassVar = Kind.CodeReuse

    def __init__(self) -> None:
        self._sellers = Bounded(1_000, _Reuse)

    def learn(self, step: Step) -> list[Finding]:
        if not step.repeats or not isinstance(step.event, OrderDelivered | OrderRecommitted):
            return []
        order = step.order
        reuse = self._sellers.at(order.seller)
        reuse.first = reuse.first or step.at
        units = {one.unit for one in step.repeats}
        reuse.units += len(units)
        for one in step.repeats:
            keep(reuse.orders, one.order_id, 19)
        keep(reuse.orders, order.order_id, 20)
        others = {one.seller for one in step.repeats if one.seller is not None} - {order.seller}
        read = any(one.was_read for one in step.repeats)
        return [
            Finding(
                kind=self.kind,
                role=Role.Seller,
                who=order.seller,
                with_whom=tuple(sorted(others)),
                since=reuse.first,
                at=step.at,
                severity=Severity.High if read or others else Severity.Medium,
                orders=tuple(reuse.orders),
                numbers={
                    "codes_again": len(units),
                    "codes_again_so_far": reuse.units,
                    "other_orders": len({one.order_id for one in step.repeats}),
                    "other_sellers": len(others),
                    "read_before": int(read),
                },
            )
        ]

    def dump(self) -> Any:
        return self._sellers.dump()

    def load(self, state: Any) -> None:
        self._sellers.load(state)
