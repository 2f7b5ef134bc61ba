// Lots are edited and closed in a dialog, which is filled from the row that it was opened from.
import { ask, sentence } from "./asking.js";
import { notify } from "./notices.js";

export function watchLots() {
  document.addEventListener("click", (event) => {
    const opener = event.target.closest("[data-open]");
    if (opener) open(opener);
    const closer = event.target.closest("dialog [data-close]");
    closer?.closest("dialog").close();
    const remover = event.target.closest("[data-delete]");
    if (remover) remove(remover);
  });
}

function open(opener) {
  const row = opener.closest("tr");
  const dialog = document.getElementById(opener.dataset.open);
  const form = dialog.querySelector("form");
  const { lot, symbol, quantity, entryDate, entryPrice, exitDate, exitPrice } = row.dataset;
  dialog.querySelector("[data-of-symbol]").textContent = symbol;
  const method = form.dataset.api.split(" ")[0];
  form.dataset.api = `${method} ${form.dataset.path}${lot}${form.dataset.end ?? ""}`;
  form.dataset.lot = lot;
  if (opener.dataset.open === "edit-lot") {
    const given = {
      quantity, entry_date: entryDate, entry_price: entryPrice,
      exit_date: exitDate, exit_price: exitPrice,
    };
    for (const [name, value] of Object.entries(given)) form.elements[name].value = value;
  }
  form.querySelector(":scope > .note")?.remove();
  dialog.showModal();
}

async function remove(button) {
  const form = button.form;
  if (!window.confirm("Delete the lot as if it had never been there?")) return;
  try {
    const headers = { "if-match": form.dataset.match };
    await ask("DELETE", button.dataset.delete + form.dataset.lot, undefined, headers);
    window.location.reload();
  } catch (error) {
    notify(sentence(error.message), { isBad: true });
  }
}
