"""What the service's requests and answers look like: made from the interface's description by `make docs`. Not to be edited."""

from typing import Any, Literal, NotRequired, TypedDict


class AboutView(TypedDict):
    """Which contract this service serves, and how far its mirror has come."""

    version: str
    chain_id: int
    contract: str
    genesis: str
    explorer_url: "str | None"
    seen_block: int
    seen_at: int
    final_block: int
    chain_now: int


class ActionBody(TypedDict):
    """What a party or operator signs for others to bring (EIP-712 `Action`, but for the order's id)."""

    verb: Literal[
        "Accept", "Deliver", "Confirm", "Cancel", "Decline", "Refund", "Dispute", "Concede", "Revise", "Recommit"
    ]
    state: Literal["None", "Opened", "Accepted", "Delivered", "Disputed", "Closed"]
    role: Literal["Buyer", "Seller", "Operator"]
    signer: str
    number: NotRequired[str]
    content: NotRequired[str]
    expiry: int


class AgreementView(TypedDict):
    """What `agree` takes: for /prepare with the move "agree", or /v1/relays."""

    terms: "TermsView"
    split: "SplitView"
    buyer_signature: str
    seller_signature: str


class AnomaliesView(TypedDict):
    """A page of alarms."""

    platform: str
    learned_to_block: "int | None"
    anomalies: list["AnomalyView"]
    cursor: "str | None"


class AnomalyView(TypedDict):
    """What was found out of the ordinary; the same again is the same one, brought up to date."""

    id: str
    kind: str
    severity: str
    role: str
    who: str
    about: "str | None"
    with_whom: list[str]
    since: str
    raised_at: str
    updated_at: str
    findings: int
    orders: list[str]
    numbers: dict[str, Any]
    sentence_en: str
    sentence_zh: str


class ApprovePermit2(TypedDict):
    """Lets Permit2 take a token wherever the caller signs for it."""

    deed: Literal["approve_permit2"]
    token: str


class AsOfView(TypedDict):
    """The final block up to which it is told."""

    block: int
    block_hash: str
    timestamp: int
    time: str


class AttemptView(TypedDict):
    """A request."""

    at: str
    took_ms: int
    status: "int | None"
    error: Literal["timeout", "connection", "tls", "dns", "forbidden", "answer", "internal"]


class AuditEntryView(TypedDict):
    """Something that a platform's staff did."""

    position: int
    at: str
    at_ms: int
    actor: str
    action: str
    subject: str
    platform: "str | None"
    details: "dict[str, Any] | None"
    details_hash: str
    previous: str
    hash: str


class AuditView(TypedDict):
    """A part of the audit log, the newest first."""

    entries: list["AuditEntryView"]
    before: "int | None"
    head: str


Capacity = Literal["buyer", "seller", "platform", "mediator"]


class CaseView(TypedDict):
    """An order in a mediator's queue."""

    order_id: str
    seat: "Seat"
    phase: "Phase"
    phase_label: "Words"
    turn: bool
    rule_from: int
    rule_until: int
    deadline: int
    in_dispute: str
    token: str
    units: int
    reason: Literal["CodeInvalid", "AlreadyUsed", "WrongItem", "NotDelivered", "Other", None]
    reason_label: "Words | None"
    promised: "ClosingView"
    ties: list["TieView"]
    score: "ScoreView | None"
    warnings: list["RiskWarningView"]


class CategoriesView(TypedDict):
    """The categories that everybody shares. A platform's own begin with ``x-``."""

    categories: list["CategoryView"]


class CategoryView(TypedDict):
    """A category of goods."""

    category: str
    label: "Words"


class CauseView(TypedDict):
    """One of what raises a risk most."""

    feature: str
    value: "float | None"
    sentence: "Words"


class CautionView(TypedDict):
    """What a buyer should know of a seller before paying."""

    risk: float
    orders: int
    sentence: "Words"
    reasons: list["CauseView"]
    as_of: str


class ChallengeView(TypedDict):
    """The values that the wallet's message must have (EIP-4361)."""

    domain: str
    uri: str
    version: str
    chain_id: int
    nonce: str
    statement: str
    issued_at: str
    expiration_time: str


class ChangeView(TypedDict):
    """From when on the rate was another."""

    date: str
    earliest: str
    latest: str
    before: float
    after: float
    orders_before: int
    orders_after: int
    strength: float


class ChangedEndpoint(TypedDict):
    """What changes; what is left out stays."""

    url: NotRequired["str | None"]
    events: NotRequired["list[str] | None"]
    delivery: NotRequired["Delivery | None"]
    purpose: NotRequired["Purpose | None"]
    description: NotRequired["str | None"]


ChannelKind = Literal["push", "mail", "wecom", "dingtalk", "feishu", "telegram", "bark", "ntfy"]


class ChannelView(TypedDict):
    """A way to tell the account."""

    id: str
    kind: "ChannelKind"
    hint: str
    created_at: str
    verified: bool
    stopped_for: "StoppedFor | None"


class ChannelsView(TypedDict):
    """All channels of the account, the oldest first."""

    channels: list["ChannelView"]


class ClaimFees(TypedDict):
    """Pays a policy's fees to its fee receiver."""

    deed: Literal["claim_fees"]
    policy_id: str
    token: NotRequired[str]


class ClockView(TypedDict):
    """What happens by itself if nobody acts, and when. Anyone may `settle` from `due_at` on."""

    due_at: "int | None"
    due: bool
    closing: "ClosingView | None"


class ClosingView(TypedDict):
    """How an order ends, and what that pays to whom."""

    outcome: Literal[
        "None",
        "Expired",
        "Cancelled",
        "Declined",
        "Intervened",
        "Undelivered",
        "Confirmed",
        "Released",
        "Refunded",
        "Ruled",
        "Conceded",
        "Defaulted",
        "Agreed",
    ]
    outcome_label: "Words"
    fault: Literal["None", "Buyer", "Seller", "Platform", "Mediator"]
    shares: "SharesView"


class Code(TypedDict):
    """The code that was sent there."""

    code: str


