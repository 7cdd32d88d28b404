"use strict";
// Steps through a reviewed game. What comes from the game is only ever set as text.
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const byId = (id) => document.getElementById(id);
  const board = byId("board"), stones = byId("stones"), slider = byId("slider"), cursor = byId("cursor");
  const space = "http://www.w3.org/2000/svg", last = data.steps.length - 1;
  const mistakes = data.steps.flatMap((step, i) => (step.mistake ? [i] : []));
  let now = 0, better = false, seen = false;

  // The board after each number of moves, as it is asked for: every 50th is kept.
  const kept = new Map([[0, data.start]]);
  function boardAt(index) {
    let from = index;
    while (!kept.has(from)) from--;
    const points = kept.get(from).slice();
    for (let i = from + 1; i <= index; i++) {
      for (const [point, color] of data.steps[i].changes) points[point] = color;
      if (i % 50 === 0) kept.set(i, points.slice());
    }
    return points;
  }

  function draw(name, attributes, text) {
    const element = document.createElementNS(space, name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    if (text !== undefined) element.textContent = text;
    stones.append(element);
  }
  const place = (point) => [data.cell * ((point % data.size) + 1), data.cell * (Math.floor(point / data.size) + 1)];
  function stone(point, color, label) {
    const [x, y] = place(point);
    draw("circle", { cx: x, cy: y, r: data.cell * 0.47, fill: color === 1 ? "#111" : "#fafafa", stroke: color === 1 ? "#000" : "#555" });
    if (label) draw("text", { x, y: y + 4, "font-size": 12, "text-anchor": "middle", fill: color === 1 ? "#fff" : "#111" }, label);
  }
  function mark(point, color) {
    const [x, y] = place(point);
    draw("circle", { cx: x, cy: y, r: data.cell * 0.2, fill: "none", stroke: color, "stroke-width": 2.5 });
  }

  function show(index, asked) {
    now = Math.max(0, Math.min(last, index));
    const step = data.steps[now], line = step.better;
    const played = seen && step.seen !== null ? step.seen : better ? line : null;
    const shown = played !== null;
    const points = boardAt(shown ? now - 1 : now);
    stones.replaceChildren();
    points.forEach((color, point) => { if (color) stone(point, color); });
    if (shown) {
      let color = step.color;
      played.points.forEach((point, i) => { if (point < data.size ** 2) stone(point, color, String(i + 1)); color = 3 - color; });
    } else {
      if (step.point !== null && step.point < data.size ** 2) mark(step.point, "#d33");
      if (line && line.points[0] < data.size ** 2) {
        const [x, y] = place(line.points[0]);
        draw("circle", { cx: x, cy: y, r: data.cell * 0.4, fill: "#3aa6a0", "fill-opacity": 0.75 });
        draw("text", { x, y: y + 4, "font-size": 12, "text-anchor": "middle", fill: "#111" }, "A");
      }
    }
    const said = [step.title, step.text, step.standing].filter(Boolean).join(". ");
    byId("status").textContent = said;
    byId("status").className = step.mistake ? "mistake" : "";
    byId("line").textContent = line ? "Better: " + line.text : "";
    byId("rank").textContent = [step.rank, step.seen ? step.seen.text : ""].filter(Boolean).join(". ");
    byId("comment").textContent = step.comment;
    board.setAttribute("aria-label", (shown ? "A better line on the board: " + played.text + ". " : "") + said);
    byId("better").setAttribute("aria-pressed", String(better));
    byId("better").disabled = line === null;
    byId("seen").setAttribute("aria-pressed", String(seen));
    byId("seen").disabled = step.seen === null;
    slider.value = now;
    slider.setAttribute("aria-valuetext", step.title);
    const x = data.graph.left + (last ? (data.graph.width * now) / last : 0);
    cursor.setAttribute("x1", x);
    cursor.setAttribute("x2", x);
    for (const id of ["first", "previous"]) byId(id).disabled = now === 0;
    for (const id of ["next", "last"]) byId(id).disabled = now === last;
    if (asked) history.replaceState(null, "", "#move-" + now);
  }

  const go = { first: () => show(0, true), previous: () => show(now - 1, true), next: () => show(now + 1, true), last: () => show(last, true),
    "previous-mistake": () => { const found = mistakes.filter((i) => i < now).pop(); if (found !== undefined) show(found, true); },
    "next-mistake": () => { const found = mistakes.find((i) => i > now); if (found !== undefined) show(found, true); },
    better: () => { better = !better; seen = false; show(now, false); },
    seen: () => { seen = !seen; better = false; show(now, false); } };
  byId("seen").hidden = !data.steps.some((step) => step.seen);
  for (const [id, act] of Object.entries(go)) byId(id).addEventListener("click", act);
  slider.addEventListener("input", () => show(Number(slider.value), true));
  const keys = { ArrowLeft: "previous", ArrowRight: "next", ArrowUp: "previous-mistake", ArrowDown: "next-mistake", Home: "first", End: "last", b: "better", s: "seen" };
  document.addEventListener("keydown", (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey || event.target === slider || !(event.key in keys)) return;
    event.preventDefault();
    go[keys[event.key]]();
  });
  byId("graph").addEventListener("click", (event) => {
    const box = byId("graph").getBoundingClientRect();
    const at = ((event.clientX - box.left) / box.width) * data.graph.total;
    show(Math.round((last * (at - data.graph.left)) / data.graph.width), true);
  });
  byId("theme").addEventListener("click", () => {
    const root = document.documentElement, dark = matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = (root.dataset.theme || (dark ? "dark" : "light")) === "dark" ? "light" : "dark";
  });
  const asked = () => { const found = /^#move-(\d+)$/.exec(location.hash); return found ? Number(found[1]) : null; };
  addEventListener("hashchange", () => { if (asked() !== null) show(asked(), false); });
  show(asked() === null ? data.begin : asked(), false);
})();
