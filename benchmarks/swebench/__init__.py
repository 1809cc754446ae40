"""SWE-bench: from a data row to a graded, resumable run. The only room that knows hidden tests."""
