/** An answer that is JSON already: put into the message as it is, so that large ones are written once. */
export class JsonText {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}
