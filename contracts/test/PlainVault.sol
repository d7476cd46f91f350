// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Vault} from "../periphery/Vault.sol";

/// @title  What `Vault` is, written plainly
contract PlainVault {
    address public immutable maker;

    constructor() {
        maker = msg.sender;
    }

    receive() external payable {}

    fallback() external payable {
        if (msg.sender != maker) return;
        (address target, uint256 value) = abi.decode(msg.data[:0x40], (address, uint256));
        (bool success, bytes memory answer) = target.call{value: value}(msg.data[0x40:]);
        assembly ("memory-safe") {
            if success { return(add(answer, 0x20), mload(answer)) }
            revert(add(answer, 0x20), mload(answer))
        }
    }
}

/// @title  Makes a vault and its plain reference, and directs them
contract VaultMaker {
    address public immutable vault;
    address public immutable plain;

    constructor(bytes32 salt) {
        vault = Vault.create(address(this), salt);
        plain = address(new PlainVault());
    }

    /// @notice Fails, or succeeds, with what the vault answers.
    function execute(address which, address target, uint256 value, bytes calldata input)
        external
        returns (bool success, bytes memory answer)
    {
        return Vault.execute(which, target, value, input);
    }
}
