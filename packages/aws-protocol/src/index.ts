/** `@cairn/aws-protocol`. */
export {}
