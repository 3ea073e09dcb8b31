/** An address in an arena. */
export type Address = number

/** What `packages/mpc/assembly/psi` exports; each kernel's comment there says what it does. */
export interface PsiKernels {
  blake3Keyed(
    key: Address,
    rows: Address,
    width: number,
    counters: Address,
    out: Address,
    take: number,
    count: number,
  ): void
  columnsToRows(columns: Address, stride: number, groups: number, count: number, out: Address): void
  xorInto(a: Address, b: Address, bytes: number): void
  xorIntoStrided(a: Address, stride: number, b: Address, count: number): void
  xorMasked(rows: Address, other: Address, mask: Address, width: number, count: number): void
  compact(from: Address, width: number, out: Address, count: number): void
  threeBins(hashes: Address, count: number, bins: number, out: Address): void
  cuckooInsert(places: Address, count: number, table: Address, bins: number, limit: number): number
  buildTable(values: Address, count: number, table: Address, mask: number): void
  markMatches(
    values: Address,
    table: Address,
    mask: number,
    theirs: Address,
    width: number,
    count: number,
    matched: Address,
  ): void
  buildIndex(values: Address, count: number, table: Address, mask: number): void
  findPlaces(
    values: Address,
    table: Address,
    mask: number,
    theirs: Address,
    count: number,
    out: Address,
  ): void
  countUp(order: Address, count: number): void
  shuffle(order: Address, from: number, words: Address, available: number): number
  gatherPieces(pieces: Address, width: number, order: Address, count: number, out: Address): void
  keepDistinct(
    items: Address,
    count: number,
    kept: Address,
    size: number,
    limit: number,
    table: Address,
    mask: number,
  ): number
  pointsAround(center: Address, list: Address, count: number, products: Address, out: Address): number
  numberWords(words: Address, count: number, first: number, table: Address, mask: number): void
  findWords(words: Address, count: number, table: Address, mask: number, hints: Address, most: number): number
  kkrtInputs(
    rows: Address,
    places: Address,
    which: number,
    codes: Address,
    mask: Address,
    out: Address,
    counters: Address,
    count: number,
  ): void
  fillBins(
    table: Address,
    from: number,
    bins: number,
    items: Address,
    contents: Address,
    counters: Address,
  ): void
  binsToItems(table: Address, from: number, bins: number, values: Address, out: Address): void
  flipWhere(rows: Address, choices: Address, count: number): void
  okvsRows(rows: Address, count: number, parts: number, sparse: number): void
  okvsGroup(
    rows: Address,
    count: number,
    parts: number,
    starts: Address,
    order: Address,
    grouped: Address,
  ): void
  okvsPeel(
    rows: Address,
    count: number,
    first: number,
    sparse: number,
    degrees: Address,
    queue: Address,
    stack: Address,
  ): number
  okvsSubstitute(rows: Address, stack: Address, peeled: number, columns: Address, tables: Address): void
  okvsTables(columns: Address, parts: number, sparse: number, tables: Address): void
  okvsDecode(rows: Address, count: number, columns: Address, tables: Address, out: Address): void
  okvsValues(rows: Address, count: number, out: Address): void
  gfTable(factor: Address, table: Address): void
  gfMultiplyInto(a: Address, table: Address, out: Address, count: number): void
  gfCombine(rows: Address, count: number, out: Address): void
  ggmInputs(nodes: Address, stride: number, trees: number, count: number, both: number, out: Address): void
  ggmGrow(
    nodes: Address,
    stride: number,
    trees: number,
    count: number,
    both: number,
    inputs: Address,
    permuted: Address,
    sums: Address,
  ): void
  convolute(elements: Address, from: number, to: number, bits: Address, wide: number): void
  convoluteWrap(elements: Address, size: number, bits: Address, wide: number): void
  expand(
    elements: Address,
    size: number,
    draws: Address,
    regular: number,
    uniform: number,
    out: Address,
    count: number,
  ): void
  expandPairs(
    elements: Address,
    size: number,
    draws: Address,
    regular: number,
    uniform: number,
    out: Address,
    other: Address,
    count: number,
  ): void
  pairUp(a: Address, count: number, out: Address): void
}
