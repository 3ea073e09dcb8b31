import { readFileSync } from 'node:fs'
import { REQUEST_STATES, requestStatesPage } from '@sluice/core/plan'
import { policyJsonSchema } from '@sluice/core/policy'
import { describe, expect, it } from 'vitest'

const read = (path: string) => readFileSync(new URL(`../${path}`, import.meta.url), 'utf8')

describe('generated files are current (node packages/core/scripts/generate.mjs)', () => {
  it('the JSON Schema of the policy', () => {
    expect(JSON.parse(read('schema/policy.schema.json'))).toEqual(
      JSON.parse(JSON.stringify(policyJsonSchema())),
    )
  })

  it('the page of request states', () => {
    const page = read('../../docs/request-states.md')
    expect(page).toBe(requestStatesPage())
    for (const state of REQUEST_STATES) expect(page).toMatch(new RegExp(`^\\| ${state} +\\|`, 'm'))
  })
})
