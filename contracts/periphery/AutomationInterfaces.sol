// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

// What automation networks call, as they publish it: the names are theirs.

/// @dev A log as Chainlink's nodes hand it over.
struct Log {
    uint256 index; // within the block
    uint256 timestamp; // of the block, Unix seconds
    bytes32 txHash;
    uint256 blockNumber;
    bytes32 blockHash;
    address source; // the contract that logged
    bytes32[] topics;
    bytes data;
}

/// @dev Chainlink Automation, custom logic: asked about once a block.
interface AutomationCompatibleInterface {
    function checkUpkeep(bytes calldata checkData) external returns (bool upkeepNeeded, bytes memory performData);

    function performUpkeep(bytes calldata performData) external;
}

/// @dev Chainlink Automation, log triggers: asked about once a log.
interface ILogAutomation {
    function checkLog(Log calldata log, bytes memory checkData)
        external
        returns (bool upkeepNeeded, bytes memory performData);

    function performUpkeep(bytes calldata performData) external;
}
