#!/usr/bin/env node
// Writes docs/cli.md from the commands themselves; a test says when it is out of date.
// usage (after a build): node packages/cli/scripts/generate.mjs
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { commandReference } from '../dist/main.js'

writeFileSync(fileURLToPath(new URL('../../../docs/cli.md', import.meta.url)), commandReference())
