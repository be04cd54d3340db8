/** `@cairn/server`. */
export {}
