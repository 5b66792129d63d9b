"""Language: fastText's lid.176 as a kernel of our own, its model file, and labels for documents."""
