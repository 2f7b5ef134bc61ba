// A long page: which section is in sight, and a date that shows its session when it is chosen.
export function watchSections() {
  for (const input of document.querySelectorAll("[data-submits]")) {
    input.form.querySelector("[data-plain]").hidden = true;
    input.addEventListener("change", () => input.value && input.form.requestSubmit());
  }
  const nav = document.querySelector(".sections");
  if (!nav) return;
  const links = new Map([...nav.querySelectorAll("a")].map((one) => [one.hash.slice(1), one]));
  const seen = new IntersectionObserver((entries) => {
    for (const entry of entries) {
      if (!entry.isIntersecting) continue;
      for (const link of links.values()) link.removeAttribute("aria-current");
      links.get(entry.target.id)?.setAttribute("aria-current", "true");
    }
  }, { rootMargin: "-20% 0px -70% 0px" });
  for (const id of links.keys()) seen.observe(document.getElementById(id));
}
