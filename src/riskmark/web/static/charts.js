// Charts: the figures of a session are asked for once, and each is drawn where it belongs, the
// ones in sight first. The table behind a chart is made when somebody opens it.
import { Refused, ask, sentence } from "./asking.js";
import { written } from "./writing.js";

// Thousands of marks are no reading: who cannot see a chart hears what it shows, and has its table.
const CONFIG = { aria: false };
const NARROW = 480;
const OPTIONS = {
  renderer: "svg",
  actions: false,
  ast: true,
  defaultStyle: false,
  config: CONFIG,
  tooltip: { disableDefaultStyle: true, id: "vg-tooltip" },
};

export async function watchCharts() {
  const places = [...document.querySelectorAll("[data-figure]")];
  if (!places.length) return;
  const session = new URLSearchParams(window.location.search).get("session");
  const address = `${window.location.pathname}/figures.json${session ? `?session=${session}` : ""}`;
  const bundle = document.querySelector("link[rel=modulepreload]")?.href;
  try {
    const [figures] = await Promise.all([ask("GET", address), bundle && import(bundle)]);
    for (const place of places) {
      const figure = figures[place.dataset.figure];
      prepare(place, figure);
      if (bundle) await draw(place, figure);
    }
    document.documentElement.dataset.charts = "drawn";
  } catch (error) {
    const text = error instanceof Refused ? error.message : "the chart could not be drawn";
    for (const place of places) {
      if (place.dataset.drawn === undefined) say(place, sentence(text), "no-chart");
    }
    throw error;
  }
}

function prepare(place, figure) {
  place.querySelector("[data-note]").textContent = figure.note;
  const details = place.querySelector("details");
  details.addEventListener("toggle", () => {
    const inner = details.querySelector("[data-table]");
    if (details.open && !inner.firstChild) inner.append(tableOf(figure));
  });
}

async function draw(place, figure) {
  const plot = place.querySelector("[data-plot]");
  if (!figure.spec) {
    say(place, sentence(figure.reason_words ?? figure.reason ?? "there is nothing to draw"), "no-chart");
    return;
  }
  plot.replaceChildren();
  plot.setAttribute("role", "img");
  plot.setAttribute("aria-label", `${figure.title}. ${figure.note}`);
  const spec = structuredClone(figure.spec);
  // A finger that scrolls the page must not drag the chart.
  if (window.matchMedia("(pointer: coarse)").matches) delete spec.params;
  // On a telephone a legend stands in two columns, or it would be cut off.
  if (plot.clientWidth < NARROW) spec.config.legend = { ...spec.config.legend, columns: 2 };
  await window.vegaEmbed(plot, spec, OPTIONS);
  place.dataset.drawn = "";
}

function say(place, text, kind) {
  const words = document.createElement("p");
  words.className = kind;
  words.textContent = text;
  place.querySelector("[data-plot]").replaceChildren(words);
}

function tableOf(figure) {
  const table = document.createElement("table");
  table.className = "table tight";
  const heads = table.createTHead().insertRow();
  for (const column of figure.columns) {
    const head = document.createElement("th");
    head.scope = "col";
    head.textContent = column.label;
    if (isNumber(column)) head.className = "r";
    heads.append(head);
  }
  const body = table.createTBody();
  for (const values of figure.rows) {
    const row = body.insertRow();
    values.forEach((value, place) => row.append(cellOf(figure.columns[place], value, place)));
  }
  return table;
}

function cellOf(column, value, place) {
  const cell = document.createElement(place ? "td" : "th");
  if (!place) cell.scope = "row";
  cell.textContent = written(value, column.kind);
  if (isNumber(column)) cell.className = value < 0 ? "r num neg" : "r num";
  return cell;
}

function isNumber(column) {
  return !["text", "day", "yes"].includes(column.kind);
}
