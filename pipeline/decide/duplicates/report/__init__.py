"""What the search for duplicates did, for people to look at: reads published files of a prepared folder alone."""
