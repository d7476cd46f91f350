// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// The EIP-712 digest of an order's terms: binds the terms, the contract and the chain id at deployment.
type OrderId is bytes32;

/// keccak256 of the ABI encoding of a `Policy`.
type PolicyId is bytes32;

/*
 * The lifecycle. States only move forward, and every open state has a deadline d after which anyone may `settle`.
 *
 *    #  from → to                      who                                   when            fault
 *    1  None → Opened                  a payer                               t ≤ openBy
 *    2  None → Accepted                a payer with the seller's live offer  t ≤ openBy
 *    3  Opened → Accepted              seller, operator  `accept`            t < d
 *    4  Opened → Closed                buyer `cancel`, seller `decline`      any time        none
 *                                      anyone `settle`                       t ≥ d           none
 *    5  Opened → Closed                platform `intervene`                  t < d           platform
 *    6  Accepted → Delivered           seller, operator  `deliver`           t < d
 *    7  Accepted → Closed              buyer `cancel`                        t < d           buyer
 *    8  Accepted → Closed              seller, operator  `decline`           t < d           seller
 *    9  Accepted → Closed              platform `intervene`                  t < d           platform
 *   10  Accepted → Closed              anyone `settle`                       t ≥ d           seller
 *   11  Accepted, Delivered → Closed   buyer `confirm`                       any time        none
 *       Delivered → Closed             anyone `settle`                       t ≥ d           none
 *   12  Delivered → Closed             seller, operator  `refund`            any time        seller
 *   13  Delivered → Disputed           buyer `dispute`                       t < d
 *   14  Disputed → Closed              seller, operator  `refund`            t < n           seller
 *   15  Disputed → Closed              buyer `confirm`                       t < n           none
 *   16  Disputed → Closed              mediator `rule`, a party `concede`    n ≤ t < d       by the split
 *   17  Disputed → Closed              anyone `settle`                       t ≥ d           mediator
 *   18  any open → Closed              both parties `agree`                  any time        none
 *   19  None (seller), any open        buyer, seller `revise`                any time
 *   20  Disputed                       seller, operator  `recommit`          t < n
 *
 * In Disputed: n = entry + negotiateWindow, h = n + ⌊mediateWindow / 2⌋, d = n + mediateWindow.
 */

/// Where an order stands. `None`: no order was opened under this id (its revision may already have been raised).
enum State {
    None,
    Opened,
    Accepted,
    Delivered,
    Disputed,
    Closed
}

/// How a closed order ended. `None` while it is open.
enum Outcome {
    None,
    Expired, // nobody accepted in time; the buyer was refunded
    Cancelled, // the buyer cancelled
    Declined, // the seller declined before delivering
    Intervened, // the platform refunded the buyer before delivery
    Undelivered, // the seller accepted and did not deliver in time; the buyer got the price and the bond
    Confirmed, // the buyer confirmed
    Released, // the buyer let the inspection window pass; the seller was paid
    Refunded, // the seller refunded after delivering
    Ruled, // the mediator, or the backup, ruled
    Conceded, // a party gave in while the mediator was in charge
    Defaulted, // nobody ruled in time; the policy's split was paid
    Agreed // both parties signed a split
}

/// Who caused the ending, decided by the row that closed the order. It is what reputation counts.
enum Fault {
    None,
    Buyer,
    Seller,
    Platform,
    Mediator
}

/// In what capacity an account acts on an order.
enum Role {
    Buyer,
    Seller,
    Operator
}

/// The actions on an order that a party or operator may sign and anyone may relay. The values are signed: never reorder.
enum Verb {
    Accept,
    Deliver,
    Confirm,
    Cancel,
    Decline,
    Refund,
    Dispute,
    Concede,
    Revise,
    Recommit
}

/// What `PolicyOutOfBounds` is about.
enum PolicyField {
    AcceptWindow,
    DeliverWindow,
    InspectWindow,
    NegotiateWindow,
    MediateWindow,
    PlatformFee,
    CancelFee,
    SellerBond,
    DisputeBond,
    MediationFee,
    SilenceShare,
    EffectiveFrom,
    ReviewBy
}

