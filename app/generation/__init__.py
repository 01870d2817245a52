"""From a prompt to a stored picture: parameters, Forge payload, the job handler, images."""
