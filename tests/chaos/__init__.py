"""The chaos suite: what a run, a worker and a database must survive, at full counts."""