/// What the parties agree on. Travels as calldata; the chain keeps only its hash.
struct OrderTerms {
    address buyer; // acts as the buyer; never zero, never the seller
    address refundTo; // where the buyer's money goes back; never zero, the escrow or the token
    address seller; // acts as the seller; never zero
    address payTo; // where the seller's money goes; never zero, the escrow or the token
    address token; // an ERC-20, or zero for the chain's native coin
    uint128 price; // in base units of the token; 0 < price < 2^127
    uint16 units; // identical card lines, 1 … 65,535
    PolicyId policyId; // the rules
    bytes32 listing; // hash of listing, platform order number, the buyer's delivery key and 32 random bytes
    uint40 openBy; // Unix seconds; the last second at which the order may be opened
    bytes32 salt; // makes equal orders different
}

/// The rules of an order. Immutable once registered; windows in seconds, shares in bps (1/10,000).
struct Policy {
    address platform; // registers, reviews, retires, intervenes; always msg.sender at registration
    uint32 acceptWindow; // 5 minutes … 90 days
    uint32 deliverWindow; // 5 minutes … 90 days
    uint32 inspectWindow; // 1 hour … 90 days
    uint32 negotiateWindow; // 1 hour … 90 days
    uint32 mediateWindow; // 1 day … 90 days; zero exactly when there is no mediator
    uint16 platformFeeBps; // of what the seller earns; ≤ 1,000
    uint16 cancelFeeBps; // of the price, to the seller when the buyer cancels an accepted order; ≤ 5,000, or NO_CANCEL
    uint16 sellerBondBps; // of the price, locked at acceptance; ≤ 5,000
    uint16 disputeBondBps; // of the sum in dispute, from the buyer; ≤ 5,000
    uint16 mediationFeeBps; // of the sum in dispute; ≤ the smaller of the two bonds
    uint16 silenceShareBps; // of the sum in dispute, to the buyer when nobody rules; ≤ 10,000
    address mediator; // rules in the first half of the mediate window; zero: none
    address backupMediator; // rules in the second half; zero: the mediator has the whole window
    address feeReceiver; // where platform fees go; never zero or the escrow
    uint40 effectiveFrom; // Unix seconds; the first second at which orders may be opened
}

/// A seller's promise to accept one order. Signed as EIP-712 `Offer(bytes32 orderId,uint24 revision,uint40 expiry)`
/// with the order's current revision, so that raising the revision withdraws it.
struct Offer {
    address operator; // the operator that signed, holding the right to accept; zero: the seller signed
    uint40 expiry; // Unix seconds; live while block.timestamp < expiry
    bytes signature; // 65 bytes r ‖ s ‖ v, or whatever the signer's ERC-1271 contract takes
}

/// A division of the money held, signed by both parties as EIP-712
/// `Split(bytes32 orderId,uint8 state,uint16 disputedUnits,uint24 revision,uint256 toBuyer,uint40 expiry)`.
struct Split {
    State state; // the state it was signed for
    uint16 disputedUnits; // the units in dispute it was signed for; zero outside Disputed
    uint24 revision; // the order's revision it was signed for
    uint256 toBuyer; // base units out of what is held: the price, or the sum in dispute once Disputed
    uint40 expiry; // Unix seconds; block.timestamp < expiry ≤ block.timestamp + 24 hours
}

/// A relayed action, signed as EIP-712
/// `Action(bytes32 orderId,uint8 verb,uint8 state,uint8 role,address signer,uint256 number,bytes32 content,uint40 expiry)`.
struct Action {
    Verb verb;
    State state; // the state the signer expects
    Role role; // the capacity in which the signer acts
    address signer;
    uint256 number; // Dispute: units in dispute · Revise, Recommit: the current revision · else 0
    bytes32 content; // Deliver, Recommit: the commitment · Dispute: the evidence · else 0
    uint40 expiry; // Unix seconds; live while block.timestamp < expiry
}

/// What a seller lets an operator do with orders of one token under one policy.
struct OperatorGrant {
    uint8 rights; // sum of ACCEPT, DELIVER, DECLINE, REFUND; zero: none
    uint40 expiry; // Unix seconds; live while block.timestamp < expiry
    uint128 maxPrice; // base units; the largest price of an order it may act on
}

