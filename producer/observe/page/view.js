// The report put on the page. Every text goes in as text, never as markup.

import { about, ago, ahead, bars, count, moment, ranges, span, sum } from "./words.js";

const $ = (id) => document.getElementById(id);
const MARKS = ["●", "◌", "▲", "■"]; // by trouble, so that no meaning hangs on colour alone
const rows = new Map(); // server -> its row's parts
const choice = { order: "trouble", find: "", only: false };

function element(name, className, text) {
  const made = document.createElement(name);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}

function put(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

// Replaces what is inside only if it is new: a text that someone is selecting stays.
const drawn = new WeakMap();
function renew(node, content, build) {
  const key = JSON.stringify(content);
  if (drawn.get(node) === key) return;
  drawn.set(node, key);
  node.replaceChildren(...content.map(build));
}

export function choose(changes) {
  Object.assign(choice, changes);
}

export function show(report, now) {
  verdict(report);
  facts(report);
  hour(report.sources);
  sources(report, now);
  gaps(report.sources, now);
}

function judge(report) {
  const worst = Math.max(0, ...report.sources.map((s) => s.trouble));
  const owned = report.sources.filter((s) => s.owned).length;
  const troubled = report.sources.filter((s) => s.trouble > 1).length;
  if (report.stuck.length) return [3, "Stuck: the service does not turn"];
  if (report.unready.length) return [3, "Not ready"];
  if (troubled) return [worst, `${count(troubled)} of ${count(owned)} sources in trouble`];
  if (!owned) return [0, "Standby: another instance polls, this one is ready to take over"];
  if (worst) return [1, "Starting"];
  return [0, owned === 1 ? "All is well" : `All is well with ${count(owned)} sources`];
}

function verdict(report) {
  const [level, text] = judge(report);
  const reasons = [...report.stuck, ...report.unready];
  $("verdict").className = `verdict trouble-${level}`;
  put($("verdict"), `${MARKS[level]} ${text}`);
  $("reasons").hidden = !reasons.length;
  renew($("reasons"), reasons, (reason) => element("li", "", reason));
  const title = `${level > 1 ? "⚠ " : ""}wolkvox-hits ${report.instance}`;
  if (document.title !== title) document.title = title;
  icon(level);
}

function icon(level) {
  const colour = ["%231a7f37", "%230b57d0", "%23b26a00", "%23c5221f"][level];
  const href = `data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 8 8'><circle cx='4' cy='4' r='4' fill='${colour}'/></svg>`;
  if ($("icon").href !== href) $("icon").href = href;
}

function facts(report) {
  const owned = report.sources.filter((s) => s.owned).length;
  const shards = report.shards.length ? `${ranges(report.shards)} (${report.shards.length})` : "none";
  const told = [
    ["Instance", report.instance],
    ["Kafka", report.kafka, report.kafka === "ok" ? "trouble-0" : "trouble-3"],
    ["Shards", shards],
    ["Sources", `${count(owned)} polled here, ${count(report.sources.length - owned)} elsewhere`],
    ["Pending", count(sum(report.sources.map((s) => s.pending)))],
    ["Version", report.version],
  ];
  if (report.started) told.push(["Running for", about((Date.parse(report.now) - Date.parse(report.started)) / 1000)]);
  renew($("facts"), told, ([name, value, className]) => {
    const pair = element("div");
    pair.append(element("dt", "", name), element("dd", className, value));
    return pair;
  });
}

function hour(all) {
  $("hour-section").hidden = !all.some((source) => source.hits_per_minute.length);
  const minutes = Array(60).fill(0);
  for (const source of all) source.hits_per_minute.forEach((n, i, own) => (minutes[60 - own.length + i] += n));
  plot($("hour"), minutes);
  put($("hour-total"), `${count(sum(minutes))} hits, at most ${count(Math.max(...minutes))} a minute`);
}

function plot(svg, minutes) {
  const path = bars(minutes);
  if (svg.firstElementChild.getAttribute("d") === path) return;
  svg.firstElementChild.setAttribute("d", path);
  const label = `${count(sum(minutes))} hits in the last hour, at most ${count(Math.max(0, ...minutes))} a minute`;
  svg.setAttribute("aria-label", label);
}

function sources(report, now) {
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
  for (const name of ["Published", "Duplicate", "Dead", "Pending"]) parts[name] = cell(name, "number count");
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
  const numbers = { Published: source.published, Duplicate: source.duplicate, Dead: source.dead_lettered, Pending: source.pending };
  for (const [name, value] of Object.entries(numbers)) put(parts[name], source.owned ? count(value) : "–");
  parts.Dead.classList.toggle("warn", source.dead_lettered > 0);
  loss(parts.loss, source.seconds_until_data_loss);
}

function at(cell, text, now, relative) {
  const when = text && new Date(text);
  put(cell, when ? relative((when - now) / 1000) : "–");
  cell.title = when ? moment(when, now) : "";
}

function loss(cell, seconds) {
  put(cell, seconds === null ? "–" : seconds > 0 ? about(seconds) : `losing for ${about(seconds)}`);
  cell.className = `number loss ${seconds === null || seconds > 120 ? "" : seconds > 0 ? "warn" : "bad"}`;
}

function gaps(all, now) {
  const told = all.flatMap((source) => source.gaps.map((gap) => ({ ...gap, server: source.server })));
  told.sort((a, b) => (a.to < b.to ? 1 : -1));
  const lines = told.slice(0, 20).map((gap) => {
    const [from, to] = [new Date(gap.from), new Date(gap.to)];
    const text = ` ${moment(from, now)} – ${moment(to, now)}, ${span((to - from) / 1000)} ${gap.kind}`;
    return [gap.server, text, gap.certain ? " · certain" : " · not certain: the API may reach further back"];
  });
  renew($("gaps"), lines.length ? lines : [["", "", "None since this process began."]], ([server, text, note]) => {
    const item = element("li");
    item.append(element("strong", "", server), text, element("span", "muted", note));
    return item;
  });
}
