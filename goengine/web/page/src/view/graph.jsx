// Black's win rate and lead over the line through the present position.
const [WIDTH, HEIGHT] = [320, 90]

const leader = lead => (lead === 0 ? 'even' : `${lead > 0 ? 'Black' : 'White'} leads by ${Math.abs(lead).toFixed(1)}`)

export function Graph({model}) {
  const line = model.line
  const {reports} = model.analysis
  const last = Math.max(1, line.length - 1)
  const x = index => (index / last) * WIDTH
  const known = line.map((node, index) => [index, reports.get(node)]).filter(([, report]) => report)
  const most = Math.max(10, ...known.map(([, report]) => Math.abs(report.lead)))
  const path = value => known.map(([index, report], i) => `${i ? 'L' : 'M'}${x(index).toFixed(1)} ${value(report)}`).join('')
  const won = path(report => ((1 - report.winrate) * HEIGHT).toFixed(1))
  const lead = path(report => ((0.5 - report.lead / most / 2) * HEIGHT).toFixed(1))
  const here = x(line.indexOf(model.node))
  const now = reports.get(model.node)
  const text = now ? `Black wins ${(100 * now.winrate).toFixed(1)} %, ${leader(now.lead)}` : 'Not analysed'
  const jump = event => {
    const box = event.currentTarget.getBoundingClientRect()
    model.go(line[Math.round(((event.clientX - box.left) / box.width) * last)])
  }
  return (
    <figure class="panel graph">
      <svg
        viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" onClick={jump} role="img"
        aria-label={`Win rate over ${known.length} analysed positions of ${line.length}. ${text}.`}
      >
        <line class="even" x1="0" x2={WIDTH} y1={HEIGHT / 2} y2={HEIGHT / 2} />
        <path class="lead" d={lead} />
        <path class="won" d={won} />
        {known.length < 200 && known.map(([index, report]) => (
          <circle key={index} cx={x(index)} cy={(1 - report.winrate) * HEIGHT} r="1.6" />
        ))}
        <line class="here" x1={here} x2={here} y1="0" y2={HEIGHT} />
      </svg>
      <figcaption>{text} <span class="key won">win rate</span> <span class="key lead">lead ±{most.toFixed(0)}</span></figcaption>
    </figure>
  )
}
