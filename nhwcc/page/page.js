"use strict";
// Draws one group of a network at a time; everything else stays data until it is looked at.
const data = JSON.parse(document.getElementById("data").textContent);
const SVG = "http://www.w3.org/2000/svg", HEIGHT = 38, LONGEST = 44;
const short = text => text.length > LONGEST ? text.slice(0, LONGEST - 1) + "…" : text;

function make(tag, given = {}, ...inside) {
  const element = document.createElement(tag);
  Object.assign(element, given);
  element.append(...inside);
  return element;
}
function draw(tag, given = {}, ...inside) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(given)) element.setAttribute(name, value);
  element.append(...inside);
  return element;
}
function bytes(count) {
  const units = ["B", "kB", "MB", "GB"];
  let unit = 0;
  while (count >= 1000 && unit < units.length - 1) { count /= 1000; unit++; }
  return (unit && count < 100 ? count.toFixed(1) : Math.round(count)) + " " + units[unit];
}

for (const network of data.networks) {
  network.byOrigin = new Map();
  network.readers = network.ops.map(() => []);
  network.ops.forEach((op, number) => {
    for (const origin of op.origins || []) {
      if (!network.byOrigin.has(origin)) network.byOrigin.set(origin, []);
      network.byOrigin.get(origin).push(number);
    }
    for (const read of op.reads || []) network.readers[read].push(number);
    op.words = [op.kind, op.detail, op.path, ...(op.origins || []), ...(op.tensors || [])].join("\n").toLowerCase();
  });
}

const path = (network, group) => {
  const titles = [];
  for (let at = group; network.groups[at].parent !== null; at = network.groups[at].parent) titles.unshift(network.groups[at].title);
  return titles.join("/");
};
const same = (network, op, other) =>
  [...new Set((op.origins || []).flatMap(origin => other.byOrigin.get(origin) || []))];

