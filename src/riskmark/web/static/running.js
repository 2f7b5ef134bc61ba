// Recalculate: the run is started, or the one that is at work joined, and its page is a click away.
import { notify } from "./notices.js";

export function watchRunning() {
  document.addEventListener("done", (event) => {
    if (event.target.dataset.run === undefined) return;
    const { run, joined } = event.detail;
    const text = joined ? "A run is at work on this already." : "The run has started.";
    const follow = { label: "Follow", run: () => window.location.assign(`/runs/${run}`) };
    notify(text, { action: follow, lasts: 12000 });
  });
}
