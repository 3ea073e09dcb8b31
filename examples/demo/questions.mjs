// What the consumer asks in the demonstration: three questions that are answered, two that are refused, and one
// that would single out routes with too few flights.

import { t } from '@sluice/sandbox'

export const costByDamage = {
  title: 'Cost of bird strikes by damage and size of the animal',
  purpose: 'aviation-safety',
  sql: `SELECT "Effect Amount of damage" AS damage, "Wildlife Size" AS size,
       count(*) AS strikes, sum("Cost Total $") AS cost
FROM bird_strikes
WHERE "Effect Amount of damage" IN ('None', 'Minor', 'Medium', 'Substantial')
GROUP BY damage, size
ORDER BY damage, size`,
}

export const strikesByState = {
  title: 'Bird strikes by state and time of day',
  purpose: 'aviation-safety',
  sql: `SELECT "Origin State" AS state, "Time of day" AS time_of_day, count(*) AS strikes
FROM bird_strikes
GROUP BY ALL
ORDER BY state, time_of_day`,
}

export const delaysByOrigin = {
  title: 'The busiest airports and their delays, over 3,000,000 flights',
  purpose: 'network-planning',
  sql: `SELECT origin, count(*) AS flights, avg(delay) AS mean_delay,
       count(*) FILTER (WHERE delay > 60) AS over_an_hour
FROM flights
WHERE date >= $since
GROUP BY origin
HAVING count(*) > 20000
ORDER BY flights DESC
LIMIT 12`,
  parameters: { since: t.timestamp({ min: '2001-01-01T00:00:00', max: '2001-07-01T00:00:00' }) },
  values: { since: '2001-01-01T00:00:00' },
}

export const refusedByGate = {
  title: 'A file outside the catalogue, read through the back door',
  purpose: 'aviation-safety',
  sql: `SELECT content
FROM read_text('/etc/passwd')`,
}

export const refusedByPolicy = {
  title: 'Costs by name of the airline',
  purpose: 'aviation-safety',
  sql: `SELECT "Aircraft Airline Operator" AS airline, sum("Cost Total $") AS cost
FROM bird_strikes
GROUP BY airline`,
}

export const unapproved = {
  title: 'Flights by hour of the day, before the owner has signed',
  purpose: 'network-planning',
  sql: `SELECT extract(hour FROM date) AS hour, count(*) AS flights
FROM flights
GROUP BY hour`,
}

export const refusedByDisclosure = {
  title: 'Flights by route and day: many cells of fewer than ten flights',
  purpose: 'network-planning',
  sql: `SELECT origin, destination, date_trunc('day', date) AS day, count(*) AS flights
FROM flights
WHERE date < DATE '2001-02-01'
GROUP BY ALL`,
}
