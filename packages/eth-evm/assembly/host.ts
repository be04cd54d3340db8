/** What the module asks of JavaScript: wasm-interpreter.ts answers, synchronously. Pointers are to words. */

// @ts-ignore: decorator
@external("host", "load")
export declare function hostLoad(word: u32): i32
// @ts-ignore: decorator
@external("host", "store")
export declare function hostStore(key: u32, value: u32): i32
// @ts-ignore: decorator
@external("host", "loadTransient")
export declare function hostLoadTransient(word: u32): void
// @ts-ignore: decorator
@external("host", "storeTransient")
export declare function hostStoreTransient(key: u32, value: u32): void
// @ts-ignore: decorator
@external("host", "balance")
export declare function hostBalance(word: u32): i32
// @ts-ignore: decorator
@external("host", "selfBalance")
export declare function hostSelfBalance(word: u32): void
// @ts-ignore: decorator
@external("host", "codeSize")
export declare function hostCodeSize(word: u32): i32
// @ts-ignore: decorator
@external("host", "codeHash")
export declare function hostCodeHash(word: u32): i32
// @ts-ignore: decorator
@external("host", "codeCopy")
export declare function hostCodeCopy(word: u32, to: u32, from: u32, size: u32): i32
// @ts-ignore: decorator
@external("host", "blockHash")
export declare function hostBlockHash(word: u32): void
// @ts-ignore: decorator
@external("host", "log")
export declare function hostLog(topicCount: u32, lastTopic: u32, data: u32, size: u32): void
// @ts-ignore: decorator
@external("host", "callFacts")
export declare function hostCallFacts(word: u32): i32
// @ts-ignore: decorator
@external("host", "selfDestructGas")
export declare function hostSelfDestructGas(word: u32): i32
// @ts-ignore: decorator
@external("host", "selfDestruct")
export declare function hostSelfDestruct(word: u32): void
// @ts-ignore: decorator
@external("host", "shouldAbort")
export declare function hostShouldAbort(): i32