class CodeCheck(TypedDict):
    """Tags to compare with what was delivered."""

    tags: list["TagSet"]


class ConflictView(TypedDict):
    """A declaration that stands."""

    id: str
    mediator: str
    subject: str
    note: str
    declared_by: str
    declared_ms: int


class ConflictsView(TypedDict):
    """The declarations about the caller, and by it; the newest first."""

    conflicts: list["ConflictView"]


class CoverageView(TypedDict):
    """How many forecasts that came to their day lay within the interval."""

    stated: float
    forecasts: int
    within: "float | None"
    mean_width: "float | None"


class Currency(TypedDict):
    """What amounts of an order are counted in."""

    token: str
    symbol: "str | None"
    decimals: "int | None"


class Decision(TypedDict):
    """What the platform says of a listing under its policy."""

    acceptance: Literal["Accepted", "Refused"]
    reason: NotRequired["str | None"]


class DeliverManyView(TypedDict):
    """An unsigned transaction for the caller's wallet."""

    transaction: dict[str, str]
    order_ids: list[str]


class DeliveriesView(TypedDict):
    """"""

    deliveries: list["DeliveryView"]


Delivery = Literal["instant", "final"]


class DeliveryView(TypedDict):
    """A stored delivery: what everybody on the order may know of it."""

    id: str
    order_id: str
    commitment: str
    root: str
    payload_hash: str
    size: int
    stored_by: str
    stored_at: str
    read_at: "str | None"
    erased_at: "str | None"
    stage: Literal["Stored", "Pending", "Released", "Withheld", "Erased"]
    block_number: "int | None"
    blocks_left: "int | None"
    current: bool


class DepositPapersView(TypedDict):
    """Where such an order is paid, and what its buyer may sign so that it opens without the seller's offer."""

    order_id: str
    address: str
    chain_id: int
    token: str
    price: str
    open_by: int
    refund_to: str
    consequence: "Words"
    typed_data: dict[str, Any]
    warnings: list["Words"]


class DepositView(TypedDict):
    """A deposit address, and what has come there. Amounts in base units of the order's token."""

    order_id: str
    address: str
    chain_id: int
    token: str
    price: str
    balance: str
    confirmed: str
    confirmations: int
    missing: str
    open_by: int
    refund_to: str
    opens_with: list[str]
    watched: bool
    code: "str | None"
    reason: "Words | None"
    refund_typed_data: dict[str, Any]
    warnings: list["Words"]


DisabledFor = Literal["owner", "gone", "failing"]


class DisclosureView(TypedDict):
    """What a party disclosed, and whether the chain bears it out."""

    id: str
    account: str
    disclosed_at: str
    erased_at: "str | None"
    payload_hash: str
    unit: "int | None"
    code: "str | None"
    salt: "str | None"
    proof: "list[str] | None"
    identity: "str | None"
    delivery_key: "str | None"
    matches: bool
    current: bool
    reason: "str | None"


class DisclosuresView(TypedDict):
    """"""

    disclosures: list["DisclosureView"]


class DisputeToSignView(TypedDict):
    """What the buyer's wallet signs, so that a watchtower may dispute for it."""

    units: int
    evidence: str
    expiry: int
    typed_data: dict[str, Any]


class DisputeView(TypedDict):
    """An order's dispute."""

    order_id: str
    phase: "Phase | None"
    phase_label: "Words | None"
    negotiation_until: "int | None"
    half_time: "int | None"
    deadline: "int | None"
    evidence_until: "int | None"
    mediator: "str | None"
    promised: "ClosingView | None"
    in_dispute: str
    units: int
    evidence_hash: "str | None"
    reason: Literal["CodeInvalid", "AlreadyUsed", "WrongItem", "NotDelivered", "Other", None]
    reason_label: "Words | None"
    evidence: "PaperView | None"
    grounds: "PaperView | None"
    filed: list["EntryView"]
    ties: list["TieView"]


class DocumentCheck(TypedDict):
    """A listing document, and the terms of the order that it is said to be of."""

    document: dict[str, Any]
    terms: "TermsSent"


class DocumentView(TypedDict):
    """A listing document that is the order's, and tells nothing else than its rules."""

    order_id: str
    listing: str
    document: dict[str, Any]


class DoneView(TypedDict):
    """It was done."""

    ok: bool


class DuplicateView(TypedDict):
    """A code that was delivered, or is about to be, in another order."""

    unit: int
    order_id: "str | None"
    stored_at: str


class DuplicatesView(TypedDict):
    """"""

    duplicates: list["DuplicateView"]


class EndpointSecretView(TypedDict):
    """An endpoint with its secret."""

    endpoint: "EndpointView"
    secret: str


class EndpointView(TypedDict):
    """A webhook endpoint, without its secret."""

    id: str
    url: str
    description: str
    events: list[str]
    delivery: "Delivery"
    purpose: "Purpose"
    created_at: str
    disabled_at: "str | None"
    disabled_for: "DisabledFor | None"
    failing_since: "str | None"
    quiet_until: "str | None"
    heard_at: "str | None"
    old_secret_until: "str | None"


class EndpointsView(TypedDict):
    """All endpoints of the account, the oldest first."""

    endpoints: list["EndpointView"]


class EntryView(TypedDict):
    """An entry of a room's log. `head` stands for it and all before it: keep one, and nothing can be changed unseen."""

    seq: int
    kind: Literal["message", "evidence", "line", "retraction", "proposal", "signature", "withdrawal", "erasure"]
    author: "str | None"
    seat: "Seat | None"
    sent_ms: int
    content: str
    prev: str
    head: str
    body: "dict[str, Any] | None"
    files: list["FileView"]
    line: "LineView | None"


class ErasedView(TypedDict):
    """"""

    erased: int


class ErasureView(TypedDict):
    """How many records of each kind would go, or went."""

    erased: bool
    counts: dict[str, int]


class EventTypeView(TypedDict):
    """A type of event."""

    type: str
    releasing: "Words | None"


class EventTypesView(TypedDict):
    """Everything that can be subscribed to."""

    types: list["EventTypeView"]