class Pane {
  constructor(element, number) {
    this.number = number;
    this.chosen = new Set();
    this.select = make("select", { title: "which network" });
    data.networks.forEach((network, i) => this.select.append(make("option", { value: i, textContent: network.title })));
    this.select.addEventListener("change", () => this.show(Number(this.select.value), 0));
    this.trail = make("span");
    this.strip = make("canvas", { height: 26, title: "all operations in their order; transposes are red" });
    this.strip.addEventListener("click", event => {
      const share = event.offsetX / this.strip.clientWidth;
      follow(this, Math.min(Math.floor(share * this.network.ops.length), this.network.ops.length - 1));
    });
    this.svg = draw("svg");
    this.info = make("div", { className: "info" });
    element.append(make("div", { className: "top" }, this.select, this.trail), this.strip, this.svg, this.info);
    this.navigate();
  }
  navigate() {
    let from = null;
    this.svg.addEventListener("wheel", event => {
      event.preventDefault();
      const scale = Math.exp(event.deltaY / 500), box = this.box, place = this.svg.getBoundingClientRect();
      const x = box[0] + box[2] * (event.clientX - place.left) / place.width;
      const y = box[1] + box[3] * (event.clientY - place.top) / place.height;
      this.look([x - (x - box[0]) * scale, y - (y - box[1]) * scale, box[2] * scale, box[3] * scale]);
    }, { passive: false });
    this.svg.addEventListener("pointerdown", event => { from = { x: event.clientX, y: event.clientY, box: this.box }; });
    window.addEventListener("pointerup", () => { from = null; });
    window.addEventListener("pointermove", event => {
      if (!from) return;
      const place = this.svg.getBoundingClientRect(), scale = from.box[2] / place.width;
      this.look([from.box[0] - (event.clientX - from.x) * scale, from.box[1] - (event.clientY - from.y) * scale, from.box[2], from.box[3]]);
    });
  }
  look(box) {
    this.box = box;
    this.svg.setAttribute("viewBox", box.join(" "));
  }
  get network() { return data.networks[this.index]; }
  show(index, group) {
    this.index = index;
    this.group = group;
    this.select.value = index;
    const drawing = this.network.groups[group], parts = [];
    for (const [route, type] of drawing.arrows) parts.push(this.arrow(route, type));
    for (const box of drawing.boxes) parts.push(this.boxOf(box));
    this.svg.replaceChildren(...parts);
    const xs = drawing.boxes.flatMap(b => [b[1] - b[3] / 2, b[1] + b[3] / 2]), ys = drawing.boxes.map(b => b[2]);
    const left = Math.min(...xs) - 20, top = Math.min(...ys) - 40, wide = Math.max(...xs) + 20 - left, high = Math.max(...ys) + 40 - top;
    const place = this.svg.getBoundingClientRect(), ratio = place.height / Math.max(place.width, 1) || 1;
    const across = Math.max(wide, Math.min(high / ratio, 2.2 * (place.width || 600)), 300);
    const chosen = drawing.boxes.find(b => this.chosen.has(b[0])), seen = across * ratio;
    const y = chosen ? Math.max(top, Math.min(chosen[2] - seen / 2, top + high - seen)) : top;
    this.look([left - (across - wide) / 2, y, across, seen]);
    this.way();
    this.paintStrip();
  }
  way() {
    const steps = [];
    for (let at = this.group; at !== null; at = this.network.groups[at].parent) {
      const group = at, title = this.network.groups[at].title || "whole network";
      steps.unshift(make("button", { className: "link", textContent: title, onclick: () => open(this, group) }), " / ");
    }
    this.trail.replaceChildren(...steps.slice(0, -1));
  }
  arrow(route, type) {
    const last = route.length - 2;
    let text = `M${route[0]},${route[1] + HEIGHT / 2}`;
    for (let i = 2; i <= last; i += 2) {
      const y0 = route[i - 1] + (i === 2 ? HEIGHT / 2 : 0), y1 = route[i + 1] - (i === last ? HEIGHT / 2 : 0), bend = (y1 - y0) / 2;
      text += `C${route[i - 2]},${y0 + bend} ${route[i]},${y1 - bend} ${route[i]},${y1}`;
    }
    return draw("path", { d: text }, draw("title", {}, type));
  }
  boxOf([member, x, y, width, outside]) {
    const op = this.network.ops[member], group = op ? null : this.network.groups[~member];
    const counts = group ? group.counts : {}, all = Object.values(counts).reduce((a, b) => a + b, 0);
    const look = data.looks[op ? op.category : counts.transpose ? "transposes" : "group"];
    const lines = op ? [op.kind, op.detail] : [group.title, `${all} operations, ${counts.transpose || 0} transposes`];
    const box = draw("g", { class: [outside ? "outside" : "", group ? "group" : "", this.chosen.has(member) ? "chosen" : ""].join(" ") },
      draw("rect", { x: x - width / 2, y: y - HEIGHT / 2, width, height: HEIGHT, fill: look.fill, stroke: look.line }),
      draw("text", { x, y: y - 3, fill: look.text }, short(lines[0])),
      draw("text", { x, y: y + 11, fill: look.text, class: "detail" }, short(lines[1] || "")),
      draw("title", {}, op ? [op.text || op.kind, ...(op.origins || [])].join("\n") : path(this.network, ~member)));
    box.addEventListener("click", () => op ? follow(this, member) : open(this, ~member));
    return box;
  }
  paintStrip() {
    const canvas = this.strip, ops = this.network.ops, wide = canvas.width = canvas.clientWidth || 600, brush = canvas.getContext("2d");
    const bar = (number, colour, least) => {
      brush.fillStyle = colour;
      brush.fillRect(number * wide / ops.length, 4, Math.max(wide / ops.length * .85, least), 18);
    };
    ops.forEach((op, number) => { if (op.category !== "transpose") bar(number, data.looks[op.category].strong, .5); });
    ops.forEach((op, number) => { if (op.category === "transpose") bar(number, data.looks.transpose.strong, 2); });
    for (const number of this.chosen) {
      brush.fillStyle = data.looks.chosen.strong;
      brush.fillRect(number * wide / ops.length - 1, 0, 3, 26);
    }
  }
  choose(numbers) {
    this.chosen = new Set(numbers);
    if (numbers.length) this.show(this.index, this.network.ops[numbers[0]].group);
    this.tell(numbers);
  }
  tell(numbers) {
    const parts = numbers.slice(0, 8).map(number => this.describe(number));
    if (numbers.length > 8) parts.push(`and ${numbers.length - 8} more`);
    this.info.replaceChildren(...(parts.length ? parts : [make("span", { className: "quiet", textContent: "nothing here stems from it" })]));
  }
  describe(number) {
    const op = this.network.ops[number], link = other => make("button", {
      className: "link", textContent: this.network.ops[other].kind, onclick: () => follow(this, other) });
    const row = (title, ...inside) => make("div", {}, make("span", { className: "quiet", textContent: title + " " }), ...inside);
    const spaced = list => list.flatMap(n => [link(n), "  "]);
    return make("div", {}, make("b", { textContent: `${op.kind} ${op.detail || ""}` }),
      row("tensor", (op.tensors || []).join(", ")), row("from", (op.origins || []).join(", ")),
      row("reads", ...spaced(op.reads || [])), row("read by", ...spaced(this.network.readers[number])),
      row("bytes", `${op.bytes === null ? "a size is open" : bytes(op.bytes)}${op.weights ? `, constants ${bytes(op.weights)}` : ""}`),
      ...(op.error ? [row("error", `${op.error[0].toExponential(1)} of the largest value: ${op.error[1]}`)] : []),
      make("pre", { textContent: op.text || "" }));
  }
}

