"""Web archives: WARC, WET and ARC."""
