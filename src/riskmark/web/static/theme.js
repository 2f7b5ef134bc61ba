// Light, dark, or as the system: kept in a cookie, so that the server writes the page right.
const ORDER = [null, "light", "dark"];

export function watchTheme() {
  const button = document.getElementById("theme");
  button?.addEventListener("click", () => {
    const root = document.documentElement;
    const now = ORDER.indexOf(root.dataset.theme ?? null);
    const next = ORDER[(now + 1) % ORDER.length];
    if (next === null) delete root.dataset.theme;
    else root.dataset.theme = next;
    const kept = next === null ? "Max-Age=0" : "Max-Age=31536000";
    document.cookie = `riskmark-theme=${next ?? ""}; Path=/; SameSite=Lax; ${kept}`;
    button.setAttribute("aria-label", `Colours: ${next ?? "as the system"}`);
  });
}
