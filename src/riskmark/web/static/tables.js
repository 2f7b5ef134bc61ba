// Tables that can be sorted by a column and filtered by a word, without asking the server.
//   <table data-sortable>     buttons of class "sort" in the headings; cells may have data-sort
//   <input data-filter="id">  shows the rows of that table that have the words

export function watchTables(root = document) {
  for (const table of root.querySelectorAll("table[data-sortable]")) watchSorting(table);
  for (const input of root.querySelectorAll("input[data-filter]")) watchFilter(input);
}

function watchSorting(table) {
  table.tHead.addEventListener("click", (event) => {
    const heading = event.target.closest(".sort")?.closest("th");
    if (!heading) return;
    const was = heading.getAttribute("aria-sort");
    const isNumeric = heading.classList.contains("r");
    const first = isNumeric ? "descending" : "ascending";
    const second = isNumeric ? "ascending" : "descending";
    for (const one of table.tHead.querySelectorAll("th")) one.removeAttribute("aria-sort");
    const next = was === first ? second : first;
    heading.setAttribute("aria-sort", next);
    sort(table, heading.cellIndex, next === "ascending" ? 1 : -1);
  });
}

function sort(table, column, sign) {
  const body = table.tBodies[0];
  const rows = [...body.rows].map((row) => [keyOf(row.cells[column]), row]);
  rows.sort(([a], [b]) => {
    if (a === null || b === null) return (a === null) - (b === null);
    return sign * (typeof a === "number" ? a - b : a.localeCompare(b, "en", { numeric: true }));
  });
  body.append(...rows.map(([, row]) => row));
}

// A number is compared by its value; what is not there comes last, whichever way.
function keyOf(cell) {
  const given = cell.dataset.sort ?? cell.querySelector("data")?.value;
  if (given === undefined) return cell.querySelector(".null") ? null : cell.textContent.trim();
  if (given === "") return null;
  return Number.isNaN(Number(given)) ? given : Number(given);
}

function watchFilter(input) {
  const table = document.getElementById(input.dataset.filter);
  const count = document.querySelector(`[data-filter-count="${input.dataset.filter}"]`);
  input.addEventListener("input", () => {
    const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const row of table.tBodies[0].rows) {
      const text = row.textContent.toLowerCase();
      row.hidden = !words.every((word) => text.includes(word));
      shown += !row.hidden;
    }
    if (count) count.textContent = words.length ? `${shown} of ${table.tBodies[0].rows.length}` : "";
  });
}
