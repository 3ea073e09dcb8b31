import { unreachable, visibleText } from '@sluice/core'
import type { JointColumn, JointEvent, JointJob, JointResult, JointTable } from '@sluice/mpc'
import type { Reply } from '../output/reply.js'
import { indented, type Ui, visibleLines } from '../output/ui.js'
import type { Demonstration } from './demo.js'

/** A job as its parties read it before they sign. */
export async function shownJob(job: JointJob): Promise<Reply> {
  const [{ jobDigest }, { printPlan }] = await Promise.all([
    import('@sluice/mpc'),
    import('@sluice/core/plan'),
  ])
  const digest = jobDigest(job)
  return {
    json: { ...job, digest },
    text: ui =>
      [
        ui.fields([
          ['label.digest', digest],
          ['label.purpose', visibleText(job.purpose)],
          [
            'label.parties',
            job.parties.map(party =>
              party.role === 'computing'
                ? `${party.name}  ${party.role}  ${party.host}:${party.port}  ${party.key}`
                : `${party.name}  ${party.role}  ${party.key}`,
            ),
          ],
          ...(job.sharing === undefined
            ? []
            : [['label.jointSharing', sharingText(job.sharing, job, ui)] as const]),
          ['label.collusion', collusionText(job, ui)],
          [
            'label.inputs',
            job.inputs.flatMap(input => [
              `${input.name}  ${input.owner}  ${input.rows}  ${input.fingerprint}${input.reference === true ? `  ${ui.t('text.jointReference')}` : ''}`,
              ...input.columns.map(column => `  ${visibleText(describe(column, ui))}`),
            ]),
          ],
          ['label.jointMinimum', job.minimumEntities],
          [
            'label.jointLimits',
            ui.t('text.jointLimits', {
              seconds: job.limits.seconds,
              bytes: job.limits.bytes.toLocaleString('en-US'),
              memory: job.limits.memory.toLocaleString('en-US'),
            }),
          ],
        ]),
        ...job.operations.flatMap(({ name, plan, statistic, receivers }) => [
          '',
          ui.style('bold', `${name} → ${receivers.join(', ')}`),
          ...(statistic === undefined ? [] : [`  ${visibleText(JSON.stringify(statistic))}`]),
          ...visibleLines(printPlan(plan)).map(line => `  ${line}`),
        ]),
      ].join('\n'),
  }
}

/** The parties who hold shares, by their names. */
function computingIn({ parties }: JointJob): string[] {
  return parties.filter(({ role }) => role === 'computing').map(({ name }) => name)
}

function sharingText(sharing: NonNullable<JointJob['sharing']>, job: JointJob, ui: Ui): string {
  const size = computingIn(job).length
  switch (sharing.kind) {
    case 'shamir':
      return ui.t('text.jointSharing.shamir', { threshold: sharing.threshold, size })
    case 'dealer':
      return ui.t('text.jointSharing.dealer', { size })
    case 'replicated':
      return ui.t('text.jointSharing.replicated')
  }
}

/** Who must not put together what they hold. */
function collusionText(job: JointJob, ui: Ui): string {
  const parties = computingIn(job).join(', ')
  switch (job.sharing?.kind) {
    case 'shamir':
      return ui.t('text.jointShamir', { threshold: job.sharing.threshold, parties })
    case 'dealer': {
      const dealer = job.parties.find(({ role }) => role === 'dealer')!.name
      return ui.t('text.jointDealer', { dealer, parties })
    }
    default:
      return ui.t('text.jointCollusion', { parties })
  }
}

/** What a party's terminal says at the end. */
export function shownResult(
  digest: string,
  ledger: string,
  { session, tables, left, traffic }: JointResult,
): Reply {
  return {
    json: { job: digest, session, tables, left, traffic, ledger },
    text: ui =>
      [
        ...(tables.length === 0
          ? [ui.t('text.jointNotReceiver')]
          : tables.map(table => shownTable(table, ui))),
        '',
        ...(left.length === 0 ? [] : [ui.t('text.jointLeft', { parties: left.join(', ') })]),
        ui.t('text.jointTraffic', {
          rounds: traffic.rounds,
          sent: traffic.bytesSent.toLocaleString('en-US'),
          received: traffic.bytesReceived.toLocaleString('en-US'),
        }),
        ui.t('text.jointRecorded', { ledger }),
      ].join('\n'),
  }
}