class EventView(TypedDict):
    """An event of the order on the chain."""

    name: str
    fields: dict[str, Any]
    block_number: int
    block_hash: str
    timestamp: int
    transaction_hash: str
    transaction_url: "str | None"
    log_index: int
    final: bool


class FileView(TypedDict):
    """A file in a room."""

    id: str
    name: str
    media_type: Literal[
        "image/jpeg",
        "image/png",
        "image/webp",
        "image/gif",
        "video/mp4",
        "video/quicktime",
        "application/pdf",
        "text/plain",
    ]
    size: int
    sha256: str
    sent_sha256: str
    width: "int | None"
    height: "int | None"
    uploader: str
    seat: "Seat"
    seq: "int | None"
    url: str


class FindingBody(TypedDict):
    """What was found of one unit."""

    line: int
    outcome: Literal["Buyer", "Seller", "Shared"]


class ForecastView(TypedDict):
    """A day to come."""

    date: str
    expected: float
    within_80: list[int]
    within_95: list[int]
    rate: float
    rate_within_80: list[float]
    rate_within_95: list[float]


class FundBond(TypedDict):
    """Adds to a seller's bond balance."""

    deed: Literal["fund_bond"]
    amount: str
    token: NotRequired[str]
    seller: NotRequired["str | None"]


class HealthView(TypedDict):
    """How the service is."""

    ok: bool
    details: dict[str, Any]


class HistoryView(TypedDict):
    """All that happened to an order, oldest first."""

    order_id: str
    events: list["EventView"]


class IntervalView(TypedDict):
    """An estimate, and between what it lies with 95 % confidence."""

    mean: float
    low: float
    high: float


class KeySecretView(TypedDict):
    """A key with its secret."""

    key: "KeyView"
    secret: str


class KeyView(TypedDict):
    """A key, without its secret."""

    id: str
    name: str
    scopes: list[str]
    created_at: str
    last_used_at: "str | None"
    expires_at: "str | None"
    active: bool
    replaced_by: "str | None"


class KeysView(TypedDict):
    """All keys of the account, those that have ended too."""

    keys: list["KeyView"]


class LeavingView(TypedDict):
    """What it costs a party to give the order up."""

    state: Literal["None", "Opened", "Accepted", "Delivered", "Disputed", "Closed"]
    who: str
    move: "str | None"
    until: "int | None"
    cost: str


class LikelyDisputeView(TypedDict):
    """A delivered order that may come to the mediator: it was warned of, and is not in dispute."""

    order_id: str
    seat: "Seat"
    deadline: int
    price: str
    token: str
    units: int
    score: "ScoreView | None"
    warnings: list["RiskWarningView"]


class LineView(TypedDict):
    """What happened on the chain."""

    event: str
    label: "Words"
    block_number: int
    block_hash: str
    timestamp: int
    transaction_hash: str
    transaction_url: "str | None"
    log_index: int
    fields: "dict[str, Any] | None"
    retracted_by: "int | None"


class ListingChanges(TypedDict):
    """What is to be different; the rest stays. Quotes that were given keep what they say."""

    revision: NotRequired["int | None"]
    title: NotRequired["str | None"]
    category: NotRequired["str | None"]
    description: NotRequired["str | None"]
    unit_price: NotRequired["str | None"]
    pay_to: NotRequired["str | None"]
    min_units: NotRequired["int | None"]
    max_units: NotRequired["int | None"]
    buyer_cap: NotRequired["int | None"]
    state: NotRequired["Literal['Published', 'Paused', 'Withdrawn'] | None"]


ListingSorting = Literal["newest", "cheapest"]


class ListingView(TypedDict):
    """What a seller offers."""

    id: str
    seller: str
    pay_to: str
    platform: str
    policy_id: str
    revision: int
    state: Literal["Draft", "Published", "Paused", "Withdrawn"]
    acceptance: Literal["Pending", "Accepted", "Refused"]
    acceptance_reason: "str | None"
    title: str
    category: str
    category_label: "Words"
    description: str
    currency: "Currency"
    unit_price: str
    min_units: int
    max_units: int
    buyer_cap: "int | None"
    available: int
    stock: "StockView | None"
    created_at: str
    updated_at: str


class ListingsView(TypedDict):
    """A page of listings."""

    listings: list["ListingView"]
    cursor: "str | None"


class ManyDeliveries(TypedDict):
    """Orders to deliver in one transaction. Their deliveries must be stored."""

    deliveries: list["OneDelivery"]


class MeView(TypedDict):
    """Who calls."""

    account: str
    by: str
    key_id: "str | None"
    scopes: list[str]


class MeasuresView(TypedDict):
    """What the policy as it is comes to: means over the orders of the replays."""

    failed: float
    harm_fen: float
    refund_hours: float
    paid_hours: float
    frozen_fen_days: float
    mediated: float
    cost_fen: float


class MessagesView(TypedDict):
    """What the account was told, the newest first."""

    messages: list["ToldView"]
    before: "int | None"


class NewChannel(TypedDict):
    """A channel to be made."""

    kind: "ChannelKind"
    fields: dict[str, str]


class NewConflict(TypedDict):
    """A conflict of interest."""

    subject: str
    note: str
    mediator: NotRequired["str | None"]


class NewDelivery(TypedDict):
    """Codes, encrypted to their buyer. Store them before they are delivered on the chain."""

    root: str
    payload: str
    tags: NotRequired[list["TagSet"]]
    allow_duplicates: NotRequired[bool]


class NewDeposit(TypedDict):
    """An order that is to be paid by a plain transfer, and what opens it once that has come."""

    terms: "TermsBody"
    offer: NotRequired["OfferBody | None"]
    buyer_signature: NotRequired[str]


class NewDisclosure(TypedDict):
    """What a party shows the mediator: one unit, or the order's key. Whoever runs the service can read it then."""

    payload_hash: str
    unit: NotRequired["UnitDisclosure | None"]
    identity: NotRequired["str | None"]


class NewEndpoint(TypedDict):
    """A webhook endpoint to be made."""

    url: str
    events: NotRequired[list[str]]
    delivery: NotRequired["Delivery"]
    purpose: NotRequired["Purpose | None"]
    description: NotRequired[str]


