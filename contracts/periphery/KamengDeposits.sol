// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IKamengEscrow, Offer, OrderId, OrderTerms, PolicyId, State} from "../IKamengEscrow.sol";
import {OrderSlot} from "../libraries/OrderSlot.sol";
import {TypedData} from "../libraries/TypedData.sol";
import {Balances} from "./Balances.sol";
import {Vault} from "./Vault.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {MessageHashUtils} from "@openzeppelin/contracts/utils/cryptography/MessageHashUtils.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";

/**
 * @title  Deposit addresses
 * @notice An address for every order, which anybody funds by a plain transfer, an exchange included. What lies there
 *         either becomes the payment of that order, or goes to the order's refundTo. There is no third way out, no
 *         owner, and nothing that this contract could be told to keep.
 *
 *         Until somebody opens the order, and up to and including openBy, the price waits. Anyone may open with the
 *         seller's live offer. Without an offer it takes the buyer: by calling, or by a signature of the order's id,
 *         which is what a wallet signs when it signs the terms as typed data. Before openBy has passed the buyer, too,
 *         may send everything back. Afterwards, or once an order was opened under the id from wherever it was paid,
 *         anyone may. What is beyond the price, and every other token and coin, anyone may send back at any time.
 * @dev    An order's deposit address is that of a `Vault` created by CREATE2 with the order's id as salt:
 *         keccak256(0xff, this contract, orderId, vaultCodeHash), its last 20 bytes. The vault is made when money first
 *         leaves it. Nothing is stored: balances, the order's slot and the clock decide.
 *
 *         Nobody can lose by another's call. What anyone may do at any time ends at refundTo, or in an order that buyer
 *         and seller both want. A refundTo that refuses its money does not lose it: the call reverts, and succeeds when
 *         the refusal ends. An order whose policy asks the buyer for a dispute bond can't be opened from here, since
 *         who pays this way may have no other money.
 *
 *         Not for NFTs. Terms that can never be opened (see `IKamengEscrow.open`) can't be opened from here either:
 *         their money waits for openBy or the buyer, so check them before paying, as the SDK does.
 */
