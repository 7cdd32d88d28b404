import {Goban} from '@sabaki/shudan'
import {useEffect, useRef} from 'preact/hooks'
import {NAME} from '../rules.js'
import {crossings, start} from '../picture.js'

const UNSURE = 0.8 // confidence below which a crossing is pointed out
const SIDE = 460 // pixels of the board

// A picture with what was read on it, beside the board that can be corrected.
export function PictureDialog({model}) {
  const dialog = useRef()
  useEffect(() => dialog.current.showModal(), [])
  const {picture} = model
  const board = picture.boards[picture.chosen]
  const {signs, toPlay} = picture.corrected[picture.chosen]
  const vertexSize = Math.floor(Math.min(SIDE, window.innerWidth - 60) / (board.size + 2.4))
  return (
    <dialog ref={dialog} class="picture" onClose={() => model.closePicture()} aria-label="Position of a picture">
      <h2>Is this the position?</h2>
      <div class="compared">
        <div class="seen">
          <img src={picture.url} alt="The picture" />
          <Read picture={picture} board={board} />
        </div>
        <div class="read" role="img" aria-label={`Board of ${board.size} by ${board.size} that was read. A click changes a point.`}>
          <Goban
            vertexSize={vertexSize} signMap={signs} showCoordinates markerMap={unsure(board)}
            onVertexMouseUp={(event, vertex) => event.button === 0 && model.correct(vertex)}
          />
        </div>
      </div>
      <p>
        Click a point to change it: empty, black, white.{' '}
        {[...picture.notes, ...board.notes].map(note => `${note}.`).join(' ')} Crosses are where the reader was not sure.
      </p>
      {model.pictureError && <p class="error" role="alert">{model.pictureError}</p>}
      <div class="controls">
        {picture.boards.length > 1 && (
          <label>Board <select name="board" value={picture.chosen} onChange={event => model.chooseBoard(Number(event.currentTarget.value))}>
            {picture.boards.map((_, index) => <option key={index} value={index}>{index + 1}</option>)}
          </select></label>
        )}
        <label>To move <select name="toPlay" value={toPlay} onChange={event => model.correctTurn(event.currentTarget.value)}>
          {['B', 'W'].map(color => <option key={color} value={color}>{NAME[color]}</option>)}
        </select></label>
        <button class="main" onClick={() => model.usePicture()}>Use this position</button>
        <button onClick={() => dialog.current.close()}>Cancel</button>
      </div>
    </dialog>
  )
}

// What was read, drawn over the picture in its own pixels.
function Read({picture, board}) {
  const frame = board.corners.map(corner => corner.join(',')).join(' ')
  return (
    <svg viewBox={`0 0 ${picture.width} ${picture.height}`} aria-hidden="true">
      <polygon points={frame} class="frame" />
      {crossings(board).map(({x, y, row, column, step}) => {
        const kind = {X: 'black', O: 'white'}[board.stones[row][column]] ?? 'empty'
        const weak = board.confidence[row][column] < UNSURE ? ' weak' : ''
        const radius = step * (kind === 'empty' ? 0.1 : 0.34)
        return <circle key={`${row},${column}`} cx={x.toFixed(1)} cy={y.toFixed(1)} r={radius.toFixed(1)} class={kind + weak} />
      })}
    </svg>
  )
}

function unsure(board) {
  const {row, column} = start(board)
  const map = Array.from({length: board.size}, () => Array(board.size).fill(null))
  board.confidence.forEach((line, y) => line.forEach((sure, x) => {
    if (sure < UNSURE) map[row + y][column + x] = {type: 'cross'}
  }))
  return map
}
