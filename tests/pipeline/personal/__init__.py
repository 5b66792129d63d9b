"""Tests of `pipeline.personal`."""
