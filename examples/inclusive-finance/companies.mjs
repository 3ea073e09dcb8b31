// Made-up companies, the same at every run: what the bureau knows of them, what the bank knows of them, and what nobody
// may know but who has both tables.
const COUNT = 12_000
const BANDS = ['A', 'B', 'C', 'D']
const INDUSTRIES = ['农业', '制造', '批发零售', '住宿餐饮', '采矿']

/** A linear congruential sequence (Knuth, TAOCP 2, section 3.3.4): for examples, never for secrets. */
function* sequence(seed) {
  for (let state = BigInt(seed); ; ) {
    state = (state * 6364136223846793005n + 1442695040888963407n) % 2n ** 64n
    yield Number(state >> 33n)
  }
}

const random = sequence(2026)
const next = below => random.next().value % below

const COMPANIES = Array.from({ length: COUNT }, (_, index) => ({
  company: `91${String(440_000 + index)}MA${String(index).padStart(8, '0')}`,
  band: BANDS[Math.floor((next(100) * next(100)) / 2501)],
  industry: next(400) === 0 ? '采矿' : INDUSTRIES[next(4)],
  tax: next(8_000_000),
  debt: next(90_000_000),
  days: next(10) < 8 ? 0 : next(400),
}))

const money = cents => `${Math.floor(cents / 100)}.${String(cents % 100).padStart(2, '0')}`

export function taxpayers() {
  const rows = COMPANIES.map(({ company, band, tax }) => `${company},${band},${money(tax)}\n`)
  return `company,band,tax\n${rows.join('')}`
}

/** In another order: a bank knows its customers by other numbers. */
export function loans() {
  const rows = COMPANIES.map(
    ({ company, industry, debt, days }) => `${company},${industry},${money(debt)},${days}\n`,
  )
  return `company,industry,debt,days\n${rows.reverse().join('')}`
}

/** The same by an ordinary loop over both tables, as the job's result has it. */
export function plainly(minimum) {
  return INDUSTRIES.flatMap(industry =>
    BANDS.map(band => {
      const inside = COMPANIES.filter(
        given =>
          given.industry === industry && given.band === band && given.days > 90 && given.debt > given.tax,
      )
      if (inside.length < minimum) return [industry, band, null, null]
      return [industry, band, String(inside.length), money(inside.reduce((sum, { debt }) => sum + debt, 0))]
    }),
  )
}