const panes = [...document.querySelectorAll(".pane")].map((element, number) => new Pane(element, number));
const other = pane => panes[1 - pane.number];

function follow(pane, number) {
  pane.choose([number]);
  const beside = other(pane);
  beside.choose(same(pane.network, pane.network.ops[number], beside.network));
}
function open(pane, group) {
  pane.show(pane.index, group);
  const wanted = path(pane.network, group), beside = other(pane);
  const found = beside.network.groups.findIndex((g, i) => g && path(beside.network, i) === wanted);
  if (found >= 0) beside.show(beside.index, found);
}

const search = document.getElementById("search"), found = document.getElementById("found");
function answer() {
  const words = search.value.toLowerCase().split(/\s+/).filter(Boolean), hits = [];
  if (words.length) for (const pane of panes) pane.network.ops.forEach((op, number) => {
    if (words.every(word => op.words.includes(word))) hits.push([pane, number]);
  });
  const rows = hits.slice(0, 60).map(([pane, number]) => {
    const op = pane.network.ops[number], name = (op.origins || op.tensors || [""])[0];
    return make("button", { className: "link", textContent: `${pane.network.title}: ${op.kind} ${name}`,
      onclick: () => { found.replaceChildren(); follow(pane, number); } });
  });
  if (hits.length > 60) rows.push(make("span", { className: "quiet", textContent: `and ${hits.length - 60} more` }));
  if (words.length && !hits.length) rows.push(make("span", { className: "quiet", textContent: "nothing is called like that" }));
  found.replaceChildren(...rows);
}
search.addEventListener("input", answer);
search.addEventListener("keydown", event => {
  if (event.key === "Escape") { search.value = ""; answer(); }
  if (event.key === "Enter" && found.firstChild && found.firstChild.click) found.firstChild.click();
});
document.getElementById("theme").addEventListener("click", () => {
  const root = document.documentElement, dark = getComputedStyle(root).getPropertyValue("--back").trim() === "#14181d";
  root.dataset.theme = dark ? "light" : "dark";
});
panes.forEach((pane, i) => {
  pane.show(Math.min(i, data.networks.length - 1), 0);
  pane.info.append(make("span", { className: "quiet", textContent: "A click on an operation follows it into the other network; on a group, opens it. Wheel and drag zoom and move." }));
});
