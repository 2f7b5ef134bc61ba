"""The pages: what ``reports`` knows, written for people. No page computes a number."""