/**
 * @title  Escrow of card orders
 * @notice Holds a buyer's money until the order ends, and pays it out at a time that both sides could read before.
 *         Nobody owns it, nobody can change it, nothing can pause it.
 * @dev    Money: integers in base units. Time: block.timestamp in Unix seconds. Shares: bps, every division rounding
 *         down. An action is allowed while t < d; `settle` from t ≥ d; offers, signatures and grants live while
 *         t < expiry; openBy and reviewBy include their second; effectiveFrom ≤ t.
 *
 *         Tokens: an ERC-20 whose transfers move exactly the amount asked for. Fee-on-transfer is refused on the way
 *         in. A token's issuer may freeze this contract's balance: nothing here can prevent that.
 *
 *         Guards are checked in this order: signature (of a relayed action), state, actor, time, arguments, money.
 *         Openings have no actor: state, terms, time, policy, offer, money. `agree` checks state and split before it
 *         checks signatures. `rule` checks the time before the actor, since the time decides who the mediator is.
 *
 *         Verbs that are possible in several states with different money take the state the caller expects, so that
 *         a cancel meant for Opened does nothing in Accepted. `settle` takes none: what it does is fixed by the clock.
 */
interface IKamengEscrow {
    // ------------------------------------------------------------------------------------------------ errors: orders

    /// The order is in another state than the action needs, or than its caller expected.
    error WrongState(OrderId orderId, State actual, State expected);
    /// What was asked for can't be done in this state, expected or not.
    error NotPossible(OrderId orderId, State state);
    /// Allowed from the second `allowedFrom` on.
    error TooEarly(uint256 timestamp, uint256 allowedFrom);
    /// Allowed strictly before the second `allowedBefore`.
    error TooLate(uint256 timestamp, uint256 allowedBefore);
    /// `account` is not the one that may do this; `required` is.
    error Unauthorized(address account, address required);
    /// `verb` can't be done in the role of `role`.
    error WrongRole(Verb verb, Role role);
    /// `account` decides about an order to which it is a party.
    error ConflictOfInterest(address account);
    /// An address of the terms, policy or call is zero, the escrow, the token, or equal to one it must differ from.
    error InvalidAddress(address attempted);
    /// The price is zero or 2^127 and more.
    error PriceOutOfRange(uint256 price, uint256 max);
    /// Units are zero, or more are disputed than ordered.
    error UnitsOutOfRange(uint256 units, uint256 max);
    /// More was awarded than is held.
    error AmountOutOfRange(uint256 amount, uint256 max);
    /// The policy forbids cancelling once accepted.
    error CancelNotAllowed(OrderId orderId);
    /// A delivery needs a commitment other than zero.
    error EmptyCommitment();
    /// The revision named is not the current one: what was signed has been voided.
    error WrongRevision(uint256 attempted, uint256 current);
    /// The split was signed for another number of disputed units.
    error WrongDisputedUnits(uint256 attempted, uint256 current);
    /// Two lists that belong together differ in length.
    error LengthMismatch(uint256 left, uint256 right);

    // -------------------------------------------------------------------------------------------- errors: signatures

    /// `signature` is not `signer`'s over `digest`.
    error InvalidSignature(address signer, bytes32 digest);
    /// Live only before the second `expiry`.
    error Expired(uint256 timestamp, uint256 expiry);
    /// A split may live 24 hours at most.
    error ExpiryTooFar(uint256 expiry, uint256 max);

    // --------------------------------------------------------------------------------------------- errors: operators

    /// The operator does not hold the right for this seller, token and policy.
    error NoRight(address operator, uint8 right);
    /// The price is above what the operator may act on.
    error PriceAboveGrant(uint256 price, uint256 max);
    /// The grant names rights that don't exist; `known` is the sum of those that do.
    error UnknownRights(uint8 rights, uint8 known);
    /// Operators act only on terms that pay the seller's registered address.
    error PayToNotRegistered(address payTo, address registered);

    // ---------------------------------------------------------------------------------------------- errors: policies

    error PolicyExists(PolicyId policyId);
    error PolicyUnknown(PolicyId policyId);
    error PolicyIsRetired(PolicyId policyId);
    /// New orders from the second `effectiveFrom` on.
    error PolicyNotEffective(uint256 timestamp, uint256 effectiveFrom);
    /// New orders up to and including the second `reviewBy`; the platform must review the policy first.
    error PolicyReviewOverdue(uint256 timestamp, uint256 reviewBy);
    error PolicyOutOfBounds(PolicyField field, uint256 value, uint256 min, uint256 max);

    // ------------------------------------------------------------------------------------------------- errors: money

