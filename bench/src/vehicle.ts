/** The document that all benchmarks use: one vehicle, 24 fields, about 400 bytes of Ion. Invented. */
import {
  type IonValue,
  ionDecimal,
  ionInt,
  ionRecord,
  ionString,
  ionTimestampFromMs,
} from '@cairn/ion'

const plants = ['Brackwater', 'Osterholm', 'Vallecampo', 'Tindale'] as const
const colors = ['slate', 'ochre', 'fern', 'chalk', 'rust'] as const

/** A vehicle as plain data, the form in which JSON would have it. @param no From 1; decides every field. */
export function vehicleRecord(no: number): Readonly<Record<string, string | number>> {
  return {
    Serial: no,
    Vin: `CRN${String(no).padStart(14, '0')}`,
    Plate: `BW ${String(no % 10_000).padStart(4, '0')}`,
    Type: 'Estate',
    Make: 'Harrier',
    Model: 'Corsair 2.0 Touring',
    Year: 2012 + (no % 12),
    Color: colors[no % colors.length] as string,
    Plant: plants[no % plants.length] as string,
    Engine: 'EB-4-2000',
    Fuel: 'petrol',
    PowerKw: 96 + (no % 40),
    Seats: 5,
    Doors: 5,
    WeightKg: 1460,
    Mileage: 41_250,
    Emission: 'E6d',
    TaxClass: 'B2',
    TaxDue: 184.5,
    Insurer: 'Longmere Mutual',
    Policy: `LM-${String(no).padStart(8, '0')}`,
    Region: 'North Vale',
    Station: 'Station 14',
    Inspected: 1_696_152_600_000 + no,
  }
}

/** The same vehicle in Ion, with the types that JSON lacks: money as a decimal, instants as timestamps. */
export function vehicleIon(no: number): IonValue {
  const entries = Object.entries(vehicleRecord(no)).map(([name, value]): [string, IonValue] => {
    if (typeof value === 'string') return [name, ionString(value)]
    if (name === 'TaxDue') return [name, ionDecimal(BigInt(Math.round(value * 100)), -2)]
    if (name === 'Inspected') return [name, ionTimestampFromMs(value)]
    return [name, ionInt(value)]
  })
  return ionRecord(Object.fromEntries(entries))
}
