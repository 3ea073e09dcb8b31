/** Seconds of processor time that the action takes: unlike time on the wall, little disturbed by other work. */
export function cpuSeconds(action: () => unknown): number {
  const start = process.cpuUsage()
  action()
  const { user, system } = process.cpuUsage(start)
  return (user + system) / 1e6
}