contract KamengDeposits is ReentrancyGuardTransient {
    bytes32 private constant DOMAIN_TYPEHASH =
        keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");
    bytes32 private constant NAME_HASH = keccak256("KamengDeposits");
    bytes32 private constant ESCROW_NAME_HASH = keccak256("KamengEscrow");
    bytes32 private constant VERSION_HASH = keccak256("1"); // of both
    bytes32 private constant REFUND_TYPEHASH = keccak256("Refund(bytes32 orderId,uint40 expiry)");
    address private constant NATIVE = address(0);

    /// @notice The escrow whose orders are paid from here.
    IKamengEscrow public immutable escrow;

    /// Less lies at the deposit address than is needed there.
    error DepositShort(address vault, address token, uint256 available, uint256 required);
    /// The policy asks the buyer for a bond to dispute, which a buyer who pays this way may not have.
    error DisputeBondNotAllowed(PolicyId policyId, uint256 disputeBondBps);
    /// Orders of the chain `chainId` can be opened here: nothing was sent to the wrong one.
    error NotForeign(uint256 chainId);
    /// Too little gas to create what stands at the deposit address.
    error VaultNotCreated(address vault);

    /// What lay at an order's deposit address went to its refundTo. Base units of the token; zero: the native coin.
    event DepositReturned(OrderId indexed orderId, address indexed token, address to, uint256 amount);

    constructor(IKamengEscrow escrow_) {
        escrow = escrow_;
    }

    // ------------------------------------------------------------------------------------------------------ opening

    /**
     * @notice Row 1, with what lies at the deposit address. The buyer, or anyone with its signature of the terms.
     * @param  signature the buyer's over the order's id: 65 bytes r ‖ s ‖ v, or what its ERC-1271 contract takes; not
     *         looked at where the buyer itself calls.
     * @dev    Reverts InvalidSignature, WrongState, DepositShort, VaultNotCreated, as `IKamengEscrow.open`, and
     *         DisputeBondNotAllowed.
     */
    function open(OrderTerms calldata terms, bytes calldata signature) external nonReentrant returns (OrderId orderId) {
        orderId = escrow.toId(terms);
        if (msg.sender != terms.buyer) _requireSignature(terms.buyer, OrderId.unwrap(orderId), signature);
        _open(orderId, terms, abi.encodeCall(IKamengEscrow.open, (terms)));
    }

    /**
     * @notice Row 2, with what lies at the deposit address and the seller's live offer. Anyone may.
     * @dev    Reverts WrongState, DepositShort, VaultNotCreated, as `IKamengEscrow.openWithOffer`, and
     *         DisputeBondNotAllowed.
     */
    function openWithOffer(OrderTerms calldata terms, Offer calldata offer)
        external
        nonReentrant
        returns (OrderId orderId)
    {
        orderId = escrow.toId(terms);
        _open(orderId, terms, abi.encodeCall(IKamengEscrow.openWithOffer, (terms, offer)));
    }

    // ---------------------------------------------------------------------------------------------------- returning

    /**
     * @notice Sends all of the terms' token that lies at the deposit address to refundTo, at any time: the buyer, or
     *         anyone with its signature, made as EIP-712 `Refund(bytes32 orderId,uint40 expiry)` under this contract's
     *         own domain. Live while block.timestamp < expiry, and as often as money arrives; neither is looked at
     *         where the buyer itself calls.
     * @dev    Reverts Expired, InvalidSignature, NothingToPay, VaultNotCreated, PushFailed.
     */
    function refund(OrderTerms calldata terms, uint40 expiry, bytes calldata signature)
        external
        nonReentrant
        returns (uint256 amount)
    {
        OrderId orderId = escrow.toId(terms);
        if (msg.sender != terms.buyer) {
            if (block.timestamp >= expiry) revert IKamengEscrow.Expired(block.timestamp, expiry);
            _requireSignature(terms.buyer, _refundDigest(orderId, expiry), signature);
        }
        address vault = addressOf(orderId);
        amount = Balances.balanceOf(vault, terms.token, 0);
        _return(vault, orderId, terms, terms.token, amount);
    }

    /**
     * @notice Sends to refundTo what does not wait for the order: every other token and coin, what is beyond the price,
     *         and all of it after openBy or once an order was opened under the id. Anyone may, at any time.
     * @param  token an ERC-20, or zero for the native coin.
     * @dev    Reverts TooEarly (openBy + 1) where all there is waits for the order; NothingToPay, VaultNotCreated,
     *         PushFailed; DepositShort where sending another token would take what waits, as a token with two addresses
     *         could.
     */
    function sweep(OrderTerms calldata terms, address token) external nonReentrant returns (uint256 amount) {
        OrderId orderId = escrow.toId(terms);
        address vault = addressOf(orderId);
        amount = Balances.balanceOf(vault, token, 0);
        if (block.timestamp > terms.openBy || _slot(orderId).state() != State.None) {
            _return(vault, orderId, terms, token, amount);
        } else if (token == terms.token) {
            if (amount == 0) revert IKamengEscrow.NothingToPay();
            if (amount <= terms.price) revert IKamengEscrow.TooEarly(block.timestamp, uint256(terms.openBy) + 1);
            amount -= terms.price;
            _return(vault, orderId, terms, token, amount);
        } else {
            uint256 waiting = Balances.balanceOf(vault, terms.token, 0);
            if (waiting > terms.price) waiting = terms.price;
            _return(vault, orderId, terms, token, amount);
            uint256 left = Balances.balanceOf(vault, terms.token, 0);
            if (left < waiting) revert DepositShort(vault, terms.token, left, waiting);
        }
    }

    /**
     * @notice Sends to refundTo what was sent on this chain to the deposit address of an order on another: to the right
     *         address on the wrong chain, which is the commonest of mistakes. Anyone may, at any time, since no order
     *         can be opened here under an id of another chain. Possible where escrow and this contract have the same
     *         addresses on both, as the deployment proxy gives them.
     * @param  chainId of the chain that the order is on.
     * @param  token   an ERC-20 of this chain, or zero for its native coin.
     * @dev    Reverts NotForeign, NothingToPay, VaultNotCreated, PushFailed.
     */
    function rescue(OrderTerms calldata terms, uint256 chainId, address token)
        external
        nonReentrant
        returns (uint256 amount)
    {
        OrderId orderId = TypedData.toId(terms, _domain(ESCROW_NAME_HASH, chainId, address(escrow)));
        if (OrderId.unwrap(orderId) == OrderId.unwrap(escrow.toId(terms))) revert NotForeign(chainId);
        address vault = addressOf(orderId);
        amount = Balances.balanceOf(vault, token, 0);
        _return(vault, orderId, terms, token, amount);
    }

    // -------------------------------------------------------------------------------------------------------- views

    /// @notice The deposit address of an order. What `escrow.toId` makes of the terms is its id.
    function addressOf(OrderId orderId) public view returns (address) {
        bytes32 hash = keccak256(abi.encodePacked(hex"ff", address(this), OrderId.unwrap(orderId), vaultCodeHash()));
        return address(uint160(uint256(hash)));
    }

    /// @notice keccak256 of what creates a vault, the same for every order: with an order's id it determines the
    ///         deposit address.
    function vaultCodeHash() public view returns (bytes32) {
        return keccak256(Vault.creationCode(address(this)));
    }

    /// @notice The EIP-712 domain that refunds are signed under, as ERC-5267 describes it.
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
        )
    {
        return (hex"0f", "KamengDeposits", "1", block.chainid, address(this), 0, new uint256[](0));
    }

    // ------------------------------------------------------------------------------------------------------ private

    function _open(OrderId orderId, OrderTerms calldata terms, bytes memory call) private {
        State state = _slot(orderId).state();
        if (state != State.None) revert IKamengEscrow.WrongState(orderId, state, State.None);
        address vault = addressOf(orderId);
        uint256 available = Balances.balanceOf(vault, terms.token, 0);
        if (available < terms.price) revert DepositShort(vault, terms.token, available, terms.price);
        _make(vault, orderId);

        bool native = terms.token == NATIVE;
        if (!native) {
            // Whatever it answers: where it did nothing, the escrow's pull fails and says so.
            // slither-disable-next-line unused-return
            Vault.execute(vault, terms.token, 0, abi.encodeCall(IERC20.approve, (address(escrow), terms.price)));
        }
        (bool success, bytes memory answer) = Vault.execute(vault, address(escrow), native ? terms.price : 0, call);
        if (!success) _bubble(answer);
        uint256 disputeBondBps = _slot(orderId).disputeBondBps();
        if (disputeBondBps != 0) revert DisputeBondNotAllowed(terms.policyId, disputeBondBps);
    }

    /// @dev The balance decides whether it was paid, whatever a token answers.
    function _return(address vault, OrderId orderId, OrderTerms calldata terms, address token, uint256 amount) private {
        if (amount == 0) revert IKamengEscrow.NothingToPay();
        address to = terms.refundTo;
        _make(vault, orderId);

        emit DepositReturned(orderId, token, to, amount);
        uint256 before = Balances.balanceOf(vault, token, 0);
        // Whatever is answered: the balance decides.
        // slither-disable-next-line unused-return
        if (token == NATIVE) Vault.execute(vault, to, amount, "");
        // Likewise.
        // slither-disable-next-line unused-return
        else Vault.execute(vault, token, 0, abi.encodeCall(IERC20.transfer, (to, amount)));
        uint256 left = Balances.balanceOf(vault, token, type(uint256).max);
        if (left > before || before - left < amount) revert IKamengEscrow.PushFailed(token, to, amount);
    }

    function _make(address vault, OrderId orderId) private {
        if (vault.code.length != 0) return;
        if (Vault.create(address(this), OrderId.unwrap(orderId)) != vault) revert VaultNotCreated(vault);
    }

    function _slot(OrderId orderId) private view returns (OrderSlot) {
        return OrderSlot.wrap(escrow.slotOf(orderId));
    }

    function _refundDigest(OrderId orderId, uint40 expiry) private view returns (bytes32) {
        bytes32 domain = _domain(NAME_HASH, block.chainid, address(this));
        return MessageHashUtils.toTypedDataHash(domain, keccak256(abi.encode(REFUND_TYPEHASH, orderId, expiry)));
    }

    function _domain(bytes32 nameHash, uint256 chainId, address verifyingContract) private pure returns (bytes32) {
        return keccak256(abi.encode(DOMAIN_TYPEHASH, nameHash, VERSION_HASH, chainId, verifyingContract));
    }

    /// @dev As the escrow: a key's own signature first, whatever code its account carries (EIP-7702); then ERC-1271.
    function _requireSignature(address signer, bytes32 digest, bytes calldata signature) private view {
        // Where it recovers nobody, `recovered` is zero; why, is of no account.
        // slither-disable-next-line unused-return
        (address recovered,,) = ECDSA.tryRecoverCalldata(digest, signature);
        if (recovered == signer && signer != address(0)) return;
        if (!SignatureChecker.isValidERC1271SignatureNowCalldata(signer, digest, signature)) {
            revert IKamengEscrow.InvalidSignature(signer, digest);
        }
    }

    /// @dev Fails as the call failed.
    function _bubble(bytes memory reason) private pure {
        assembly ("memory-safe") {
            revert(add(reason, 0x20), mload(reason))
        }
    }
}