class NewEvidence(TypedDict):
    """Evidence in a dispute that has begun: text, files, or both."""

    text: NotRequired[str]
    files: NotRequired[list[str]]


class NewKey(TypedDict):
    """A key to be made. It acts for the account that makes it."""

    name: str
    scopes: list["Scope"]
    days: NotRequired["int | None"]


class NewListing(TypedDict):
    """What a seller is going to offer. The caller is the seller."""

    title: str
    category: str
    description: NotRequired[str]
    policy_id: str
    token: str
    unit_price: str
    units: int
    min_units: NotRequired[int]
    max_units: NotRequired[int]
    buyer_cap: NotRequired["int | None"]
    pay_to: NotRequired["str | None"]
    publish: NotRequired[bool]


class NewMessage(TypedDict):
    """Text, files, or both."""

    text: NotRequired[str]
    files: NotRequired[list[str]]


class NewOffer(TypedDict):
    """An offer as it was signed."""

    expiry: int
    signature: str
    operator: NotRequired["str | None"]


class NewPaper(TypedDict):
    """What the buyer says when it disputes."""

    reason: Literal["CodeInvalid", "AlreadyUsed", "WrongItem", "NotDelivered", "Other"]
    lines: list[int]
    statement: str
    files: NotRequired[list[str]]


class NewPreview(TypedDict):
    """Findings, one for each unit in dispute."""

    findings: list["FindingBody"]


class NewProposal(TypedDict):
    """A division of what is held: the price, or the sum in dispute."""

    to_buyer: str
    seconds: NotRequired[int]


class NewQuote(TypedDict):
    """What somebody wants quoted: for itself, or as a platform for its buyer."""

    listing_id: str
    units: NotRequired[int]
    buyer: str
    refund_to: NotRequired["str | None"]
    delivery_key: str
    nonce: NotRequired["str | None"]
    platform_order: NotRequired[str]
    open_seconds: NotRequired[int]


class NewRuling(TypedDict):
    """Findings and why."""

    findings: list["FindingBody"]
    grounds: str


class NewStockAnswer(TypedDict):
    """What a seller says when it is asked whether the goods are there."""

    answer: Literal["in_stock", "out_of_stock"]


class OfferBody(TypedDict):
    """The seller's signed promise to accept one order."""

    expiry: int
    signature: str
    operator: NotRequired[str]


class OfferRequestView(TypedDict):
    """A live quote that wants an offer, and what to sign for it."""

    quote: "QuoteView"
    revision: int
    typed_data: dict[str, Any]


class OfferRequestsView(TypedDict):
    """Quotes that the caller may make offers for, the earliest first."""

    requests: list["OfferRequestView"]


class OfferView(TypedDict):
    """A seller's signed promise to accept the order."""

    id: str
    expiry: int
    revision: int
    operator: str
    signature: str
    created_at: str


class OneDelivery(TypedDict):
    """"""

    order_id: str
    commitment: str


class OpenFromDeposit(TypedDict):
    """Opens an order with what lies at its deposit address."""

    deed: Literal["open_from_deposit"]
    terms: "TermsBody"
    offer: NotRequired["OfferBody | None"]
    signature: NotRequired[str]


class OptedOutView(TypedDict):
    """Nothing is sent there any more, or nothing on the topic."""

    stopped: bool


class OptionView(TypedDict):
    """Something that somebody may do in a stage. Seconds are counted from its beginning."""

    who: str
    by_operator: bool
    move: str
    after: int
    until: "int | None"
    closing: "ClosingView | None"


class OrderDetailView(TypedDict):
    """An order, its clock, and what the caller may do."""

    order_id: str
    state: Literal["None", "Opened", "Accepted", "Delivered", "Disputed", "Closed"]
    state_label: "Words"
    outcome: Literal[
        "None",
        "Expired",
        "Cancelled",
        "Declined",
        "Intervened",
        "Undelivered",
        "Confirmed",
        "Released",
        "Refunded",
        "Ruled",
        "Conceded",
        "Defaulted",
        "Agreed",
    ]
    outcome_label: "Words"
    fault: Literal["None", "Buyer", "Seller", "Platform", "Mediator"]
    fault_label: "Words"
    revision: int
    terms: "TermsView | None"
    currency: "Currency | None"
    payer: "str | None"
    times: "TimesView"
    deadline: "int | None"
    disputed_units: int
    commitment: "str | None"
    evidence: "str | None"
    grounds: "str | None"
    mediator: "str | None"
    awarded: "str | None"
    undisputed: "SharesView | None"
    shares: "SharesView | None"
    final: bool
    roles: list["OrderRole"]
    chain_now: int
    clock: "ClockView"
    possible: list["PossibilityView"]


OrderRole = Literal["buyer", "seller", "operator", "mediator", "backup", "platform"]


class OrderView(TypedDict):
    """An order as the chain tells it."""

    order_id: str
    state: Literal["None", "Opened", "Accepted", "Delivered", "Disputed", "Closed"]
    state_label: "Words"
    outcome: Literal[
        "None",
        "Expired",
        "Cancelled",
        "Declined",
        "Intervened",
        "Undelivered",
        "Confirmed",
        "Released",
        "Refunded",
        "Ruled",
        "Conceded",
        "Defaulted",
        "Agreed",
    ]
    outcome_label: "Words"
    fault: Literal["None", "Buyer", "Seller", "Platform", "Mediator"]
    fault_label: "Words"
    revision: int
    terms: "TermsView | None"
    currency: "Currency | None"
    payer: "str | None"
    times: "TimesView"
    deadline: "int | None"
    disputed_units: int
    commitment: "str | None"
    evidence: "str | None"
    grounds: "str | None"
    mediator: "str | None"
    awarded: "str | None"
    undisputed: "SharesView | None"
    shares: "SharesView | None"
    final: bool
    roles: list["OrderRole"]


class OrdersView(TypedDict):
    """A page of orders."""

    orders: list["OrderView"]
    cursor: "str | None"


