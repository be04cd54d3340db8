/** `@cairn/cli`. */
export {}
