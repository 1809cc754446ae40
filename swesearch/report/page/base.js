// Making elements, numbers and marks. Text of others only ever becomes a text node: nothing here parses HTML.

const $ = (id) => document.getElementById(id);

function h(name, properties, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(properties || {})) {
    if (value === undefined || value === null || value === false) continue;
    if (key === "class") element.className = value;
    else if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else element.setAttribute(key, value === true ? "" : value);
  }
  put(element, ...children);
  return element;
}

function put(element, ...children) {
  for (const child of children.flat(9)) if (child !== null && child !== undefined && child !== "") element.append(child);
  return element;
}

function svg(name, properties, ...children) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(properties || {})) element.setAttribute(key, value);
  return put(element, ...children);
}

const fill = (element, ...children) => put((element.replaceChildren(), element), ...children);
const many = (number, one) => `${number.toLocaleString("en")} ${one}${number === 1 ? "" : "s"}`;
const short = (text, most) => (text.length > most ? `${text.slice(0, most - 1)}…` : text);
const upper = (text) => text.slice(0, 1).toUpperCase() + text.slice(1);
const money = (dollars) => `$${dollars.toFixed(dollars < 0.1 ? 4 : 2)}`;
const chance = (prior) => (prior === null || prior === undefined ? "" : prior < 0.001 ? prior.toExponential(0) : prior.toFixed(3));

function duration(seconds) {
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  const minutes = Math.floor(seconds / 60);
  return minutes < 60 ? `${minutes} min ${Math.round(seconds % 60)} s` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

// `code` in backticks, as in the account's sentences.
function ticked(text) {
  return text.split(/`([^`]+)`/).map((part, place) => (place % 2 ? h("code", {}, part) : part));
}

// What became of a state: a badge for people, and whether anything was ever built upon it.
const BECAME = {
  root: "the code as it was",
  passes: "passes",
  partial: "got further",
  failing: "tests still fail",
  breaking: "breaks other tests",
  unclean: "linter: an error",
  unparsable: "no valid code",
  refused: "could not be carried out",
};
const titled = (node) => node.why || (node.parent === null ? "The code as it was" : "A change");

// Colours, read from the style sheet so that both themes have one place.

let inks = {};

function readColours() {
  const style = getComputedStyle(document.documentElement);
  const read = (name) => style.getPropertyValue(name).trim();
  inks = Object.fromEntries(
    ["bg", "panel", "ink", "dim", "line", "soft", "accent", "pass", "warn"].map((name) => [name, read(`--${name}`)]),
  );
  const stops = ["--v0", "--v1", "--v2"].map((name) =>
    read(name)
      .match(/[0-9a-f]{2}/gi)
      .map((part) => parseInt(part, 16)),
  );
  inks.scale = Array.from({ length: 17 }, (_, place) => {
    const [from, to] = place <= 8 ? [stops[0], stops[1]] : [stops[1], stops[2]];
    const share = place <= 8 ? place / 8 : (place - 8) / 8;
    return `rgb(${from.map((part, k) => Math.round(part + (to[k] - part) * share)).join(",")})`;
  });
}

const bucket = (value) => Math.max(0, Math.min(16, Math.round(value * 16)));
const colour = (node) => (node.outcome === "passes" ? inks.pass : inks.scale[bucket(node.value)]);

// The same mark in the map, the list and the legend: a diamond passes, a ring was dropped, a cross could not be carried out.
function mark(node) {
  const shape =
    node.outcome === "passes"
      ? svg("path", { d: "M5 0L10 5L5 10L0 5Z", fill: inks.pass })
      : node.outcome === "refused"
        ? svg("path", { d: "M1.5 1.5L8.5 8.5M8.5 1.5L1.5 8.5", stroke: inks.dim, "stroke-width": 1.6 })
        : svg("circle", { cx: 5, cy: 5, r: 4.2, fill: inks.scale[bucket(node.value)], stroke: inks.dim, "stroke-width": 0.6 });
  return svg("svg", { class: "dot", viewBox: "0 0 10 10", "aria-hidden": "true" }, shape);
}
