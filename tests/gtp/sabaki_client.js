// What Sabaki does with an engine, through its own protocol library: handshake, sync, move with analysis, analysis, leaving.
// Arguments: the server's command and its arguments. Prints one JSON object.

const {Controller, ControllerStateTracker} = require('@sabaki/gtp')

const send = (controller, name, ...args) => controller.sendCommand({name, args})

async function main() {
  const [command, ...args] = process.argv.slice(2)
  const controller = new Controller(command, args)
  const problems = []
  controller.start()
  const [name, version, protocol, list] = await Promise.all(
    ['name', 'version', 'protocol_version', 'list_commands'].map(text => send(controller, text))
  )
  const tracker = new ControllerStateTracker(controller)
  const played = (color, vertex) => ({name: 'play', args: [color, vertex]})
  const first = [{name: 'set_free_handicap', args: ['C3', 'G7']}, played('W', 'E5'), played('B', 'E4')]
  await tracker.sync({komi: 6.5, boardsize: [9, 9], history: first})
  await tracker.sync({komi: 0.5, boardsize: [9, 9], history: [...first.slice(0, 2), played('B', 'F5')]})
  await tracker.sync({komi: 0.5, boardsize: [13, 13], history: [played('B', 'K10'), played('W', 'pass')]})

  const commands = list.content.split('\n')
  const generated = []
  const genmove = await controller.sendCommand({name: 'genmove_analyze', args: ['B', '10']}, ({line}) => generated.push(line))

  const reports = []
  const analysis = controller.sendCommand({name: 'analyze', args: ['W', '10']}, ({line}) => reports.push(line))
  await new Promise(resolve => setTimeout(resolve, 1500))
  const stopped = send(controller, 'protocol_version')
  await analysis
  const answer = await stopped
  const board = await send(controller, 'showboard')
  const wrong = await send(controller, 'play', 'B', 'K10')

  if (commands.some(text => text !== text.trim() || text === '')) problems.push('list_commands has blanks')
  const stderr = []
  controller.on('stderr', ({content}) => stderr.push(content))
  const state = tracker.state // stopping clears it
  await controller.stop(3000)
  return JSON.stringify({
    name: name.content, version: version.content, protocol: protocol.content, commands, generated, reports,
    genmoveError: genmove.error, answer: answer.content, board: board.content, wrong, state, problems
  })
}

main().then(text => process.stdout.write(text, () => process.exit(0)), error => {
  console.error(error)
  process.exit(1)
})
