// A long page: which section is in sight, and a date that shows its session when it is chosen.
// Pixels from the top of the window from which on a section counts as reached.
const REACHED = 180;

export function watchSections() {
  for (const input of document.querySelectorAll("[data-submits]")) {
    input.form.querySelector("[data-plain]").hidden = true;
    input.addEventListener("change", () => input.value && input.form.requestSubmit());
  }
  const nav = document.querySelector(".sections");
  if (!nav) return;
  const links = new Map([...nav.querySelectorAll("a")].map((one) => [one.hash.slice(1), one]));
  let shown = null;
  const mark = () => {
    let found = null;
    for (const [id, link] of links) {
      if (document.getElementById(id).getBoundingClientRect().top < REACHED) found = link;
    }
    if (found === shown) return;
    shown?.removeAttribute("aria-current");
    found?.setAttribute("aria-current", "true");
    shown = found;
  };
  window.addEventListener("scroll", () => window.requestAnimationFrame(mark), { passive: true });
  mark();
}
