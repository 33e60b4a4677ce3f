"""The face detector: pictures, teacher, network, training, evaluation. Start with `train`."""
