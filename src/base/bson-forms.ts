/*
 * The forms of MongoDB's canonical extended JSON, by the types of BSON. Data from elsewhere may have a field `_bsontype`
 * and a name that begins with `$`, and is no value of BSON for that.
 */

type Check = (value: unknown) => boolean

/** Whether an object is the extended JSON of a type of BSON, as a value of that type gives it. */
export function isFormOf(type: unknown, form: object): boolean {
  return (typeof type === 'string' && FORMS.get(type)?.(form)) === true
}

const text = matching(/^/)
const number = matching(/^(?:NaN|-?Infinity|-?\d+(?:\.\d+)?(?:e[+-]?\d+)?)$/i)
const id = fields({ $oid: matching(/^[\da-f]{24}$/) })
const code: Check = (value) => fields({ $code: text })(value) || fields({ $code: text, $scope: isObject })(value)

const FORMS: ReadonlyMap<string, Check> = new Map<string, Check>([
  ['Binary', fields({ $binary: fields({ base64: matching(/^[\w+/-]*=*$/), subType: matching(/^[\da-f]{1,2}$/) }) })],
  ['BSONRegExp', fields({ $regularExpression: fields({ pattern: text, options: text }) })],
  ['BSONSymbol', fields({ $symbol: text })],
  ['Code', code],
  ['DBRef', isReference],
  ['Decimal128', fields({ $numberDecimal: number })],
  ['Double', fields({ $numberDouble: number })],
  ['Int32', fields({ $numberInt: integer(-(2n ** 31n), 2n ** 31n) })],
  ['Long', fields({ $numberLong: integer(-(2n ** 63n), 2n ** 64n) })],
  ['MaxKey', fields({ $maxKey: (value) => value === 1 })],
  ['MinKey', fields({ $minKey: (value) => value === 1 })],
  ['ObjectId', id],
  // of older versions
  ['ObjectID', id],
  ['Timestamp', fields({ $timestamp: fields({ t: isUint32, i: isUint32 }) })],
])

/** Check of an object: it has these fields and no other. */
function fields(checks: { readonly [name: string]: Check }): Check {
  const expected = Object.entries(checks)
  return (value) =>
    isObject(value) &&
    Object.keys(value).length === expected.length &&
    expected.every(([name, check]) => Object.hasOwn(value, name) && check(value[name]))
}

function matching(pattern: RegExp): Check {
  return (value) => typeof value === 'string' && pattern.test(value)
}

/** Check of the digits of an integer from `least` to below `end`. */
function integer(least: bigint, end: bigint): Check {
  return (value) =>
    typeof value === 'string' && /^-?\d{1,20}$/.test(value) && BigInt(value) >= least && BigInt(value) < end
}

function isUint32(value: unknown): boolean {
  return typeof value === 'number' && value >>> 0 === value
}

/** Whether a value is the form of a DBRef, which may have any fields besides. */
function isReference(value: unknown): boolean {
  if (!isObject(value) || !text(value['$ref']) || !Object.hasOwn(value, '$id')) return false
  return Object.keys(value).every((name) => !name.startsWith('$') || ['$ref', '$id', '$db'].includes(name))
}

function isObject(value: unknown): value is { readonly [name: string]: unknown } {
  return typeof value === 'object' && value !== null
}