class OutlookView(TypedDict):
    """A series of days and its outlook."""

    by: str
    name: str
    measure: str
    clock: str
    made_at: str
    since: str
    until: str
    orders: list[int]
    counts: list[int]
    forecast: list["ForecastView"]
    weekdays: list["WeekdayView"]
    changes: list["ChangeView"]
    coverage: list["CoverageView"]
    rate_coverage: list["CoverageView"]
    mean_error: "float | None"
    mean_error_of_a_week_before: "float | None"
    too_few: bool
    few: bool
    remarks_en: list[str]
    remarks_zh: list[str]


class OutlooksView(TypedDict):
    """Outlooks of a platform's orders."""

    platform: str
    outlooks: list["OutlookView"]


class PaperView(TypedDict):
    """A paper, and its hash for the chain."""

    hash: str
    document: dict[str, Any]


class PapersView(TypedDict):
    """What an account needs for a move, an opening or a deed. Nobody but its wallet has its key."""

    transactions: list["TransactionView"]
    consequence: "Words"
    action: "ActionBody | None"
    split: "SplitBody | None"
    typed_data: "dict[str, Any] | None"
    payment: "PaymentPapersView | None"


class PayCredit(TypedDict):
    """Tries again to pay an account what it is owed."""

    deed: Literal["pay_credit"]
    account: str
    token: NotRequired[str]


class PayloadView(TypedDict):
    """What the buyer opens with the order's key."""

    chain_id: int
    contract: str
    order_id: str
    root: str
    payload_hash: str
    commitment: str
    payload: str


class PaymentBody(TypedDict):
    """A payment, signed by its payer or to be."""

    method: "PaymentMethod"
    payer: str
    token: str
    amount: str
    nonce: str
    deadline: str
    signature: NotRequired[str]


PaymentMethod = Literal["permit", "authorization", "permit2"]


class PaymentPapersView(TypedDict):
    """A payment for the account to sign, and its typed data."""

    payment: "PaymentBody"
    typed_data: dict[str, Any]


Phase = Literal["negotiation", "first_half", "second_half", "due"]


class PolicyAdviceView(TypedDict):
    """What the history of one category under one policy spoke for when the report was made."""

    id: int
    policy_id: str
    category: "str | None"
    made_at: int
    orders: int
    enough: bool
    price_fen: int
    price_known: bool
    replays: int
    seed: int
    basis: "Words"
    verdict: "Words"
    changes: list["PolicyChangeView"]
    effects: list["PolicyEffectView"]
    advised: "PolicyNumbersView | None"
    warnings: list["PolicyCautionView"]
    now: "MeasuresView"
    tried: list["TriedChangeView"]
    review_by: int
    next_review_days: int


class PolicyAdvicesView(TypedDict):
    """A page of a platform's reports, the latest first."""

    platform: str
    reports: list["PolicyAdviceView"]
    before: "int | None"


class PolicyCautionView(TypedDict):
    """What the policy checker says of the advised policy."""

    code: str
    severity: str
    field: str
    recommended: "int | None"
    sentence: "Words"


class PolicyChangeView(TypedDict):
    """One number of a policy, otherwise."""

    field: str
    before: int
    after: int
    sentence: "Words"


class PolicyEffectView(TypedDict):
    """By how much one measure differs under all advised changes together: what grows is worse."""

    mean: float
    low: float
    high: float
    measure: str
    name: "Words"
    sentence: "Words"


class PolicyNumbersView(TypedDict):
    """A policy's numbers. Windows in seconds, shares in bps."""

    accept_window: int
    deliver_window: int
    inspect_window: int
    negotiate_window: int
    mediate_window: int
    platform_fee_bps: int
    cancel_fee_bps: int
    seller_bond_bps: int
    dispute_bond_bps: int
    mediation_fee_bps: int
    silence_share_bps: int


class PossibilityView(TypedDict):
    """Something that the caller may do now."""

    move: Literal[
        "open",
        "openWithOffer",
        "accept",
        "deliver",
        "confirm",
        "cancel",
        "decline",
        "refund",
        "dispute",
        "recommit",
        "rule",
        "concede",
        "agree",
        "revise",
        "intervene",
        "settle",
    ]
    who: str
    until: "int | None"
    ends: bool
    closing: "ClosingView | None"


class PreferencesModel(TypedDict):
    """How the account wants to be told."""

    language: NotRequired[str]
    time_zone: NotRequired[str]
    quiet_from: NotRequired["int | None"]
    quiet_to: NotRequired["int | None"]
    muted: NotRequired[list[str]]


class PrepareDeposit(TypedDict):
    """Terms that are to be paid by a plain transfer."""

    terms: "TermsBody"


class PrepareMove(TypedDict):
    """A move of an order, and what it needs: see the contract's function of that name."""

    move: Literal[
        "accept",
        "deliver",
        "confirm",
        "cancel",
        "decline",
        "refund",
        "dispute",
        "recommit",
        "rule",
        "concede",
        "agree",
        "revise",
        "intervene",
        "settle",
    ]
    units: NotRequired["int | None"]
    evidence: NotRequired[str]
    commitment: NotRequired["str | None"]
    to_buyer: NotRequired["str | None"]
    grounds: NotRequired[str]
    split: NotRequired["SplitBody | None"]
    buyer_signature: NotRequired[str]
    seller_signature: NotRequired[str]
    expected: NotRequired[Literal["None", "Opened", "Accepted", "Delivered", "Disputed", "Closed", None]]
    expiry: NotRequired["int | None"]
    bond: NotRequired["PaymentMethod | None"]


class PrepareOpening(TypedDict):
    """An order to be opened."""

    terms: "TermsBody"
    offer: NotRequired["OfferBody | None"]
    pay_by: NotRequired["PaymentMethod | None"]


class PreviewView(TypedDict):
    """What findings award, and who gets what by that."""

    award: str
    closing: "ClosingView"


class ProblemKindView(TypedDict):
    """A kind of problem."""

    code: str
    title: str
    status: int
    description: str


