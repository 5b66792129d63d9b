"""Raw files to documents, signals and signatures."""
