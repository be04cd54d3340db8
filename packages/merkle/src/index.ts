/** `@cairn/merkle`. */
export {}