    /// The value sent is not exactly what is due in the native coin.
    error WrongValue(uint256 sent, uint256 required);
    /// There is no contract at the token's address, or at Permit2's.
    error TokenHasNoCode(address token);
    /// The token refused to move `amount` from `from`: allowance, signature, balance or a block list.
    error PullFailed(address token, address from, uint256 amount);
    /// The token moved another amount than asked for.
    error WrongAmountReceived(address token, uint256 received, uint256 required);
    /// The receiver or the token refused the payment.
    error PushFailed(address token, address to, uint256 amount);
    /// The seller's bond balance does not cover the bond.
    error BondShort(address seller, address token, uint256 available, uint256 required);
    /// A payment was signed for an action that takes none.
    error NoPaymentDue(Verb verb);
    /// There is nothing to pay out.
    error NothingToPay();
    /// Too little gas to tell a refusing receiver from a starved one: send more.
    error InsufficientGas(uint256 available, uint256 required);

    // ----------------------------------------------------------------------------------------------- events: orders

    /// Rows 1 and 2. `state` is Opened, or Accepted with an offer. The deadline is the block's time + the window.
    event OrderOpened(OrderId indexed orderId, OrderTerms terms, address payer, State state);
    /// Row 3.
    event OrderAccepted(OrderId indexed orderId);
    /// Row 6.
    event OrderDelivered(OrderId indexed orderId, bytes32 commitment);
    /// Row 13, with what the undisputed units paid at once.
    event OrderDisputed(
        OrderId indexed orderId,
        uint16 units,
        bytes32 evidence,
        uint256 disputeBond,
        uint256 toSeller,
        uint256 platformFee,
        uint256 bondReturned
    );
    /// Row 20. The revision is the new one.
    event OrderRecommitted(OrderId indexed orderId, bytes32 commitment, uint24 revision);
    /// Row 19. The revision is the new one.
    event OrderRevised(OrderId indexed orderId, uint24 revision);
    /// Precedes the `OrderClosed` of a ruling. `toBuyer` is the part of the sum in dispute awarded to the buyer.
    event OrderRuled(OrderId indexed orderId, address indexed mediator, uint256 toBuyer, bytes32 grounds);
    /// Precedes the `OrderClosed` of a ruling or concession under a policy with a mediation fee.
    event MediationFeeCredited(OrderId indexed orderId, address indexed mediator, address indexed token, uint256 fee);
    /// The end. What went to refundTo, to payTo, to the platform, and back to the seller's bond balance.
    event OrderClosed(
        OrderId indexed orderId,
        Outcome outcome,
        Fault fault,
        uint256 toBuyer,
        uint256 toSeller,
        uint256 platformFee,
        uint256 bondReturned
    );

    // ------------------------------------------------------------------------------------- events: sellers, policies

    event BondFunded(address indexed seller, address indexed token, address from, uint256 amount);
    event BondWithdrawn(address indexed seller, address indexed token, address to, uint256 amount);
    event PayToRegistered(address indexed seller, address payTo);
    event OperatorSet(
        address indexed seller,
        address indexed operator,
        address token,
        PolicyId policyId,
        uint8 rights,
        uint40 expiry,
        uint128 maxPrice
    );
    event PolicyRegistered(PolicyId indexed policyId, address indexed platform, Policy policy, uint40 reviewBy);
    event PolicyReviewed(PolicyId indexed policyId, uint40 reviewBy);
    event PolicyRetired(PolicyId indexed policyId);

    // ------------------------------------------------------------------------------------------------ events: money

    /// A push failed and the receiver was credited instead.
    event Credited(address indexed account, address indexed token, uint256 amount);
    /// A credit was paid out to `to`.
    event CreditPaid(address indexed account, address indexed token, address to, uint256 amount);
    /// A platform's accrued fees were paid, or credited where the receiver refused them.
    event FeesClaimed(PolicyId indexed policyId, address indexed token, address receiver, uint256 amount);

    // ------------------------------------------------------------------------------------------------------ opening

    /**
     * @notice Row 1. Pays for an order: the seller has the policy's acceptWindow to accept. Anyone may pay for a buyer.
     * @dev    Native coin: msg.value is the price. ERC-20: pulled from msg.sender by allowance, measured by balance.
     *         Reverts WrongState, InvalidAddress, PriceOutOfRange, UnitsOutOfRange, TooLate (openBy + 1),
     *         PolicyUnknown, PolicyIsRetired, PolicyNotEffective, PolicyReviewOverdue, WrongValue, TokenHasNoCode,
     *         PullFailed, WrongAmountReceived.
     */
    function open(OrderTerms calldata terms) external payable returns (OrderId orderId);