class ProblemView(TypedDict):
    """What went wrong (RFC 9457), and what to do."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    detail_zh: str
    detail_en: str
    instance: str
    values: "dict[str, Any] | None"
    errors: "list[dict[str, Any]] | None"


ProposalStatus = Literal["open", "ready", "paid", "void"]


class ProposalView(TypedDict):
    """A proposal as it stands now."""

    id: str
    seq: int
    proposer: str
    split: "SplitView"
    status: "ProposalStatus"
    void: "VoidReason | None"
    void_label: "Words | None"
    signed_by: list["Seat"]
    closing: "ClosingView | None"
    typed_data: "dict[str, Any] | None"


class ProposalsView(TypedDict):
    """A room's proposals, the newest first."""

    proposals: list["ProposalView"]


Purpose = Literal["inform", "release"]


class PushKeyView(TypedDict):
    """What a browser subscribes with."""

    key: "str | None"


class QueueView(TypedDict):
    """A mediator's queue, what runs out first at the top."""

    now: int
    cases: list["CaseView"]
    likely: list["LikelyDisputeView"]
    hidden: int
    cursor: "str | None"


class QuoteView(TypedDict):
    """Terms that can be opened as they are, what they come to, and what the units are for."""

    id: str
    listing_id: str
    listing_revision: int
    order_id: str
    account: str
    units: int
    currency: "Currency"
    terms: "TermsView"
    policy: dict[str, Any]
    document: dict[str, Any]
    summary: "SummaryView"
    created_at: str
    expires_at: str
    hold: Literal["Held", "Reserved", "Spent", "Released"]
    backed: bool
    offer_expiry: "int | None"
    offers: list["OfferView"]
    caution: "CautionView | None"


class QuotesView(TypedDict):
    """A page of quotes."""

    quotes: list["QuoteView"]
    cursor: "str | None"


class ReadMarkView(TypedDict):
    """How far somebody has read."""

    account: str
    seq: int
    at_ms: int


class ReadUpTo(TypedDict):
    """The last entry that was read."""

    seq: int


class ReasonView(TypedDict):
    """A reason for which a buyer may dispute."""

    reason: Literal["CodeInvalid", "AlreadyUsed", "WrongItem", "NotDelivered", "Other"]
    label: "Words"


class ReasonsView(TypedDict):
    """All there are."""

    reasons: list["ReasonView"]


class ReceiptView(TypedDict):
    """All that a party needs to act without this service; see the manual on card delivery. Keep it as it is: it has a digest."""

    kind: str
    version: int
    order_id: str
    deployment: dict[str, Any]
    terms: dict[str, Any]
    policy: dict[str, Any]
    policy_id: str
    currency: dict[str, Any]
    summary: dict[str, Any]
    listing: "dict[str, Any] | None"
    offer: "dict[str, Any] | None"
    dispute: "dict[str, Any] | None"
    digest: str


class RecordView(TypedDict):
    """How a mediator has done, counted from the chain's events."""

    mediator: str
    disputes: int
    running: int
    settled: int
    ruled: int
    ruled_by_other: int
    missed: int
    silent: int
    barred: int
    median_seconds: "int | None"
    awards: dict[str, int]
    fees: dict[str, str]


class Recover(TypedDict):
    """Since when what was missed is sent."""

    since: int


class RecoveredView(TypedDict):
    """How much is sent, at most: some of it may have been sent before."""

    deliveries: int


class RefundDeposit(TypedDict):
    """The buyer takes back what lies at an order's deposit address."""

    deed: Literal["refund_deposit"]
    terms: "TermsBody"


class RegisterPayTo(TypedDict):
    """Registers where operators may let the caller's money go."""

    deed: Literal["register_pay_to"]
    pay_to: str


class RegisterPolicy(TypedDict):
    """Registers rules of the caller's platform, for ever."""

    deed: Literal["register_policy"]
    accept_window: int
    deliver_window: int
    inspect_window: int
    negotiate_window: int
    mediate_window: int
    platform_fee_bps: int
    cancel_fee_bps: int
    seller_bond_bps: int
    dispute_bond_bps: int
    mediation_fee_bps: int
    silence_share_bps: int
    mediator: str
    backup_mediator: NotRequired[str]
    fee_receiver: str
    effective_from: NotRequired[int]
    review_by: NotRequired["int | None"]


class RelayAction(TypedDict):
    """An action that a party or operator signed."""

    kind: Literal["Action"]
    order_id: str
    action: "ActionBody"
    signature: str
    payment: NotRequired["PaymentBody | None"]


class RelayAgreement(TypedDict):
    """A split that both parties signed."""

    kind: Literal["Agreement"]
    order_id: str
    split: "SplitBody"
    buyer_signature: str
    seller_signature: str


class RelayDepositRefund(TypedDict):
    """The buyer's will to have back what lies at the deposit address of a registered order."""

    kind: Literal["DepositRefund"]
    order_id: str
    expiry: int
    signature: str


class RelayDepositSweep(TypedDict):
    """What lies at the deposit address of a registered order and does not wait for it goes to refundTo."""

    kind: Literal["DepositSweep"]
    order_id: str
    token: NotRequired["str | None"]


class RelayOpening(TypedDict):
    """An order, with the payment that its payer signed (EIP-3009 or Permit2)."""

    kind: Literal["Opening"]
    terms: "TermsBody"
    payment: "PaymentBody"
    offer: NotRequired["OfferBody | None"]


class RelayView(TypedDict):
    """Something that was accepted to be brought to the chain."""

    id: str
    kind: Literal["Action", "Agreement", "Opening", "DepositOpening", "DepositRefund", "DepositSweep"]
    verb: "str | None"
    order_id: str
    stage: Literal["Accepted", "Sent", "Mined", "Done", "Failed", "Refused"]
    ended: bool
    created_at: str
    transaction_hash: "str | None"
    transaction_url: "str | None"
    cost: str
    code: "str | None"
    reason: "Words | None"


class RelaysView(TypedDict):
    """The relays of an order, the newest first."""

    relays: list["RelayView"]


class ReputationView(TypedDict):
    """An account's reputation, recomputable from the chain by anybody."""

    account: str
    as_of: "AsOfView"
    yardstick: "YardstickView"
    as_buyer: "TallyView"
    as_seller: "TallyView"


