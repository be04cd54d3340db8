/** What the registry starts with: five people, their vehicles, registrations and licences. All of it is invented. */
import { Decimal } from 'ion-js'

/** Documents of one table: plain objects, as an application has them. The driver turns them into Ion. */
export type Records = readonly Readonly<Record<string, unknown>>[]

export const people: Records = [
  person('Ada', 'Lindqvist', '1981-03-14', '4 Quay Lane, Osterholm', 'OH-558-102'),
  person('Bram', 'Okonjo', '1990-11-02', '17 Mill Street, Tindale', 'TD-204-733'),
  person('Cleo', 'Marchetti', '1975-07-29', '2 Orchard Row, Brackwater', 'BW-911-046'),
  person('Dario', 'Whitlock', '1998-01-20', '88 Station Road, Tindale', 'TD-377-518'),
  person('Esme', 'Tanaka', '1969-09-08', '31 Harbour View, Osterholm', 'OH-120-649'),
]

export const vehicles: Records = [
  vehicle('CRN10000000000017', 'Estate', 2016, 'Harrier', 'Corsair', 'Slate'),
  vehicle('CRN10000000000024', 'Saloon', 2019, 'Norvik', 'Lumen', 'Ochre'),
  vehicle('CRN10000000000031', 'Van', 2012, 'Bexley', 'Porter', 'Chalk'),
  vehicle('CRN10000000000048', 'Motorcycle', 2021, 'Tarn', 'Kestrel 650', 'Rust'),
  vehicle('CRN10000000000055', 'Hatchback', 2018, 'Norvik', 'Pico', 'Fern'),
]

/** In the order of `vehicles`; `ownerIds` are the document ids that the ledger gave to `people`. */
export function registrations(ownerIds: readonly string[]): Records {
  return [
    registration(0, 'BW 1017', 'Brackwater', '0.00', ownerIds[0]),
    registration(1, 'TD 2024', 'Tindale', '45.50', ownerIds[1]),
    registration(2, 'BW 3031', 'Brackwater', '130.00', ownerIds[2]),
    registration(3, 'TD 4048', 'Tindale', '0.00', ownerIds[3]),
    registration(4, 'OH 5055', 'Osterholm', '18.75', ownerIds[4]),
  ]
}

export function licences(personIds: readonly string[]): Records {
  return [
    licence(personIds[0], 'LIC-70-1181', 'Full', '2015-06-01', '2035-05-31'),
    licence(personIds[1], 'LIC-70-2290', 'Full', '2012-02-15', '2032-02-14'),
    licence(personIds[2], 'LIC-70-3375', 'Goods', '2009-10-10', '2029-10-09'),
    licence(personIds[3], 'LIC-70-4498', 'Learner', '2023-04-03', '2026-04-02'),
    licence(personIds[4], 'LIC-70-5560', 'Full', '2001-12-20', '2031-12-19'),
  ]
}

function person(
  FirstName: string,
  LastName: string,
  born: string,
  Address: string,
  GovId: string,
): Records[number] {
  return { FirstName, LastName, DOB: new Date(born), Address, GovId, GovIdType: 'Passport' }
}

function vehicle(
  VIN: string,
  Type: string,
  Year: number,
  Make: string,
  Model: string,
  Color: string,
): Records[number] {
  return { VIN, Type, Year, Make, Model, Color }
}

function registration(
  vehicleIndex: number,
  LicensePlateNumber: string,
  City: string,
  penalties: string,
  ownerId: string | undefined,
): Records[number] {
  return {
    VIN: vehicles[vehicleIndex]?.['VIN'],
    LicensePlateNumber,
    State: 'North Vale',
    City,
    // A decimal keeps its cents exactly, and its two digits too: 0.00 is not 0.
    PendingPenaltyTicketAmount: new Decimal(penalties),
    ValidFromDate: new Date('2023-01-01'),
    ValidToDate: new Date('2027-12-31'),
    Owners: { PrimaryOwner: { PersonId: ownerId }, SecondaryOwners: [] },
  }
}

function licence(
  PersonId: string | undefined,
  LicenseNumber: string,
  LicenseType: string,
  from: string,
  to: string,
): Records[number] {
  return {
    PersonId,
    LicenseNumber,
    LicenseType,
    ValidFromDate: new Date(from),
    ValidToDate: new Date(to),
  }
}