    /**
     * @notice Row 2. Pays for an order that the seller has already promised to accept; locks the seller's bond.
     * @dev    As `open`, and Expired, NoRight, PriceAboveGrant, PayToNotRegistered, InvalidSignature, BondShort.
     */
    function openWithOffer(OrderTerms calldata terms, Offer calldata offer) external payable returns (OrderId orderId);

    /**
     * @notice Rows 1 and 2. The caller pays with an EIP-2612 permit instead of an allowance given before.
     * @dev    Not in the native coin. An offer with the expiry zero is none. A permit that the token refuses is ignored,
     *         since anyone may have brought it there before: what counts is the allowance that is there then. Reverts as
     *         `open`, or as `openWithOffer` where there is an offer.
     * @param deadline  Unix seconds; the last second at which the permit may be used.
     * @param signature 65 bytes r ‖ s ‖ v by the caller, as EIP-2612
     *        `Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)` with the escrow as
     *        spender and the price as value.
     */
    function openWithPermit(OrderTerms calldata terms, Offer calldata offer, uint256 deadline, bytes calldata signature)
        external
        returns (OrderId orderId);

    /**
     * @notice Rows 1 and 2. `payer` pays by an EIP-3009 authorization, which anyone may bring.
     * @dev    Not in the native coin. An offer with the expiry zero is none. Reverts as `open`, or as `openWithOffer`
     *         where there is an offer.
     * @param validBefore Unix seconds; live while block.timestamp < validBefore.
     * @param signature   by the payer, under the token's domain, as EIP-3009 `ReceiveWithAuthorization(address
     *        from,address to,uint256 value,uint256 validAfter,uint256 validBefore,bytes32 nonce)` with the escrow as
     *        receiver, the price as value, zero as validAfter and the order's id as nonce. 65 bytes r ‖ s ‖ v, or for
     *        a smart wallet whatever it takes, where the token takes bytes.
     */
    function openWithAuthorization(
        OrderTerms calldata terms,
        Offer calldata offer,
        address payer,
        uint256 validBefore,
        bytes calldata signature
    ) external returns (OrderId orderId);

    /**
     * @notice Rows 1 and 2. `payer` pays by a Permit2 signature, which anyone may bring.
     * @dev    Not in the native coin. An offer with the expiry zero is none. Permit2 is at
     *         0x000000000022D473030F116dDEE9F6B43aC78BA3. Reverts as `open`, or as `openWithOffer` where there is an
     *         offer.
     * @param nonce     any that the payer has not used with Permit2.
     * @param deadline  Unix seconds; the last second at which the signature may be used.
     * @param signature by the payer, under Permit2's domain, as `PermitWitnessTransferFrom(TokenPermissions
     *        permitted,address spender,uint256 nonce,uint256 deadline,OrderTerms witness)` with the price as amount, the
     *        escrow as spender and the order's terms as witness. 65 bytes r ‖ s ‖ v, or for a smart wallet whatever it
     *        takes.
     */
    function openWithPermit2(
        OrderTerms calldata terms,
        Offer calldata offer,
        address payer,
        uint256 nonce,
        uint256 deadline,
        bytes calldata signature
    ) external returns (OrderId orderId);

    // --------------------------------------------------------------------------------------------------- lifecycle

    /// @notice Row 3. The seller, or an operator with ACCEPT, takes the order on; locks the bond. While t < d.
    function accept(OrderTerms calldata terms) external;

    /// @notice Row 6. The seller, or an operator with DELIVER, has delivered what `commitment` binds. While t < d.
    /// @param commitment keccak256(orderId, Merkle root over (i, salt, code), ciphertext hash); not zero.
    function deliver(OrderTerms calldata terms, bytes32 commitment) external;

    /// @notice Rows 11 and 15. The buyer is content: the seller is paid. In Disputed while t < n, else any time.
    function confirm(OrderTerms calldata terms, State expected) external;

    /// @notice Rows 4 and 7. The buyer withdraws: any time in Opened; in Accepted while t < d, at the cancel fee.
    function cancel(OrderTerms calldata terms, State expected) external;

