import type { Command } from 'commander'
import type { Act } from '../program.js'
import { example } from './options.js'

export function addStatus(program: Command, act: Act): void {
  example(
    program
      .command('status')
      .description('what is in the zone, and what waits for whom')
      .action(
        act(async context => {
          const zone = await context.zone()
          const { founding, releases } = zone.state
          const requests = zone.requests.list()
          const principals = zone.principals.list().filter(principal => !principal.removed)
          const datasets = zone.datasets.list().filter(dataset => !dataset.retired)
          const open = requests.filter(({ status }) => status === 'submitted' || status === 'approved')
          const summary = {
            zone: founding.zone,
            directory: zone.layout.root,
            origin: founding.origin,
            entries: zone.state.size,
            principals: principals.length,
            datasets: datasets.length,
            requests: requests.length,
            releases: releases.size,
            open,
          }
          return {
            json: summary,
            text: ui =>
              [
                ui.fields([
                  ['label.zone', founding.zone],
                  ['label.path', zone.layout.root],
                  ['label.entries', summary.entries],
                  ['label.principals', principals.map(({ name, role }) => `${name} (${role})`)],
                  ['label.datasets', datasets.map(({ name, version }) => `${name} v${version}`)],
                  ['label.requests', summary.requests],
                  ['label.releases', summary.releases],
                ]),
                ...(open.length === 0
                  ? []
                  : [
                      '',
                      ui.grid(
                        ['label.request', 'label.status', 'label.consumer', 'label.approvedBy'],
                        open.map(request => [
                          request.id,
                          request.status,
                          request.consumer,
                          request.approvedBy.join(', ') || ui.t('text.none'),
                        ]),
                      ),
                    ]),
              ].join('\n'),
          }
        }),
      ),
    'sluice status --zone zone',
  )
}
