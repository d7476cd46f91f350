"""What a line of the chain's says to people."""

from kameng_escrow.domain.events import Event, OrderClosed
from kameng_escrow.domain.labels import Label, label_of

LINES: dict[str, Label] = {
    "OrderOpened": Label("The price is in escrow.", "货款已进入托管。"),
    "OrderAccepted": Label("The seller accepted the order.", "卖家已接单。"),
    "OrderDelivered": Label("The seller delivered.", "卖家已发货。"),
    "OrderDisputed": Label("The buyer disputes.", "买家发起了争议。"),
    "OrderRecommitted": Label("The seller replaced the codes.", "卖家补发了卡密。"),
    "OrderRevised": Label("Offers and splits signed before are void.", "此前签署的承诺和分配方案已作废。"),
    "OrderRuled": Label("The mediator ruled.", "仲裁员已裁决。"),
    "MediationFeeCredited": Label("The mediator was credited the fee.", "仲裁费已记入仲裁员名下。"),
    "OrderClosed": Label("The order is closed.", "订单已结束。"),
}


def line_label(name: str, event: Event | None) -> Label:
    """What happened, by the event's name; with the event itself, where the chain still has it, also how."""
    if isinstance(event, OrderClosed):
        outcome = label_of(event.outcome)
        return Label(f"{LINES[name].en[:-1]}: {outcome.en}.", f"{LINES[name].zh[:-1]}：{outcome.zh}。")
    return LINES[name]
