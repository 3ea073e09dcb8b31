#!/usr/bin/env node
// node benchmarks/run.mjs [anonymize|gate|governed|he|ledger|mpc|psi …] [--json] [--entries=N] [--rows=N]: runs the named subjects,
// or all that are here. `--entries` is the size of the ledger that is verified, `--rows` that of the files of `psi`; with it
// `mpc` runs one joint job over so many rows and nothing else, with `--growth` what takes up to 10^7 rows, and gigabytes.
import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { availableParallelism, cpus, release, totalmem } from 'node:os'
import { fileURLToPath } from 'node:url'

const SUBJECTS = ['anonymize', 'classify', 'desensitize', 'gate', 'governed', 'he', 'ledger', 'mpc', 'psi']
const VERSIONED = ['@duckdb/node-api', 'apache-arrow', '@sluice/core']

const json = process.argv.includes('--json')
const sizes = Object.fromEntries(['entries', 'rows'].flatMap(sizeOf))
const named = process.argv.slice(2).filter(argument => !argument.startsWith('--'))
const unknown = named.filter(name => !SUBJECTS.includes(name) || !existsSync(fileOf(name)))
if (unknown.length > 0) {
  process.stderr.write(
    `there is no benchmark ${unknown.join(', ')}; ${SUBJECTS.filter(isThere).join(', ')} are here\n`,
  )
  process.exit(2)
}

const cases = []
for (const name of named.length > 0 ? named : SUBJECTS.filter(isThere)) {
  process.stderr.write(`measuring ${name}\n`)
  const { bench } = await import(`./${name}.mjs`)
  cases.push(...(await bench({ ...sizes, growing: process.argv.includes('--growth') })))
}
const report = { machine: machine(), versions: versions(), date: new Date().toISOString(), cases }
process.stdout.write(json ? `${JSON.stringify(report, null, 2)}\n` : table(report))

/** What the caller says of a size, if anything. */
function sizeOf(name) {
  const [, size] =
    process.argv
      .map(argument => argument.split(`--${name}=`))
      .find(([head, size]) => head === '' && /^[1-9]\d*$/.test(size ?? '')) ?? []
  return size === undefined ? [] : [[name, Number(size)]]
}

function fileOf(name) {
  return fileURLToPath(new URL(`./${name}.mjs`, import.meta.url))
}

function isThere(name) {
  return existsSync(fileOf(name))
}

function machine() {
  return {
    cores: availableParallelism(),
    processor: cpus()[0]?.model ?? 'unknown',
    memory: totalmem(),
    platform: `${process.platform} ${process.arch} ${release()}`,
  }
}

function versions() {
  const require = createRequire(import.meta.url)
  const found = VERSIONED.map(name => [name, versionOf(require, name)])
  return { node: process.version, ...Object.fromEntries(found) }
}

function versionOf(require, name) {
  const [folder] = require.resolve.paths(name).filter(path => existsSync(`${path}/${name}/package.json`))
  return folder === undefined
    ? 'unknown'
    : JSON.parse(readFileSync(`${folder}/${name}/package.json`, 'utf8')).version
}

function table({ machine: { cores, processor }, versions: known, cases: rows }) {
  const head = ['bench', 'case', 'metric', 'value', 'unit', 'peer', 'peerValue', 'ratio']
  const cells = [head, ...rows.map(row => head.map(key => String(row[key] ?? '')))]
  const widths = head.map((_, index) => Math.max(...cells.map(row => row[index].length)))
  const lines = cells.map(row =>
    row
      .map((cell, index) => cell.padEnd(widths[index]))
      .join('  ')
      .trimEnd(),
  )
  const versionText = Object.entries(known).map(([name, version]) => `${name} ${version}`)
  return [`${cores} cores, ${processor}; ${versionText.join(', ')}`, '', ...lines, ''].join('\n')
}
