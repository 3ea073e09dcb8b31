import { z } from 'zod'

/** What the descriptions of keyed rules share. */

export const KeyName = z
  .string()
  .regex(/^[a-z][a-z0-9_-]{0,62}$/)
  .describe('the name under which the command is given the key file: a lower-case word')

export const JoinDomain = z
  .string()
  .min(1)
  .max(128)
  .describe('who may join with whom: equal values match under one key and one domain, and under no other')

export const EntityColumn = z.string().min(1).max(255).describe('the column that says whose value it is')
