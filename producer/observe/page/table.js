// The table of sources: a row for each, kept from report to report; which show, and in which order.

import { about, ago, ahead, bars, count, moment, sum } from "./words.js";

export const $ = (id) => document.getElementById(id);
export const MARKS = ["●", "◌", "▲", "■"]; // by trouble, so that no meaning hangs on colour alone

export function element(name, className, text) {
  const made = document.createElement(name);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}

export function put(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

const rows = new Map(); // server -> its row's parts
const choice = { order: "trouble", find: "", only: false };

export function choose(changes) {
  Object.assign(choice, changes);
}

export function sources(report, now) {
  for (const server of rows.keys()) {
    if (!report.sources.some((s) => s.server === server)) rows.get(server).row.remove(), rows.delete(server);
  }
  for (const source of report.sources) fill(rows.get(source.server) ?? make(source.server), source, now);
  const wanted = report.sources.filter(matches).sort(comparison());
  const body = $("sources");
  const nodes = wanted.map((source) => rows.get(source.server).row);
  if (nodes.length !== body.children.length || nodes.some((node, i) => body.children[i] !== node)) {
    body.replaceChildren(...nodes);
  }
  const many = report.sources.length > 5;
  $("controls").hidden = !many;
  $("none").hidden = nodes.length > 0;
  put($("shown"), many ? `${count(nodes.length)} of ${count(report.sources.length)}` : "");
}

function matches(source) {
  const text = `${source.server} ${source.state} ${source.error ?? ""}`.toLowerCase();
  return text.includes(choice.find.trim().toLowerCase()) && (!choice.only || source.trouble > 0);
}

function comparison() {
  const byServer = (a, b) => a.server.localeCompare(b.server);
  const loss = (s) => s.seconds_until_data_loss ?? Infinity;
  const near = (a, b) => (a.trouble > 1 && loss(a) !== loss(b) ? loss(a) - loss(b) : 0);
  return {
    server: byServer,
    hits: (a, b) => sum(b.hits_per_minute) - sum(a.hits_per_minute) || byServer(a, b),
    trouble: (a, b) => b.trouble - a.trouble || b.owned - a.owned || near(a, b) || byServer(a, b),
  }[choice.order];
}

function make(server) {
  const row = element("tr");
  row.setAttribute("role", "row");
  const cell = (label, className) => {
    const made = element("td", className);
    made.setAttribute("role", "cell");
    made.dataset.label = label;
    row.append(made);
    return made;
  };
  const head = element("th", "server", server);
  head.scope = "row";
  head.setAttribute("role", "rowheader");
  row.append(head);
  const state = cell("State", "state");
  const chip = element("span");
  const error = element("small", "error");
  state.append(chip, error);
  const parts = { row, chip, error, last: cell("Last success"), next: cell("Next poll") };
  parts.svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  for (const [name, value] of [["viewBox", "0 0 60 20"], ["preserveAspectRatio", "none"], ["role", "img"], ["class", "plot"]]) {
    parts.svg.setAttribute(name, value);
  }
  parts.svg.append(document.createElementNS("http://www.w3.org/2000/svg", "path"));
  parts.hits = element("span", "hits");
  const strip = element("div", "strip");
  strip.append(parts.svg, parts.hits);
  cell("Hits, last hour", "wide").append(strip);
  for (const name of ["Published", "Changed", "Duplicate", "Dead", "Pending"]) parts[name] = cell(name, "number count");
  parts.loss = cell("Data loss in");
  rows.set(server, parts);
  return parts;
}

function fill(parts, source, now) {
  parts.row.className = source.owned ? "" : "elsewhere";
  parts.chip.className = `chip trouble-${source.trouble}`;
  put(parts.chip, `${source.owned ? MARKS[source.trouble] : "○"} ${source.state}`);
  put(parts.error, source.error ?? "");
  at(parts.last, source.last_success, now, (s) => ago(-s));
  at(parts.next, source.next_poll, now, ahead);
  plot(parts.svg, source.hits_per_minute);
  put(parts.hits, source.owned ? count(sum(source.hits_per_minute)) : "–");
  const { published, changed, duplicate, dead_lettered, pending } = source;
  const numbers = { Published: published, Changed: changed, Duplicate: duplicate, Dead: dead_lettered, Pending: pending };
  for (const [name, value] of Object.entries(numbers)) put(parts[name], shows(name, source) ? count(value) : "–");
  parts.Dead.classList.toggle("warn", dead_lettered > 0);
  loss(parts.loss, source.seconds_until_data_loss);
}

// What waits here for a source that went elsewhere still takes room, so it is told.
const shows = (name, source) => source.owned || (name === "Pending" && source.pending > 0);

function at(cell, text, now, relative) {
  const when = text && new Date(text);
  put(cell, when ? relative((when - now) / 1000) : "–");
  cell.title = when ? moment(when, now) : "";
}

function loss(cell, seconds) {
  put(cell, seconds === null ? "–" : seconds > 0 ? about(seconds) : `losing for ${about(seconds)}`);
  cell.className = `number loss ${seconds === null || seconds > 120 ? "" : seconds > 0 ? "warn" : "bad"}`;
}

export function plot(svg, minutes) {
  const path = bars(minutes);
  if (svg.firstElementChild.getAttribute("d") === path) return;
  svg.firstElementChild.setAttribute("d", path);
  const label = `${count(sum(minutes))} hits in the last hour, at most ${count(Math.max(0, ...minutes))} a minute`;
  svg.setAttribute("aria-label", label);
}