    /// @notice Rows 4 and 8. The seller, or an operator with DECLINE, withdraws: any time in Opened; in Accepted while
    ///         t < d, at half the bond.
    function decline(OrderTerms calldata terms, State expected) external;

    /// @notice Rows 12 and 14. The seller, or an operator with REFUND, gives the money back and half the bond: any time
    ///         in Delivered; in Disputed while t < n.
    function refund(OrderTerms calldata terms, State expected) external;

    /**
     * @notice Row 13. The buyer disputes `units` of the units, with a dispute bond on their part of the price. What is
     *         not disputed is paid to the seller at once. While t < d.
     * @dev    The bond comes from the buyer by allowance; in the native coin, as value from the caller.
     * @param evidence a hash of the evidence, such as the Merkle root of the talk; zero: none.
     */
    function dispute(OrderTerms calldata terms, uint16 units, bytes32 evidence) external payable;

    /// @notice Row 20. The seller, or an operator with DELIVER, replaces the codes; raises the revision. While t < n.
    function recommit(OrderTerms calldata terms, uint24 revision, bytes32 commitment) external;

    /// @notice Row 16. The mediator whose half it is awards `toBuyer` of the sum in dispute to the buyer. n ≤ t < d.
    /// @param grounds a hash of the written grounds; zero: none.
    function rule(OrderTerms calldata terms, uint256 toBuyer, bytes32 grounds) external;

    /// @notice Row 16. A party gives in: as Buyer the sum goes to the seller; as Seller, or Operator with REFUND, to
    ///         the buyer. n ≤ t < d.
    function concede(OrderTerms calldata terms, Role role) external;

    /// @notice Row 18. Pays a split that both parties signed, at any time; a calling party counts as having signed.
    /// @dev    Reverts WrongState, WrongDisputedUnits, WrongRevision, Expired, ExpiryTooFar, InvalidSignature,
    ///         AmountOutOfRange.
    function agree(
        OrderTerms calldata terms,
        Split calldata split,
        bytes calldata buyerSignature,
        bytes calldata sellerSignature
    ) external;

    /// @notice Row 19. The buyer or the seller voids every offer and split signed for `revision`. In None the seller.
    function revise(OrderTerms calldata terms, uint24 revision) external;

    /// @notice Rows 5 and 9. The platform refunds the buyer in full before delivery; the bond goes back. While t < d.
    function intervene(OrderTerms calldata terms, State expected) external;

    /// @notice Rows 4, 10, 11, 17. Anyone ends an order whose deadline has passed. From t ≥ d.
    function settle(OrderTerms calldata terms) external;

    /// @notice Ends every order of the list that is due and skips the others; pays neighbours with the same token and
    ///         receiver in one transfer.
    /// @return settled how many were ended.
    function settleMany(OrderTerms[] calldata terms) external returns (uint256 settled);

    /// @notice Delivers every order of the list that is Accepted and in time and skips the others.
    /// @dev    Reverts LengthMismatch, EmptyCommitment; and as `deliver` where the caller may not deliver.
    /// @return delivered how many were delivered.
    function deliverMany(OrderTerms[] calldata terms, bytes32[] calldata commitments)
        external
        returns (uint256 delivered);

    /**
     * @notice Performs an action that a party or operator signed. Anyone may relay it.
     * @dev    In the native coin the caller brings the dispute bond as value; in a token it comes from the buyer.
     *         Reverts Expired, InvalidSignature, WrongRole, and as the action itself.
     */
    function act(OrderTerms calldata terms, Action calldata action, bytes calldata signature) external payable;

    /**
     * @notice Row 13. Performs a dispute that the buyer signed, with the dispute bond by the buyer's EIP-2612 permit.
     * @dev    Not in the native coin. A permit that the token refuses is ignored, as in `openWithPermit`. Reverts
     *         Expired, InvalidSignature, NoPaymentDue, and as `dispute`.
     * @param signature       by the buyer over the action.
     * @param deadline        Unix seconds; the last second at which the permit may be used.
     * @param permitSignature 65 bytes r ‖ s ‖ v by the buyer, with the dispute bond as value.
     */
    function actWithPermit(
        OrderTerms calldata terms,
        Action calldata action,
        bytes calldata signature,
        uint256 deadline,
        bytes calldata permitSignature
    ) external;

