// Writes what is generated from the built package: the policy's JSON Schema and the page of request states.
// `node packages/core/scripts/generate.mjs` after a build; a test fails where the files are not current.
import { writeFileSync } from 'node:fs'
import { requestStatesPage } from '@sluice/core/plan'
import { policyJsonSchema } from '@sluice/core/policy'

const core = new URL('../', import.meta.url)
writeFileSync(new URL('schema/policy.schema.json', core), `${JSON.stringify(policyJsonSchema(), null, 2)}\n`)
writeFileSync(new URL('../../docs/request-states.md', core), requestStatesPage())
