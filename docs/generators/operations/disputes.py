"""Disputing: rows 13 to 20."""

from ..guards import BUYER, COMMITMENT, LATE, PAY, PULL, REVISION, STARVED, guard, operator, state
from ..text import Text
from .base import PUSHED, Operation

DISPUTES = (
    Operation(
        name="dispute",
        group="disputing",
        sdk="dispute",
        purpose=Text(
            "买家对其中 k 件提出争议，并交争议押金；没有争议的部分当场付给卖家。协商时限开始计时。",
            "The buyer disputes k of the units with a dispute bond; what is not disputed is paid to the seller at "
            "once. Starts the negotiation.",
        ),
        guards=(
            state("Delivered"),
            BUYER,
            LATE,
            guard("UnitsOutOfRange", "units 为零，或多于订单数量", "units is zero, or more than were ordered"),
            *PULL,
            STARVED,
        ),
        events=("OrderDisputed", "Credited"),
        notes=(
            Text(
                "争议押金：代币从买家的授权额度里扣，绝不动代为上链者的；原生币由调用者随交易转入。",
                "The bond of a token comes from the buyer's allowance, never from a relayer's; in the native coin the "
                "caller brings it as value.",
            ),
            Text(
                "`evidence` 是证据的哈希（例如聊天记录的 Merkle 根），可以为零。",
                "`evidence` is a hash of the evidence, such as the Merkle root of the talk; zero means none.",
            ),
            PUSHED,
        ),
    ),
    Operation(
        name="recommit",
        group="disputing",
        sdk="recommit",
        purpose=Text(
            "卖家在协商期内补发卡密：换一个承诺，并升一次修订号（之前签的分配方案随之作废）。",
            "The seller replaces the codes during negotiation: a new commitment, and a higher revision, which voids "
            "splits signed before.",
        ),
        guards=(
            state("Disputed"),
            *operator("DELIVER"),
            guard("TooLate", "t ≥ n", "t ≥ n"),
            REVISION,
            COMMITMENT,
        ),
        events=("OrderRecommitted",),
    ),
    Operation(
        name="rule",
        group="disputing",
        sdk="rule",
        purpose=Text(
            "仲裁员裁决：把争议金额中的 `toBuyer` 判给买家，其余归卖家；双方押金扣除仲裁费后按同样比例分。",
            "The mediator awards `toBuyer` of the sum in dispute to the buyer and the rest to the seller; both bonds, "
            "less the mediation fee, follow in proportion.",
        ),
        guards=(
            state("Disputed"),
            guard("TooEarly", "t < n", "t < n"),
            LATE,
            guard(
                "Unauthorized",
                "调用者不是这半段时间的仲裁员",
                "the caller is not the mediator whose half of the window it is",
            ),
            guard("ConflictOfInterest", "仲裁员自己是买家或卖家", "the mediator is itself the buyer or the seller"),
            guard("AmountOutOfRange", "toBuyer 超过争议金额", "toBuyer is more than the sum in dispute"),
            *PAY,
        ),
        events=("OrderRuled", "MediationFeeCredited", "OrderClosed", "Credited"),
        notes=(
            Text(
                "前半段 [n, h) 归仲裁员，后半段 [h, d) 归候补仲裁员；没有候补则整段归仲裁员。",
                "The first half [n, h) is the mediator's, the second [h, d) the backup's; without a backup all of it "
                "is the mediator's.",
            ),
            Text(
                "仲裁费记入仲裁员的记账余额，用 [`withdrawCredit`](withdraw-credit.md) 领取。",
                "The mediation fee is credited; [`withdrawCredit`](withdraw-credit.md) pays it out.",
            ),
            Text(
                "`grounds` 是书面理由的哈希，可以为零。",
                "`grounds` is a hash of the written grounds; zero means none.",
            ),
            PUSHED,
        ),
    ),
    Operation(
        name="concede",
        group="disputing",
        sdk="concede",
        purpose=Text(
            "仲裁期内一方认输：买家认输，争议金额归卖家；卖家（或持 REFUND 权限的操作员）认输，归买家。"
            "与同样结果的裁决付款相同。",
            "A party gives in while the mediator is in charge: the buyer as if nothing, the seller (or an operator "
            "with REFUND) as if everything had been awarded to the buyer.",
        ),
        guards=(
            state("Disputed"),
            guard(
                "Unauthorized",
                "以 Buyer 或 Seller 身份调用，而调用者不是该方",
                "called as Buyer or Seller by somebody else",
            ),
            *operator("REFUND"),
            LATE,
            guard("TooEarly", "t < n", "t < n"),
            *PAY,
        ),
        events=("MediationFeeCredited", "OrderClosed", "Credited"),
        notes=(PUSHED,),
    ),
    Operation(
        name="agree",
        group="disputing",
        sdk="agree",
        purpose=Text(
            "执行双方都签过的分配方案，随时可用。调用者若是买家或卖家，他那份签名可以省去。",
            "Pays a split that both parties signed, at any time. A calling party counts as having signed.",
        ),
        who=Text("任何人，凭双方签名", "anyone, with both parties' signatures"),
        guards=(
            guard("WrongState", "订单状态不是 split.state", "the order's state is not split.state"),
            guard("NotPossible", "split.state 是 None 或 Closed", "split.state is None or Closed"),
            guard(
                "WrongDisputedUnits",
                "split.disputedUnits 不等于当前争议数量",
                "split.disputedUnits is not the current number",
            ),
            guard("WrongRevision", "split.revision 不是当前修订号", "split.revision is not the current one"),
            guard("Expired", "t ≥ split.expiry", "t ≥ split.expiry"),
            guard("ExpiryTooFar", "split.expiry > t + 24 小时", "split.expiry > t + 24 hours"),
            guard(
                "InvalidSignature",
                "买家没签；然后是卖家没签（调用者自己那份除外）",
                "the buyer has not signed, then the seller (a calling party's own is not asked for)",
            ),
            guard(
                "AmountOutOfRange",
                "toBuyer 超过所持货款（争议中为争议金额）",
                "toBuyer is more than is held: the price, or the sum in dispute",
            ),
            *PAY,
        ),
        events=("OrderClosed", "Credited"),
        notes=(
            Text(
                "分配方案绑定状态、争议数量和修订号，最长有效 24 小时；签了也不会停表。",
                "A split binds state, disputed units and revision, and lives 24 hours at most. It never stops a clock.",
            ),
            PUSHED,
        ),
    ),
    Operation(
        name="revise",
        group="disputing",
        sdk="revise",
        purpose=Text(
            "升一次修订号，此前针对该订单签出的报价和分配方案全部作废。别人的操作不受影响。",
            "Raises the revision, which voids every offer and split signed for the order. It voids nobody else's "
            "action.",
        ),
        guards=(
            guard("NotPossible", "订单已 Closed", "the order is Closed"),
            guard(
                "Unauthorized",
                "调用者既不是买家也不是卖家；下单前只有卖家可以",
                "the caller is neither party; before the opening it must be the seller",
            ),
            REVISION,
        ),
        events=("OrderRevised",),
    ),
)
