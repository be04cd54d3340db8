/** `@cairn/journal`. */
export {}