class RetirePolicy(TypedDict):
    """Takes no new orders under a policy."""

    deed: Literal["retire_policy"]
    policy_id: str


class ReviewPolicy(TypedDict):
    """Moves a policy's review date forward."""

    deed: Literal["review_policy"]
    policy_id: str
    review_by: NotRequired["int | None"]


class Revise(TypedDict):
    """The seller voids what it has promised for terms that nobody opened yet."""

    deed: Literal["revise"]
    terms: "TermsBody"


class RiskView(TypedDict):
    """An order's risk, as far as the caller is told."""

    order_id: str
    score: "ScoreView | None"
    stages: list["ScoreView"]
    warnings: list["RiskWarningView"]


class RiskWarningView(TypedDict):
    """A risk that was over its threshold."""

    id: int
    kind: str
    order_id: str
    seller: str
    risk: float
    raised_at: str
    details: dict[str, Any]
    answer: "str | None"
    answered_at: "str | None"
    came: "bool | None"
    lead_seconds: "int | None"


class RiskWarningsView(TypedDict):
    """A page of a platform's warnings, and what each kind has been worth."""

    platform: str
    worth: list["WorthView"]
    warnings: list["RiskWarningView"]
    before: "int | None"


class RoomSummaryView(TypedDict):
    """A room in a list."""

    order_id: str
    size: int
    last_ms: int
    unread: int


class RoomView(TypedDict):
    """A part of a room's log."""

    order_id: str
    seats: list["Seat"]
    size: int
    head: str
    entries: list["EntryView"]
    marks: list["ReadMarkView"]


class RoomsView(TypedDict):
    """Rooms, the latest entry first."""

    rooms: list["RoomSummaryView"]
    cursor: "str | None"


class RotateKey(TypedDict):
    """A fresh secret in place of a key's."""

    overlap_seconds: NotRequired[int]


class RotateSecret(TypedDict):
    """A fresh secret in place of an endpoint's."""

    overlap_hours: NotRequired[int]


class RulingView(TypedDict):
    """The mediator's paper: `award` and `grounds` are for the move "rule"."""

    award: str
    closing: "ClosingView"
    grounds: str
    document: dict[str, Any]


Scope = Literal["orders:read", "orders:write", "trade", "delivery", "talk", "disputes", "webhooks", "records"]


class ScoreView(TypedDict):
    """What was last said of the order at a stage; null for what the caller is not told."""

    stage: str
    at: str
    by_model: bool
    seller: "float | None"
    buyer: "float | None"
    dispute: "float | None"
    reasons: list["CauseView"]


Seat = Literal["buyer", "seller", "mediator", "backup_mediator", "platform"]


class SetOperator(TypedDict):
    """Grants, changes or takes away what an operator may do."""

    deed: Literal["set_operator"]
    operator: str
    policy_id: str
    token: NotRequired[str]
    rights: int
    expiry: int
    max_price: str


class SharesView(TypedDict):
    """What an ending pays, in base units of the order's token."""

    to_buyer: str
    to_seller: str
    platform_fee: str
    bond_returned: str
    mediation_fee: str


class SignIn(TypedDict):
    """A message that the account's wallet signed with ``personal_sign``."""

    message: str
    signature: str


class SignOut(TypedDict):
    """Which sessions end."""

    everywhere: NotRequired[bool]


class SignedDispute(TypedDict):
    """A dispute as the buyer has signed it."""

    units: int
    evidence: NotRequired[str]
    expiry: int
    signature: str


class SignedOutView(TypedDict):
    """How many sessions ended."""

    ended: int


class Sketch(TypedDict):
    """Terms as far as a summary needs them."""

    seller: str
    buyer: str
    refund_to: NotRequired["str | None"]
    pay_to: NotRequired["str | None"]
    token: str
    price: str
    units: int
    policy_id: str
    open_by: int


Sorting = Literal["newest", "oldest", "deadline"]


class SplitBody(TypedDict):
    """A division of what is held, to be signed by both parties (EIP-712 `Split`, but for the order's id)."""

    state: Literal["None", "Opened", "Accepted", "Delivered", "Disputed", "Closed"]
    disputed_units: int
    revision: int
    to_buyer: str
    expiry: int


class SplitSignature(TypedDict):
    """A party's signature of a split."""

    signature: str


class SplitView(TypedDict):
    """What both parties sign (EIP-712 `Split`, but for the order's id)."""

    state: Literal["None", "Opened", "Accepted", "Delivered", "Disputed", "Closed"]
    disputed_units: int
    revision: int
    to_buyer: str
    expiry: int


Stage = Literal["waiting", "sent", "failed", "dropped"]


class StageView(TypedDict):
    """One open state of an order; Disputed with every unit in dispute."""

    state: Literal["None", "Opened", "Accepted", "Delivered", "Disputed", "Closed"]
    state_label: "Words"
    lasts: int
    latest_end: int
    timeout: "ClosingView"
    options: list["OptionView"]
    watches: list["WatchView"]


class StockChange(TypedDict):
    """Units put on the shelf, or taken off. Exactly one of the two."""

    by: NotRequired["int | None"]
    available: NotRequired["int | None"]


class StockView(TypedDict):
    """How many units are where."""

    stocked: int
    available: int
    held: int
    reserved: int
    spent: int


StoppedFor = Literal["person", "gone", "failing"]


class StoredView(TypedDict):
    """A delivery just stored. Put its commitment on the chain with `deliver` or `recommit`."""

    id: str
    order_id: str
    commitment: str
    root: str
    payload_hash: str
    size: int
    stored_by: str
    stored_at: str
    read_at: "str | None"
    erased_at: "str | None"
    stage: Literal["Stored", "Pending", "Released", "Withheld", "Erased"]
    block_number: "int | None"
    blocks_left: "int | None"
    current: bool
    duplicates: list["DuplicateView"]


class SummaryView(TypedDict):
    """What the parties of an order agree to: the facts, and the same in words, line by line."""

    text_version: int
    latest: int
    stages: list["StageView"]
    leavings: list["LeavingView"]
    en: list[str]
    zh: list[str]


