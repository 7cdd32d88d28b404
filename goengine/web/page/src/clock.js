// A player's time: the same rules as the engine's own clock.

export const start = clock => ({main: clock.main, period: clock.period, stones: clock.stones})

// What is left after a move that took so long; null where the time is up.
export function spend(clock, left, seconds) {
  if (clock.kind === 'none') return left
  const over = Math.max(0, seconds - left.main)
  const main = Math.max(0, left.main - seconds)
  if (clock.kind === 'fischer') return over > 0 ? null : {...left, main: main + clock.increment}
  if (clock.kind === 'absolute') return over > 0 ? null : {...left, main}
  if (over === 0 && main > 0) return {...left, main}
  if (clock.kind === 'byoyomi') {
    const stones = left.stones - Math.floor(over / clock.period)
    return stones < 1 ? null : {main: 0, period: clock.period, stones}
  }
  const period = left.period - over // canadian
  if (period < 0) return null
  return left.stones > 1 ? {main: 0, period, stones: left.stones - 1} : {main: 0, period: clock.period, stones: clock.stones}
}

// What a clock shows while a move has taken so long.
export function shown(clock, left, seconds) {
  if (clock.kind === 'none') return ''
  const main = left.main - seconds
  if (main > 0 || clock.kind === 'fischer' || clock.kind === 'absolute') return minutes(Math.max(0, main))
  if (clock.kind === 'byoyomi') {
    const used = Math.floor(-main / clock.period)
    return `${minutes(Math.max(0, clock.period - (-main - used * clock.period)))} (${Math.max(0, left.stones - used)})`
  }
  return `${minutes(Math.max(0, left.period + main))} / ${left.stones}`
}

function minutes(seconds) {
  const whole = Math.ceil(seconds)
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, '0')}`
}
