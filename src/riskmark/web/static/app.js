// What pages need besides HTML: each part looks for its own marks and does nothing without them.
import { watchCharts } from "./charts.js";
import { watchForms } from "./forms.js";
import { watchLots } from "./lots.js";
import { watchPopovers } from "./popovers.js";
import { watchRunning } from "./running.js";
import { watchSections } from "./sections.js";
import { watchSigningIn } from "./signing_in.js";
import { watchTables } from "./tables.js";
import { watchTheme } from "./theme.js";
import { watchWhatIf } from "./what_if.js";

watchTheme();
watchPopovers();
watchTables();
watchForms();
watchLots();
watchRunning();
watchSigningIn();
watchSections();
watchWhatIf();
watchCharts();
