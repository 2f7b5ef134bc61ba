"""``python -m tests.chaos``: see ``command``.

Processes that are forked for a trial import this module again; so it is almost empty.
"""

import os
import sys

# On matrices as small as these a second thread only waits for the first.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
# Nobody outside is asked.
os.environ["RISKMARK_PROVIDERS__ORDER"] = ""

if __name__ == "__main__":
    from tests.chaos.command import main

    sys.exit(main())
