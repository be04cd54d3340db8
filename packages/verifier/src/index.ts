/** `@cairn/verifier`. */
export {}
