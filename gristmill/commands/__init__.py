"""The commands, one a file: each takes its options, calls one function of the room where the data live, and prints."""
