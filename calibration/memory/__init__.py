"""The causal memory: human traces, made noisy as readings are, teach an LSTM to steady them."""
