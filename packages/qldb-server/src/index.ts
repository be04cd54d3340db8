/** `@cairn/qldb-server`. */
export {}
