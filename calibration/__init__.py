"""Making the shipped networks: data in, ONNX and a card out. Needs the extra `train`."""