class SweepDeposit(TypedDict):
    """Sends back what lies at a deposit address and does not wait for the order."""

    deed: Literal["sweep_deposit"]
    terms: "TermsBody"
    token: NotRequired["str | None"]


class TagKeyView(TypedDict):
    """"""

    id: str
    key: str


class TagKeysView(TypedDict):
    """The keys of the order's platform, newest first: send tags by each of them."""

    keys: list["TagKeyView"]


class TagSet(TypedDict):
    """The tags of a delivery's codes, made with one key (see `tag-keys`)."""

    key_id: str
    tags: list[str]


class TallyView(TypedDict):
    """What an account's closed orders in one role say. Weights and shares are in millionths."""

    orders: int
    counts: dict[str, int]
    counterparties: int
    good: int
    bad: int
    rate: "int | None"
    lower: int
    upper: int
    fees: dict[str, str]


class TermsBody(TypedDict):
    """What the parties agree on; its EIP-712 digest is the order's id."""

    buyer: str
    refund_to: str
    seller: str
    pay_to: str
    token: str
    price: str
    units: int
    policy_id: str
    listing: str
    open_by: int
    salt: str


class TermsSent(TypedDict):
    """The terms of an order, whole."""

    buyer: str
    refund_to: str
    seller: str
    pay_to: str
    token: str
    price: str
    units: int
    policy_id: str
    listing: str
    open_by: int
    salt: str


class TermsView(TypedDict):
    """What the parties agreed on; its EIP-712 digest is the order's id."""

    buyer: str
    refund_to: str
    seller: str
    pay_to: str
    token: str
    price: str
    units: int
    policy_id: str
    listing: str
    open_by: int
    salt: str


Tie = Literal["receiver", "operator"]


class TieView(TypedDict):
    """What the seller put on the chain about a mediator, without asking it: it bars nobody, and all may know."""

    mediator: str
    tie: "Tie"
    label: "Words"


class TimesView(TypedDict):
    """When the order came to each state, Unix seconds of the chain."""

    opened_at: "int | None"
    accepted_at: "int | None"
    delivered_at: "int | None"
    disputed_at: "int | None"
    closed_at: "int | None"


class ToldView(TypedDict):
    """Something that the account was told, or will be."""

    id: int
    channel_id: str
    topic: Literal[
        "order.opened",
        "order.accepted",
        "order.delivered",
        "order.disputed",
        "order.recommitted",
        "mediation_fee.credited",
        "order.closed",
        "order.retracted",
        "order.reminded",
        "risk.stock_asked",
        "webhook.disabled",
        "channel.code",
    ]
    order_id: "str | None"
    stage: "Stage"
    created_at: str
    next_try_at: "str | None"
    ended_at: "str | None"
    error: "str | None"


class TradeDesk(TypedDict):
    """How a platform wants sellers to list under its policies."""

    reviews: bool


class TradeDeskView(TypedDict):
    """How a platform wants sellers to list under its policies."""

    platform: str
    reviews: bool


TransactionView = TypedDict(
    "TransactionView", {"from": str, "to": str, "data": str, "value": str, "chainId": str, "gas": "str | None"}
)


class TriedChangeView(TypedDict):
    """A single change that was tried."""

    field: str
    before: int
    after: int
    sentence: "Words"
    cost_fen: "IntervalView"
    better: bool


class TypedDataView(TypedDict):
    """For a wallet's eth_signTypedData_v4."""

    revision: int
    expiry: int
    typed_data: dict[str, Any]


class UnitDisclosure(TypedDict):
    """One unit, shown without the others."""

    unit: int
    code: str
    salt: str
    proof: list[str]


VoidReason = Literal["expired", "state_changed", "units_changed", "revision_changed", "withdrawn"]


class WarningsView(TypedDict):
    """What is weaker for a buyer without a wallet."""

    warnings: list["Words"]


class WatchView(TypedDict):
    """Whose turn it is to rule."""

    mediator: str
    after: int
    until: int


class WebhookDeliveriesView(TypedDict):
    """An endpoint's log, the newest first."""

    deliveries: list["WebhookDeliveryView"]
    before: "int | None"


class WebhookDeliveryView(TypedDict):
    """A message for an endpoint, and what became of it."""

    id: int
    message_id: str
    type: Literal[
        "order.opened",
        "order.accepted",
        "order.delivered",
        "order.disputed",
        "order.recommitted",
        "order.revised",
        "order.ruled",
        "mediation_fee.credited",
        "order.closed",
        "order.retracted",
        "webhook.tested",
    ]
    order_id: "str | None"
    stage: "Stage"
    final: bool
    created_at: str
    next_try_at: "str | None"
    ended_at: "str | None"
    attempts: list["AttemptView"]


class WeekdayView(TypedDict):
    """What a weekday is like: its odds against the mean of the week, with their 95 % interval."""

    weekday: int
    factor: float
    low: float
    high: float
    stands_out: bool


class WithdrawBond(TypedDict):
    """Takes from the caller's bond balance."""

    deed: Literal["withdraw_bond"]
    amount: str
    token: NotRequired[str]
    to: NotRequired["str | None"]


class WithdrawCredit(TypedDict):
    """Pays what the caller is owed elsewhere."""

    deed: Literal["withdraw_credit"]
    token: NotRequired[str]
    to: NotRequired["str | None"]


class Words(TypedDict):
    """A word or sentence in both languages."""

    zh: str
    en: str


class WorthView(TypedDict):
    """How good a kind of warning has been."""

    kind: str
    raised: int
    ended: int
    came: int
    precision: "float | None"
    lead_hours: "float | None"


class WrittenPaperView(TypedDict):
    """The buyer's paper: `units` and `evidence` are for the move "dispute"."""

    hash: str
    document: dict[str, Any]
    units: int
    evidence: str


class YardstickView(TypedDict):
    """What fees are measured by: with the same, anybody gets the same numbers from the chain."""

    units: dict[str, str]
    platforms: "list[str] | None"
