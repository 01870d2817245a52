"""What Forge has on its shelves: checkpoints, LoRAs, samplers and other lists."""
