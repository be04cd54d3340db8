// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {Token} from "../contracts/Token.sol";

interface Vm {
    function startBroadcast() external;
    function stopBroadcast() external;
}

/// `forge script script/Deploy.s.sol --broadcast`: deploys a token, and sends some of it before that is in a block.
contract Deploy {
    Vm private constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));
    bool public constant IS_SCRIPT = true;

    function run() external {
        vm.startBroadcast();
        Token token = new Token(1000);
        require(token.transfer(address(0xaa), 30));
        vm.stopBroadcast();
    }
}
