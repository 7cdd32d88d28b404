// What a tab keeps: in the browser, and on the server for browsers that cannot. Each tab has a name of its own.

const MOST_TABS = 20
const PREFIX = 'goengine.tab.'

const newName = () => Array.from(crypto.getRandomValues(new Uint8Array(10)), n => n.toString(36).padStart(2, '0')).join('')

// The name of this tab; one that another living tab has (this one is its copy) is given up, its game is kept.
export async function openTab() {
  const before = sessionStorage.getItem('goengine.tab')
  if (before && (await hold(before))) return {tab: before, state: await read(before)}
  const tab = newName()
  sessionStorage.setItem('goengine.tab', tab)
  await hold(tab)
  return {tab, state: before ? await read(before) : null}
}

// Hold a name as long as this page lives. False if another page does, for longer than a reload takes.
async function hold(tab) {
  if (!navigator.locks) return true
  for (let attempt = 0; attempt < 10; attempt++) {
    const got = await new Promise(resolve => {
      navigator.locks.request(PREFIX + tab, {ifAvailable: true}, lock => {
        resolve(lock !== null)
        return lock && new Promise(() => {})
      })
    })
    if (got) return true
    await new Promise(resolve => setTimeout(resolve, 30))
  }
  return false
}

async function read(tab) {
  try {
    const text = localStorage.getItem(PREFIX + tab)
    if (text) return JSON.parse(text)
  } catch {
    // the server may have it
  }
  try {
    const response = await fetch(`/kept/${tab}`)
    return response.status === 200 ? await response.json() : null
  } catch {
    return null
  }
}

export function write(tab, state) {
  const text = JSON.stringify({...state, time: Date.now()})
  try {
    localStorage.setItem(PREFIX + tab, text)
    forgetOld()
  } catch {
    localStorage.removeItem(PREFIX + tab) // too large: rather none than an old one
  }
  return text
}

// A short text is sent even while the page goes away; browsers do that up to 64 kB.
export function writeToServer(tab, text) {
  fetch(`/kept/${tab}`, {method: 'PUT', body: text, keepalive: text.length < 20_000}).catch(() => {})
}

function forgetOld() {
  const names = Object.keys(localStorage).filter(name => name.startsWith(PREFIX))
  if (names.length <= MOST_TABS) return
  const time = name => Number(/"time":(\d+)\}$/.exec(localStorage.getItem(name))?.[1] ?? 0)
  names.sort((a, b) => time(a) - time(b))
  for (const name of names.slice(0, names.length - MOST_TABS)) localStorage.removeItem(name)
}

export function readSettings() {
  try {
    return JSON.parse(localStorage.getItem('goengine.settings')) ?? {}
  } catch {
    return {}
  }
}

export const writeSettings = settings => {
  try {
    localStorage.setItem('goengine.settings', JSON.stringify(settings))
  } catch {
    // they are the same again next time
  }
}
