/** `@cairn/testing`. */
export {}
