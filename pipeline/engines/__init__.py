"""Where pipelines run: the embedded runner, Flink and other portable runners, their workers, pre-flight checks and
failures.
"""
