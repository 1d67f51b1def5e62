/** A cron expression, and the local times that it names, said without cron. */
export interface Job {
  readonly cron: string
  /** Whether it names a local time of day. */
  readonly names: (hour: number, minute: number) => boolean
  /** Whether minutes or hours begin with `*`: the job keeps its pace in an hour that comes twice. */
  readonly keepsPace: boolean
  readonly daily: boolean
}

/** Jobs once a day: at each half hour. */
export const DAILY: readonly Job[] = Array.from({ length: 48 }, (_, half) => {
  const [hour, minute] = [Math.floor(half / 2), (half % 2) * 30]
  return {
    cron: `${minute} ${hour} * * *`,
    names: (h: number, m: number) => h === hour && m === minute,
    keepsPace: false,
    daily: true,
  }
})

/** Jobs more often: by pace, or at fixed times of the hours in which clocks change. */
export const OFTEN: readonly Job[] = [
  often('*/30 * * * *', true, (_, minute) => minute % 30 === 0),
  often('0,30 * * * *', true, (_, minute) => minute % 30 === 0),
  often('20 */2 * * *', true, (hour, minute) => hour % 2 === 0 && minute === 20),
  often('*/15 0-3 * * *', true, (hour, minute) => hour <= 3 && minute % 15 === 0),
  often('0,30 0-3,22,23 * * *', false, (hour, minute) => (hour <= 3 || hour >= 22) && minute % 30 === 0),
  often('0-59/30 0-23 * * *', false, (_, minute) => minute % 30 === 0),
]

function often(cron: string, keepsPace: boolean, names: Job['names']): Job {
  return { cron, names, keepsPace, daily: false }
}