    /**
     * @notice Row 13. Performs a dispute that the buyer signed, with the dispute bond by an EIP-3009 authorization.
     * @dev    Not in the native coin. Reverts Expired, InvalidSignature, NoPaymentDue, and as `dispute`.
     * @param signature     by the buyer over the action.
     * @param validBefore   Unix seconds; the authorization is live while block.timestamp < validBefore.
     * @param authorization by the buyer, as in `openWithAuthorization`, with the dispute bond as value and
     *        keccak256(abi.encode(orderId, Verb.Dispute)) as nonce.
     */
    function actWithAuthorization(
        OrderTerms calldata terms,
        Action calldata action,
        bytes calldata signature,
        uint256 validBefore,
        bytes calldata authorization
    ) external;

    // ------------------------------------------------------------------------------------------------------ sellers

    /// @notice Adds to a seller's bond balance. Native coin: msg.value is the amount. Anyone may fund.
    function fundBond(address seller, address token, uint256 amount) external payable;

    /// @notice Takes from the caller's bond balance what is not locked in orders.
    function withdrawBond(address token, uint256 amount, address to) external;

    /// @notice Registers where operators may let the caller's money go. Until then it is the caller itself.
    function registerPayTo(address payTo) external;

    /// @notice Grants, changes or (rights zero) takes away an operator's rights on the caller's orders of one token
    ///         under one policy. It never may agree, revise or withdraw.
    function setOperator(address operator, address token, PolicyId policyId, OperatorGrant calldata grant) external;

    // ----------------------------------------------------------------------------------------------------- policies

    /// @notice Registers a policy of the caller for ever. A later effectiveFrom announces it.
    /// @param reviewBy Unix seconds; new orders up to and including it; at most MAX_REVIEW_PERIOD ahead.
    function registerPolicy(Policy calldata policy, uint40 reviewBy) external returns (PolicyId policyId);

    /// @notice The platform has reviewed its policy and moves reviewBy forward.
    function reviewPolicy(PolicyId policyId, uint40 reviewBy) external;

    /// @notice The platform takes no new orders under the policy, for ever. Open orders go on as they were.
    function retirePolicy(PolicyId policyId) external;

    // ------------------------------------------------------------------------------------------------------- credits

    /// @notice Tries again to pay `account` its credit. Anyone may. Reverts NothingToPay, PushFailed.
    function payCredit(address account, address token) external;

    /// @notice Pays the caller's credit to `to`. Reverts InvalidAddress, NothingToPay, PushFailed.
    function withdrawCredit(address token, address to) external;

    /// @notice Pays a policy's accrued fees to its feeReceiver. Anyone may. Reverts PolicyUnknown, NothingToPay.
    function claimFees(PolicyId policyId, address token) external;

    // --------------------------------------------------------------------------------------------------------- views

    /// @notice The order id of `terms` on this contract. Does not tell whether the terms are valid.
    function toId(OrderTerms calldata terms) external view returns (OrderId);

    /// @notice The order's one storage slot as kept; libraries/OrderSlot.sol has the layout, `KamengLens` decodes it.
    function slotOf(OrderId orderId) external view returns (uint256);

    /// @notice A policy as kept; libraries/PolicySlot.sol has the layout, `KamengLens` decodes it. Zeros if unknown.
    function policyRecordOf(PolicyId policyId)
        external
        view
        returns (uint256 slot, address platform, address mediator, address backupMediator, address feeReceiver);

    /// @notice What `account` is owed because a push to it failed or as a mediator, in base units.
    function creditOf(address account, address token) external view returns (uint256);

    /// @notice What `seller` has in its bond balance and not locked in orders, in base units.
    function bondOf(address seller, address token) external view returns (uint256);

    /// @notice What a policy's platform has earned and not claimed, in base units.
    function feesOf(PolicyId policyId, address token) external view returns (uint256);

    function operatorOf(address seller, address operator, address token, PolicyId policyId)
        external
        view
        returns (OperatorGrant memory);

    /// @notice The address to which operators may let `seller`'s money go.
    function payToOf(address seller) external view returns (address);

    /// @notice The EIP-712 domain that offers, splits and actions are signed under, as ERC-5267 describes it.
    function eip712Domain()
        external
        view
        returns (
            bytes1 fields,
            string memory name,
            string memory version,
            uint256 chainId,
            address verifyingContract,
            bytes32 salt,
            uint256[] memory extensions
        );
}