/** What the terminals of a demonstration said, one after the other. */
export function shownDemo({ directory, ends }: Demonstration, json: boolean): Reply {
  const failed = ends.find(({ exitCode }) => exitCode !== 0)
  return {
    json: {
      directory,
      parties: Object.fromEntries(
        ends.map(({ name, exitCode, stdout, stderr }) => [
          name,
          // each party was asked for JSON where this command was
          exitCode === 0 && json ? JSON.parse(stdout) : { exitCode, stderr },
        ]),
      ),
    },
    text: ui =>
      [
        ui.t('text.jointDemo', { directory }),
        ...ends.flatMap(({ name, stdout, stderr }) => [
          '',
          ui.style('bold', name),
          indented(`${stdout}${stderr}`.trimEnd().split('\n')),
        ]),
      ].join('\n'),
    ...(failed !== undefined && { exitCode: failed.exitCode ?? 1 }),
  }
}

/** A line of progress; machines get the event beside it, as it is. */
export function stageOf(
  event: JointEvent,
  ui: Ui,
): { readonly stage: string; readonly fraction?: number; readonly event: JointEvent } {
  switch (event.kind) {
    case 'listening':
      return { stage: ui.t('text.jointListening', { host: event.host, port: event.port }), event }
    case 'calling': {
      const { party, host, port } = event
      return { stage: ui.t('text.jointCalling', { party, host, port }), event }
    }
    case 'connected':
      return { stage: ui.t('text.jointConnected', { party: event.party }), event }
    case 'refused':
      return { stage: ui.t('text.jointRefused', { from: event.from, reason: event.reason }), event }
    case 'reading':
      return { stage: ui.t('text.jointReading', { input: event.input }), ...fractionOf(event), event }
    case 'computing': {
      const [sent, received] = [event.bytesSent, event.bytesReceived].map(bytes =>
        bytes.toLocaleString('en-US'),
      )
      const { operation, rows, rounds } = event
      const values = { operation, rows, rounds, sent: sent!, received: received! }
      return { stage: ui.t('text.jointComputing', values), ...fractionOf(event), event }
    }
  }
}

function fractionOf({ rows, of }: { readonly rows: number; readonly of: number }): { fraction: number } {
  return { fraction: of === 0 ? 1 : Math.min(1, rows / of) }
}

const SUPPRESSED = '‹minimum-entities›'

function shownTable({ operation, columns, rows }: JointTable, ui: Ui): string {
  const heads = columns.map(({ name, is }) => ({
    head: visibleText(name),
    align: is === 'key' ? ('left' as const) : ('right' as const),
  }))
  const cells = rows.map(row => row.map(value => (value === null ? SUPPRESSED : visibleText(value))))
  return `${ui.style('bold', operation)}\n${ui.grid(heads, cells)}`
}

function describe({ name, type, nullable }: JointColumn, ui: Ui): string {
  const ordered = type.kind === 'number' && type.orderStatistics === true
  const allowed = ordered ? `  ${ui.t('text.jointOrderStatistics')}` : ''
  return `${name}  ${kindOf(type, ui)}${nullable ? '  null' : ''}${allowed}`
}

function kindOf(type: JointColumn['type'], ui: Ui): string {
  switch (type.kind) {
    case 'number':
      return ui.t('text.jointNumber', { bound: type.bound, scale: type.scale })
    case 'category':
      return ui.t('text.jointCategory', { categories: type.categories.join(' | ') })
    case 'code':
      return ui.t('text.jointCode', { alphabet: type.alphabet, length: type.length })
    default:
      return unreachable(type)
  }
}
