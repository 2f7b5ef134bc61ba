// What pages need besides HTML: each part looks for its own marks and does nothing without them.
import { watchCharts } from "./charts.js";
import { watchForms } from "./forms.js";
import { watchPopovers } from "./popovers.js";
import { watchSections } from "./sections.js";
import { watchSigningIn } from "./signing_in.js";
import { watchTables } from "./tables.js";
import { watchTheme } from "./theme.js";
import { watchWhatIf } from "./what_if.js";

watchTheme();
watchPopovers();
watchTables();
watchForms();
watchSigningIn();
watchSections();
watchWhatIf();
watchCharts();
