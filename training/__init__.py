"""The Megatron-Core trainer.

Importing this package prepares Megatron for the device at hand: without a GPU its sources are changed as they are
imported, so this must come before any `import megatron.core`, and does, since only this room imports Megatron.
"""

from training.device import prepare_megatron

prepare_megatron()
