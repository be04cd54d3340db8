/** The row that DML answers for a document: `{documentId: "…"}` (qldb-compat 5.1). */
import { type IonStruct, ionString, ionStruct } from '@cairn/ion'

export function documentRow(documentId: string): IonStruct {
  return ionStruct([{ name: 'documentId', value: ionString(documentId) }])
}
