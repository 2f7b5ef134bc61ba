// What if: trades are tried by the API, and every number stands beside what it was.
import { ask, sentence } from "./asking.js";
import { plus, written } from "./writing.js";

const SHOWN = [
  ["snapshot.nav", "NAV", "money"],
  ["snapshot.cash", "Cash", "money"],
  ["snapshot.gross", "Gross", "money"],
  ["risk.beta", "Beta", "ratio"],
  ["risk.vol_21", "Volatility, 21 sessions", "share"],
  ["risk.vol_63", "Volatility, 63 sessions", "share"],
  ["risk.var_95", "VaR 95 %", "share"],
  ["risk.var_95_money", "VaR 95 %, money", "money"],
  ["risk.es_95", "ES 95 %", "share"],
  ["risk.var_99", "VaR 99 %", "share"],
  ["risk.tracking_error", "Tracking error", "share"],
  ["risk.effective_bets", "Effective bets", "ratio"],
  ["concentration.top_1", "Largest position", "share"],
];

export function watchWhatIf() {
  const form = document.querySelector("[data-what-if]");
  if (!form) return;
  form.querySelector("[data-more]").addEventListener("click", () => {
    const rows = form.querySelector("[data-trades]");
    const row = rows.lastElementChild.cloneNode(true);
    for (const input of row.querySelectorAll("input")) input.value = "";
    rows.append(row);
    row.querySelector("input").focus();
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    tryTrades(form);
  });
}

async function tryTrades(form) {
  const place = form.parentElement.querySelector("[data-outcome]");
  const button = form.querySelector("[type=submit]");
  const body = { session: form.dataset.session, trades: [] };
  for (const row of form.querySelectorAll(".trade")) {
    const symbol = row.querySelector("[data-symbol]").value.trim();
    const quantity = row.querySelector("[data-quantity]").value.trim().replace("−", "-");
    if (symbol || quantity) body.trades.push({ symbol, quantity });
  }
  const { hedge_beta: hedge, target_vol: target } = form.elements;
  if (hedge.value.trim()) body.hedge_beta = hedge.value.trim();
  if (target.value.trim()) body.target_vol = Number(target.value) / 100;
  button.disabled = true;
  try {
    const found = await ask("POST", `/api/v1/portfolios/${form.dataset.whatIf}/what-if`, body);
    place.replaceChildren(tradesOf(found), tableOf(found));
  } catch (error) {
    const words = document.createElement("p");
    words.className = "note bad";
    words.setAttribute("role", "alert");
    const more = (error.problem?.errors ?? []).map((one) => ` ${one.where}: ${one.problem}.`);
    words.textContent = sentence(error.message) + more.join("");
    place.replaceChildren(words);
  } finally {
    place.hidden = false;
    button.disabled = false;
  }
}

function tradesOf(found) {
  const words = document.createElement("p");
  words.className = "note";
  words.textContent = found.trades.map((one) => {
    const verb = one.quantity > 0 ? "Buy" : "Sell";
    const count = Math.abs(one.quantity).toLocaleString("en-US", { maximumFractionDigits: 8 });
    return `${verb} ${count} ${one.symbol} at ${written(one.price, "ratio")}`;
  }).join("; ") || "Nothing is to be traded.";
  return words;
}

function tableOf(found) {
  const table = document.createElement("table");
  table.className = "table tight";
  const head = table.createTHead().insertRow();
  for (const [place, text] of ["Number", "Before", "After", "Change"].entries()) {
    const cell = document.createElement("th");
    cell.scope = "col";
    cell.textContent = text;
    if (place) cell.className = "r";
    head.append(cell);
  }
  const body = table.createTBody();
  for (const [name, label, kind] of SHOWN) {
    const row = body.insertRow();
    const first = document.createElement("th");
    first.scope = "row";
    first.textContent = label;
    row.append(first);
    for (const side of ["before", "after", "change"]) {
      const value = name.split(".").reduce((at, key) => at?.[key], found[side]) ?? null;
      const cell = row.insertCell();
      cell.className = value < 0 ? "r num neg" : "r num";
      cell.textContent = side === "change" ? plus(value, kind) : written(value, kind);
      if (value === null) cell.title = (found.nulls[`${side}.${name}`] ?? "").replaceAll("_", " ");
    }
  }
  const scroll = document.createElement("div");
  scroll.className = "scroll";
  scroll.append(table);
  return scroll;
}
