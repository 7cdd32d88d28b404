// The WebSocket to the engine: questions with answers, connected again when it breaks. Questions without a last answer are
// asked again then.

const LONGEST_WAIT = 5000

export class Live {
  constructor(onState) {
    this._onState = onState // told {engine, text}
    this._asked = new Map()
    this._count = 0
    this._wait = 250
    this._connect()
  }

  // Ask; onAnswer gets every answer, the last one with `final`. Returns the id.
  ask(message, onAnswer) {
    const id = `q${++this._count}`
    this._asked.set(id, {message: {...message, id}, onAnswer})
    this._send({...message, id})
    return id
  }

  cancel(id) {
    if (this._asked.delete(id)) this._send({type: 'cancel', id})
  }

  _send(message) {
    if (this._socket.readyState === WebSocket.OPEN) this._socket.send(JSON.stringify(message))
  }

  _connect() {
    this._socket = new WebSocket(`ws://${location.host}/live`)
    this._socket.onopen = () => {
      for (const {message} of this._asked.values()) this._send(message)
    }
    this._socket.onmessage = event => this._hear(JSON.parse(event.data))
    this._socket.onclose = () => {
      this._onState({engine: 'away', text: 'goengine web does not answer: is it still running? The page tries again.'})
      setTimeout(() => this._connect(), this._wait)
      this._wait = Math.min(LONGEST_WAIT, 2 * this._wait)
    }
  }

  _hear(answer) {
    if (answer.type === 'status') {
      this._wait = 250
      this._onState(answer)
      return
    }
    const asked = this._asked.get(answer.id)
    if (answer.final) this._asked.delete(answer.id)
    if (asked) asked.onAnswer(answer)
    else if (answer.type === 'error' && !answer.id) this._onState({engine: 'refused', text: answer.error})
  }
}
