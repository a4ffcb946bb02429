"""The tests mirror the package; e2e/ drives the page in a real browser."""
