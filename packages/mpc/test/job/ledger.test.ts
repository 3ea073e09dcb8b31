import { link, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { canonicalBytes } from '@sluice/core'
import { type JointBreak, type JointEnd, Ledger, openCommitment } from '@sluice/ledger'
import { parseTrust, verifyLedger } from '@sluice/ledger/verify'
import { PartyLedger, runJoint } from '@sluice/mpc'
import { describe, expect, it, onTestFinished } from 'vitest'
import { people } from '../session/parties.js'
import { BANDS, bank, bureau, c, forms, makeJob, rows } from './parties.js'
import { query } from './plans.js'

async function temporary(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-party-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  return folder
}

const inputs = [{ taxpayers: bureau() }, { loans: bank() }, {}]

/** The last entry of a party's ledger, once an independent verifier has read it all. */
async function verified(directory: string) {
  const trust = parseTrust(await readFile(join(directory, 'trust.json')))
  const report = await verifyLedger(join(directory, 'ledger'), { trust, threads: 0 })
  const ledger = await Ledger.open(join(directory, 'ledger'), { logKey: trust.logKey })
  const { predicate } = await ledger.entry(report.size - 1)
  return { report, predicate }
}

describe('a party’s own ledger', () => {
  it('holds start, end, what went over each connection and what was opened; both ends agree', async () => {
    const folder = await temporary()
    const job = await makeJob()
    const results = await Promise.all(
      people.map(async (signer, self) => {
        const ledger = await PartyLedger.open(join(folder, signer.name), signer)
        return runJoint(job, { signer, inputs: inputs[self]!, ledger, wait: 20 })
      }),
    )
    const ends: JointEnd[] = []
    for (const { name } of people) {
      const { report, predicate } = await verified(join(folder, name))
      expect(report.size).toBe(3)
      ends.push(predicate as JointEnd)
    }
    for (const [i, end] of ends.entries()) {
      expect(end).toMatchObject({ kind: 'joint-end', session: results[0]!.session })
      for (const [j, other] of ends.entries()) {
        if (i === j) continue
        const ours = end.links.find(({ peer }) => peer === people[j]!.name)!
        const theirs = other.links.find(({ peer }) => peer === people[i]!.name)!
        expect([ours.sent, ours.bytesSent]).toEqual([theirs.received, theirs.bytesReceived])
      }
    }
    const [{ opened }, , none] = ends as [JointEnd, JointEnd, JointEnd]
    expect(none.opened).toEqual([])
    const { run } = ends[0]!
    const kept = JSON.parse(await readFile(join(folder, 'bureau', 'results', `${run}-arrears.json`), 'utf8'))
    expect(kept.table).toEqual(results[0]!.tables[0])
    const { resultCommitment: commitment } = opened[0]!
    openCommitment('result', { salt: kept.salt, commitment }, canonicalBytes(kept.table))
    await expect(() =>
      openCommitment('result', { salt: kept.salt, commitment }, canonicalBytes({ ...kept.table, rows: [] })),
    ).toThrowWithCode('PROOF_INVALID')
  })

  it('holds the cells that were opened, where the plan hands out what is computed from them', async () => {
    const folder = await temporary()
    const cells = query({
      inputs: forms,
      where: c.greaterOrEqual('days', 30),
      groupBy: ['band'],
      aggregates: {
        firms: ['count'],
        tax: ['sum', 'tax'],
        late: ['count', undefined, c.less('tax', 'debt')],
      },
    })
    const tax = { kind: 'column', id: 2001, type: { kind: 'decimal', precision: 38, scale: 2 } } as const
    const firms = { kind: 'column', id: 2000, type: { kind: 'integer', bits: 64, signed: true } } as const
    const double = { kind: 'float', bits: 64 } as const
    const text = { kind: 'text' } as const
    const expression = { kind: 'call', type: double, function: 'divide', arguments: [tax, firms] } as const
    const plan = {
      ...cells,
      root: {
        kind: 'sort',
        keys: [{ expression: { ...firms, id: 3002 }, descending: false, nullsFirst: false }],
        input: {
          kind: 'project',
          input: cells.root,
          columns: [
            { id: 3000, name: 'band', type: text, expression: { kind: 'column', id: 1000, type: text } },
            { id: 3001, name: 'mean', type: double, expression },
            { id: 3002, name: 'firms', type: firms.type, expression: firms },
          ],
        },
      },
      output: [
        { name: 'band', id: 3000 },
        { name: 'mean', id: 3001 },
      ],
    }
    const job = await makeJob({
      operations: [{ name: 'means', plan, receivers: ['bureau'] }],
    })
    const [result] = await Promise.all(
      people.map(async (signer, self) => {
        const ledger = await PartyLedger.open(join(folder, signer.name), signer)
        return runJoint(job, { signer, inputs: inputs[self]!, ledger, wait: 20 })
      }),
    )
    const of = BANDS.map(band => {
      const inside = rows.filter(row => row.band === band && row.days >= 30)
      const sum = inside.reduce((all, row) => all + row.tax, 0n)
      return { band, firms: inside.length, mean: Number(sum) / 100 / inside.length }
    }).sort((a, b) => a.firms - b.firms)
    const [table] = result!.tables
    expect(table!.columns.map(({ name }) => name)).toEqual(['band', 'mean'])
    expect(table!.rows.map(([band]) => band)).toEqual(of.map(({ band }) => band))
    table!.rows.forEach(([, mean], row) => {
      expect(Number(mean)).toBeCloseTo(of[row]!.mean, 9)
    })
    const { predicate } = await verified(join(folder, 'bureau'))
    const { run } = predicate as JointEnd
    const kept = JSON.parse(await readFile(join(folder, 'bureau', 'results', `${run}-means.json`), 'utf8'))
    // the aggregate that nothing is made of is not opened
    expect(kept.table.columns.map(({ name }: { name: string }) => name)).toEqual(['band', 'firms', 'tax'])
    expect(kept.table.rows.map((row: string[]) => row[1])).toEqual(
      BANDS.map(band => String(of.find(found => found.band === band)!.firms)),
    )
  })

  it('holds what was opened also where the plan cannot be computed from it, which ends nobody else’s run', async () => {
    const folder = await temporary()
    const cells = query({ inputs: forms, groupBy: ['band'], aggregates: { tax: ['sum', 'tax'] } })
    const [double, money] = [
      { kind: 'float', bits: 64 },
      { kind: 'decimal', precision: 38, scale: 2 },
    ] as const
    const tax = { kind: 'column', id: 2000, type: money } as const
    const negative = { kind: 'call', type: money, function: 'negate', arguments: [tax] } as const
    const argument = { kind: 'cast', type: double, argument: negative } as const
    const root = { kind: 'call', type: double, function: 'squareRoot', arguments: [argument] } as const
    const plan = {
      ...cells,
      root: {
        kind: 'project',
        input: cells.root,
        columns: [{ id: 3000, name: 'root', type: double, expression: root }],
      },
      output: [{ name: 'root', id: 3000 }],
    }
    const job = await makeJob({
      operations: [
        { name: 'roots', plan, receivers: ['bureau'] },
        { name: 'sums', plan: cells, receivers: ['bank'] },
      ],
    })
    const results = await Promise.allSettled(
      people.map(async (signer, self) => {
        const ledger = await PartyLedger.open(join(folder, signer.name), signer)
        return runJoint(job, { signer, inputs: inputs[self]!, ledger, wait: 20 })
      }),
    )
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'fulfilled', 'fulfilled'])
    const [failed] = results as [PromiseRejectedResult]
    expect(failed.reason).toMatchObject({ code: 'RESULT_TOO_LARGE', rule: 'mpc.above' })
    const { predicate } = await verified(join(folder, 'bureau'))
    expect(predicate as JointEnd).toMatchObject({
      kind: 'joint-end',
      opened: [{ operation: 'roots', cells: BANDS.length, suppressed: 0 }],
    })
  })

  it('holds that a run broke off, with the code and the party that it names; the next run follows it', async () => {
    const directory = await temporary()
    const signer = people[0]!
    const job = await makeJob()
    const run = async () =>
      runJoint(job, {
        signer,
        inputs: inputs[0]!,
        ledger: await PartyLedger.open(directory, signer),
        wait: 0.1,
      })
    await expect(run()).toThrowWithCode('PEER_AWAY')
    await expect(run()).toThrowWithCode('PEER_AWAY')
    const { report, predicate } = await verified(directory)
    expect(report.size).toBe(5)
    expect(predicate as JointBreak).toMatchObject({ kind: 'joint-break', code: 'PEER_AWAY', session: null })
  })

  it('is one party’s alone, and is not begun anew where its log was lost', async () => {
    const directory = await temporary()
    await PartyLedger.open(directory, people[0]!)
    await expect(PartyLedger.open(directory, people[1]!)).toThrowWithCode('KEY_UNKNOWN', 'ledger.party')
    await rm(join(directory, 'ledger', 'checkpoint'))
    await expect(PartyLedger.open(directory, people[0]!)).toThrowWithCode('LEDGER_ROLLED_BACK')
    // a founding that was interrupted has left this
    await writeFile(join(directory, 'beginning'), '')
    expect(await PartyLedger.open(directory, people[0]!)).toBeInstanceOf(PartyLedger)
  })

  it('has its trust file whole or not at all: what a founding that was killed left is replaced, not written over', async () => {
    const directory = await temporary()
    await writeFile(join(directory, 'beginning'), '')
    await writeFile(join(directory, 'trust.json'), '{"torn')
    await link(join(directory, 'trust.json'), join(directory, 'before'))
    await PartyLedger.open(directory, people[0]!)
    expect(await readFile(join(directory, 'before'), 'utf8')).toBe('{"torn')
    expect((await verified(directory)).report.size).toBe(1)
  })

  it('says so where its directory is none', async () => {
    const directory = await temporary()
    await writeFile(join(directory, 'file'), '')
    await expect(PartyLedger.open(join(directory, 'file'), people[0]!)).toThrowWithCode('FILE_MISSING')
  })

  it('that was changed does not verify', async () => {
    const directory = await temporary()
    const signer = people[0]!
    const ledger = await PartyLedger.open(join(directory, 'own'), signer)
    const job = await makeJob()
    await expect(runJoint(job, { signer, inputs: inputs[0]!, ledger, wait: 0.1 })).toThrowWithCode(
      'PEER_AWAY',
    )
    const tile = join(directory, 'own', 'ledger', 'tile', 'entries', '000.p', '3')
    const bytes = await readFile(tile)
    bytes[bytes.length - 10]! ^= 1
    await writeFile(tile, bytes)
    await expect(verified(join(directory, 'own'))).rejects.toThrow()
  })
})
