// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {Token} from "../contracts/Token.sol";

interface Vm {
    function expectRevert(bytes calldata) external;
    function parseJsonAddress(string calldata, string calldata) external pure returns (address);
    function prank(address) external;
    function readFile(string calldata) external view returns (string memory);
}

/// `forge test --fork-url`: goes on, in forge's own EVM, from the state in which the script left the chain.
contract ForkTest {
    Vm private constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));
    bool public constant IS_TEST = true;

    Token private token;
    address private holder;

    function setUp() public {
        string memory run = vm.readFile("broadcast/Deploy.s.sol/1337/run-latest.json");
        token = Token(vm.parseJsonAddress(run, ".transactions[0].contractAddress"));
        holder = vm.parseJsonAddress(run, ".transactions[0].transaction.from");
    }

    function testReadsWhatIsThere() public view {
        require(block.chainid == 1337);
        require(token.totalSupply() == 1000);
        require(token.balanceOf(holder) == 970);
        require(token.balanceOf(address(0xaa)) == 30);
    }

    function testTransfers() public {
        vm.prank(holder);
        require(token.transfer(address(0xaa), 5));
        require(token.balanceOf(address(0xaa)) == 35);
    }

    function testIsRefused() public {
        vm.prank(holder);
        vm.expectRevert(abi.encodeWithSelector(Token.Insufficient.selector, 970, 5000));
        token.transfer(address(0xaa), 5000);
    }
}
